"""order_change_form and its actions as Rasa runs them, without Rasa: whatever the messages are read as."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rasa_sdk import Tracker
from rasa_sdk.executor import CollectingDispatcher

import yaml_files
from actions.order_changes.asking import (
    ActionAskChangeAddress,
    ActionAskChangeItems,
    ActionAskChangeReason,
    ActionAskChangeTarget,
    ActionAskChangeWish,
)
from actions.order_changes.details import CONFIRMED, FORM
from actions.order_changes.form import (
    ActionAskChangeConfirmed,
    ActionBeginCancelOrder,
    ActionBeginChangeOrder,
    ActionBeginReturnOrder,
    ActionOrderChangeOutcome,
    ValidateOrderChangeForm,
)
from actions.order_changes.which_order import ActionAskChangeOrderNumber
from actions.orders.models import Order, OrderItem, OrderStatus
from actions.orders.repository import OrdersUnavailable
from actions.self_service.acts import DONE, Act, Answer

DOMAIN: dict[str, Any] = yaml_files.read(Path(__file__).parents[3] / "domain.yml")
PHONE, OTHER = "+919876543210", "+919812345670"
BEGINS = {
    "cancel_order": ActionBeginCancelOrder, "change_order": ActionBeginChangeOrder,
    "start_return": ActionBeginReturnOrder,
}  # fmt: skip
ASKS = {
    "change_target": ActionAskChangeTarget, "change_address": ActionAskChangeAddress,
    "change_items": ActionAskChangeItems, "change_reason": ActionAskChangeReason, "change_wish": ActionAskChangeWish,
}  # fmt: skip
ALL = ("cancel", "address", "returns")
PACKED = Order("10241", OrderStatus.PACKED)
HERE = Order("10187", OrderStatus.DELIVERED)
SEVERAL = Order("10190", OrderStatus.DELIVERED, items=(
    OrderItem("l", "Brass lamp"), OrderItem("k", "Blue kurta", 2), OrderItem("e", "Earrings", returnable=False),
))  # fmt: skip
CONFIRM, AGAIN = "utter_self_service_confirm", "utter_self_service_again"
CONFIRMS = {"affirm": True, "request_human": True, "deny": False}


@dataclass
class Port:
    """Notes what it is asked; answers as it is told to."""

    answer: Answer = field(default_factory=lambda: Answer(DONE))
    asked: list[Act] = field(default_factory=list)

    async def attempt(self, act: Act) -> Answer:
        self.asked.append(act)
        return self.answer


class Owned:
    """Orders with their owner; `away` makes the database unreachable."""

    def __init__(self, *orders: Order, owner: str = PHONE) -> None:
        self.orders, self.owner, self.away = orders, owner, False

    async def find(self, numbers: Sequence[str], phone: str) -> dict[str, Order]:
        return {order.number: order for order in await self.all_orders(phone) if order.number in numbers}

    async def open_orders(self, phone: str) -> list[Order]:
        return [order for order in await self.all_orders(phone) if order.open]

    async def all_orders(self, phone: str) -> list[Order]:
        if self.away:
            raise OrdersUnavailable
        return list(self.orders) if phone == self.owner else []


class Talk:
    """One conversation. `say` returns the names of the responses; `committed` can be taken back to (`run_again`)."""

    def __init__(self, orders: Owned, service: Any = None, phone: str | None = PHONE) -> None:
        self.orders, self.service, self.phone = orders, service, phone
        self.slots: dict[str, Any] = {}
        self.events: list[dict[str, Any]] = []
        self.loop: str | None = None
        self.called: list[dict[str, Any]] = []
        self._n = 0

    async def say(
        self, text: str, intent: str, numbers: Sequence[str] = (), option: str = "", **metadata: Any
    ) -> list[str]:
        """One message, read as `intent`. What a rule answers in between is not among the responses."""
        self._n += 1
        self.before = (dict(self.slots), list(self.events), self.loop, list(self.called))
        known = {"phone": self.phone, "wamid": f"wamid.{self._n}", "received_at": time.time(), "kind": "text"}
        entities = [{"entity": "order_number", "value": number} for number in numbers]
        entities += [{"entity": "option", "value": option}] if option else []
        self.message = {"text": text, "intent": {"name": intent, "confidence": 0.95}, "entities": entities,
                        "metadata": {**known, **metadata}}  # fmt: skip
        return await self._turn()

    async def run_again(self) -> list[str]:
        """The last message once more, from what was committed before it: the process died before the commit."""
        self.slots, self.events, self.loop, self.called = self.before
        return await self._turn()

    async def _turn(self) -> list[str]:
        intent = self.message["intent"]["name"]
        said = {"event": "user", "text": self.message["text"], "metadata": self.message["metadata"]}
        self.events = [*self.events, said]
        self.said: list[dict[str, Any]] = []
        requested = self.slots.get("requested_slot")
        self.fresh = {}
        if self.loop and requested == CONFIRMED and intent in CONFIRMS:
            self._set(CONFIRMED, CONFIRMS[intent])
        if self.loop:
            if not await self._form(validates=True):
                if intent in BEGINS:
                    await self._begin(intent)
                else:
                    self._utter([{"response": "of_a_rule"}])
                    self.said = []
                    await self._form(validates=False)  # a rule answers, and goes back to the form
        elif intent in BEGINS:
            await self._begin(intent)
        return [message["response"] for message in self.said]

    async def _begin(self, intent: str) -> None:
        self.fresh = {}
        await self._run(BEGINS[intent]())
        self.loop = None
        await self._form(validates=True)

    async def _form(self, validates: bool) -> bool:
        """False where the form is left to the rules: nothing was extracted."""
        was_open, self.loop = bool(self.loop), FORM
        events = []
        if validates:
            form = ValidateOrderChangeForm(self.orders)  # type: ignore[arg-type]
            dispatcher = CollectingDispatcher()
            tracker = self._tracker(self.loop if was_open else None)
            events = await form.run(dispatcher, tracker, DOMAIN)
            self._heard(dispatcher)
            set_now = [event for event in events if event["event"] == "slot" and event["name"] != "requested_slot"]
            if was_open and not set_now and not self.fresh:
                return False
            self._apply(events)
        self.fresh = {}
        wanted = self.slots.get("requested_slot")
        if wanted is None:
            self.loop = None
            await self._run(ActionOrderChangeOutcome(self.orders, self.service))  # type: ignore[arg-type]
        elif wanted == "change_order_number":
            await self._run(ActionAskChangeOrderNumber(self.orders))  # type: ignore[arg-type]
        elif wanted == CONFIRMED:
            await self._run(ActionAskChangeConfirmed(self.orders))  # type: ignore[arg-type]
        else:
            await self._run(ASKS[wanted]())
        return True

    async def _run(self, action: Any) -> None:
        dispatcher = CollectingDispatcher()
        events = await action.run(dispatcher, self._tracker(self.loop), DOMAIN)
        self._heard(dispatcher)
        self._apply(events)
        for event in events:
            if event["event"] == "followup" and event["name"] == "action_escalate":
                self.called.append({"sheet": self.slots.get("escalation_sheet")})
            elif event["event"] == "followup" and event["name"] == FORM:
                await self._form(validates=True)

    def _heard(self, dispatcher: CollectingDispatcher) -> None:
        self._utter(dispatcher.messages)

    def _utter(self, messages: list[dict[str, Any]]) -> None:
        for message in messages:
            facts = {name: value for name, value in message.items() if name not in ("text", "buttons", "custom")}
            said = {"event": "bot", "timestamp": time.time(), "text": message.get("question") or "",
                    "metadata": {**facts, "utter_action": message["response"]}}  # fmt: skip
            self.said.append(message)
            self.events = [*self.events, said]

    def _set(self, name: str, value: Any) -> None:
        self.slots = {**self.slots, name: value}
        self.fresh[name] = value

    def _apply(self, events: list[dict[str, Any]]) -> None:
        for event in events:
            if event["event"] == "slot":
                self.slots = {**self.slots, event["name"]: event["value"]}

    def _tracker(self, loop: str | None) -> Tracker:
        pending = [{"event": "slot", "name": name, "value": value} for name, value in self.fresh.items()]
        active = {"name": loop} if loop else {}
        events = [*self.events, *pending]
        return Tracker("c", dict(self.slots), self.message, events, False, None, active, "action_listen")
