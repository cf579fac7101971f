"""Cancelling or changing an order: say what is possible, and hand over to a person when the customer agrees.

The assistant only reads the orders database, so it never changes an order itself. Which order and "shall a
colleague do it" are asked by order_change_form; `action_order_change_outcome` acts on the answers.
"""

from __future__ import annotations

from typing import Any

from rasa_sdk import FormValidationAction, Tracker
from rasa_sdk.events import FollowupAction, SlotSet
from rasa_sdk.executor import CollectingDispatcher

from actions import services
from actions.confirmation import ASKED_FOR_A_PERSON
from actions.order_status import choose_from, numbers_in_message
from actions.orders.lookup import Orders
from actions.orders.models import Order, OrderStatus
from actions.orders.repository import OrdersUnavailable
from actions.speaking import Domain, Event, SpeakingAction, intent_name, message_metadata
from actions.words import Pieces

NOT_WITH_THE_COURIER = frozenset({OrderStatus.PLACED, OrderStatus.CONFIRMED, OrderStatus.PACKED})
NAMES_THE_ORDER = frozenset({"inform_order_number", "cancel_order", "change_order", "affirm", "deny", "nlu_fallback"})
ASKS_CONFIRMATION = "utter_order_change_"


class ActionBeginCancelOrder(SpeakingAction):
    """The customer wants to cancel: open the form with what the message says already."""

    kind = "cancel"

    def name(self) -> str:
        return f"action_begin_{self.kind}_order"

    async def answer(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: Domain) -> list[Event]:
        return [
            SlotSet("change_kind", self.kind),
            SlotSet("change_order_number", None),
            SlotSet("change_confirmed", None),
            SlotSet("awaiting_order_number", False),
        ]


class ActionBeginChangeOrder(ActionBeginCancelOrder):
    """The customer wants a change of address, items or the like."""

    kind = "change"


class ValidateOrderChangeForm(FormValidationAction):
    """Finds out which order is meant: the number in the message, or the only open order of this phone."""

    def __init__(self, orders: Orders | None = None) -> None:
        self._orders = orders

    @property
    def orders(self) -> Orders:
        return self._orders or services.orders()

    def name(self) -> str:
        return "validate_order_change_form"

    async def extract_change_order_number(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: Domain
    ) -> dict[str, Any]:
        """The number in this message, else the only open order. Empty while the order is known already.

        A number in a question of its own ("and where is 10248?") does not change which order is meant.
        """
        numbers = numbers_in_message(tracker) if intent_name(tracker) in NAMES_THE_ORDER else []
        if numbers:
            return {"change_order_number": numbers[0], "change_confirmed": None}
        phone = message_metadata(tracker).get("phone")
        if tracker.get_slot("change_order_number") or not phone:
            return {}
        try:
            open_orders = await self.orders.open_orders(phone)
        except OrdersUnavailable:
            return {}
        return {"change_order_number": open_orders[0].number} if len(open_orders) == 1 else {}

    async def validate_change_order_number(
        self, value: Any, dispatcher: CollectingDispatcher, tracker: Tracker, domain: Domain
    ) -> dict[str, Any]:
        """Keep a number that is this customer's, or that cannot be checked now (the ticket then carries it)."""
        phone = message_metadata(tracker).get("phone")
        if not phone or value is None:
            return {"change_order_number": value}
        try:
            found = await self.orders.find([value], phone)
        except OrdersUnavailable:
            return {"change_order_number": value}
        if value in found:
            return {"change_order_number": value}
        dispatcher.utter_message(response="utter_order_change_not_found", number=value)
        return {"change_order_number": None}

    async def validate_change_confirmed(
        self, value: Any, dispatcher: CollectingDispatcher, tracker: Tracker, domain: Domain
    ) -> dict[str, Any]:
        """Yes and no need no check; without this method the SDK warns on every answer."""
        return {"change_confirmed": value}


class ActionAskChangeOrderNumber(SpeakingAction):
    """Which order? A list to pick from when there are several open ones."""

    def __init__(self, orders: Orders | None = None) -> None:
        self._orders = orders

    def name(self) -> str:
        return "action_ask_change_order_number"

    async def answer(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: Domain) -> list[Event]:
        phone = message_metadata(tracker).get("phone")
        try:
            open_orders = await (self._orders or services.orders()).open_orders(phone) if phone else []
        except OrdersUnavailable:
            dispatcher.utter_message(response="utter_order_change_away")
            return []
        if open_orders:
            choose_from(open_orders, dispatcher, domain, response="utter_order_change_choose")
        else:
            dispatcher.utter_message(response="utter_order_change_ask_number")
        return []


class ActionAskChangeConfirmed(SpeakingAction):
    """Say what is still possible for this order, and offer a person."""

    def __init__(self, orders: Orders | None = None) -> None:
        self._orders = orders

    def name(self) -> str:
        return "action_ask_change_confirmed"

    async def answer(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: Domain) -> list[Event]:
        number = tracker.get_slot("change_order_number")
        phone = message_metadata(tracker).get("phone")
        try:
            found = await (self._orders or services.orders()).find([number], phone) if phone else {}
        except OrdersUnavailable:
            dispatcher.utter_message(response="utter_order_change_unavailable", number=number)
            return []
        outcome = _what_is_possible(found.get(number), tracker.get_slot("change_kind") == "cancel")
        status = found[number].status if outcome == "finished" else None
        written = Pieces(domain, "order_change").fill(status.value) if status else ""
        dispatcher.utter_message(response=ASKS_CONFIRMATION + outcome, number=number, status=written)
        return []


def _what_is_possible(order: Order | None, cancelling: bool) -> str:
    """The outcome in a response's name."""
    if order is None or order.status is None:
        return "ask_confirmed"
    if not order.open:
        return "finished"
    late_before_the_courier = order.status is OrderStatus.DELAYED and not order.carrier
    if order.status in NOT_WITH_THE_COURIER or late_before_the_courier:
        return "cancel_possible" if cancelling else "possible"
    return "cancel_on_the_way" if cancelling else "on_the_way"


class ActionOrderChangeOutcome(SpeakingAction):
    """Hand over when the customer agreed, else leave the order alone."""

    def name(self) -> str:
        return "action_order_change_outcome"

    async def answer(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: Domain) -> list[Event]:
        forgotten = [SlotSet("change_order_number", None), SlotSet("change_confirmed", None)]
        if not tracker.get_slot("change_confirmed"):
            dispatcher.utter_message(
                response="utter_order_change_kept", number=tracker.get_slot("change_order_number")
            )
            return forgotten
        order = SlotSet("order_number", tracker.get_slot("change_order_number"))
        return [order, *forgotten, *ASKED_FOR_A_PERSON, FollowupAction("action_escalate")]
