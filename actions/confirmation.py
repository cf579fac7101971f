"""A bare "yes": it means the first button of the yes-or-no question that the assistant asked last.

A question is a yes-or-no question when one of its buttons is `/deny`. Read from the conversation instead of a
slot, so that no action has to remember to take an offer back.
"""

from typing import Any

from rasa_sdk import Tracker
from rasa_sdk.events import FollowupAction, SlotSet
from rasa_sdk.executor import CollectingDispatcher

from actions.order_changes.acting import pass_on_change, planned
from actions.order_changes.details import FORM, MIN_YES_CONFIDENCE, confidence
from actions.skill.action import BaseAction, Domain, Event, as_if_said, bot_events, in_form
from actions.skill.registry import answering, said_to

PERSON, AGREED = "request_human", "affirm"
ASKED_FOR_A_PERSON = (
    SlotSet("escalation_reason", "human_requested"),
    SlotSet("escalation_priority", "HIGH"),
    SlotSet("escalation_sheet", None),
)


def yes_can_press(intent: str) -> bool:
    """Whether "yes" can press a button of this intent; `affirm` answers a change's question, which its form awaits."""
    return intent in (PERSON, AGREED) or bool(answering(intent) or said_to(intent))


class ActionAffirm(BaseAction):
    """Do what a lone "yes" agrees to; with nothing to agree to, ask what the customer would like."""

    def __init__(self, answers: dict[str, BaseAction] | None = None) -> None:
        self._answers = answers

    def name(self) -> str:
        return "action_affirm"

    async def answer(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: Domain) -> list[Event]:
        if in_form(tracker):
            return []
        button, intent = _offer(tracker), offered(tracker)
        if intent == AGREED and tracker.get_slot("change_order_number"):
            if planned(tracker):
                return [FollowupAction(FORM)]  # what would be done is said again first
            return pass_on_change(tracker)  # the form was left with its question open
        weak = 0 < confidence(tracker) < MIN_YES_CONFIDENCE  # it is asked again
        if intent == PERSON and not weak:
            return [*ASKED_FOR_A_PERSON, FollowupAction("action_escalate")]
        # Answered here and not by a follow-up action, behind which no rule would go on.
        if kind := answering(intent):
            action = (self._answers or {}).get(intent) or kind()
            return await action.answer(dispatcher, as_if_said(tracker, _pressed(button, intent)), domain)
        dispatcher.utter_message(response=said_to(intent) or "utter_affirm_open")
        return []


def offered(tracker: Tracker) -> str:
    """The intent that "yes" stands for; `affirm` where something would be done; "" where nothing was asked."""
    return str(_offer(tracker).get("payload", "")).removeprefix("/").split("{")[0]


def _offer(tracker: Tracker) -> dict[str, Any]:
    """The button that "yes" agrees to, or {}. A button that may be pressed is no question that "ok" could answer."""
    last: dict[str, Any] = next(bot_events(tracker), {})
    buttons = (last.get("data") or {}).get("buttons") or []
    payloads = [button.get("payload", "") for button in buttons]
    return dict(buttons[0]) if "/deny" in payloads[1:] else {}


def _pressed(button: dict[str, Any], intent: str) -> dict[str, Any]:
    """The parse data of this button, had it been pressed; yes-or-no buttons carry no entities."""
    typed = {"typed": button.get("title")}
    return {"text": f"/{intent}", "intent": {"name": intent, "confidence": 1.0}, "entities": [], "metadata": typed}
