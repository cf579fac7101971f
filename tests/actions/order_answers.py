"""Orders as a fake keeps them, and what an action answers about them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from copy import deepcopy
from datetime import date
from pathlib import Path
from typing import Any

from rasa.core.nlg.interpolator import interpolate
from rasa_sdk import Tracker
from rasa_sdk.executor import CollectingDispatcher

import yaml_files
from actions.order_status import (
    OrderAction,
)
from actions.orders.models import MONEY_BACK, Order, OrderStatus

DOMAIN: dict[str, Any] = yaml_files.read(Path(__file__).resolve().parents[2] / "domain.yml")
TODAY = date(2026, 11, 23)
ASHA, VIKRAM = "+919876543210", "+919812345670"


def order(number: str, status: str | None = "shipped", due: int | None = None, **parcel: str) -> Order:
    """An order that is due on a day of November 2026."""
    day = None if due is None else date(2026, 11, due)
    return Order(number, OrderStatus(status) if status else None, day, **parcel)


class FakeOrders:
    """Orders by phone, in memory."""

    def __init__(self, **by_phone: Sequence[Order]) -> None:
        self._by_phone = {f"+{phone.lstrip('p')}": orders for phone, orders in by_phone.items()}

    async def find(self, numbers: Iterable[str], phone: str) -> dict[str, Order]:
        return {each.number: each for each in self._by_phone.get(phone, ()) if each.number in set(numbers)}

    async def open_orders(self, phone: str) -> list[Order]:
        return sorted((each for each in self._by_phone.get(phone, ()) if each.open), key=lambda each: each.urgency)

    async def all_orders(self, phone: str) -> list[Order]:
        return list(self._by_phone.get(phone, ()))

    async def refund_related_orders(self, phone: str) -> list[Order]:
        return [each for each in self._by_phone.get(phone, ()) if each.status in MONEY_BACK]


def ashas(*orders: Order) -> FakeOrders:
    return FakeOrders(p919876543210=orders, p919812345670=[order("10555", "shipped", 24)])


class Reply:
    """What one action said and remembered."""

    def __init__(self, messages: list[dict[str, Any]], events: list[dict[str, Any]]) -> None:
        self.messages = messages
        self.responses = [message["response"] for message in messages]
        self.texts = [_rendered(message) for message in messages]
        self.text = "\n\n".join(self.texts)
        self.slots = {event["name"]: event["value"] for event in events if event["event"] == "slot"}
        self.rows = [row for message in messages for row in message["custom"].get("rows", [])]


def _rendered(message: dict[str, Any]) -> str:
    """The first variant as Rasa fills it; all variants are checked."""
    texts = []
    for variant in deepcopy(DOMAIN["responses"][message["response"]]):
        text = interpolate(variant, message).get("text") or variant["custom"]["body"]
        assert not re.search(r"[{}]|None| $|  |\bnull\b", text), text
        assert len(text) < 300, text
        texts.append(text)
    return texts[0]


async def ask(
    action: type[OrderAction],
    orders: Any,
    *numbers: Any,
    phone: str | None = ASHA,
    misshaped: str | None = None,
    former: str | None = None,
    text: str = "…",
    on_picture: str = "",
    events: Sequence[dict[str, Any]] = (),
    **slots: Any,
) -> Reply:
    """One turn: the customer names `numbers` (perhaps none) from `phone`."""
    at = {number: max(0, text.find(str(number))) for number in map(str, numbers)}
    entities: list[dict[str, Any]] = [
        {"entity": "order_number", "value": number, "start": at[str(number)], "end": at[str(number)] + len(str(number))}
        for number in numbers
    ]
    entities += [{"entity": "order_number_misshaped", "value": misshaped}] if misshaped else []
    latest = {"text": text, "intent": {"name": "any"}, "entities": entities}
    latest["metadata"] = {"phone": phone} | ({"former_phone": former} if former else {})
    latest["metadata"]["heard"] = [{"kind": "image", "text": on_picture}] if on_picture else None
    tracker = Tracker("919876543210", slots, latest, list(events), False, None, {}, "action_listen")
    dispatcher = CollectingDispatcher()
    events = await action(orders, lambda: TODAY).run(dispatcher, tracker, DOMAIN)
    return Reply(dispatcher.messages, events)
