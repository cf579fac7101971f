"""When an LLM is asked what a message means: as LLM_READER says, and never about what EscalationPolicy decides.

A dialogue policy, because these are asked before anything is answered, inside forms too. It stands below
EscalationPolicy and the language's sorry, and above the rules; `action_read_message` asks, and says the message again
with its meaning.
"""

from collections.abc import Mapping
from typing import Any

from rasa.core.featurizers.tracker_featurizers import TrackerFeaturizer
from rasa.core.policies.policy import PolicyPrediction
from rasa.engine.graph import ExecutionContext
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.shared.core.constants import ACTION_LISTEN_NAME
from rasa.shared.core.domain import Domain
from rasa.shared.core.trackers import DialogueStateTracker

import settings
from components.conversation.context import NONE
from components.untrained_policy import UntrainedPolicy

READ = "action_read_message"
NEVER, ALWAYS = "never", "always"
READ_BY = "llm"  # key of a message's metadata once it was read, whatever came of it
MIN_CONFIDENCE = 0.6  # the assistant's own reading is believed from this confidence on
_PRIORITY = 6.2  # RulePolicy has 6, a language that is not answered in 6.5


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.POLICY_WITHOUT_END_TO_END_SUPPORT, is_trainable=False)
class ReadingPolicy(UntrainedPolicy):
    """Predicts action_read_message for a typed message that an LLM shall read."""

    def __init__(
        self,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
        featurizer: TrackerFeaturizer | None = None,
    ) -> None:
        super().__init__(config, model_storage, resource, execution_context, featurizer)
        self._asked = settings.load().reader_asked

    @staticmethod
    def get_default_config() -> dict[str, Any]:
        return {"priority": _PRIORITY}

    def predict_action_probabilities(
        self,
        tracker: DialogueStateTracker,
        domain: Domain,
        rule_only_data: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> PolicyPrediction:
        """At the start of a turn, once."""
        message = tracker.latest_message
        if self._asked == NEVER or message is None or tracker.latest_action_name != ACTION_LISTEN_NAME:
            return self._abstain(domain)
        text = (message.text or "").strip()
        if not text or text.startswith("/") or READ_BY in (message.metadata or {}):
            return self._abstain(domain)
        if self._asked == ALWAYS or is_unsure(message.parse_data):
            return self._predict(READ, domain)
        return self._abstain(domain)


def is_unsure(parsed: Mapping[str, Any]) -> bool:
    """Whether the assistant's own reading may well be wrong.

    It found nothing, in the middle of a conversation nothing that it is for, not much of a meaning, or another one than
    the message would have by itself.
    """
    intent = parsed.get("intent") or {}
    if intent.get("name") == "nlu_fallback" or float(intent.get("confidence") or 0.0) < MIN_CONFIDENCE:
        return True
    in_conversation = parsed.get("after") not in (None, NONE)
    return in_conversation and (intent.get("name") == "out_of_scope" or bool(parsed.get("readings_differ")))
