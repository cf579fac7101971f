"""The customer's own orders, from the shop's database. Blocking: see `lookup.Orders` for the way to call it.

The phone is part of every WHERE clause, so another customer's order never leaves the database. Shops write phones in
many ways, each row in its own; the usual ones are found through an index on `customer_phone`, the others by a scan
that has a time limit of its own, and what is found counts only when it means the same number in E.164. A big table
whose phones are in E.164 is never scanned.
"""

import logging
import re
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from functools import cached_property
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection
from sqlalchemy.exc import DBAPIError, ProgrammingError, SQLAlchemyError
from sqlalchemy.sql import ColumnElement

from actions.orders.columns import NUMBER, Columns, in_this_order
from actions.orders.database import read_only_engine, reading
from actions.orders.models import MONEY_BACK, Order
from actions.orders.numbers import as_integer, in_order, normal_number, same_number, spellings
from actions.orders.phones import as_integers, core_digits, e164, written_forms
from actions.orders.rows import RowReader

log = logging.getLogger(__name__)

MAX_ROWS = 200
MAX_ITEMS = 1000
NEEDED = ("order_id", "customer_phone", "status")
ORDER_COLUMNS = (
    *NEEDED, "estimated_delivery", "carrier", "tracking_number", "tracking_url", "placed_at", "delivered_at",
    "total", "currency",
)  # fmt: skip
ITEM_COLUMNS = ("order_id", "item_id", "title", "quantity", "price", "currency", "returnable")
SMALL_TABLE_ROWS = 20_000  # are scanned in a few milliseconds
_SAMPLE_ROWS = 1000
_PLAIN_E164 = re.compile(r"\+[1-9]\d{6,14}")
COOLDOWN_S = 600.0  # a table that was too big to scan beside the index is not scanned so again for this long

Row = Mapping[str, Any]
Given = dict[str, Any]


class OrdersUnavailable(Exception):
    """The orders database did not answer, or not in time. Worth trying again later."""


@dataclass(frozen=True)
class _Tables:
    """What the tables are made of, and the queries, each written once: to write one takes longer than to answer it."""

    orders: Columns
    items: Columns | None

    @cached_property
    def by_number(self) -> sa.sql.Select:
        return self._orders_where(self.orders.is_one_given("order_id"))

    @cached_property
    def by_number_and_owner(self) -> sa.sql.Select:
        return self._orders_where(self.orders.is_one_given("order_id") & self._may_be_owners)

    @cached_property
    def by_phone(self) -> sa.sql.Select:
        return self._orders_where(self.orders.is_one_given("customer_phone"))

    @cached_property
    def by_owner(self) -> sa.sql.Select:
        return self._orders_where(self._may_be_owners)

    @cached_property
    def items_by_number(self) -> sa.sql.Select:
        assert self.items is not None
        return sa.select(*self.items.selected).where(self.items.is_one_given("order_id")).limit(MAX_ITEMS)

    def owner(self, phone: str) -> Given:
        """What the queries by owner are given. They let a little too much through; `e164` decides."""
        if self._phones_are_numbers:
            return {"customer_phone": as_integers(phone)}
        return {"digits": in_this_order(core_digits(phone))}

    @property
    def _may_be_owners(self) -> ColumnElement[bool]:
        if self._phones_are_numbers:
            return self.orders.is_one_given("customer_phone")
        return self.orders.holds_digits_given("customer_phone")

    @property
    def _phones_are_numbers(self) -> bool:
        return self.orders.kinds["customer_phone"] == NUMBER

    def _orders_where(self, condition: ColumnElement[bool]) -> sa.sql.Select:
        newest = self.orders["placed_at" if "placed_at" in self.orders else "order_id"]
        return sa.select(*self.orders.selected).where(condition).order_by(newest.desc()).limit(MAX_ROWS)


class OrderRepository:
    """Reads the table `orders` behind `url`, and `order_items` where there is one.

    `reader` says how the shop means its rows. The timeouts add up to less than an answer may take.
    """

    def __init__(
        self,
        url: str,
        reader: RowReader | None = None,
        statement_timeout_s: float = 2.5,
        scan_timeout_s: float = 1.5,
        further_scan_timeout_s: float = 0.3,
    ) -> None:
        self._engine = read_only_engine(url, statement_timeout_s)
        self._reader = reader or RowReader()
        self._statement_timeout_s = statement_timeout_s
        self._scan_timeout_s = scan_timeout_s
        self._further_scan_timeout_s = further_scan_timeout_s
        self._no_scan_until = 0.0
        self._tables: _Tables | None = None
        self._index_finds_all = False

    def find(self, numbers: Iterable[str], phone: str) -> dict[str, Order]:
        """Those of `numbers` that are orders of `phone` (E.164), by normalised number as it was asked for.

        An order of another phone is missing from the result just like one that does not exist.
        Raises OrdersUnavailable.
        """
        wanted = {normal for number in numbers if (normal := normal_number(number))}
        owner = e164(phone, self._reader.region)
        if not wanted or not owner:
            return {}
        texts = [form for number in sorted(wanted) for form in spellings(number)]
        integers = [integer for number in sorted(wanted) if (integer := as_integer(number)) is not None]
        found = self._read(
            lambda tables: (
                tables.by_number_and_owner,
                {"order_id": tables.orders.comparable("order_id", texts, integers), **tables.owner(owner)},
            ),
            owner,
            self._statement_timeout_s,
        )
        return {number: order for number in wanted for order in found if same_number(number, order.number)}

    def open_orders(self, phone: str) -> list[Order]:
        """Orders of `phone` (E.164) that are still on their way, the most urgent first. Raises OrdersUnavailable."""
        return sorted((order for order in self.all_orders(phone) if order.open), key=lambda order: order.urgency)

    def refund_related_orders(self, phone: str) -> list[Order]:
        """Orders of `phone` (E.164) that money may come back for, the newest first. Raises OrdersUnavailable."""
        return [order for order in self.all_orders(phone) if order.status in MONEY_BACK]

    def all_orders(self, phone: str) -> list[Order]:
        """Open and ended orders of `phone` (E.164), the newest first; at most 200. Raises OrdersUnavailable."""
        owner = e164(phone, self._reader.region)
        if not owner:
            return []
        forms, integers = written_forms(owner), as_integers(owner)
        found = self._read(
            lambda tables: (
                tables.by_phone, {"customer_phone": tables.orders.comparable("customer_phone", forms, integers)},
            ),
            owner,
            self._statement_timeout_s,
        )  # fmt: skip
        by_number = {order.number: order for order in [*self._scanned(owner, bool(found)), *found]}
        return sorted(by_number.values(), key=_age, reverse=True)

    def reported(self, number: str) -> tuple[Order, str] | None:
        """The order of which the shop itself reports, with its customer's phone (E.164); None unless it is exactly one.

        For what the shop tells its customers, never for what one of them asks. Raises OrdersUnavailable.
        """
        normal = normal_number(number)
        integer = as_integer(normal) if normal else None
        integers = [] if integer is None else [integer]
        try:
            with reading(self._engine, self._statement_timeout_s) as connection:
                tables = self._described(connection)
                given = {"order_id": tables.orders.comparable("order_id", spellings(normal), integers)}
                found = connection.execute(tables.by_number, given).mappings().all()
        except (SQLAlchemyError, DBAPIError) as error:
            self._tables = None
            raise OrdersUnavailable from error
        rows = [row for row in found if same_number(normal, normal_number(row["order_id"]))]
        owners = {e164(row["customer_phone"], self._reader.region) for row in rows}
        owner = owners.pop() if len(rows) == 1 else None
        return (self._reader.order(rows[0], ()), owner) if owner else None

    def close(self) -> None:
        """Give back the pooled connections."""
        self._engine.dispose()

    def _scanned(self, owner: str, found_some: bool) -> list[Order]:
        """Orders whose phone is written in no usual way. Where some were found by the index, for less long."""
        if self._index_finds_all or (found_some and time.monotonic() < self._no_scan_until):
            return []
        timeout_s = self._further_scan_timeout_s if found_some else self._scan_timeout_s
        try:
            return self._read(lambda tables: (tables.by_owner, tables.owner(owner)), owner, timeout_s)
        except OrdersUnavailable as unavailable:
            # The database has just answered, so this is the scan's own limit: a big table.
            # A customer without orders is asked for the number instead, which is found by the primary key.
            log.warning("orders.phone_scan.given_up error=%s", type(unavailable.__cause__).__name__)
            self._no_scan_until = time.monotonic() + COOLDOWN_S
            return []

    def _read(
        self, asked: Callable[[_Tables], tuple[sa.sql.Select, Given]], owner: str, timeout_s: float
    ) -> list[Order]:
        """The owner's orders among the rows that the query finds, with their items. One or two queries."""
        try:
            with reading(self._engine, timeout_s) as connection:
                tables = self._described(connection)
                query, given = asked(tables)
                rows = [
                    row
                    for row in connection.execute(query, given).mappings()
                    if e164(row["customer_phone"], self._reader.region) == owner
                ]
                bought = self._items(connection, tables, rows) if tables.items and rows else {}
        except (SQLAlchemyError, DBAPIError) as error:
            self._tables = None  # what they are made of may have changed
            raise OrdersUnavailable from error
        return [self._reader.order(row, bought.get(normal_number(row["order_id"]), ())) for row in rows]

    def _items(self, connection: Connection, tables: _Tables, rows: Sequence[Row]) -> Mapping[str, Sequence[Row]]:
        """Rows of `order_items` by their order's normalised number."""
        numbers = [normal_number(row["order_id"]) for row in rows]
        texts = dict.fromkeys(form for row in rows for form in _as_stored(row["order_id"]))
        integers = [integer for number in numbers if (integer := as_integer(number)) is not None]
        assert tables.items is not None
        given = {"order_id": tables.items.comparable("order_id", list(texts), integers)}
        bought: dict[str, list[Row]] = defaultdict(list)
        for item in connection.execute(tables.items_by_number, given).mappings():
            bought[normal_number(item["order_id"])].append(item)
        return bought

    def _described(self, connection: Connection) -> _Tables:
        """What the tables are made of; asked once."""
        if self._tables is None:
            orders = Columns.of(connection, "orders", ORDER_COLUMNS)
            missing = [name for name in NEEDED if name not in orders]
            if missing:
                log.error("orders.table.incomplete missing=%s remedy=add them to the table or view", ",".join(missing))
                raise OrdersUnavailable
            self._index_finds_all = index_finds_all(connection, orders)
            self._tables = _Tables(orders, _items_table(connection))
        return self._tables


def index_finds_all(connection: Connection, orders: Columns) -> bool:
    """Whether nothing has to be scanned for: phones are numbers, or a big table's are in E.164 wherever one looks."""
    if orders.kinds["customer_phone"] == NUMBER:
        return True
    phone = orders["customer_phone"]
    sample = sa.select(phone).limit(_SAMPLE_ROWS)
    late = connection.execute(sample.offset(SMALL_TABLE_ROWS)).scalars().all()
    if not late:
        return False
    # The index has what does not begin with '+' at its ends.
    ends = [sa.select(sa.func.min(phone)), sa.select(sa.func.min(phone)).where(phone > ""),
            sa.select(sa.func.max(phone))]  # fmt: skip
    seen = [*late, *connection.execute(sample).scalars(), *(connection.execute(end).scalar() for end in ends)]
    return all(not one or _PLAIN_E164.fullmatch(str(one)) for one in seen)


def _items_table(connection: Connection) -> Columns | None:
    """The table of items where there is one that we may read."""
    if not sa.inspect(connection).has_table("order_items"):
        return None
    savepoint = connection.begin_nested()
    try:
        items = Columns.of(connection, "order_items", ITEM_COLUMNS)
    except ProgrammingError as error:
        savepoint.rollback()
        log.warning("orders.items.unreadable error=%s", type(error.orig).__name__)
        return None
    savepoint.commit()
    return items if {"order_id", "item_id"} <= items.kinds.keys() else None


def _as_stored(order_id: object) -> list[str]:
    return [*([order_id] if isinstance(order_id, str) else []), *spellings(normal_number(order_id))]


def _age(order: Order) -> tuple[datetime, tuple[tuple[int, int, str], ...]]:
    return order.placed_at or datetime.min.replace(tzinfo=timezone.utc), in_order(order.number)
