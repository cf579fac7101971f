"""Events that the shop reported ("order.shipped"), from the webhook until the customer was told, or why not is known.

The webhook stores an event once, by its id. The worker takes what is due, finds out whom it concerns, and hands it to
their inbox, which knows doubles; so whatever dies in between, a customer is told once.
"""

import datetime as dt
import json
import time
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import delete, func, select, update

from handoff.storage.database import Database
from handoff.storage.queries import insert_once
from handoff.storage.tables import shop_events
from lenient_json import as_mapping, identifier, text
from shop import Shop
from shop_updates import EVENTS, quiet_minutes

BATCH = 50
KEEP_S = 30 * 24 * 3600.0  # what happened longer ago is no news, and its id may have been forgotten
MAX_A_DAY = 10  # messages to one customer
DAY_S = 24 * 3600.0
FIRST_RETRY_S, LAST_RETRY_S = 5.0, 600.0


class NotAnEvent(ValueError):
    """The body is none of the events that the contract lists; the message names what is wrong."""


@dataclass(frozen=True)
class ShopEvent:
    """One event. `occurred_at` is epoch seconds; `attempts` counts how often the orders database did not answer."""

    event_id: str
    type: str
    order_id: str
    occurred_at: float
    attempts: int = 0


def parse_event(body: bytes, now: float | None = None) -> ShopEvent:
    """The event of a webhook's body. Raises NotAnEvent."""
    try:
        said = as_mapping(json.loads(body.decode("utf-8")))
    except (ValueError, RecursionError):
        raise NotAnEvent("not JSON") from None
    event_id, order_id = identifier(said.get("event_id")), text(said.get("order_id"), 81).strip()
    if event_id is None or len(event_id) > 200:
        raise NotAnEvent("event_id")
    if said.get("type") not in EVENTS:
        raise NotAnEvent("type")
    if not 0 < len(order_id) <= 80:
        raise NotAnEvent("order_id")
    # A clock that is ahead of ours must not let this event overtake later ones.
    now = time.time() if now is None else now
    return ShopEvent(event_id, str(said["type"]), order_id, min(_moment(said.get("occurred_at")), now))


def _moment(value: Any) -> float:
    try:
        if isinstance(value, str):
            found = dt.datetime.fromisoformat(value.strip().replace("Z", "+00:00"))
            seconds = (found if found.tzinfo else found.replace(tzinfo=dt.timezone.utc)).timestamp()
        else:
            seconds = float("nan") if isinstance(value, bool) else float(value)
    except (TypeError, ValueError, OverflowError, OSError):
        raise NotAnEvent("occurred_at") from None
    if not 0 < seconds < 4_102_444_800:
        raise NotAnEvent("occurred_at")
    return seconds


class ShopEvents:
    """The events in SQL. Every method blocks, and raises HandoffUnavailable."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def store(self, event: ShopEvent, now: float | None = None) -> bool:
        """Keep an event; False when its id is known."""
        now = time.time() if now is None else now
        with self._db.write() as connection:
            return insert_once(
                connection, shop_events, event_id=event.event_id, type=event.type, order_id=event.order_id,
                occurred_at=event.occurred_at, received_at=now, due_at=now, attempts=0, state="pending",
            )  # fmt: skip

    def due(self, now: float) -> list[ShopEvent]:
        """Some of the events that wait, in the order in which they happened."""
        names = ("event_id", "type", "order_id", "occurred_at", "attempts")
        waiting = select(*(shop_events.c[name] for name in names)).where(
            shop_events.c.state == "pending", shop_events.c.due_at <= now
        )
        with self._db.read() as connection:
            rows = connection.execute(waiting.order_by(shop_events.c.occurred_at).limit(BATCH)).all()
        return [ShopEvent(*row) for row in rows]

    def is_overtaken(self, event: ShopEvent) -> bool:
        """Whether something newer is known of the order: telling the older now would be wrong."""
        newer = select(shop_events.c.event_id).where(
            shop_events.c.order_id == event.order_id, shop_events.c.occurred_at > event.occurred_at
        )
        with self._db.read() as connection:
            return connection.execute(newer.limit(1)).first() is not None

    def notified_lately(self, customer: str, now: float) -> int:
        """How many messages the customer had of these in a day."""
        told = select(func.count()).where(
            shop_events.c.customer == customer,
            shop_events.c.outcome == "notified",
            shop_events.c.done_at > now - DAY_S,
        )
        with self._db.read() as connection:
            return int(connection.execute(told).scalar_one())

    def postpone(self, event: ShopEvent, due_at: float, failed: bool = False) -> None:
        """Take it up again at `due_at`; `failed`: because it could not be looked up."""
        values = {"due_at": due_at, "attempts": event.attempts + failed}
        with self._db.write() as connection:
            connection.execute(update(shop_events).where(shop_events.c.event_id == event.event_id).values(**values))

    def finish(self, event: ShopEvent, outcome: str, customer: str | None, now: float) -> None:
        """It was handed to the customer's inbox ("notified"), or this is why not. Old events are deleted."""
        values = {"state": "done", "outcome": outcome, "customer": customer, "done_at": now}
        # What another worker finished meanwhile stays as it was told.
        this = (shop_events.c.event_id == event.event_id) & (shop_events.c.state == "pending")
        with self._db.write() as connection:
            connection.execute(update(shop_events).where(this).values(**values))
            old = (shop_events.c.state == "done") & (shop_events.c.received_at < now - KEEP_S)
            connection.execute(delete(shop_events).where(old))


def retry_s(attempts: int) -> float:
    """How long to wait before the orders database is asked again."""
    return min(LAST_RETRY_S, FIRST_RETRY_S * 2 ** min(attempts, 10))


def quiet_until(shop: Shop, now: float) -> float | None:
    """When the quiet hours that it is now are over, in epoch seconds; None when it is not quiet."""
    if not shop.quiet_hours:
        return None
    begins, ends = quiet_minutes(shop.quiet_hours)
    here = dt.datetime.fromtimestamp(now, ZoneInfo(shop.time_zone))
    minute = here.hour * 60 + here.minute
    is_quiet = begins <= minute < ends if begins < ends else minute >= begins or minute < ends
    if begins == ends or not is_quiet:
        return None
    over = here.replace(hour=ends // 60, minute=ends % 60, second=0, microsecond=0)
    return (over if over > here else over + dt.timedelta(days=1)).timestamp()
