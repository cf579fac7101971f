"""Without a phone, without a database, with a number that is none: an answer all the same, and nobody else's order."""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import Any

import pytest
from rasa_sdk import Tracker
from rasa_sdk.executor import CollectingDispatcher

from actions.order_choice import ActionOtherOrder
from actions.order_details import ActionDeliveryDate
from actions.order_status import (
    ActionCheckOrderStatus,
    OrderAction,
)
from actions.orders.lookup import Orders
from actions.orders.models import Order
from actions.orders.repository import OrderRepository, OrdersUnavailable
from actions.refund_status import ActionCheckRefundStatus
from tests.actions.order_answers import ASHA, DOMAIN, VIKRAM, FakeOrders, ashas, ask, order


class BrokenOrders(FakeOrders):
    async def find(self, numbers: Iterable[str], phone: str) -> dict[str, Order]:
        raise OrdersUnavailable

    async def open_orders(self, phone: str) -> list[Order]:
        raise OrdersUnavailable

    async def refund_related_orders(self, phone: str) -> list[Order]:
        raise OrdersUnavailable


@pytest.mark.parametrize("phone", [None, "", "IN.4159876", "call me"])
@pytest.mark.parametrize(
    "action", [ActionCheckOrderStatus, ActionDeliveryDate, ActionOtherOrder, ActionCheckRefundStatus]
)
async def test_without_a_phone_nothing_is_looked_up(action: type[OrderAction], phone: str | None) -> None:
    reply = await ask(action, BrokenOrders(), "10234", phone=phone)
    assert reply.responses == ["utter_order_status_share_contact"]


async def test_the_phone_of_the_message_counts_and_not_the_conversations() -> None:
    reply = await ask(ActionCheckOrderStatus, ashas(order("10234")), "10234", phone=VIKRAM, phone_slot=ASHA)
    assert reply.responses == ["utter_order_status_not_found"]


@pytest.mark.parametrize(
    "action", [ActionCheckOrderStatus, ActionDeliveryDate, ActionOtherOrder, ActionCheckRefundStatus]
)
async def test_a_database_that_is_down_is_admitted_and_a_person_offered(action: type[OrderAction]) -> None:
    for numbers in ([], ["10234"]):
        reply = await ask(action, BrokenOrders(), *numbers)
        assert reply.responses == ["utter_order_status_unavailable"]
        assert reply.slots["failed_lookups"] == 1
    assert "/request_human" in str(DOMAIN["responses"]["utter_order_status_unavailable"])


@pytest.mark.slow
async def test_a_database_that_hangs_is_admitted_within_five_seconds() -> None:
    class Hanging(OrderRepository):
        def open_orders(self, phone: str) -> list[Order]:
            time.sleep(6)
            return []

    began = time.monotonic()
    reply = await ask(ActionCheckOrderStatus, Orders(Hanging("sqlite:///absent.db")))
    assert reply.responses == ["utter_order_status_unavailable"]
    assert time.monotonic() - began < 5


async def test_any_other_failure_is_an_apology() -> None:
    class Faulty(FakeOrders):
        async def open_orders(self, phone: str) -> list[Order]:
            raise KeyError("bug")

    tracker = Tracker("1", {}, {"metadata": {"phone": ASHA}}, [], False, None, {}, "action_listen")
    dispatcher = CollectingDispatcher()
    assert await ActionCheckOrderStatus(Faulty()).run(dispatcher, tracker, DOMAIN) == []  # type: ignore[arg-type]
    assert [message["response"] for message in dispatcher.messages] == ["utter_fallback_apology"]


@pytest.mark.parametrize("wild", ["", "###", None, 10234, "1' OR '1'='1", "{order_number}", "0[x]", "٩٩٩٩٩", "a" * 500])
async def test_whatever_stands_for_a_number_is_answered(wild: Any) -> None:
    reply = await ask(ActionCheckOrderStatus, ashas(order("10234")), wild)
    assert len(reply.texts) == 1
