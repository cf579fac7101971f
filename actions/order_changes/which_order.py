"""Which order is to be cancelled, changed or returned: the first thing that order_change_form asks.

A number in the message, what its words pick from a list, the order talked about, or the only one that it can be.
"""

from __future__ import annotations

from typing import Any

from rasa_sdk import Tracker
from rasa_sdk.events import SlotSet
from rasa_sdk.executor import CollectingDispatcher

from actions.order_changes.details import (
    KINDS,
    SAYS_MORE,
    another_address,
    asking_for_details,
    is_aside,
    known_from,
    only_signs,
    orders_for,
    window_that_is_over,
    wishes_something_else,
)  # fmt: skip
from actions.order_changes.items import ITEMS, OFFERED, same_items
from actions.order_choice import choose_from
from actions.orders.choosing import chosen, counted, described, means_another, points_at_one
from actions.orders.lookup import Orders
from actions.orders.models import Order
from actions.orders.naming import may_name_in_part, named_in_part
from actions.orders.numbers import named
from actions.orders.phones import senders_phone
from actions.orders.repository import OrdersUnavailable
from actions.return_policy import NO_ORDER_BUT, told_from_pages
from actions.self_service.answers import names_all
from actions.skill import services
from actions.skill.action import (
    BaseAction,
    Domain,
    Event,
    in_form,
    intent_name,
    last_response,
    message_metadata,
    message_text,
)  # fmt: skip
from actions.skill.order_answers import MAX_ROWS, asked_again_already, misshaped_in_message, numbers_meant, told_now

NAMES_THE_ORDER = frozenset(
    {"inform_order_number", "cancel_order", "change_order", "start_return", "affirm", "deny", "nlu_fallback",
     "choose_order", "ask_other_order", "wrong_number"}
)  # fmt: skip
MEANS_ANOTHER = frozenset({"ask_other_order", "deny"})
PICKS_AN_ORDER = frozenset({"choose_order", "ask_other_order", "affirm", "nlu_fallback", "out_of_scope"})
NAMES_ANOTHER_ORDER = frozenset({"ask_other_order", "wrong_number"})  # also where an address or the like is asked for
ASKS_WHICH = ("utter_order_change_choose", "utter_order_change_ask_number")
OFFERS_ORDERS = ("utter_order_status_choose", "utter_order_status_all")


class WhichOrder:
    """The part of the form that finds the order; a mixin of the form's validation action."""

    def __init__(self, orders: Orders | None = None) -> None:
        self._orders = orders

    @property
    def orders(self) -> Orders:
        """The look-ups: the given ones, else the real ones."""
        return self._orders or services.orders()

    async def extract_change_order_number(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: Domain
    ) -> dict[str, Any]:
        """The number in this message, else the only open order. Empty while the order is known already.

        A number in a question of its own ("and where is 10248?") does not change which order is meant.
        """
        if asking_for_details(tracker) and intent_name(tracker) not in NAMES_ANOTHER_ORDER:
            return {}
        if another_address(tracker) or wishes_something_else(tracker):
            return {}
        numbers = numbers_meant(tracker) if intent_name(tracker) in NAMES_THE_ORDER else []
        if numbers[:1] == [tracker.get_slot("change_order_number")] and intent_name(tracker) == "affirm":
            return {}  # "yes, cancel 10241" to the question about 10241
        if numbers:
            return {"change_order_number": numbers[0], "change_confirmed": None}
        phone = message_metadata(tracker).get("phone")
        if not phone:
            return {}
        try:
            return await self._without_a_number(tracker, phone)
        except OrdersUnavailable:
            return {}

    async def _without_a_number(self, tracker: Tracker, phone: str) -> dict[str, Any]:
        """What the words pick from the list on offer; else the order talked about; else the only one it can be."""
        known = tracker.get_slot("change_order_number")
        misshaped, text = misshaped_in_message(tracker), message_text(tracker)
        asks = is_aside(tracker) and intent_name(tracker) not in NAMES_THE_ORDER  # "why is 0417 late?"
        if not asks and (misshaped or (in_form(tracker) and not known and may_name_in_part(text))):
            every = await self.orders.all_orders(phone)
            if own := named_in_part(text, misshaped, every):
                return {"change_order_number": own[0].number, "change_confirmed": None}
        if misshaped:  # they mean an order, and none that we know of
            return {"change_order_number": None} if known and not asks else {}
        if known and intent_name(tracker) in MEANS_ANOTHER and (other := await self._another(tracker, phone, known)):
            return {"change_order_number": other, "change_confirmed": None}
        offered = list(tracker.get_slot("orders_offered") or [])
        if offered and intent_name(tracker) in PICKS_AN_ORDER and not (known and intent_name(tracker) == "affirm"):
            found = await self.orders.find(offered, phone)
            listed = [found[number] for number in offered if number in found]
            if len(picked := chosen(message_text(tracker), listed)) == 1:
                return {"change_order_number": picked[0].number, "change_confirmed": None}
        picks_nothing = intent_name(tracker) == "choose_all" or (known and intent_name(tracker) == "choose_order")
        says_more = intent_name(tracker) in SAYS_MORE and not is_aside(tracker)
        says_more = says_more or only_signs(message_text(tracker))
        if in_form(tracker) and (says_more or picks_nothing):
            return {"change_order_number": known}  # the form asks again; nothing extracted would end it in silence
        if known:
            return {}
        orders = await orders_for(self.orders, phone, tracker.get_slot("change_kind"))
        if means_another(text):  # "cancel my other order" after one was talked about
            orders = [order for order in orders if order.number != tracker.get_slot("order_number")]
        if intent_name(tracker) in KINDS and (meant := await self._described(tracker, phone, orders, offered)):
            return {"change_order_number": meant}
        possible = [order.number for order in orders]
        # A form is active already while the message that began it is read; then no slot is asked for yet.
        wished_now = intent_name(tracker) in KINDS or tracker.get_slot("requested_slot") is None
        if not wished_now and is_aside(tracker):
            return {}  # "where is 10248?" is a question of its own, also where one order alone can be meant
        talked_about = tracker.get_slot("order_number") if wished_now else None
        if talked_about and (talked_about in possible or not possible):
            return {"change_order_number": talked_about}
        return {"change_order_number": possible[0]} if len(possible) == 1 else {}

    async def _described(self, tracker: Tracker, phone: str, orders: list[Order], offered: list[str]) -> str | None:
        """Which one a wish names: "cancel the packed one"; "the second" counts the list shown last."""
        text = message_text(tracker)
        if len(fitting := described(text, orders)) == 1:
            return fitting[0].number
        if len(offered) < 2 or not points_at_one(text):
            return None
        found = await self.orders.find(offered, phone)
        at_place = counted(text, [found[number] for number in offered if number in found])
        return at_place.number if at_place else None

    async def _another(self, tracker: Tracker, phone: str, known: str) -> str | None:
        """The order that "no, the other one" or "no wait, the first one" means instead of the known one."""
        points = points_at_one(message_text(tracker))
        if not points and intent_name(tracker) != "ask_other_order":
            return None  # a plain "no" costs no look-up
        possible = await orders_for(self.orders, phone, tracker.get_slot("change_kind"))
        others = [order.number for order in possible if order.number != known]
        if len(others) == 1:
            return others[0]
        picked = [order.number for order in chosen(message_text(tracker), possible)] if points else []
        return picked[0] if len(picked) == 1 and picked[0] != known else None

    async def validate_change_order_number(
        self, value: Any, dispatcher: CollectingDispatcher, tracker: Tracker, domain: Domain
    ) -> dict[str, Any]:
        """Keep a number that is this customer's, or that cannot be checked now (the ticket then carries it).

        An order of the phone that they had before is for a person too, who can ask more than we can.
        """
        phone, kind = message_metadata(tracker).get("phone"), tracker.get_slot("change_kind")
        former = senders_phone(message_metadata(tracker).get("former_phone"))
        if not phone or value is None:
            return {"change_order_number": value, **known_from(None, kind)}
        try:
            found = await self.orders.find([value], phone)
            is_formers = value not in found and former and await self.orders.find([value], former)
        except OrdersUnavailable:
            return {"change_order_number": value, **known_from(None, kind)}
        if is_formers:
            return {"change_order_number": value, **known_from(None, kind)}
        if value in found:
            late = await window_that_is_over(found[value], kind)
            known = known_from(None if late else found[value], kind)
            if tracker.get_slot(ITEMS) is not None and same_items(tracker.get_slot(OFFERED), known[OFFERED]):
                known.pop(ITEMS)  # the same order, named once more
                known.pop(OFFERED)
            return {"change_order_number": value, "order_number": value, **known}
        return {"change_order_number": None}


class ActionAskChangeOrderNumber(BaseAction):
    """Which order? A list to pick from when there are several open ones."""

    def __init__(self, orders: Orders | None = None) -> None:
        self._orders = orders

    def name(self) -> str:
        return "action_ask_change_order_number"

    async def answer(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: Domain) -> list[Event]:
        told = told_now(tracker)
        if not told and (misshaped := misshaped_in_message(tracker)):
            example = services.order_number_example()
            dispatcher.utter_message(response="utter_order_status_misshaped", number=misshaped, example=example)
            return []
        if any(about or response.startswith(OFFERS_ORDERS) for response, about in told):
            return []  # the side question ended in the same list, or was about one order, which asks for none
        if asked_again_already(tracker, *ASKS_WHICH):
            return []
        phone = message_metadata(tracker).get("phone")
        kind = tracker.get_slot("change_kind")
        try:
            orders = await orders_for(self._orders or services.orders(), phone, kind) if phone else []
        except OrdersUnavailable:
            dispatcher.utter_message(response="utter_order_change_away")
            return []
        if not told and (missing := numbers_meant(tracker)):
            facts = {"number": missing[0], "order": named(missing[0])}
            return _offered(orders, dispatcher, domain, "utter_order_change_not_found", **facts)
        if not orders:
            # Who has no order that can be changed may well have asked how one is.
            wished_now, said = intent_name(tracker) in KINDS, message_text(tracker)
            page = await told_from_pages(dispatcher, said, response=NO_ORDER_BUT) if wished_now else None
            if page is None:
                dispatcher.utter_message(response="utter_order_change_ask_number")
            return page or []
        again = last_response(tracker).startswith("utter_order_change_choose")
        response = "utter_order_change_choose_again" if again else "utter_order_change_choose"
        response = response if len(orders) > 1 else "utter_order_change_ask_number"
        one_at_a_time = len(orders) > 1 and not told and names_all(message_text(tracker))
        response = "utter_order_change_one_at_a_time" if one_at_a_time else response
        return _offered(orders, dispatcher, domain, response)


def _offered(
    orders: list[Order], dispatcher: CollectingDispatcher, domain: Domain, response: str, **facts: str
) -> list[Event]:
    """Say `response`, with the orders to pick from."""
    if not orders:
        dispatcher.utter_message(response=response, **facts)
        return []
    choose_from(orders, dispatcher, domain, response, **facts)
    return [SlotSet("orders_offered", [order.number for order in orders[:MAX_ROWS]])]
