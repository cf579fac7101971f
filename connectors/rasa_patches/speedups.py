"""Narrow replacements of what stock Rasa 3.6 wastes in every turn; each behaves as the original (see its test).

    validate_action_result   the original compiles the JSON schema of the answer on every action call, and tries an
                             event as each of its kinds until one fits
    resolve_event_type       the original walks the tree of event classes for every stored event
    debug copies             deep copies of dialogue states for debug logs that nobody reads
    is_empty                 the original makes an empty domain for every message, to compare with
    run                      see `connectors.rasa_patches.graph_run`
    debugging of asyncio     the original keeps the stack of every task and future where LOG_LEVEL is DEBUG
    configure_cors           the original looks at every response for the origins that may read it, also where none may
    replays                  see `connectors.rasa_patches.replay`
    predictions              see `connectors.rasa_patches.predictions`
    graph thread             see `connectors.rasa_patches.graph_thread`

They are written for Rasa 3.6; with any other version stock behaviour stays.
"""

import copy
import logging
import sys
from functools import lru_cache
from types import SimpleNamespace
from typing import Any

import rasa
import rasa.server
import rasa.utils.io
from jsonschema.exceptions import best_match
from jsonschema.validators import validator_for
from rasa.core import processor
from rasa.core.actions import action, forms
from rasa.core.policies import memoization, rule_policy
from rasa.engine.runner.dask import DaskGraphRunner
from rasa.shared.constants import DOCS_BASE_URL
from rasa.shared.core.domain import Domain
from rasa.shared.core.events import Event

from connectors.rasa_patches import graph_run, graph_thread, predictions, replay

log = logging.getLogger(__name__)

WRITTEN_FOR = "3.6."

# In these modules every use of `copy` is an argument of a debug log.
COPIES_FOR_DEBUG_ONLY = (processor, forms, memoization, rule_policy)

_stock_resolve_by_type = Event.resolve_by_type
_stock_configure_cors = rasa.server.configure_cors


def install() -> bool:
    """Install all of them. False, with a warning, when this is not the Rasa they were written for."""
    if not rasa.__version__.startswith(WRITTEN_FOR):
        log.warning("speedups.skipped rasa=%s written_for=%sx", rasa.__version__, WRITTEN_FOR)
        return False
    for owner, name, replacement in REPLACED:
        setattr(owner, name, replacement)
    sys.setswitchinterval(graph_thread.SWITCH_INTERVAL_S)
    if not processor.logger.isEnabledFor(logging.DEBUG):
        for module in COPIES_FOR_DEBUG_ONLY:
            module.copy = SimpleNamespace(deepcopy=lambda value: value)
    return True


@lru_cache(maxsize=1)
def _result_validator() -> Any:
    """The compiled schema of an action server's answer."""
    schema = action.RemoteAction.action_response_format_spec()
    kind = validator_for(schema)
    kind.check_schema(schema)
    return kind(schema)


@lru_cache(maxsize=1)
def _validators_by_event() -> tuple[Any, dict[str, Any]]:
    """The schema without its alternatives of events, and each alternative under the one name it is for."""
    schema = copy.deepcopy(action.RemoteAction.action_response_format_spec())
    kind = validator_for(schema)
    alternatives = schema["properties"]["events"]["items"].pop("oneOf")
    return kind(schema), {branch["properties"]["event"]["const"]: kind(branch) for branch in alternatives}


def _evidently_valid(result: Any) -> bool:
    """True only for valid results: every event, by its name, can be of one kind only."""
    whole, by_event = _validators_by_event()
    return whole.is_valid(result) and all(
        event["event"] in by_event and by_event[event["event"]].is_valid(event) for event in result.get("events", ())
    )


_SLOT_SET: dict[str, set[type]] = {"event": {str}, "name": {str}, "timestamp": {int, float, type(None)}}


def _only_sets_slots(result: Any) -> bool:
    """True for most valid results, and for no other: `rasa_sdk`'s SlotSet events, and responses that are objects."""
    if type(result) is not dict or result.keys() != {"events", "responses"}:
        return False
    lists = result["events"], result["responses"]
    return all(type(each) is list and all(type(one) is dict for one in each) for each in lists) and all(
        event.get("event") == "slot"
        and event.keys() == {*_SLOT_SET, "value"}
        and all(type(event[name]) in kinds for name, kinds in _SLOT_SET.items())
        for event in result["events"]
    )


def validate_action_result(self: Any, result: dict[str, Any]) -> bool:
    """True, or jsonschema's ValidationError with Rasa's advice."""
    if _only_sets_slots(result) or _evidently_valid(result):
        return True
    error = best_match(_result_validator().iter_errors(result))
    if error is None:
        return True
    error.message += (
        f". Failed to validate Action server response from API, "
        f"make sure your response from the Action endpoint is valid. "
        f"For more information about the format visit "
        f"{DOCS_BASE_URL}/custom-actions"
    )
    raise error


_event_types: dict[str, type[Event]] = {}


def resolve_event_type(type_name: str, default: type[Event] | None = None) -> type[Event] | None:
    """The event class of this type name, looked up once."""
    found = _event_types.get(type_name)
    if found is None:
        found = _stock_resolve_by_type(type_name, default)
        if found is not None and found.type_name == type_name:
            _event_types[type_name] = found
    return found


@lru_cache(maxsize=1)
def _empty_domain() -> dict[str, Any]:
    return dict(Domain.empty().as_dict())


def is_empty(self: Domain) -> bool:
    """As Domain.is_empty."""
    return bool(self.as_dict() == _empty_domain())


def configure_cors(app: Any, cors_origins: Any = "") -> None:
    """Let pages of these origins read responses; where there are none, nothing has to be said to anybody."""
    if cors_origins:
        _stock_configure_cors(app, cors_origins)


REPLACED: tuple[tuple[Any, str, Any], ...] = (
    (action.RemoteAction, "_validate_action_result", validate_action_result),
    (Event, "resolve_by_type", staticmethod(resolve_event_type)),
    (DaskGraphRunner, "run", graph_run.run_graph),
    (Domain, "is_empty", is_empty),
    (rasa.server, "configure_cors", configure_cors),
    (rasa.utils.io, "enable_async_loop_debugging", lambda loop, *_: loop),
    *replay.REPLACED,
    *predictions.REPLACED,
    *graph_thread.REPLACED,
)
"""Whose attribute is replaced, its name, and by what."""
