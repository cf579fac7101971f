"""Order look-ups for the action server's event loop: in threads of their own and within a time limit."""

import asyncio
import logging
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from prometheus_client import Counter

import tracing
from actions.orders.models import Order
from actions.orders.repository import OrderRepository, OrdersUnavailable

log = logging.getLogger(__name__)

Found = TypeVar("Found")

LOOKUPS = Counter("assistant_order_lookups", "Orders database was asked; outcome: answered or failed", ["outcome"])


class Orders:
    """The customer's orders. Every method answers within `answer_within_s` or raises OrdersUnavailable.

    The threads are not the event loop's common ones: while the orders database hangs, other skills go on.
    """

    def __init__(
        self, repository: OrderRepository, answer_within_s: float = 4.0, threads: int = 8, away_for_s: float = 3.0
    ) -> None:
        self._repository = repository
        self._answer_within_s = answer_within_s
        self._away_for_s = away_for_s
        self._away_until: dict[str, float] = {}
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="orders")

    async def find(self, numbers: Iterable[str], phone: str) -> dict[str, Order]:
        """Those of `numbers` that are orders of `phone` (E.164), by normalised number as it was asked for."""
        return await self._run(phone, lambda: self._repository.find(numbers, phone))

    async def open_orders(self, phone: str) -> list[Order]:
        """Orders of `phone` that are still on their way, the most urgent first."""
        return await self._run(phone, lambda: self._repository.open_orders(phone))

    async def refund_related_orders(self, phone: str) -> list[Order]:
        """Cancelled, returned and refunded orders of `phone`, the newest first."""
        return await self._run(phone, lambda: self._repository.refund_related_orders(phone))

    async def all_orders(self, phone: str) -> list[Order]:
        """Open and ended orders of `phone`, the newest first; at most 200."""
        return await self._run(phone, lambda: self._repository.all_orders(phone))

    async def _run(self, phone: str, look_up: Callable[[], Found]) -> Found:
        loop = asyncio.get_running_loop()
        self._away_until = {other: until for other, until in self._away_until.items() if until > loop.time()}
        if phone in self._away_until:
            # A turn that looks twice must not wait twice for a database that has just failed this customer.
            raise OrdersUnavailable
        try:
            with tracing.span("orders.lookup"):
                found = await asyncio.wait_for(loop.run_in_executor(self._threads, look_up), self._answer_within_s)
        except (OrdersUnavailable, asyncio.TimeoutError) as error:
            reason = type(error.__cause__ or error).__name__
            log.warning("orders.lookup.failed error=%s", reason)
            LOOKUPS.labels("failed").inc()
            self._away_until[phone] = loop.time() + self._away_for_s
            raise OrdersUnavailable from error
        LOOKUPS.labels("answered").inc()
        return found
