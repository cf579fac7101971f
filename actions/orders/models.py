"""What an order is to a customer."""

from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal

from shop import OrderStatus

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
class OrderItem:
    """One line of an order, from the optional table `order_items`. None: the shop does not say."""

    item_id: str
    title: str | None = None
    quantity: int = 1
    price: Decimal | None = None
    currency: str | None = None
    returnable: bool | None = None


@dataclass(frozen=True)
class Order:
    """One order. `status` is None when the shop's word for it (`status_said`) is not understood.

    `placed_at` is in the shop's zone. `total` is what was paid for all of it, in `currency` or else the shop's.
    """

    number: str
    status: OrderStatus | None = None
    estimated_delivery: date | None = None
    carrier: str | None = None
    tracking_number: str | None = None
    tracking_url: str | None = None
    placed_at: datetime | None = None
    delivered_on: date | None = None
    total: Decimal | None = None
    currency: str | None = None
    items: tuple[OrderItem, ...] = ()
    status_said: str | None = field(default=None, compare=False)

    @property
    def open(self) -> bool:
        """Whether something is still to come. An order whose status is not understood counts as open."""
        return self.status not in ENDED

    @property
    def urgency(self) -> tuple[int, date]:
        """Sort key: what a customer most likely asks about first."""
        rank = _URGENCY.index(self.status) if self.status in _URGENCY else len(_URGENCY)
        return rank, self.estimated_delivery or date.max
