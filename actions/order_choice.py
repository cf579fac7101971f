"""Which of several orders: the list of them, "the other one", "the second", "both", and numbers that are none.

What is counted is the list that was offered last, else the open orders in the order in which a list would show them.
"""

from collections.abc import Sequence

from rasa_sdk.executor import CollectingDispatcher

from actions.order_status import OrderAction
from actions.orders.choosing import chosen, described, other_clause
from actions.orders.days import shop_today
from actions.orders.models import Order
from actions.orders.phrases import OrderPhrases
from actions.skill.action import Domain, Event
from actions.skill.order_answers import OrderTurn, offer_list
from actions.skill.texts import Pieces


class ActionListOrders(OrderAction):
    """"Show my orders": every order of this phone, the newest first."""

    tells_status = True

    def name(self) -> str:
        return "action_list_orders"

    async def look_up(self, turn: OrderTurn) -> list[Event]:
        orders = await self.orders.all_orders(turn.phone)
        if len(orders) < 2:
            return turn.tell_or_choose(orders, none="utter_order_status_no_open_orders")
        return turn.offer(orders, "utter_order_status_all")


class ActionOtherOrder(OrderAction):
    """"And the other one?": of the orders offered or open, those not shown yet, else all but the last shown."""

    tells_status = True

    def name(self) -> str:
        return "action_other_order"

    async def look_up(self, turn: OrderTurn) -> list[Event]:
        if turn.numbers:
            return await self.by_number(turn)
        orders, words = await _counted(self, turn), other_clause(turn.text)
        if picked := _another(turn, chosen(words, orders)):
            return await self.picked(turn, picked)
        if not [order for order in orders if order.number != turn.last_shown]:
            orders = await self.orders.all_orders(turn.phone)
        elif picked := _another(turn, chosen(words, await self.orders.all_orders(turn.phone))):
            return await self.picked(turn, picked)
        fresh = [order for order in orders if order.number not in (*turn.shown, turn.last_shown)]
        others = fresh or [order for order in orders if order.number != turn.last_shown]
        if len(others) == 1:
            return await self.picked(turn, others)
        return turn.tell_or_choose(others, none="utter_order_status_no_other_order")


def _another(turn: OrderTurn, picked: list[Order]) -> list[Order]:
    """What is picked, unless it is the one just told: "dusra" means the second, and the other."""
    return [] if [order.number for order in picked] == [turn.last_shown] else picked


class PickingAction(OrderAction):
    """An action whose message means something only beside what was asked before."""

    only_tells = False
    tells_status = True


class ActionChooseOrder(PickingAction):
    """"The second one", "the packed one", "both": what these words pick from the list."""

    def name(self) -> str:
        return "action_choose_order"

    async def look_up(self, turn: OrderTurn) -> list[Event]:
        if turn.numbers:
            return await self.by_number(turn)
        orders = await _counted(self, turn)
        if not orders:
            return turn.tell_or_choose([], none="utter_order_status_no_open_orders")
        picked = orders if len(orders) == 1 else self.of(turn, orders)
        return await self.picked(turn, picked) if picked else turn.offer(orders, "utter_order_status_choose")

    def of(self, turn: OrderTurn, orders: list[Order]) -> list[Order]:
        """Which of the orders are meant; none: they are offered again."""
        return chosen(turn.text, orders)


class ActionChooseAllOrders(ActionChooseOrder):
    """"Both", "both late ones": each of the list, or each that the words describe."""

    def name(self) -> str:
        return "action_choose_all_orders"

    def of(self, turn: OrderTurn, orders: list[Order]) -> list[Order]:
        return described(turn.text, orders) or orders


class ActionExplainOrderNumber(PickingAction):
    """"Sorry, wrong number", "where do I find it": what a number looks like, and the way without one."""

    def name(self) -> str:
        return "action_explain_order_number"

    async def look_up(self, turn: OrderTurn) -> list[Event]:
        if turn.numbers:
            return await self.by_number(turn)
        turn.say.utter_message(response="utter_order_status_what_numbers_look_like", example=self.example())
        return turn.wait_for_number()


class ActionOtherPhone(PickingAction):
    """"I ordered with my wife's number": why it is not shown; a number that is named is looked up all the same."""

    def name(self) -> str:
        return "action_other_phone"

    async def look_up(self, turn: OrderTurn) -> list[Event]:
        if turn.numbers:
            return await self.by_number(turn)
        turn.say.utter_message(response="utter_order_status_other_phone")
        return []


async def _counted(action: OrderAction, turn: OrderTurn) -> list[Order]:
    """The orders of the list that was offered last, in its order; without one, the open ones."""
    return await action.listed(turn) if turn.offered else await action.orders.open_orders(turn.phone)


def choose_from(
    orders: Sequence[Order],
    dispatcher: CollectingDispatcher,
    domain: Domain,
    response: str = "utter_order_status_choose",
    **facts: str,
) -> None:
    """Offer a WhatsApp list of at most ten orders under `response`, whose text may use {count} and {shown}.

    A row answers as `/inform_order_number{"order_number": ...}`.
    """
    offer_list(orders, dispatcher, OrderPhrases(Pieces(domain, "order_status"), shop_today()), response, **facts)
