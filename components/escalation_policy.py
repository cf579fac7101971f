"""The dialogue policy that calls a person. It stands above all others and can interrupt a form, which a rule cannot.

It is asked before every action of a turn and reads only the end of the conversation. When the customer has just spoken,
the message is assessed; after each answer, it counts the turns in a row in which the assistant could not help.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from rasa.core.featurizers.tracker_featurizers import TrackerFeaturizer
from rasa.core.policies.policy import PolicyPrediction
from rasa.engine.graph import ExecutionContext
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.shared.core.constants import ACTION_LISTEN_NAME
from rasa.shared.core.domain import Domain
from rasa.shared.core.events import (
    ActionExecuted,
    BotUttered,
    Event,
    SessionStarted,
    SlotSet,
    UserUtteranceReverted,
    UserUttered,
)
from rasa.shared.core.trackers import DialogueStateTracker

from components.escalation import Assessment, Signals, assess
from components.escalation_likeness import default_likeness
from components.escalation_settings import parse
from components.untrained_policy import UntrainedPolicy

log = logging.getLogger(__name__)

ESCALATE = "action_escalate"
NOT_UNDERSTOOD = ("nlu_fallback", "out_of_scope")
UNRESOLVED_PREFIXES = ("utter_clarification_", "utter_fallback_")
UNRESOLVED = frozenset(
    {
        "action_clarify",
        "action_default_fallback",
        "utter_order_status_not_found",
        "utter_order_status_unavailable",
        "utter_return_policy_not_covered",
        "utter_order_change_not_found",
    }
)
PROBLEM_SHOWN = ("utter_order_status_delayed", "utter_order_status_not_found", "utter_order_status_unclear")
EARLIER_TURNS = 2
_PRIORITY = 7  # RulePolicy has 6


@dataclass
class _Turn:
    """One exchange: what the customer said, and what the assistant did and answered, oldest first."""

    user: UserUttered
    actions: list[str] = field(default_factory=list)
    responses: list[str] = field(default_factory=list)

    @property
    def unresolved(self) -> bool:
        return any(
            name in UNRESOLVED or name.startswith(UNRESOLVED_PREFIXES) for name in (*self.actions, *self.responses)
        )


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.POLICY_WITHOUT_END_TO_END_SUPPORT, is_trainable=False)
class EscalationPolicy(UntrainedPolicy):
    """Predicts action_escalate when a person should take over, with reason, priority and score sheet as slots."""

    def __init__(
        self,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
        featurizer: TrackerFeaturizer | None = None,
    ) -> None:
        super().__init__(config, model_storage, resource, execution_context, featurizer)
        self._settings = parse(config)
        self._likeness = default_likeness()

    @staticmethod
    def get_default_config() -> dict[str, Any]:
        return {"priority": _PRIORITY}

    @classmethod
    def fingerprint_addon(cls, config: dict[str, Any]) -> str | None:
        """Nothing to add; asked before anything is trained, so that a designer's mistake shows at once.

        Where Rasa takes a component from its cache, it asks with the cached output in place of the configuration.
        """
        if "output" not in config:
            parse(config)
        return None

    def predict_action_probabilities(
        self,
        tracker: DialogueStateTracker,
        domain: Domain,
        rule_only_data: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> PolicyPrediction:
        """`action_escalate` with certainty, silence after it, or nothing to say."""
        turns = list(islice(_turns_backwards(tracker.events), self._settings.unresolved_turns))
        if not turns:
            return self._nothing(domain)
        if ESCALATE in turns[0].actions:
            return self._certain(ACTION_LISTEN_NAME, domain)
        assessed = self._assess(turns)
        if assessed is None or not assessed.escalate:
            return self._nothing(domain)
        log.info("escalation.decided reason=%s score=%.2f", assessed.reason, assessed.score)
        return self._certain(ESCALATE, domain, optional_events=_slots(assessed))

    def _assess(self, turns: list[_Turn]) -> Assessment | None:
        """The customer's message when nothing was done about it yet; after that, only the run of failures.

        The intent counts where a button was pressed. What is typed speaks for itself, so that the detector decides here
        as it does from the command line, whatever the intent model was trained on.
        """
        now = turns[0]
        unanswered = not now.actions
        intent = now.user.intent_name
        failing = now.unresolved or (unanswered and intent in NOT_UNDERSTOOD)
        run = 1 + _run_length(turns[1:]) if failing else 0
        if not unanswered:
            return assess(Signals("", unresolved_turns=run), self._settings) if run else None
        text = _typed(now.user)
        earlier = [turn for turn in turns[1 : 1 + EARLIER_TURNS] if _still_open(turn)]
        return assess(
            Signals(
                text=text,
                intent=None if text else intent,
                confidence=float(now.user.intent.get("confidence") or 0.0),
                unresolved_turns=run,
                earlier=tuple(_typed(turn.user) for turn in reversed(earlier)),
                order_problem_shown=len(turns) > 1 and any(name in PROBLEM_SHOWN for name in turns[1].responses),
            ),
            self._settings,
            self._likeness,
        )


def _turns_backwards(events: Any) -> Iterator[_Turn]:
    """The turns of this session, newest first; reads no further back than it is asked to.

    A message that was taken back, as when it comes again with its meaning settled, is no turn.
    """
    actions: list[str] = []
    responses: list[str] = []
    taken_back = False
    for event in reversed(events):
        if isinstance(event, SessionStarted):
            return
        if isinstance(event, UserUtteranceReverted):
            taken_back = True
        elif isinstance(event, UserUttered):
            if not taken_back:
                yield _Turn(event, actions[::-1], responses[::-1])
            actions, responses, taken_back = [], [], False
        elif isinstance(event, ActionExecuted) and event.action_name not in (ACTION_LISTEN_NAME, None):
            actions.append(event.action_name)
        elif isinstance(event, BotUttered):
            responses.append(str((event.metadata or {}).get("utter_action") or ""))


def _run_length(turns: list[_Turn]) -> int:
    return next((count for count, turn in enumerate(turns) if not turn.unresolved), len(turns))


def _still_open(turn: _Turn) -> bool:
    """A turn that a person took over is settled: what was said then does not speak for a new need."""
    return ESCALATE not in turn.actions


def _typed(user: UserUttered) -> str:
    """The customer's words; a pressed button has none."""
    text = user.text or ""
    return "" if text.startswith("/") else text


def _slots(assessed: Assessment) -> list[Event]:
    return [
        SlotSet("escalation_reason", assessed.reason),
        SlotSet("escalation_priority", assessed.priority),
        SlotSet("escalation_sheet", [list(row) for row in assessed.sheet]),
    ]
