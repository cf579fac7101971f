"""The customer asked for another language and nothing else: say so in it, and give the last answer again in it.

LanguagePolicy recognises the wish and has set the slot `language` already, so every response comes in that language.
"""

from rasa_sdk import Tracker
from rasa_sdk.executor import CollectingDispatcher

from actions.order_details import ActionDeliveryDate
from actions.order_status import ActionCheckOrderStatus
from actions.refund_status import ActionCheckRefundStatus
from actions.return_policy import ActionAnswerReturnPolicy
from actions.skill.action import BaseAction, Domain, Event, as_if_said, in_form, turns_backwards

# Answers that come out the same when they are asked for again.
REPEATABLE: tuple[type[BaseAction], ...] = (
    ActionCheckOrderStatus,
    ActionDeliveryDate,
    ActionCheckRefundStatus,
    ActionAnswerReturnPolicy,
)


class ActionChangeLanguage(BaseAction):
    """Acknowledge the language; what was said last comes once more: an answer from here, a form's question from it."""

    def __init__(self, repeatable: tuple[BaseAction, ...] | None = None) -> None:
        self._repeatable = repeatable

    def name(self) -> str:
        return "action_change_language"

    async def answer(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: Domain) -> list[Event]:
        if in_form(tracker):
            dispatcher.utter_message(response="utter_language_changed")
            return []
        before = _turn_before(tracker)
        done = {event.get("name") for event in before if event.get("event") == "action"}
        actions = self._repeatable or tuple(kind() for kind in REPEATABLE)
        again = next((action for action in actions if action.name() in done), None)
        if again is None:
            dispatcher.utter_message(response="utter_language_changed_ask")
            return []
        dispatcher.utter_message(response="utter_language_changed")
        return await again.answer(dispatcher, as_if_said(tracker, before[0].get("parse_data") or {}), domain)


def _turn_before(tracker: Tracker) -> list[Event]:
    """The events of the turn before this one; empty at the start of a session."""
    turns = turns_backwards(tracker)
    next(turns, None)
    return next(turns, [])
