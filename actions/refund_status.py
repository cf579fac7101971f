"""Where is my refund? Answered from the customer's cancelled, returned and refunded orders, then from the pages."""

from collections.abc import Callable
from datetime import date

from rasa_sdk import Tracker
from rasa_sdk.executor import CollectingDispatcher

from actions.knowledge.answers.answering import PolicyAnswers
from actions.knowledge.retrieval.retriever import Earlier
from actions.order_status import OrderAction
from actions.orders.days import shop_today
from actions.orders.lookup import Orders
from actions.return_policy import NO_ORDER_BUT, REFUND_QUESTION, told_from_pages
from actions.skill.action import Domain, Event, follows, message_text
from actions.skill.order_answers import OrderTurn, numbers_meant
from skills import REFUND


class ActionCheckRefundStatus(OrderAction):
    """"When will my refund arrive?": the customer's cancelled, returned and refunded orders."""

    def __init__(
        self,
        orders: Orders | None = None,
        today: Callable[[], date] = shop_today,
        knowledge: PolicyAnswers | None = None,
    ) -> None:
        super().__init__(orders, today)
        self._knowledge = knowledge

    def name(self) -> str:
        return "action_check_refund_status"

    async def answer(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: Domain) -> list[Event]:
        """Asked on and on ("to which account?", "and when?"), what the records cannot tell the pages may."""
        if follows(tracker) == REFUND and not numbers_meant(tracker):
            earlier = Earlier(REFUND_QUESTION)
            told = await told_from_pages(dispatcher, message_text(tracker), self._knowledge, earlier)
            if told is not None:
                return told
        return await super().answer(dispatcher, tracker, domain)

    async def look_up(self, turn: OrderTurn) -> list[Event]:
        if turn.numbers:
            return await self.by_number(turn, turn.phrases.refund)
        orders = await self.orders.refund_related_orders(turn.phone)
        if turn.last_shown in {order.number for order in orders}:
            orders = [order for order in orders if order.number == turn.last_shown]
        if not orders:
            told = await told_from_pages(turn.say, turn.text, self._knowledge, response=NO_ORDER_BUT)
            if told is None:
                turn.say.utter_message(response="utter_order_status_no_refund")
            return told or []
        return turn.tell(orders)
