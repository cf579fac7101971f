"""How a row of the shop's tables becomes an order.

The tables belong to the shop, so a row may hold anything: statuses in its own words, dates as text, '#' in the number.
Reading a row never raises; what cannot be understood counts as not known.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal, InvalidOperation
from functools import cached_property
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from actions.orders.days import day, moment
from actions.orders.models import Order, OrderItem, OrderStatus
from actions.orders.numbers import as_integer, normal_number

MAX_TEXT_CHARS = 60
MAX_TITLE_CHARS = 120
MAX_URL_CHARS = 500
NOT_KNOWN = frozenset({"", "-", "null", "none", "n/a", "na", "tbd", "tba"})
_YES = frozenset({"1", "true", "t", "yes", "y"})
_NO = frozenset({"0", "false", "f", "no", "n"})


@dataclass(frozen=True)
class RowReader:
    """Reads rows as the shop means them: its region's dates, its time zone's days, its words for the statuses."""

    region: str = "IN"
    time_zone: str = "Asia/Kolkata"
    statuses: Mapping[str, str] = field(default_factory=dict)
    """The shop's words for our ten statuses."""

    def __post_init__(self) -> None:
        """Raise ValueError for a status that is none of the ten."""
        for word, status in self.statuses.items():
            if status not in OrderStatus._value2member_map_:
                ten = ", ".join(OrderStatus._value2member_map_)
                raise ValueError(f"shop.yml, orders.statuses: {word!r} means {status!r}. Remedy: one of {ten}.")

    def order(self, row: Mapping[str, Any], items: Sequence[Mapping[str, Any]] = ()) -> Order:
        """An order from a row of `orders` and those of `order_items` that are its own. Columns may be missing."""
        return Order(
            number=normal_number(row["order_id"]),
            status=self._status(row.get("status")),
            estimated_delivery=self._day(row.get("estimated_delivery")),
            carrier=_text(row.get("carrier")),
            tracking_number=_text(row.get("tracking_number")),
            tracking_url=web_link(row.get("tracking_url")),
            placed_at=moment(row.get("placed_at"), self._zone, self.region),
            delivered_on=self._day(row.get("delivered_at")),
            total=_price(row.get("total")),
            currency=_text(row.get("currency")),
            items=tuple(_item(item) for item in items),
            status_said=_text(row.get("status")),
        )

    @cached_property
    def _zone(self) -> ZoneInfo:
        return ZoneInfo(self.time_zone)

    @cached_property
    def _known_words(self) -> dict[str, OrderStatus]:
        own = {_word(word): OrderStatus(status) for word, status in self.statuses.items()}
        return {status.value: status for status in OrderStatus} | {"canceled": OrderStatus.CANCELLED} | own

    def _status(self, value: object) -> OrderStatus | None:
        return self._known_words.get(_word(value))

    def _day(self, value: object) -> date | None:
        return day(value, self._zone, self.region)


def _item(row: Mapping[str, Any]) -> OrderItem:
    returnable = _string(row.get("returnable")).strip().lower()
    return OrderItem(
        item_id=_text(row.get("item_id")) or "",
        title=_text(row.get("title"), MAX_TITLE_CHARS),
        quantity=as_integer(normal_number(row.get("quantity"))) or 1,
        price=_price(row.get("price")),
        currency=_text(row.get("currency")),
        returnable=True if returnable in _YES else False if returnable in _NO else None,
    )


def _word(value: object) -> str:
    """'Out For-Delivery' → 'out_for_delivery'."""
    return re.sub(r"[\W_]+", "_", _string(value).strip().casefold()).strip("_")


def _string(value: object) -> str:
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    return "" if value is None else str(value)


def _text(value: object, limit: int = MAX_TEXT_CHARS) -> str | None:
    """One line of printable text, or None. '0[' is broken up: Rasa returns a response that contains it unfilled."""
    text = "".join(c if c.isprintable() else " " for c in _string(value))
    text = " ".join(text.replace("[", "(").replace("]", ")").split())[:limit].strip()
    return None if text.lower() in NOT_KNOWN else text


def _price(value: object) -> Decimal | None:
    try:
        price = Decimal(_string(value).strip())
    except InvalidOperation:
        return None
    return price if price.is_finite() else None


def web_link(value: object) -> str | None:
    """A web link as customers may be sent it, or None: http(s) only, one word."""
    link = _string(value).strip()
    if len(link) > MAX_URL_CHARS or any(c.isspace() or not c.isprintable() for c in link):
        return None
    try:
        parts = urlsplit(link)
    except ValueError:
        return None
    if parts.scheme not in {"http", "https"} or not parts.netloc or "[" in parts.netloc:
        return None
    return link.replace("[", "%5B").replace("]", "%5D")
