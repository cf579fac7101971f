"""Two questions in one message ("where is 10234, and can I return a lamp?"): each is answered, in their order."""

from __future__ import annotations

from collections.abc import Mapping

from rasa_sdk import Tracker
from rasa_sdk.executor import CollectingDispatcher

from actions.order_choice import ActionListOrders, ActionOtherOrder
from actions.order_details import ActionOrderCourier, ActionOrderNotReceived, ActionOrderWhyLate
from actions.order_status import ActionCheckOrderStatus, ActionCheckRefundStatus, ActionDeliveryDate
from actions.return_policy import ActionAnswerReturnPolicy
from actions.skill.action import BaseAction, Domain, Event, as_if_said

TWO_QUESTIONS, WISHES = "two_questions", "wishes"
POLICY = "ask_return_policy"
ANSWERS: Mapping[str, type[BaseAction]] = {
    POLICY: ActionAnswerReturnPolicy,
    "check_order_status": ActionCheckOrderStatus,
    "inform_order_number": ActionCheckOrderStatus,
    "ask_delivery_date": ActionDeliveryDate,
    "ask_courier": ActionOrderCourier,
    "ask_why_late": ActionOrderWhyLate,
    "report_not_received": ActionOrderNotReceived,
    "check_refund_status": ActionCheckRefundStatus,
    "ask_other_order": ActionOtherOrder,
    "list_orders": ActionListOrders,
}


class ActionAnswerTwoQuestions(BaseAction):
    """The parse data's `wishes` say which: intent and words of each, and its entities where not the message's."""

    def __init__(self, answers: Mapping[str, BaseAction] | None = None) -> None:
        self._answers = answers

    def name(self) -> str:
        return "action_answer_two_questions"

    async def answer(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: Domain) -> list[Event]:
        message = tracker.latest_message or {}
        events: list[Event] = []
        for wish in message.get(WISHES) or []:
            intent = wish["intent"]
            action = self._answers[intent] if self._answers else ANSWERS[intent]()
            said = {
                "text": wish["text"],
                "intent": {"name": intent, "confidence": 1.0},
                "entities": [] if intent == POLICY else wish.get("entities") or message.get("entities") or [],
            }
            events += await action.answer(dispatcher, as_if_said(tracker, said), domain)
        return events
