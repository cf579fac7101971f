"""The customer's own orders, from the shop's database. Blocking: see `lookup.Orders` for the way to call it.

The phone is part of every WHERE clause, so another customer's order never leaves the database. Shops write phones in
many ways; the usual ones are found through an index on `customer_phone`, the rest by a scan that has a time limit of
its own, and what is found counts only when it means the same number in E.164.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.sql import ColumnElement

from actions.orders.database import read_only_engine, reading
from actions.orders.models import MONEY_BACK, Order, normal_number
from actions.orders.phones import core_digits, e164, written_forms

log = logging.getLogger(__name__)

MOST_ROWS = 200

# Columns without types: the values come as the database has them, and `Order.from_row` reads all of them.
ORDERS = sa.table(
    "orders",
    *(
        sa.column(name)
        for name in (
            "order_id", "customer_phone", "status", "estimated_delivery", "carrier", "tracking_number", "tracking_url",
        )
    ),
)


class OrdersUnavailable(Exception):
    """The orders database did not answer, or not in time. Worth trying again later."""


class OrderRepository:
    """Reads the table `orders` behind `url`.

    `region` says how phones without a country code are meant. The timeouts add up to less than an answer may take.
    """

    def __init__(
        self, url: str, region: str = "IN", statement_timeout_s: float = 2.5, scan_timeout_s: float = 1.5
    ) -> None:
        self._engine = read_only_engine(url, statement_timeout_s)
        self._region = region
        self._statement_timeout_s = statement_timeout_s
        self._scan_timeout_s = scan_timeout_s

    def find(self, numbers: Iterable[str], phone: str) -> dict[str, Order]:
        """Those of `numbers` that are orders of `phone` (E.164), by normalised number.

        An order of another phone is missing from the result just like one that does not exist.
        Raises OrdersUnavailable.
        """
        wanted = {normal for number in numbers if (normal := normal_number(number))}
        if not wanted:
            return {}
        ids = [form for number in sorted(wanted) for form in (number, f"#{number}")]
        condition = ORDERS.c.order_id.in_(ids) & _same_digits(phone)
        orders = self._select(condition, phone, self._statement_timeout_s)
        return {order.number: order for order in orders}

    def open_orders(self, phone: str) -> list[Order]:
        """Orders of `phone` (E.164) that are still on their way, the most urgent first. Raises OrdersUnavailable."""
        return sorted((order for order in self._of(phone) if order.open), key=lambda order: order.urgency)

    def recent_orders(self, phone: str) -> list[Order]:
        """Orders of `phone` (E.164) that money may come back for, the newest first. Raises OrdersUnavailable."""
        return [order for order in self._of(phone) if order.status in MONEY_BACK]

    def close(self) -> None:
        """Give back the pooled connections."""
        self._engine.dispose()

    def _of(self, phone: str) -> list[Order]:
        """All orders of a phone, the newest first."""
        orders = self._select(
            ORDERS.c.customer_phone.in_(written_forms(phone)), phone, self._statement_timeout_s
        )
        if orders:
            return orders
        try:
            return self._select(_same_digits(phone), phone, self._scan_timeout_s)
        except OrdersUnavailable as unavailable:
            # The database has just answered, so this is the scan's own limit: a big table.
            # The customer is asked for the number instead, which is found by the primary key.
            log.warning("orders.phone_scan.given_up error=%s", type(unavailable.__cause__).__name__)
            return []

    def _select(self, condition: ColumnElement[bool], phone: str, timeout_s: float) -> list[Order]:
        query = sa.select(ORDERS).where(condition).order_by(ORDERS.c.order_id.desc()).limit(MOST_ROWS)
        try:
            with reading(self._engine, timeout_s) as connection:
                rows = connection.execute(query).mappings().all()
        except (SQLAlchemyError, DBAPIError) as error:
            raise OrdersUnavailable from error
        return [Order.from_row(row) for row in rows if e164(row["customer_phone"], self._region) == phone]


def _same_digits(phone: str) -> ColumnElement[bool]:
    """The phone's digits in their order, whatever stands between and around them; one pattern for all databases.

    It lets a little too much through; `e164` decides.
    """
    return ORDERS.c.customer_phone.like("%" + "%".join(core_digits(phone)) + "%")
