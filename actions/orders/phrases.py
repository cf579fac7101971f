"""How an order is told: which response fits it, and the facts that go into the response.

All words come from the pieces in `domain.yml` (`utter_order_status_piece_*`), dates from the customer's locale.
"""

from datetime import date
from decimal import Decimal
from typing import Any, Protocol

from actions.orders.models import Order, OrderStatus
from actions.orders.numbers import named

COUNTED_DAYS = 14
SHOWN_ITEMS, MAX_ITEM_CHARS = 3, 40
MAX_ROW_DESCRIPTION_CHARS = 72  # WhatsApp's limit for a list row


class Words(Protocol):
    """Fills the piece `name` with facts, and writes days, in the customer's language."""

    def fill(self, name: str, **facts: Any) -> str: ...

    def near_day(self, day: date) -> str: ...

    def far_day(self, day: date) -> str: ...

    def amount(self, money: Decimal, currency: str | None) -> str: ...


class OrderPhrases:
    """Orders in the designers' words, as of `today` in the shop's time zone."""

    def __init__(self, words: Words, today: date) -> None:
        self._words = words
        self._today = today

    def status(self, order: Order) -> tuple[str, dict[str, str]]:
        """(response, its placeholders) for an order.

        `details` holds one line each for delivery (to come, or past where its day is known), items, amount, carrier and
        tracking as far as they are known and still matter; it starts with a line break, or is empty.
        """
        arrival = self.arrival(order) if self._arrival_matters(order) else self._came(order)
        lines = [arrival, *self._contents(order), *self._parcel(order)]
        details = "".join(f"\n{line}" for line in lines if line)
        return f"utter_order_status_{_label(order)}", {"order_number": order.number, "details": details}

    def unchanged(self, order: Order) -> tuple[str, dict[str, str]]:
        """The same again in fewer words, for a customer who asks twice in a row."""
        label = self._words.fill(f"row_{_label(order)}")
        arrival = f" {self.arrival(order) or ''}".rstrip() if self._arrival_matters(order) else ""
        return "utter_order_status_again", {"order_number": order.number, "status": label, "arrival": arrival}

    def courier(self, order: Order) -> tuple[str, dict[str, str]]:
        """Who brings it and how to follow it; that nobody has it yet; for an ended order, its status."""
        parcel = self._parcel(order)
        if parcel:
            details = "".join(f"\n{line}" for line in parcel)
            return "utter_order_status_courier", {"order_number": order.number, "details": details}
        if not order.open:
            return self.status(order)
        return "utter_order_status_no_courier", {"order_number": order.number, "arrival": self.arrival(order) or ""}

    def why_late(self, order: Order) -> tuple[str, dict[str, str]]:
        """That the reason is not known, of a late or cancelled order; that an open one is not late; else the status."""
        if order.status is OrderStatus.CANCELLED:
            return "utter_order_status_why_cancelled", {"order_number": order.number}
        if not order.open:
            return self.status(order)
        late = order.status is OrderStatus.DELAYED or self.is_overdue(order)
        name = "why_late" if late else "not_late"
        return f"utter_order_status_{name}", {"order_number": order.number, "arrival": self.arrival(order) or ""}

    def not_received(self, order: Order) -> tuple[str, dict[str, str]]:
        """What the records say of an order that the customer misses."""
        by = self._words.fill("carried_by", carrier=order.carrier) if order.carrier else ""
        return "utter_order_status_not_received", {"order_number": order.number, "carried_by": f" {by}" if by else ""}

    def refund(self, order: Order) -> tuple[str, dict[str, str]]:
        """The status; of an order that arrived, that no return is on record."""
        if order.status is not OrderStatus.DELIVERED:
            return self.status(order)
        return "utter_order_status_nothing_given_back", {"order_number": order.number}

    def _came(self, order: Order) -> str | None:
        """The day on which it arrived, as a sentence, where the shop's tables say."""
        if order.status is not OrderStatus.DELIVERED or order.delivered_on is None:
            return None
        return self._words.fill("came", when=self._when(order.delivered_on))

    def is_overdue(self, order: Order) -> bool:
        """Whether the day on which it should have come is over."""
        return order.estimated_delivery is not None and order.estimated_delivery < self._today

    def arrival(self, order: Order) -> str | None:
        """When an order that is on its way arrives, as a sentence; None when its status is not understood."""
        if order.status is None:
            return None
        due = order.estimated_delivery
        if due is None:
            return self._words.fill("no_date")
        if due < self._today:
            return self._words.fill("overdue", when=self._when(due))
        return self._words.fill("expected", when=self._when(due))

    def day_has_passed_or_come(self, order: Order) -> bool:
        """Overdue, or on the doorstep without a date: the status says it better than a day could."""
        if order.estimated_delivery is None:
            return order.status is OrderStatus.OUT_FOR_DELIVERY
        return self.is_overdue(order)

    def row(self, order: Order) -> dict[str, str]:
        """The order as a row of a WhatsApp list: title, description, payload."""
        label = self._words.fill(f"row_{_label(order)}")
        if order.open and order.estimated_delivery:
            label = self._words.fill("row_due", status=label, when=self._when(order.estimated_delivery))
        if items := _items(order):
            label = f"{label} · {items}"
        return {
            "title": named(order.number),
            "description": label[:MAX_ROW_DESCRIPTION_CHARS],
            "payload": f'/inform_order_number{{"order_number":"{order.number}"}}',
        }

    def list_button(self) -> str:
        """The words that open a list of orders."""
        return self._words.fill("list_button")

    @staticmethod
    def _arrival_matters(order: Order) -> bool:
        """Nothing more arrives of an ended order; one that is out for delivery without a date is said to be so."""
        on_the_doorstep = order.status is OrderStatus.OUT_FOR_DELIVERY and order.estimated_delivery is None
        return order.open and not on_the_doorstep

    def _contents(self, order: Order) -> list[str]:
        """What is in it, and what was paid: as far as the shop's tables say."""
        items = _items(order)
        paid = self._words.amount(order.total, order.currency) if order.total is not None else ""
        return [
            *([self._words.fill("items", items=items)] if items else []),
            *([self._words.fill("total", amount=paid)] if paid else []),
        ]

    def _parcel(self, order: Order) -> list[str]:
        """Carrier and tracking. A parcel that nobody carries yet, or that went back, is not for tracking."""
        if order.status not in _CARRIED:
            return []
        lines = []
        if order.carrier:
            piece = "carried_by" if order.status is OrderStatus.DELIVERED else "carrier"
            lines.append(self._words.fill(piece, carrier=order.carrier))
        if order.tracking_number:
            lines.append(self._words.fill("tracking_number", tracking_number=order.tracking_number))
        if order.tracking_url:
            lines.append(self._words.fill("tracking_link", tracking_url=order.tracking_url))
        return lines

    def _when(self, day: date) -> str:
        """A day in words and as a date: 'tomorrow, Tue 24 Nov'. Far days are the date alone, with its year."""
        distance = (day - self._today).days
        if abs(distance) > COUNTED_DAYS:
            return self._words.fill("on_date", date=self._words.far_day(day))
        near = {-1: "yesterday", 0: "today", 1: "tomorrow"}
        piece = near.get(distance) or ("in_days" if distance > 0 else "days_ago")
        return self._words.fill(piece, days=abs(distance), date=self._words.near_day(day))


_CARRIED = frozenset(
    {OrderStatus.SHIPPED, OrderStatus.OUT_FOR_DELIVERY, OrderStatus.DELAYED, OrderStatus.DELIVERED, None}
)


def _items(order: Order) -> str:
    """'2 × Mug, Lamp +3'; '' where no title is known."""
    titles = [(item.title, item.quantity) for item in order.items if item.title]
    shown = [f"{quantity} × {title}" if quantity > 1 else str(title) for title, quantity in titles[:SHOWN_ITEMS]]
    more = f" +{len(titles) - SHOWN_ITEMS}" if len(titles) > SHOWN_ITEMS else ""
    return ", ".join(one if len(one) <= MAX_ITEM_CHARS else f"{one[: MAX_ITEM_CHARS - 1]}…" for one in shown) + more


def _label(order: Order) -> str:
    return order.status.value if order.status else "unclear"
