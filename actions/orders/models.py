"""What an order is to a customer, and how a row of the shop's table becomes one.

The table belongs to the shop, so a row may hold anything: unknown statuses, dates as text, '#' in the number.
Reading a row never raises; what cannot be understood counts as not known.
"""

from __future__ import annotations

import enum
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from urllib.parse import urlsplit

LONGEST_NUMBER = 20
LONGEST_TEXT = 60
LONGEST_URL = 500
NOT_KNOWN = frozenset({"", "-", "null", "none", "n/a", "na", "tbd"})


class OrderStatus(str, enum.Enum):
    """The ten statuses, in the order of an order's life."""

    PLACED = "placed"
    CONFIRMED = "confirmed"
    PACKED = "packed"
    SHIPPED = "shipped"
    OUT_FOR_DELIVERY = "out_for_delivery"
    DELIVERED = "delivered"
    DELAYED = "delayed"
    CANCELLED = "cancelled"
    RETURNED = "returned"
    REFUNDED = "refunded"


ENDED = frozenset(
    {OrderStatus.DELIVERED, OrderStatus.CANCELLED, OrderStatus.RETURNED, OrderStatus.REFUNDED}
)
MONEY_BACK = frozenset({OrderStatus.CANCELLED, OrderStatus.RETURNED, OrderStatus.REFUNDED})

_URGENCY = [
    OrderStatus.OUT_FOR_DELIVERY,
    OrderStatus.DELAYED,
    OrderStatus.SHIPPED,
    OrderStatus.PACKED,
    OrderStatus.CONFIRMED,
    OrderStatus.PLACED,
]


@dataclass(frozen=True)
class Order:
    """One order. `status` is None when the shop's word for it is none of the ten."""

    number: str
    status: OrderStatus | None = None
    estimated_delivery: date | None = None
    carrier: str | None = None
    tracking_number: str | None = None
    tracking_url: str | None = None

    @property
    def open(self) -> bool:
        """Whether something is still to come. An order whose status is not understood counts as open."""
        return self.status not in ENDED

    @property
    def urgency(self) -> tuple[int, date]:
        """Sort key: what a customer most likely asks about first."""
        rank = _URGENCY.index(self.status) if self.status in _URGENCY else len(_URGENCY)
        return rank, self.estimated_delivery or date.max

    @classmethod
    def from_row(cls, row: Mapping[str, Any]) -> Order:
        """An order from a row of the orders table (contract of the columns: README)."""
        return cls(
            number=normal_number(row["order_id"]),
            status=_status(row["status"]),
            estimated_delivery=_date(row["estimated_delivery"]),
            carrier=_text(row["carrier"]),
            tracking_number=_text(row["tracking_number"]),
            tracking_url=_link(row["tracking_url"]),
        )


def normal_number(value: object) -> str:
    """An order number as the shop writes it: '#10 234' and '१०२३४' → '10234'. At most 20 letters and digits."""
    digits = "".join(str(unicodedata.digit(c, c)) for c in _string(value))
    return re.sub(r"[^0-9A-Za-z-]", "", digits)[:LONGEST_NUMBER]


def _string(value: object) -> str:
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    return "" if value is None else str(value)


def _text(value: object) -> str | None:
    """One line of printable text, or None. '0[' is broken up: Rasa returns a response that contains it unfilled."""
    text = "".join(c if c.isprintable() else " " for c in _string(value))
    text = " ".join(text.replace("[", "(").replace("]", ")").split())[:LONGEST_TEXT].strip()
    return None if text.lower() in NOT_KNOWN else text


def _status(value: object) -> OrderStatus | None:
    word = re.sub(r"[\W_]+", "_", _string(value).strip().lower()).strip("_")
    word = {"canceled": "cancelled"}.get(word, word)
    return OrderStatus(word) if word in OrderStatus._value2member_map_ else None


def _date(value: object) -> date | None:
    """The day of a date, a datetime, ISO text or day-first text ('24/11/2026')."""
    if isinstance(value, datetime):
        return value.date()
    if isinstance(value, date):
        return value
    text = _string(value).strip()
    day_first = re.match(r"(\d{1,2})[/.-](\d{1,2})[/.-](\d{4})(?!\d)", text)
    try:
        if day_first:
            day, month, year = map(int, day_first.groups())
            return date(year, month, day)
        return date.fromisoformat(text[:10].replace("/", "-"))
    except ValueError:
        return None


def _link(value: object) -> str | None:
    """A web link as customers may be sent it, or None: http(s) only, one word."""
    link = _string(value).strip()
    if len(link) > LONGEST_URL or any(c.isspace() or not c.isprintable() for c in link):
        return None
    try:
        parts = urlsplit(link)
    except ValueError:
        return None
    if parts.scheme not in {"http", "https"} or not parts.netloc or "[" in parts.netloc:
        return None
    return link.replace("[", "%5B").replace("]", "%5D")
