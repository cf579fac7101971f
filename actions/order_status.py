"""Where is my order? Answered from the shop's orders database, only for orders of the phone that the message came from.

Identity is what the signed webhook says (`metadata.phone`), never what the customer types. An order of another phone
and an order that does not exist get the same words.
"""

from __future__ import annotations

import abc
from collections.abc import Callable, Sequence
from datetime import date, datetime
from zoneinfo import ZoneInfo

from rasa_sdk import Tracker
from rasa_sdk.executor import CollectingDispatcher

import shop
from actions.orders.choosing import chosen
from actions.orders.lookup import Orders
from actions.orders.models import Order
from actions.orders.phones import senders_phone
from actions.orders.phrases import OrderPhrases
from actions.orders.repository import OrdersUnavailable
from actions.skill import services
from actions.skill.action import BaseAction, Domain, Event, message_metadata
from actions.skill.order_answers import (
    MOST_ANSWERS,
    Asked,
    misshaped_in_message,
    numbers_meant,
    offer_list,
    told_before,
)
from actions.skill.texts import Pieces


def shop_today() -> date:
    """Today where the shop is."""
    return datetime.now(ZoneInfo(shop.load().time_zone)).date()


class OrderAction(BaseAction):
    """An action about the customer's own orders."""

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
    async def look_up(self, asked: Asked) -> list[Event]:
        """Answer the customer. May raise OrdersUnavailable; asks the database once at most, for the time it takes."""

    async def answer(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: Domain) -> list[Event]:
        """Only for a customer whose phone is known, and honest when the database does not answer."""
        phone = senders_phone(message_metadata(tracker).get("phone"))
        if phone is None:
            dispatcher.utter_message(response="utter_order_status_share_contact")
            return []
        asked = Asked(
            phone=phone,
            text=str((tracker.latest_message or {}).get("text") or ""),
            numbers=numbers_meant(tracker),
            last_shown=tracker.get_slot("order_number"),
            shown=list(tracker.get_slot("orders_shown") or []),
            offered=list(tracker.get_slot("orders_offered") or []),
            told_before=told_before(tracker),
            misshaped=misshaped_in_message(tracker),
            failed=float(tracker.get_slot("failed_lookups") or 0),
            say=dispatcher,
            phrases=OrderPhrases(Pieces(domain, "order_status"), self._today()),
        )
        if asked.misshaped and not asked.numbers:
            # Never answered with another order: the customer means one, and it is not told which.
            dispatcher.utter_message(
                response="utter_order_status_misshaped", number=asked.misshaped, example=self.example()
            )
            return asked.wait_for_number()
        try:
            return await self.look_up(asked)
        except OrdersUnavailable:
            dispatcher.utter_message(response="utter_order_status_unavailable")
            return asked.one_more_failure(ask_again=False)

    async def meant(self, asked: Asked) -> list[Order]:
        """The orders that the message is about: those it names, else the one talked about last, else the open ones.

        Empty when nothing fits. What was told in this conversation is meant until another order is named.
        """
        for numbers in (asked.numbers, [asked.last_shown] if asked.last_shown else []):
            if numbers:
                found = await self.orders.find(numbers, asked.phone)
                if found and numbers is not asked.numbers:
                    return await self._picked(asked) or list(found.values())
                if found or numbers is asked.numbers:
                    return [found[number] for number in numbers if number in found]
        return await self.orders.open_orders(asked.phone)

    async def _picked(self, asked: Asked) -> list[Order]:
        """The one order of the list offered before that the words point at ("the late one"); else nothing."""
        if len(asked.offered) < 2:
            return []
        picked = chosen(asked.text, await self.listed(asked))
        return picked if len(picked) == 1 else []

    async def listed(self, asked: Asked) -> list[Order]:
        """The orders of the list that was offered last, in its order."""
        found = await self.orders.find(asked.offered, asked.phone)
        return [found[number] for number in asked.offered if number in found]

    async def about_one(self, asked: Asked, tell: Callable[[Order], tuple[str, dict[str, str]]]) -> list[Event]:
        """Say `tell(order)` of the order that is meant; ask which when there are several, or by number."""
        if asked.numbers and len(asked.numbers) > 1:
            return await self.by_number(asked)
        orders = await self.meant(asked)
        if len(orders) != 1:
            if asked.numbers:
                return await self.by_number(asked)
            return asked.tell_or_choose(orders, none="utter_order_status_no_open_orders")
        response, facts = tell(orders[0])
        asked.say.utter_message(response=response, **facts)
        return asked.remember(orders)

    async def by_number(self, asked: Asked) -> list[Event]:
        """Answer each number of the message, in its order; at most three."""
        numbers = asked.numbers[:MOST_ANSWERS]
        found = await self.orders.find(numbers, asked.phone)
        for number in numbers:
            if number in found:
                response, facts = asked.phrases.status(found[number])
                asked.say.utter_message(response=response, **facts)
            else:
                asked.say.utter_message(response="utter_order_status_not_found", order_number=number)
        asked.point_at(asked.numbers[MOST_ANSWERS:])
        told = [found[number] for number in numbers if number in found]
        return asked.remember(told) if told else asked.one_more_failure(ask_again=True)


class ActionCheckOrderStatus(OrderAction):
    """Tell the customer where their order is: the orders they name, else the open ones of their phone."""

    def name(self) -> str:
        return "action_check_order_status"

    async def look_up(self, asked: Asked) -> list[Event]:
        if asked.numbers:
            return await self.by_number(asked)
        orders = await self.meant(asked)
        if asked.last_shown and not asked.just_told and not any(order.open for order in orders):
            # What was talked about has ended: "where is my order?" may well mean one that is still to come.
            orders = await self.orders.open_orders(asked.phone) or orders
        orders = orders or await self.orders.all_orders(asked.phone)
        return asked.tell_or_choose(orders, none="utter_order_status_no_open_orders")


class ActionDeliveryDate(OrderAction):
    """"When exactly?": the day on which the order just shown (or the one named, or the only one) arrives."""

    def name(self) -> str:
        return "action_delivery_date"

    async def look_up(self, asked: Asked) -> list[Event]:
        return await self.about_one(asked, lambda order: _day(asked, order))


def _day(asked: Asked, order: Order) -> tuple[str, dict[str, str]]:
    """The day alone; the whole status where a day would not tell enough."""
    arrival = asked.phrases.arrival(order)
    if not order.open or arrival is None or asked.phrases.day_has_passed_or_come(order):
        return asked.phrases.status(order)
    known = "delivery_date" if order.estimated_delivery else "no_delivery_date"
    return f"utter_order_status_{known}", {"order_number": order.number, "arrival": arrival}


class ActionCheckRefundStatus(OrderAction):
    """"When will my refund arrive?": the customer's cancelled, returned and refunded orders."""

    def name(self) -> str:
        return "action_check_refund_status"

    async def look_up(self, asked: Asked) -> list[Event]:
        if asked.numbers:
            return await self.by_number(asked)
        orders = await self.orders.recent_orders(asked.phone)
        if asked.last_shown in {order.number for order in orders}:
            orders = [order for order in orders if order.number == asked.last_shown]
        if not orders:
            asked.say.utter_message(response="utter_order_status_no_refund")
            return []
        return asked.tell(orders)


def choose_from(
    orders: Sequence[Order],
    dispatcher: CollectingDispatcher,
    domain: Domain,
    response: str = "utter_order_status_choose",
) -> None:
    """Offer a WhatsApp list of at most ten orders under `response`, whose text may use {count} and {shown}.

    A row answers as `/inform_order_number{"order_number": ...}`.
    """
    offer_list(orders, dispatcher, OrderPhrases(Pieces(domain, "order_status"), shop_today()), response)
