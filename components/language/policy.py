"""The language of the conversation as a slot, so that designers write response variations in YAML and nothing else.

A dialogue policy beside the others, because a policy may set slots inside the Rasa server, before the first action of a
turn runs: turns that the domain answers alone call no action server. It predicts an action for a message that wishes
for a language and nothing else, and for one in a language that is not answered in. What language a message is in:
`components.language.choice`.
"""

from typing import Any

from rasa.core.policies.policy import PolicyPrediction
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.shared.core.constants import ACTION_LISTEN_NAME
from rasa.shared.core.domain import Domain
from rasa.shared.core.events import Event, SessionStarted, SlotSet, UserUtteranceReverted, UserUttered
from rasa.shared.core.trackers import DialogueStateTracker

from components.language.answered import ENGLISH, answered, by_name, written_as
from components.language.choice import OTHER, Reading, Spoken, choose, read
from components.order_numbers.finding import MISSHAPED, ORDER
from components.untrained_policy import UntrainedPolicy

LANGUAGE, WISHED, SPOKEN = "language", "language_wished", "languages_spoken"
CHANGE_LANGUAGE, SORRY = "action_change_language", "utter_language_unavailable"
_PRIORITY = 8  # above EscalationPolicy: asking for another language is no failure to understand
_MIN_WORDS = 4  # of another language in a conversation that has one
_BELOW_ESCALATION = 6.5  # above RulePolicy: who asks for a person gets one in any language


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.POLICY_WITHOUT_END_TO_END_SUPPORT, is_trainable=False)
class LanguagePolicy(UntrainedPolicy):
    """Keeps the slots `language` and `language_wished`; answers "english please", and what nobody here can read."""

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
        """At the start of a turn the slots, where they change; an answer to a wish and nothing else."""
        if tracker.latest_action_name in (CHANGE_LANGUAGE, SORRY) and tracker.active_loop is None:
            return self._predict(ACTION_LISTEN_NAME, domain)  # inside a form, it asks its question again
        if tracker.latest_action_name != ACTION_LISTEN_NAME or tracker.latest_message is None:
            return self._abstain(domain)
        message = _reading(tracker.latest_message)
        before = _spoken_before(tracker)
        foreign = message.language is not None and written_as(message.language) not in answered()
        running = before.language or (tracker.latest_message.parse_data or {}).get("after") not in (None, "none")
        short = foreign and message.language != before.language and _too_short(tracker.latest_message.text)
        if short and running and not message.only_a_wish:
            message = Reading()
        pressed = (tracker.latest_message.text or "").startswith("/")  # our own words, in the language so far
        after = before if pressed else choose(before, message, _earlier(tracker))
        language = _answered_in(after.language)
        events = _changes(tracker, language, after.wished)
        sorry = [*events, SlotSet(SPOKEN, by_name(answered()))]
        if message.only_a_wish:
            declined = message.wish == OTHER
            return self._predict(SORRY if declined else CHANGE_LANGUAGE, domain, sorry if declined else events)
        if language and not after.wished and message.language == after.language and language not in answered():
            prediction = self._predict(SORRY, domain, sorry)
            prediction.policy_priority = _BELOW_ESCALATION
            return prediction
        return self._abstain(domain, events)


def _too_short(text: str | None) -> bool:
    """Two words that look foreign ("no tag") are no change of language in a running conversation."""
    return len((text or "").split()) < _MIN_WORDS


def _changes(tracker: DialogueStateTracker, language: str | None, wished: bool) -> list[Event]:
    """The slots that are not what they should be."""
    events: list[Event] = [SlotSet(LANGUAGE, language)] if language != tracker.get_slot(LANGUAGE) else []
    return [*events, SlotSet(WISHED, wished)] if wished != bool(tracker.get_slot(WISHED)) else events


def _reading(said: UserUttered) -> Reading:
    """A pressed button says nothing of the customer's language: its words are ours. Nor do a shop's order numbers."""
    text = said.text or ""
    if not text or text.startswith("/"):
        return Reading()
    for entity in said.entities:
        if entity.get("entity") in (ORDER, MISSHAPED) and isinstance(entity.get("start"), int):
            start, end = entity["start"], entity["end"]
            text = text[:start] + " " * (end - start) + text[end:]
    return read(text)


def _earlier(tracker: DialogueStateTracker) -> Reading:
    """The customer's message before this one in the session; read from the end, for conversations grow long.

    A message that was taken back comes again: it is none of its own.
    """
    said = 0
    for event in reversed(tracker.events):
        if isinstance(event, SessionStarted):
            break
        said += isinstance(event, UserUttered) - isinstance(event, UserUtteranceReverted)
        if said == 2 and isinstance(event, UserUttered):
            return _reading(event)
    return Reading()


def _spoken_before(tracker: DialogueStateTracker) -> Spoken:
    """The language so far: of this session, else of the one before, whose events are still at hand."""
    if known := tracker.get_slot(LANGUAGE):
        return Spoken(known, bool(tracker.get_slot(WISHED)))
    found: dict[str, Any] = {}
    for event in reversed(tracker.events):
        if isinstance(event, SlotSet) and event.key in (LANGUAGE, WISHED):
            found.setdefault(event.key, event.value)
            if event.key == LANGUAGE and WISHED in found:
                break
    return Spoken(found.get(LANGUAGE), bool(found.get(WISHED)))


def _answered_in(language: str | None) -> str | None:
    """The shop's first language as long as nothing told; Hindi in a script that the shop writes."""
    if language is None:
        return None if answered()[0] == ENGLISH else answered()[0]
    return written_as(language)
