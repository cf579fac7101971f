"""An order look-up never keeps the event loop or the customer waiting."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest

from actions.orders.lookup import Orders
from actions.orders.models import Order
from actions.orders.repository import OrdersUnavailable


class SlowRepository:
    def __init__(self, hangs: bool = False, error: Exception | None = None) -> None:
        self.answers, self._error = threading.Event(), error
        if not hangs:
            self.answers.set()

    def open_orders(self, phone: str) -> list[Order]:
        self.answers.wait(60)
        if self._error:
            raise self._error
        return [Order("10234")]

    refund_related_orders = open_orders

    def find(self, numbers: Any, phone: str) -> dict[str, Order]:
        return {order.number: order for order in self.open_orders(phone)}


async def test_a_database_that_hangs_is_unavailable_when_the_time_is_up() -> None:
    repository = SlowRepository(hangs=True)
    orders = Orders(repository, answer_within_s=0.1)  # type: ignore[arg-type]
    with pytest.raises(OrdersUnavailable):
        await orders.open_orders("+919876543210")
    repository.answers.set()


async def test_the_event_loop_goes_on_while_the_database_is_slow() -> None:
    repository = SlowRepository(hangs=True)
    orders = Orders(repository, answer_within_s=60)  # type: ignore[arg-type]
    look_up = asyncio.ensure_future(orders.find(["10234"], "+919876543210"))
    for _ in range(5):
        await asyncio.sleep(0.01)
    assert not look_up.done()
    repository.answers.set()
    assert list(await look_up) == ["10234"]


async def test_more_look_ups_than_threads_hang_without_harm_to_other_threads() -> None:
    repository = SlowRepository(hangs=True)
    orders = Orders(repository, answer_within_s=0.1, threads=2)  # type: ignore[arg-type]
    hanging = [orders.refund_related_orders("+919876543210") for _ in range(6)]
    answers = await asyncio.gather(*hanging, return_exceptions=True)
    assert {type(answer) for answer in answers} == {OrdersUnavailable}
    assert await asyncio.wait_for(asyncio.to_thread(lambda: "free"), 30) == "free"
    repository.answers.set()


async def test_a_programming_error_is_not_taken_for_a_database_that_is_down() -> None:
    with pytest.raises(KeyError):
        await Orders(SlowRepository(error=KeyError("x"))).open_orders("+919876543210")  # type: ignore[arg-type]
