"""Which of several orders: the list of them, "the other one", "the second", "both", and numbers that are none.

What is counted is the list that was offered last, else the open orders in the order in which a list would show them.
"""

from __future__ import annotations

from actions.order_status import OrderAction
from actions.orders.choosing import chosen
from actions.orders.models import Order
from actions.skill.action import Event
from actions.skill.order_answers import Asked


class ActionListOrders(OrderAction):
    """"Show my orders": every order of this phone, the newest first."""

    tells_status = True

    def name(self) -> str:
        return "action_list_orders"

    async def look_up(self, asked: Asked) -> list[Event]:
        orders = await self.orders.all_orders(asked.phone)
        if len(orders) < 2:
            return asked.tell_or_choose(orders, none="utter_order_status_no_open_orders")
        return asked.offer(orders, "utter_order_status_all")


class ActionOtherOrder(OrderAction):
    """"And the other one?": of the orders offered or open, those not shown yet, else all but the last shown."""

    tells_status = True

    def name(self) -> str:
        return "action_other_order"

    async def look_up(self, asked: Asked) -> list[Event]:
        if asked.numbers:
            return await self.by_number(asked)
        orders = await _counted(self, asked)
        if picked := chosen(asked.text, orders):
            return await self.picked(asked, picked)
        if not [order for order in orders if order.number != asked.last_shown]:
            orders = await self.orders.all_orders(asked.phone)
        elif picked := chosen(asked.text, await self.orders.all_orders(asked.phone)):
            return await self.picked(asked, picked)
        fresh = [order for order in orders if order.number not in asked.shown]
        others = fresh or [order for order in orders if order.number != asked.last_shown]
        if len(others) == 1:
            return await self.picked(asked, others)
        return asked.tell_or_choose(others, none="utter_order_status_no_other_order")


class PickingAction(OrderAction):
    """An action whose message means something only beside what was asked before."""

    only_tells = False
    tells_status = True


class ActionChooseOrder(PickingAction):
    """"The second one", "the packed one", "both": what these words pick from the list."""

    def name(self) -> str:
        return "action_choose_order"

    async def look_up(self, asked: Asked) -> list[Event]:
        if asked.numbers:
            return await self.by_number(asked)
        orders = await _counted(self, asked)
        if not orders:
            return asked.tell_or_choose([], none="utter_order_status_no_open_orders")
        picked = chosen(asked.text, orders)
        return await self.picked(asked, picked) if picked else asked.offer(orders, "utter_order_status_choose")


class ActionChooseAllOrders(PickingAction):
    """"Both": each of the list."""

    def name(self) -> str:
        return "action_choose_all_orders"

    async def look_up(self, asked: Asked) -> list[Event]:
        if asked.numbers:
            return await self.by_number(asked)
        orders = await _counted(self, asked)
        if not orders:
            return asked.tell_or_choose([], none="utter_order_status_no_open_orders")
        return await self.picked(asked, orders)


class ActionExplainOrderNumber(PickingAction):
    """"Sorry, wrong number", "where do I find it": what a number looks like, and the way without one."""

    def name(self) -> str:
        return "action_explain_order_number"

    async def look_up(self, asked: Asked) -> list[Event]:
        if asked.numbers:
            return await self.by_number(asked)
        asked.say.utter_message(response="utter_order_status_what_numbers_look_like", example=self.example())
        return asked.wait_for_number()


async def _counted(action: OrderAction, asked: Asked) -> list[Order]:
    """The orders of the list that was offered last, in its order; without one, the open ones."""
    return await action.listed(asked) if asked.offered else await action.orders.open_orders(asked.phone)
