"""Narrow replacements of what stock Rasa 3.6 wastes in every turn; each behaves as the original (see its test).

    validate_action_result   the original compiles and checks the JSON schema of the answer on every action call
    resolve_event_type       the original walks the tree of event classes for every stored event
    debug copies             deep copies of dialogue states for debug logs that nobody reads
    graph plans              the original prunes the same two graph schemas on every run
    replays                  see `connectors.replay`

They are written for Rasa 3.6; with any other version stock behaviour stays.
"""

from __future__ import annotations

import copy
import logging
from functools import lru_cache
from types import SimpleNamespace
from typing import Any

import rasa
from jsonschema.exceptions import best_match
from jsonschema.validators import validator_for
from rasa.core import processor
from rasa.core.actions import action, forms
from rasa.core.policies import memoization, rule_policy
from rasa.engine.graph import GraphSchema
from rasa.shared.constants import DOCS_BASE_URL
from rasa.shared.core.events import Event

from connectors import replay

log = logging.getLogger(__name__)

WRITTEN_FOR = "3.6."

# In these modules every use of `copy` is an argument of a debug log.
COPIES_FOR_DEBUG_ONLY = (processor, forms, memoization, rule_policy)

_stock_resolve_by_type = Event.resolve_by_type
_stock_minimal_schema = GraphSchema.minimal_graph_schema
_stock_validate = action.RemoteAction._validate_action_result


def install() -> bool:
    """Install all of them. False, with a warning, when this is not the Rasa they were written for."""
    if not rasa.__version__.startswith(WRITTEN_FOR):
        log.warning("speedups.skipped rasa=%s written_for=%sx", rasa.__version__, WRITTEN_FOR)
        return False
    action.RemoteAction._validate_action_result = validate_action_result
    Event.resolve_by_type = staticmethod(resolve_event_type)
    GraphSchema.minimal_graph_schema = _minimal_schema
    replay.install()
    if not processor.logger.isEnabledFor(logging.DEBUG):
        for module in COPIES_FOR_DEBUG_ONLY:
            module.copy = SimpleNamespace(deepcopy=lambda value: value)
    return True


def uninstall() -> None:
    """Back to stock, for tests and for comparing."""
    action.RemoteAction._validate_action_result = _stock_validate
    Event.resolve_by_type = staticmethod(_stock_resolve_by_type)
    GraphSchema.minimal_graph_schema = _stock_minimal_schema
    replay.uninstall()
    for module in COPIES_FOR_DEBUG_ONLY:
        module.copy = copy


@lru_cache(maxsize=1)
def _result_validator() -> Any:
    """The compiled schema of an action server's answer."""
    schema = action.RemoteAction.action_response_format_spec()
    kind = validator_for(schema)
    kind.check_schema(schema)
    return kind(schema)


def validate_action_result(self: Any, result: dict[str, Any]) -> bool:
    """True, or jsonschema's ValidationError with Rasa's advice."""
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


def _minimal_schema(self: GraphSchema, targets: list[str] | None = None) -> GraphSchema:
    """The pruned schema, kept on the schema that it was pruned from: neither changes once a model is loaded."""
    plans = self.__dict__.setdefault("_plans", {})
    key = tuple(targets or ())
    if key not in plans:
        plans[key] = _stock_minimal_schema(self, targets)
    return plans[key]


