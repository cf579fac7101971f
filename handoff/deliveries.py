"""Agents' words, and the end of a takeover, on their way into the customer's inbox, in the order they happened."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.engine import Row

from handoff.database import Database
from handoff.rows import add_job
from handoff.tables import deliveries, takeovers

log = logging.getLogger(__name__)

WINDOW_S = 24 * 3600.0
WINDOW_MARGIN_S = 120.0
MAX_TEMPLATE_TEXT = 900
BATCH = 50
CLOSED_WINDOW = (
    "This reply was not sent: the customer's last WhatsApp message is more than 24 hours old, and WhatsApp then accepts"
    " only approved templates. {remedy}"
)
NO_TEMPLATE = "Set WHATSAPP_REOPEN_TEMPLATE to one, reach the customer another way, or wait until they write again."
TOO_LONG = "The configured template takes at most {limit} characters; please send a shorter reply."


@dataclass(frozen=True)
class Delivery:
    """An entry for the inbox: kind, customer, id and payload, as the architecture page describes them."""

    kind: str
    customer: str
    id: str
    payload: dict[str, Any]


class Deliveries:
    """`put` stores deliveries in the inbox, all or nothing, each id once; it raises when it cannot."""

    def __init__(
        self,
        db: Database,
        put: Callable[[Sequence[Delivery]], Awaitable[Any]],
        template: str | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._db, self._put, self._template, self._clock = db, put, template, clock

    async def drain(self) -> int:
        """Hand over what is pending, oldest first; how many. Whatever `put` raises leaves it pending."""
        rows = self._pending()
        entries = [entry for row in rows if (entry := self._entry(row)) is not None]
        if entries:
            await self._put(entries)
            with self._db.write() as connection:
                connection.execute(
                    update(deliveries)
                    .where(deliveries.c.entry_id.in_([entry.id for entry in entries]))
                    .values(state="done", payload=None)
                )
        return len(rows)

    def _pending(self) -> list[Row]:
        found = (
            select(deliveries, takeovers.c.last_customer_at, takeovers.c.state.label("takeover_state"))
            .join(takeovers, takeovers.c.id == deliveries.c.takeover_id)
            .where(deliveries.c.state == "pending")
            .order_by(deliveries.c.id)
            .limit(BATCH)
        )
        with self._db.read() as connection:
            return list(connection.execute(found).all())

    def _entry(self, row: Row) -> Delivery | None:
        """None: refused, and the agent is told why."""
        payload = json.loads(row.payload or "{}")
        if row.kind != "agent_comment" or not self._window_closed(row):
            return Delivery(row.kind, row.customer, row.entry_id, payload)
        text = " ".join("\n".join([payload["text"], *payload["media"]]).split())
        if not self._template:
            self._refuse(row, NO_TEMPLATE)
        elif len(text) > MAX_TEMPLATE_TEXT:
            self._refuse(row, TOO_LONG.format(limit=MAX_TEMPLATE_TEXT))
        else:
            name, _, language = self._template.partition(":")
            template = {"name": name, "language": language or "en", "parameters": [text]}
            return Delivery(row.kind, row.customer, row.entry_id, payload | {"template": template})
        return None

    def _window_closed(self, row: Row) -> bool:
        # After a takeover the customer's messages no longer pass here: the channel knows better.
        open_since = float(row.last_customer_at)
        return row.takeover_state != "closed" and self._clock() - open_since > WINDOW_S - WINDOW_MARGIN_S

    def _refuse(self, row: Row, remedy: str) -> None:
        note = {"note": CLOSED_WINDOW.format(remedy=remedy)}
        with self._db.write() as connection:
            connection.execute(
                update(deliveries).where(deliveries.c.id == row.id).values(state="refused", payload=None)
            )
            add_job(connection, row.takeover_id, "note", f"undelivered:{row.entry_id}", note, self._clock())
        log.warning("handoff.comment.refused reason=window_closed")


def files_of(db: Database, entry_id: str) -> int | None:
    """How many media a delivery has; None when there is no such delivery."""
    with db.read() as connection:
        found = select(deliveries.c.files).where(deliveries.c.entry_id == entry_id)
        return connection.execute(found).scalar()
