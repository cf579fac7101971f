"""The language of the conversation as a slot, so that designers write response variations in YAML and nothing else.

A dialogue policy beside the others, because a policy may set slots inside the Rasa server, before the first action of a
turn runs: turns that the domain answers alone call no action server. It predicts an action only for a message that
wishes for a language and nothing else. What language a message is in: `components.language.choice`.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from rasa.core.policies.policy import PolicyPrediction
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.shared.core.constants import ACTION_LISTEN_NAME
from rasa.shared.core.domain import Domain
from rasa.shared.core.events import Event, SlotSet
from rasa.shared.core.trackers import DialogueStateTracker

from components.language.answered import HINDI, HINGLISH, answered, by_name
from components.language.choice import OTHER, Reading, Spoken, choose, read
from components.untrained_policy import UntrainedPolicy

LANGUAGE, WISHED, SPOKEN = "language", "language_wished", "languages_spoken"
CHANGE_LANGUAGE, SORRY = "action_change_language", "utter_language_unavailable"
_PRIORITY = 8  # above EscalationPolicy: asking for another language is no failure to understand


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.POLICY_WITHOUT_END_TO_END_SUPPORT, is_trainable=False)
class LanguagePolicy(UntrainedPolicy):
    """Keeps the slots `language` (en, hinglish, hi) and `language_wished`; answers "english please"."""

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
            return self._certain(ACTION_LISTEN_NAME, domain)  # inside a form, it asks its question again
        if tracker.latest_action_name != ACTION_LISTEN_NAME or tracker.latest_message is None:
            return self._nothing(domain)
        message = _reading(tracker.latest_message.text)
        events = self._slots(tracker, domain, message)
        if message.only_a_wish and message.wish == OTHER:
            return self._certain(SORRY, domain, [*events, SlotSet(SPOKEN, _spoken_here(domain))])
        if message.only_a_wish:
            return self._certain(CHANGE_LANGUAGE, domain, events)
        return self._nothing(domain, events)

    def _slots(self, tracker: DialogueStateTracker, domain: Domain, message: Reading) -> list[Event]:
        known = tracker.get_slot(LANGUAGE)
        before = Spoken(known, bool(tracker.get_slot(WISHED))) if known else _spoken_before(tracker.events)
        after = choose(before, message)
        language = _answered_in(after.language, domain) if after.language == HINDI else after.language
        events = []
        if language != known:
            events.append(SlotSet(LANGUAGE, language))
        if after.wished != bool(tracker.get_slot(WISHED)):
            events.append(SlotSet(WISHED, after.wished))
        return events


def _reading(text: str | None) -> Reading:
    """A pressed button says nothing of the customer's language: its words are ours."""
    return Reading() if not text or text.startswith("/") else read(text)


def _spoken_before(events: Iterable[Event]) -> Spoken:
    """The language of the session before, whose slots are gone while its events are still at hand."""
    found: dict[str, Any] = {}
    for event in reversed(list(events)):
        if isinstance(event, SlotSet) and event.key in (LANGUAGE, WISHED):
            found.setdefault(event.key, event.value)
            if event.key == LANGUAGE and WISHED in found:
                break
    return Spoken(found.get(LANGUAGE), bool(found.get(WISHED)))


def _spoken_here(domain: Domain) -> str:
    return by_name(tuple(one for one in answered() if one != HINDI or _answered_in(HINDI, domain) == HINDI))


def _answered_in(language: str, domain: Domain) -> str:
    """Hindi in its own script where the domain has such variations, else in Latin script."""
    conditions = (
        condition
        for variations in domain.responses.values()
        for variation in variations
        for condition in variation.get("condition") or []
    )
    has_it = any(condition.get("name") == LANGUAGE and condition.get("value") == language for condition in conditions)
    return language if has_it else HINGLISH
