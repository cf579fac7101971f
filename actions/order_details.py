"""Questions about an order beside "where is it": when exactly, who brings it, why is it late, why is it not here."""

from dataclasses import replace

from actions.order_status import OrderAction
from actions.orders.choosing import asks_which, awaits_another, points_at_one, speaks_of
from actions.orders.models import Order, OrderStatus
from actions.skill.action import Event
from actions.skill.order_answers import MAX_ANSWERS, OrderTurn

COURIER, DAY = "utter_order_status_courier", "utter_order_status_delivery_date"
KNOWN = f"{COURIER}_known"


class ActionDeliveryDate(OrderAction):
    """"When exactly?": the day on which the order just shown (or the one named, or the only one) arrives.

    Of several just told or still to come, each one's: "which comes first?".
    """

    def name(self) -> str:
        return "action_delivery_date"

    async def look_up(self, turn: OrderTurn) -> list[Event]:
        told = {number for _, number in turn.told_before} & {*turn.offered}
        if not turn.numbers and len(told) > 1 and (asks_which(turn.text) or not points_at_one(turn.text)):
            turn = replace(turn, numbers=[number for number in turn.offered if number in told])
        elif not turn.numbers and not turn.last_shown and asks_which(turn.text):
            to_come = await self.orders.open_orders(turn.phone)
            few = 1 < len(to_come) <= MAX_ANSWERS
            turn = replace(turn, numbers=[order.number for order in to_come]) if few else turn
        return await self.about_each(turn, lambda order: _day(turn, order))

    async def meant(self, turn: OrderTurn) -> list[Order]:
        orders = await super().meant(turn)
        another = not turn.numbers and awaits_another(turn.text, orders)
        return (await self.orders.open_orders(turn.phone) if another else []) or orders


def _day(turn: OrderTurn, order: Order) -> tuple[str, dict[str, str]]:
    """The day alone; the whole status where a day would not tell enough."""
    arrival = turn.phrases.arrival(order)
    told = turn.told_of(order)
    if order.open and turn.phrases.is_overdue(order) and told:
        response = "utter_order_status_no_new_date"
        if response in told:
            return turn.phrases.unchanged(order)
        return response, {"order_number": order.number, "arrival": arrival or ""}
    if not order.open or arrival is None or turn.phrases.day_has_passed_or_come(order):
        return turn.status_anew(order)
    response = DAY if order.estimated_delivery else "utter_order_status_no_delivery_date"
    if f"{DAY}_again" in told:
        return turn.phrases.unchanged(order)
    response = f"{DAY}_again" if response == DAY and DAY in told else response
    return response, {"order_number": order.number, "arrival": arrival}


class ActionOrderCourier(OrderAction):
    """"Who's bringing it?", "tracking link?", "their number?": all that the records have, and that this is all."""

    def name(self) -> str:
        return "action_order_courier"

    async def look_up(self, turn: OrderTurn) -> list[Event]:
        def tell(order: Order) -> tuple[str, dict[str, str]]:
            response, facts = turn.phrases.courier(order)
            told = turn.told_of(order)
            known_by_now = response == COURIER and told and KNOWN not in told
            return (KNOWN if known_by_now else response), facts

        return await self.about_one(turn, tell)


class ActionOrderWhyLate(OrderAction):
    """"Why so late?", "why was it cancelled?": honestly, that the records do not say why, and what they say."""

    def name(self) -> str:
        return "action_order_why_late"

    async def look_up(self, turn: OrderTurn) -> list[Event]:
        if not turn.numbers and turn.list_was_shown:
            late = [order for order in await self.meant(turn) if order.status is OrderStatus.DELAYED]
            turn = replace(turn, numbers=[order.number for order in late]) if len(late) == 1 else turn

        about_a_cancelled = speaks_of(OrderStatus.CANCELLED, turn.text)
        if about_a_cancelled and not turn.numbers:
            cancelled = [order for order in await self.orders.all_orders(turn.phone)
                         if order.status is OrderStatus.CANCELLED]  # fmt: skip
            numbers = [order.number for order in cancelled]
            if len(cancelled) > 1 and turn.last_shown not in numbers:
                return turn.offer(cancelled, "utter_order_status_choose")
            turn = turn if turn.last_shown in numbers else replace(turn, numbers=numbers)

        def tell(order: Order) -> tuple[str, dict[str, str]]:
            ended_otherwise = not order.open and order.status is not OrderStatus.CANCELLED
            if ended_otherwise or (about_a_cancelled and order.open):
                return turn.status_anew(order)
            return turn.unless_told(order, *turn.phrases.why_late(order))

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
        # Who goes on has looked where we said.
        response, facts = turn.unless_told(delivered[0], *turn.phrases.not_received(delivered[0]))
        turn.say.utter_message(response=response, **facts)
        return turn.remember(delivered)
