"""Where is my order? Answered from the shop's orders database, only for orders of the phone that the message came from.

Identity is what the signed webhook says (`metadata.phone`), never what the customer types. An order of another phone
and an order that does not exist get the same words.
"""

from __future__ import annotations

import abc
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date
from typing import ClassVar

from rasa_sdk import Tracker
from rasa_sdk.events import SlotSet
from rasa_sdk.executor import CollectingDispatcher

from actions.orders.choosing import asks_when_it_came, awaits_another, chosen, means_another
from actions.orders.days import shop_today
from actions.orders.lookup import Orders
from actions.orders.models import Order, OrderStatus
from actions.orders.naming import may_name_in_part, named_in_part
from actions.orders.phones import senders_phone
from actions.orders.phrases import OrderPhrases
from actions.orders.repository import OrdersUnavailable
from actions.return_policy import NO_ORDER_BUT, told_from_pages
from actions.skill import services
from actions.skill.action import BaseAction, Domain, Event, follows, intent_name, message_metadata, message_text
from actions.skill.order_answers import (
    MAX_ANSWERS,
    OrderTurn,
    misshaped_in_message,
    numbers_meant,
    points_away,
    read_on_pictures,
    told_before,
    told_lately,
    told_missing,
    told_since_change,
)
from actions.skill.registry import by_name
from actions.skill.texts import Pieces
from skills import NUMBER, ORDER, ORDERS

Telling = Callable[[Order], tuple[str, dict[str, str]]]
"""Of an order: the response that tells of it, and what fills its placeholders."""
WANTED_FOR = "order_wanted_for"
NOT_FOUND = "utter_order_status_not_found"
OTHER_ORDER = "action_other_order"


# Messages that only say which order is meant, for whatever was asked before.
NAMES_AN_ORDER = frozenset({"inform_order_number", "choose_order", "choose_all", "ask_other_order", "wrong_number"})
ASKED_WHICH = frozenset({"", ORDER, ORDERS, NUMBER})  # what such a message follows when an action asked which


class OrderAction(BaseAction):
    """An action about the customer's own orders.

    When it has asked which order and the customer then names or picks one, `look_up` is called again with its number.
    """

    only_tells = True
    tells_status: ClassVar[bool] = False
    """A number alone is answered so anyway: no need to come back here."""

    def __init__(self, orders: Orders | None = None, today: Callable[[], date] = shop_today) -> None:
        self._orders = orders
        self._today = today

    @property
    def orders(self) -> Orders:
        """The look-ups: the given ones, else the real ones."""
        return self._orders or services.orders()

    def example(self) -> str:
        """What an order number of this shop looks like."""
        return services.order_number_example()

    @abc.abstractmethod
    async def look_up(self, turn: OrderTurn) -> list[Event]:
        """Answer the customer. May raise OrdersUnavailable; asks the database once at most, for the time it takes."""

    async def answer(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: Domain) -> list[Event]:
        """Only for a customer whose phone is known, and honest when the database does not answer."""
        phone = senders_phone(message_metadata(tracker).get("phone"))
        if phone is None:
            dispatcher.utter_message(response="utter_order_status_share_contact")
            return []
        former = senders_phone(message_metadata(tracker).get("former_phone"))
        waits_for = tracker.get_slot(WANTED_FOR)
        named = intent_name(tracker) in NAMES_AN_ORDER and follows(tracker) in ASKED_WHICH
        turn = OrderTurn(
            phone=phone,
            text=message_text(tracker),
            numbers=numbers_meant(tracker),
            last_shown=tracker.get_slot("order_number"),
            shown=list(tracker.get_slot("orders_shown") or []),
            offered=list(tracker.get_slot("orders_offered") or []),
            told_before=told_before(tracker),
            told_lately=told_lately(tracker),
            misshaped=misshaped_in_message(tracker),
            failed=float(tracker.get_slot("failed_lookups") or 0),
            wanted_for=waits_for if named else None,
            on_picture=read_on_pictures(tracker),
            points_away=points_away(tracker),
            named_since_change=told_since_change(tracker, message_metadata(tracker).get("former_phone")),
            missed=told_missing(tracker),
            say=dispatcher,
            phrases=OrderPhrases(Pieces(domain, "order_status"), self._today()),
        )
        events = await self._told(turn, former)
        waits = [event["value"] for event in events if event.get("name") == "awaiting_order_number"]
        wanted_for = turn.wanted_for or (None if self.tells_status else self.name())
        wanted_for = wanted_for if waits and waits[-1] else None
        return [*events, SlotSet(WANTED_FOR, wanted_for)] if waits and wanted_for != waits_for else events

    async def _told(self, turn: OrderTurn, former: str | None) -> list[Event]:
        try:
            turn = await self._of_tracking_number(turn)
            if turn.points_away and turn.numbers:
                turn = replace(turn, numbers=[], last_shown=turn.numbers[0])
            if turn.misshaped and not turn.numbers:
                # Never answered with another order: the customer means one, and it is not told which.
                turn.say.utter_message(
                    response="utter_order_status_misshaped", number=turn.misshaped, example=self.example()
                )
                return turn.wait_for_number()
            if former:
                turn = await self._of_either_phone(turn, former)
            return await (self.asker(turn) if turn.numbers else self).look_up(turn)
        except NumberNotConfirmed:
            turn.say.utter_message(response="utter_order_status_number_changed", example=self.example())
            return turn.wait_for_number()
        except OrdersUnavailable:
            turn.say.utter_message(response="utter_order_status_unavailable")
            return turn.one_more_failure(ask_again=False)

    async def _of_tracking_number(self, turn: OrderTurn) -> OrderTurn:
        """The turn with the number of the customer's own order whose tracking number, or a part of whose own number,
        the message has.

        Numbers on a picture that are no orders of theirs are left out first: on a label stand many.
        """
        numbers = turn.numbers
        if any(number in turn.on_picture for number in numbers):
            own = await self.orders.find(numbers, turn.phone)
            numbers = [number for number in numbers if number in own or number not in turn.on_picture]
        if numbers or not (turn.misshaped or may_name_in_part(turn.text)):
            return replace(turn, numbers=numbers or turn.numbers[:1])
        every = await self.orders.all_orders(turn.phone)
        found = named_in_part(turn.text, turn.misshaped, every)
        return replace(turn, numbers=[order.number for order in found] or turn.numbers[:1])

    async def _of_either_phone(self, turn: OrderTurn, former: str) -> OrderTurn:
        """The turn with the phone whose orders are meant, for a customer who changed their number.

        Orders of the former phone are told to whoever knows the number of one. Raises NumberNotConfirmed when there is
        nothing else to tell.
        """
        if turn.numbers and await self.orders.find(turn.numbers, turn.phone):
            return turn
        if await self.orders.find([*turn.numbers, *turn.named_since_change], former):
            return replace(turn, phone=former)
        if not turn.numbers and not await self.orders.all_orders(turn.phone) and await self.orders.all_orders(former):
            raise NumberNotConfirmed
        return turn

    def asker(self, turn: OrderTurn) -> OrderAction:
        """The action that asked which order, where this message only says which; else this one."""
        kind = by_name().get(turn.wanted_for or "", type(self))
        return kind(self._orders, self._today) if issubclass(kind, OrderAction) and turn.wanted_for else self

    async def picked(self, turn: OrderTurn, orders: Sequence[Order]) -> list[Event]:
        """Tell of the orders that the words pick what was asked before the list; their status where nothing was."""
        if turn.wanted_for:
            return await self.asker(turn).look_up(replace(turn, numbers=[order.number for order in orders]))
        return turn.tell(orders)

    async def meant(self, turn: OrderTurn) -> list[Order]:
        """The orders that the message is about: those it names, else the one talked about last, else the open ones.

        Empty when nothing fits. What was told in this conversation is meant until another order is named or, of a list
        just shown, picked in passing ("why is the second one late?").
        """
        if turn.numbers:
            found = await self.orders.find(turn.numbers, turn.phone)
            return [found[number] for number in turn.numbers if number in found]
        offered = turn.offered if len(turn.offered) > 1 else []
        known = [*offered, *([turn.last_shown] if turn.last_shown else [])]
        found = await self.orders.find(known, turn.phone) if known else {}
        last = found.get(turn.last_shown or "")
        if last and means_another(turn.text) and (others := await self.others(turn)):
            return others
        if not (last and last.status is OrderStatus.DELIVERED) and asks_when_it_came(turn.text):
            every = await self.orders.all_orders(turn.phone)
            if came := [order for order in every if order.status is OrderStatus.DELIVERED]:
                return came
        if last or turn.list_was_shown:
            picked = chosen(turn.text, [found[number] for number in offered if number in found])
            if len(picked) == 1:
                return picked
        return [last] if last else await self.orders.open_orders(turn.phone)

    async def others(self, turn: OrderTurn) -> list[Order]:
        """The open orders beside the one talked about last, all others where that is the only open one."""
        for orders in (self.orders.open_orders, self.orders.all_orders):
            if others := [order for order in await orders(turn.phone) if order.number != turn.last_shown]:
                return others
        return []

    async def listed(self, turn: OrderTurn) -> list[Order]:
        """The orders of the list that was offered last, in its order."""
        found = await self.orders.find(turn.offered, turn.phone)
        return [found[number] for number in turn.offered if number in found]

    async def about_one(self, turn: OrderTurn, tell: Telling) -> list[Event]:
        """Say `tell(order)` of the order that is meant; the status of several; ask which when it may be one of them."""
        if turn.numbers and len(turn.numbers) > 1:
            return await self.by_number(turn)
        orders = await self.meant(turn)
        if len(orders) != 1:
            if turn.numbers:
                return await self.by_number(turn)
            return turn.tell_or_choose(orders, none="utter_order_status_no_open_orders")
        response, facts = tell(orders[0])
        turn.say.utter_message(response=response, **facts)
        return turn.remember(orders)

    async def about_each(self, turn: OrderTurn, tell: Telling) -> list[Event]:
        """As `about_one`, but of several that are named, `tell(order)` of each."""
        return await (self.by_number(turn, tell) if len(turn.numbers) > 1 else self.about_one(turn, tell))

    async def by_number(self, turn: OrderTurn, tell: Telling | None = None) -> list[Event]:
        """Say `tell(order)`, its status where not given, of each number of the message, in its order; at most three."""
        numbers = turn.numbers[:MAX_ANSWERS]
        found = await self.orders.find(numbers, turn.phone)
        for number in numbers:
            if number in found:
                response, facts = (tell or turn.status_anew)(found[number])
                turn.say.utter_message(response=response, **facts)
            else:
                sought = any(about == number and NOT_FOUND in said for said, about in turn.told_before)
                turn.say.utter_message(response=f"{NOT_FOUND}_again" if sought else NOT_FOUND, order_number=number)
        turn.point_at(turn.numbers[MAX_ANSWERS:])
        told = [found[number] for number in numbers if number in found]
        return turn.remember(told) if told else turn.one_more_failure(ask_again=True)


class NumberNotConfirmed(Exception):
    """The customer has a new phone number, and has not named an order of the former one yet."""


class ActionCheckOrderStatus(OrderAction):
    """Tell the customer where their order is: the orders they name, else the open ones of their phone."""

    tells_status = True

    def name(self) -> str:
        return "action_check_order_status"

    async def knows(self, tracker: Tracker) -> bool:
        """Whether a message has the tracking number, or a part of the number, of an order of the customer's own."""
        phone, text = senders_phone(message_metadata(tracker).get("phone")), message_text(tracker)
        misshaped = misshaped_in_message(tracker)
        if phone is None or text.startswith("/") or not (misshaped or may_name_in_part(text)):
            return False
        try:
            every = await self.orders.all_orders(phone)
        except OrdersUnavailable:
            return False
        return bool(named_in_part(text, misshaped, every))

    async def look_up(self, turn: OrderTurn) -> list[Event]:
        if turn.numbers:
            return await self.by_number(turn)
        if turn.last_shown and means_another(turn.text):
            return await self.asker(replace(turn, wanted_for=OTHER_ORDER)).look_up(turn)
        orders = await self.meant(turn)
        ended = (not turn.just_told or awaits_another(turn.text, orders)) and not asks_when_it_came(turn.text)
        if turn.last_shown and ended and not any(order.open for order in orders):
            # What was talked about has ended: "where is my order?" may well mean one that is still to come.
            orders = await self.orders.open_orders(turn.phone) or orders
        orders = orders or await self.orders.all_orders(turn.phone)
        if not orders and (told := await told_from_pages(turn.say, turn.text, response=NO_ORDER_BUT)) is not None:
            return [*told, *turn.wait_for_number()]
        return turn.tell_or_choose(orders, none="utter_order_status_no_open_orders")
