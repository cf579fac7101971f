"""What can be read in the rows of `orders` and is hardly meant: each is told to customers as it stands."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from typing import Any

from actions.orders.models import Order, OrderStatus
from actions.orders.rows import RowReader
from workbench.shop_check.findings import WARNING, ShopFinding

LONG_PAST = timedelta(days=90)  # nobody still waits for what was due then
FAR_AHEAD = timedelta(days=400)
MANY = 10  # rows from which on it is no chance
MANY_OF_ONE_STATUS = 50
MOST = 0.5  # share of rows
_NOT_FILLED = re.compile(r"[{}<>]|%7B|%s|\$\w|example\.(?:com|org|net)|localhost", re.IGNORECASE)
_GARBLED = re.compile(r"[ÃÂ][\x80-\xbf]|â€|\ufffd")  # UTF-8 read as Latin-1: "JosÃ©"
_OF_ROWS = {  # column, of which rows, problem, remedy
    "overdue": ("estimated_delivery", "open",
                f"open orders were due more than {LONG_PAST.days} days ago: customers are told of them whenever they "
                "ask for their order", "the status in which they ended, or leave them out of the view"),
    "far": ("estimated_delivery", "", "orders are due in more than a year",
            "no date where none is known: customers are given this one"),
    "to come": ("estimated_delivery", "delivered", "delivered orders are due in the future",
                "the column of the expected day, or the right meaning of the status"),
    "backwards": ("estimated_delivery", "", "orders are due before they were placed",
                  "see that the view has not exchanged the columns"),
    "own number": ("tracking_number", "", "tracking numbers are the order's own number",
                   "the carrier's number, or none"),
    "not filled": ("tracking_url", "", "tracking links still have a placeholder, or lead to an example",
                   "fill them in the view, or leave them empty"),
    "garbled": ("", "", "orders have garbled letters (such as 'Ã©' for 'é')",
                "store and read the table as UTF-8 (for MySQL ?charset=utf8mb4)"),
}  # fmt: skip
_BY_CHANCE = frozenset({"to come", "own number"})
_TEXTS = ("customer_name", "carrier", "status")


class Doubts:
    """Sees each row as the product reads it; then says what is doubtful."""

    def __init__(self, reader: RowReader, today: date) -> None:
        self._reader, self._today = reader, today
        self._rows = 0
        self._statuses: Counter[str] = Counter()
        self._tracking: Counter[str] = Counter()
        self._links: Counter[str] = Counter()
        self._newest: date | None = None
        self._seen: Counter[str] = Counter()

    def see(self, row: Mapping[str, Any]) -> None:
        """Count a row of `orders`."""
        order = self._reader.order(row)
        self._rows += 1
        self._statuses[order.status_said or ""] += 1
        self._tracking.update([order.tracking_number] if order.tracking_number else [])
        self._links.update([order.tracking_url] if order.tracking_url else [])
        self._newest = max(filter(None, (self._newest, order.estimated_delivery, order.delivered_on,
                                         order.placed_at and order.placed_at.date())), default=None)  # fmt: skip
        self._seen.update(self._doubtful(order))
        self._seen["garbled"] += any(_GARBLED.search(str(row.get(name) or "")) for name in _TEXTS)

    def findings(self) -> Iterator[ShopFinding]:
        """What is doubtful, by column."""
        for kind, (column, of, problem, remedy) in _OF_ROWS.items():
            few = MANY if kind in _BY_CHANCE else 1
            if self._seen[kind] >= few:
                of_all = self._seen[of] if of else self._rows
                yield _warn(column, f"{self._seen[kind]} of {of_all} {problem}", remedy, self._seen[kind])
        if self._newest and self._rows >= MANY and self._today - self._newest > LONG_PAST:
            yield _warn("", f"the newest date of {self._rows} orders is more than {LONG_PAST.days} days ago: an old "
                        "copy?", "the database that today's orders are written to", self._rows)  # fmt: skip
        if len(self._statuses) == 1 and self._rows >= MANY_OF_ONE_STATUS and next(iter(self._statuses)):
            yield _warn("status", f"all {self._rows} orders have one status, so all customers are told the same",
                        "the column that follows each order", self._rows)  # fmt: skip
        yield from self._one_for_many("tracking_number", self._tracking)
        if not self._tracking:  # beside numbers it is the page where the carrier lets people search
            yield from self._one_for_many("tracking_url", self._links)

    def _doubtful(self, order: Order) -> Iterator[str]:
        due, placed = order.estimated_delivery, order.placed_at
        if order.open:
            yield "open"
        if due and order.open and self._today - due > LONG_PAST:
            yield "overdue"
        if due and due - self._today > FAR_AHEAD:
            yield "far"
        if due and placed and due < placed.date():
            yield "backwards"
        if order.status is OrderStatus.DELIVERED:
            yield "delivered"
            if due and due > self._today:
                yield "to come"
        if order.tracking_number and order.tracking_number.casefold() == order.number.casefold():
            yield "own number"
        if order.tracking_url and _NOT_FILLED.search(order.tracking_url):
            yield "not filled"

    def _one_for_many(self, column: str, values: Counter[str]) -> Iterator[ShopFinding]:
        most = max(values.values(), default=0)
        if most >= max(MANY, MOST * values.total()):
            yield _warn(column, f"{most} of {self._rows} orders have one and the same value here, which customers are "
                        "sent as theirs", "each parcel's own, or none where it is not known", most)  # fmt: skip


def _warn(column: str, problem: str, remedy: str, count: int) -> ShopFinding:
    return ShopFinding(WARNING, "orders", f"orders.{column}" if column else "orders", problem, remedy, count)
