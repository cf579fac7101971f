"""The dialogue policy that calls a person. It stands above all others and can interrupt a form, which a rule cannot.

It is asked before every action of a turn and reads only the end of the conversation. When the customer has just spoken,
the message is assessed; after each answer, it counts the turns in a row in which the assistant could not help.
"""

from __future__ import annotations

import logging
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
from rasa.shared.core.events import Event, SlotSet
from rasa.shared.core.generator import TrackerWithCachedStates
from rasa.shared.core.trackers import DialogueStateTracker

from components.escalation.assessment import Assessment, TurnContext, assess
from components.escalation.examples import training_examples
from components.escalation.reasons import FILE, Opinion, Reader, Reasons, code_digest, fit
from components.escalation.settings import parse
from components.escalation.turns import ESCALATE, NOT_UNDERSTOOD, Turn, turns_backwards, unresolved_run
from components.order_numbers.shops import shop_pattern
from components.text.classifier import Classifier, digest, in_order
from components.untrained_policy import UntrainedPolicy

log = logging.getLogger(__name__)

EARLIER_TURNS = 2
INTENTS_THAT_CALL = ("request_human", "request_refund", "file_complaint")
_PRIORITY = 7  # RulePolicy has 6


class _Unread:
    """Stands in while there is no message to read: only failures are counted."""

    def read(self, text: str) -> Opinion:
        return Opinion({})

    def nearest(self, text: str) -> list[tuple[str, str]]:
        return []


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.POLICY_WITHOUT_END_TO_END_SUPPORT, is_trainable=True)
class EscalationPolicy(UntrainedPolicy):
    """Predicts action_escalate when a person should take over, with reason, priority and score breakdown as slots."""

    def __init__(
        self,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
        featurizer: TrackerFeaturizer | None = None,
        reader: Reader | None = None,
    ) -> None:
        super().__init__(config, model_storage, resource, execution_context, featurizer)
        self._settings = parse(config)
        self._reader: Reader = reader or _Unread()

    @staticmethod
    def get_default_config() -> dict[str, Any]:
        return {"priority": _PRIORITY}

    @classmethod
    def fingerprint_addon(cls, config: dict[str, Any]) -> str | None:
        """What the examples and the code are; asked before anything is trained, so that a mistake shows at once.

        Where Rasa takes a component from its cache, it asks with the cached output in place of the configuration.
        """
        if "output" not in config:
            parse(config)
        return digest(in_order(training_examples())) + code_digest().hex()

    @classmethod
    def load(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
        **kwargs: Any,
    ) -> EscalationPolicy:
        with model_storage.read_from(resource) as folder:
            reader = Reasons(Classifier.load(folder / FILE, shop_pattern()))
        return cls(config, model_storage, resource, execution_context, reader=reader)

    def train(self, training_trackers: list[TrackerWithCachedStates], domain: Domain, **kwargs: Any) -> Resource:
        """Fit on data/escalation and the phrases of data/nlu; stories teach nothing."""
        classifier = fit()
        self._reader = Reasons(classifier)
        with self._model_storage.write_to(self._resource) as folder:
            classifier.save(folder / FILE)
        log.info("escalation.trained examples=%d", len(classifier.examples))
        return self._resource

    def predict_action_probabilities(
        self,
        tracker: DialogueStateTracker,
        domain: Domain,
        rule_only_data: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> PolicyPrediction:
        """`action_escalate` with certainty, silence after it, or nothing to say."""
        turns = list(islice(turns_backwards(tracker.events), self._settings.unresolved_turns))
        if not turns:
            return self._abstain(domain)
        if ESCALATE in turns[0].actions:
            return self._predict(ACTION_LISTEN_NAME, domain)
        assessed = self._assess(turns)
        if assessed is None or not assessed.escalate or _is_the_answer(assessed, tracker):
            return self._abstain(domain)
        log.info("escalation.decided reason=%s score=%.2f", assessed.reason, assessed.score)
        return self._predict(ESCALATE, domain, optional_events=_slots(assessed))

    def _assess(self, turns: list[Turn]) -> Assessment | None:
        """The customer's message when nothing was done about it yet; after that, only the run of failures.

        The intent counts where a button was pressed. What is typed speaks for itself, as on the command line; only that
        a person is wished for is read in the conversation too ("ok get me someone", said to a refusal).
        """
        now, run = turns[0], unresolved_run(turns)
        if now.actions:
            return assess(TurnContext("", unresolved_turns=run), _Unread(), self._settings) if run else None
        # A turn that a person took over is settled: what was said then does not speak for a new need.
        earlier = [turn for turn in turns[1 : 1 + EARLIER_TURNS] if ESCALATE not in turn.actions]
        turn = TurnContext(
            text=now.typed,
            intent=now.user.intent_name if not now.typed or now.user.intent_name == "request_human" else None,
            confidence=float(now.user.intent.get("confidence") or 0.0),
            unresolved_turns=run,
            earlier=tuple(turn.typed for turn in reversed(earlier)),
            order_problem_shown=len(turns) > 1 and turns[1].problem_shown,
            understood=_understood(now),
        )
        return assess(turn, self._reader, self._settings)


def _is_the_answer(assessed: Assessment, tracker: DialogueStateTracker) -> bool:
    """Whether the assistant asked just that: "refund", said to "your money back, or an exchange?"."""
    return assessed.reason == "refund_request" and tracker.get_slot("requested_slot") == "change_wish"


def _understood(now: Turn) -> float:
    """How sure the reading in conversation is that the message wants something other than a person."""
    calls = now.user.intent_name in (*INTENTS_THAT_CALL, *NOT_UNDERSTOOD)
    return 0.0 if calls or not now.typed else float(now.user.intent.get("confidence") or 0.0)


def _slots(assessed: Assessment) -> list[Event]:
    return [
        SlotSet("escalation_reason", assessed.reason),
        SlotSet("escalation_priority", assessed.priority),
        SlotSet("escalation_sheet", [list(row) for row in assessed.score_breakdown]),
    ]
