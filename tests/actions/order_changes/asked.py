"""Orders as a fake keeps them, a message in a conversation, and what an action says to it."""

from __future__ import annotations

from typing import Any

from rasa_sdk import Tracker
from rasa_sdk.executor import CollectingDispatcher

from actions.orders.models import Order
from actions.orders.repository import OrdersUnavailable

PHONE = "+919876543210"


class FakeOrders:
    """Orders of one phone; or a database that is away."""

    def __init__(self, *orders: Order, away: bool = False) -> None:
        self._orders, self._away, self.region = orders, away, "IN"

    async def find(self, numbers: list[str], phone: str) -> dict[str, Order]:
        if self._away:
            raise OrdersUnavailable
        return {order.number: order for order in self._orders if order.number in numbers and phone == PHONE}

    async def open_orders(self, phone: str) -> list[Order]:
        if self._away:
            raise OrdersUnavailable
        return [order for order in self._orders if order.open and phone == PHONE]

    async def all_orders(self, phone: str) -> list[Order]:
        return [order for order in self._orders if phone == PHONE]


def tracker(
    phone: str | None = PHONE, numbers: tuple[str, ...] = (), intent: str = "cancel_order", **slots: Any
) -> Tracker:
    message = {
        "intent": {"name": intent}, "text": "", "metadata": {"phone": phone},
        "entities": [{"entity": "order_number", "value": number} for number in numbers],
    }
    return Tracker("c", slots, message, [], False, None, {}, "action_listen")


async def run(action: Any, at: Tracker) -> tuple[list[str], list[dict[str, Any]]]:
    dispatcher = CollectingDispatcher()
    events = await action.run(dispatcher, at, {"responses": RESPONSES})
    return [message["response"] for message in dispatcher.messages], events


RESPONSES = {
    f"utter_order_status_piece_{name}": [{"text": "{status}{when}{date}{days}"}]
    for name in ("row_due", "row_placed", "row_packed", "row_shipped", "in_days", "on_date", "today", "tomorrow")
} | {f"utter_order_change_piece_{status}": [{"text": status}] for status in ("delivered", "refunded")}


def said(*turns: list[tuple[str, str]]) -> list[dict[str, Any]]:
    """Events of turns, each the responses (name, order number) after a message."""
    return [
        event
        for turn in turns
        for event in (
            {"event": "user", "text": "words"},
            *({"event": "bot", "metadata": {"utter_action": name, "number": number}} for name, number in turn),
        )
    ]
