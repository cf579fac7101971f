"""A bare "yes": it means the first button of the yes-or-no question that the assistant asked last.

A question is a yes-or-no question when one of its buttons is `/deny`. Read from the conversation instead of a
slot, so that no action has to remember to take an offer back.
"""

from __future__ import annotations

from typing import Any

from rasa_sdk import Tracker
from rasa_sdk.events import FollowupAction, SlotSet
from rasa_sdk.executor import CollectingDispatcher

from actions.fallback import bot_events
from actions.speaking import Domain, Event, SpeakingAction

ACTION_OF_PAYLOAD = {
    "/request_human": "action_escalate",
    "/check_order_status": "action_check_order_status",
    "/ask_return_policy": "action_answer_return_policy",
    "/ask_capabilities": "utter_capabilities",
}
ASKED_FOR_A_PERSON = (
    SlotSet("escalation_reason", "human_requested"),
    SlotSet("escalation_priority", "HIGH"),
    SlotSet("escalation_sheet", None),
)


class ActionAffirm(SpeakingAction):
    """Do what a lone "yes" agrees to; with nothing to agree to, ask what the customer would like."""

    def name(self) -> str:
        return "action_affirm"

    async def answer(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: Domain) -> list[Event]:
        followup = ACTION_OF_PAYLOAD.get(_offer(tracker))
        if followup is None:
            dispatcher.utter_message(response="utter_affirm_open")
            return []
        reasons = list(ASKED_FOR_A_PERSON) if followup == "action_escalate" else []
        return [*reasons, FollowupAction(followup)]


def _offer(tracker: Tracker) -> str:
    """Payload of the button that "yes" agrees to, or ''."""
    last: dict[str, Any] = next(bot_events(tracker), {})
    payloads = [button.get("payload", "") for button in (last.get("data") or {}).get("buttons") or []]
    return payloads[0] if "/deny" in payloads[1:] else ""
