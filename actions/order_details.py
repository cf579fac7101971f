"""Questions about one order beside "where is it": who brings it, why it is late, delivered but not here."""

from dataclasses import replace

from actions.order_status import OrderAction
from actions.orders.models import Order, OrderStatus
from actions.skill.action import Event
from actions.skill.order_answers import OrderTurn


class ActionOrderCourier(OrderAction):
    """"Who's bringing it?", "tracking link?"."""

    def name(self) -> str:
        return "action_order_courier"

    async def look_up(self, turn: OrderTurn) -> list[Event]:
        return await self.about_one(turn, turn.phrases.courier)


class ActionOrderWhyLate(OrderAction):
    """"Why so late?": honestly, that the records do not say why, and what they say."""

    def name(self) -> str:
        return "action_order_why_late"

    async def look_up(self, turn: OrderTurn) -> list[Event]:
        if not turn.numbers and turn.list_was_shown:
            late = [order for order in await self.meant(turn) if order.status is OrderStatus.DELAYED]
            turn = replace(turn, numbers=[order.number for order in late]) if len(late) == 1 else turn

        def tell(order: Order) -> tuple[str, dict[str, str]]:
            response, facts = turn.phrases.why_late(order)
            told = (response, order.number) in turn.told_before  # and did not help
            return ("utter_handoff_offer", {}) if told else (response, facts)

        return await self.about_one(turn, tell)


class ActionOrderNotReceived(OrderAction):
    """"It says delivered but I don't have it": which order that is, what the records say, and a person."""

    def name(self) -> str:
        return "action_order_not_received"

    async def look_up(self, turn: OrderTurn) -> list[Event]:
        orders = await self.meant(turn) if turn.numbers or turn.last_shown else []
        delivered = [order for order in orders if order.status is OrderStatus.DELIVERED]
        if not delivered and not turn.numbers:
            everything = await self.orders.all_orders(turn.phone)
            delivered = [order for order in everything if order.status is OrderStatus.DELIVERED]
        if len(delivered) > 1:
            return turn.offer(delivered, "utter_order_status_choose")
        if not delivered:
            orders = orders or await self.orders.open_orders(turn.phone)
            if turn.numbers and not orders:
                return await self.by_number(turn)
            return turn.tell_or_choose(orders, none="utter_order_status_no_open_orders")
        response, facts = turn.phrases.not_received(delivered[0])
        if (response, delivered[0].number) in turn.told_before:
            response, facts = "utter_handoff_offer", {}  # they looked where we said
        turn.say.utter_message(response=response, **facts)
        return turn.remember(delivered)
