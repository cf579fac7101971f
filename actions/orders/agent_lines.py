"""An order in lines for an agent: every fact that the shop's database has, in plain English."""

from collections.abc import Iterator, Sequence

from actions.orders.models import Order, OrderItem
from actions.orders.numbers import named

MAX_ITEMS = 10
MAX_ORDERS = 5


def status_of(order: Order) -> str:
    """Where it is, in our word for it, else in the shop's own."""
    return order.status.value.replace("_", " ") if order.status else order.status_said or "status unknown"


def lines_of(order: Order) -> tuple[str, ...]:
    return tuple(line for line in _lines(order) if line)


def lines_of_all(orders: Sequence[Order]) -> tuple[str, ...]:
    """Several, a line each, for a customer who named none."""
    shown = [f"{named(order.number)}: {status_of(order)}" for order in orders[:MAX_ORDERS]]
    return tuple([*shown, f"and {len(orders) - MAX_ORDERS} more"] if len(orders) > MAX_ORDERS else shown)


def _lines(order: Order) -> Iterator[str]:
    yield f"Status: {status_of(order)}"
    days = (("placed", order.placed_at), ("due", order.estimated_delivery), ("delivered", order.delivered_on))
    yield ", ".join(f"{what} {day:%a %d %b %Y}" for what, day in days if day)
    carrier = f"with {order.carrier}" if order.carrier else ""
    tracking = f"tracking {order.tracking_number}" if order.tracking_number else ""
    yield ", ".join(part for part in (carrier, tracking, order.tracking_url) if part)
    for item in order.items[:MAX_ITEMS]:
        yield f"{item.quantity} x {_item(item)}"
    if len(order.items) > MAX_ITEMS:
        yield f"and {len(order.items) - MAX_ITEMS} more items"


def _item(item: OrderItem) -> str:
    price = f", {item.price} {item.currency or ''}".rstrip() if item.price is not None else ""
    return f"{item.title or item.item_id}{price}{', not returnable' if item.returnable is False else ''}"
