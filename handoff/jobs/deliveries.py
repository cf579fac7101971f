"""Agents' words, and the end of a takeover, on their way into the customer's inbox, in the order they happened."""

import asyncio
import json
import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.engine import Row

from handoff.files.uploads import waits_for_files
from handoff.storage.database import Database
from handoff.storage.queries import add_job
from handoff.storage.tables import deliveries, takeovers

log = logging.getLogger(__name__)

WINDOW_S = 24 * 3600.0
WINDOW_MARGIN_S = 120.0
MAX_TEMPLATE_TEXT = 900
BATCH = 50
MAX_REFUSALS = 5
AWAY_AFTER = 3  # customers whose entries failed one after another, while none succeeded
UNUSABLE = (ValueError, TypeError, KeyError, AttributeError)  # the entry's own fault, whatever the inbox's state
CLOSED_WINDOW = (
    "This reply was not sent: the customer's last WhatsApp message is more than 24 hours old, and WhatsApp then accepts"
    " only approved templates. {remedy}"
)
NO_TEMPLATE = "Set WHATSAPP_REOPEN_TEMPLATE to one, reach the customer another way, or wait until they write again."
TOO_LONG = "The configured template takes at most {limit} characters; please send a shorter reply."
NOT_STORED = "This reply was not sent: it could not be handed on. Please send it again, shorter or without files."


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
        files_are_uploaded: bool = False,
    ) -> None:
        """`files_are_uploaded`: somebody does that (handoff.files.uploads), and comments with files wait for it."""
        self._db, self._put, self._template, self._clock = db, put, template, clock
        self._files_are_uploaded = files_are_uploaded
        self._refusals: dict[str, int] = {}  # entry id -> times that it was refused while others were not

    async def drain(self) -> int:
        """Hand over what is pending, oldest first; how many. What cannot be handed over stays pending.

        Raises what `put` raised when nothing could be stored; an entry that alone is refused holds up its customer's
        later ones, nobody else's, and comes back to the agent in the end.
        """
        count, entries = await asyncio.to_thread(self._ready)
        if not entries:
            return count
        try:
            await self._put(entries)
        except Exception as error:
            await self._one_by_one(entries, error)
        else:
            await asyncio.to_thread(self._done, entries)
        return count

    def _ready(self) -> tuple[int, list[Delivery]]:
        rows = self._pending()
        return len(rows), [entry for row in rows if (entry := self._entry(row)) is not None]

    async def _one_by_one(self, entries: Sequence[Delivery], error: Exception) -> None:
        """A batch was not stored: because of one of its entries, or because the inbox stores nothing now."""
        stored: list[Delivery] = []
        failed: dict[str, tuple[Delivery, Exception]] = {}  # the first of each customer: order matters
        if len(entries) == 1:
            failed[entries[0].customer] = (entries[0], error)
        else:
            for entry in entries:
                if entry.customer in failed:
                    continue
                try:
                    await self._put([entry])
                    stored.append(entry)
                except Exception as each:
                    failed[entry.customer] = (entry, each)
                if len(failed) >= AWAY_AFTER and not stored:
                    break
        await asyncio.to_thread(self._done, stored)
        refused = [entry for entry, each in failed.values() if stored or isinstance(each, UNUSABLE)]
        await asyncio.to_thread(self._count_refusals, refused)
        if failed and not refused:
            raise error

    def _done(self, entries: Sequence[Delivery]) -> None:
        if not entries:
            return
        ids = [entry.id for entry in entries]
        with self._db.write() as connection:
            done = update(deliveries).where(deliveries.c.entry_id.in_(ids))
            connection.execute(done.values(state="done", payload=None, uploads=None))
        for entry_id in ids:
            self._refusals.pop(entry_id, None)

    def _count_refusals(self, entries: Sequence[Delivery]) -> None:
        """An agent's words that are refused again and again come back to the agent; a return is always due."""
        for entry in entries:
            times = self._refusals[entry.id] = self._refusals.get(entry.id, 0) + 1
            log.error("handoff.delivery.refused kind=%s times=%d", entry.kind, times)
            if times >= MAX_REFUSALS and entry.kind == "agent_comment":
                with self._db.read() as connection:
                    row = connection.execute(select(deliveries).where(deliveries.c.entry_id == entry.id)).one()
                self._refuse(row, NOT_STORED, "not_stored")
                self._refusals.pop(entry.id)

    def _pending(self) -> list[Row]:
        found = (
            select(deliveries, takeovers.c.last_customer_at, takeovers.c.state.label("takeover_state"))
            .join(takeovers, takeovers.c.id == deliveries.c.takeover_id)
            .where(deliveries.c.state == "pending")
            .order_by(deliveries.c.id)
            .limit(BATCH)
        )
        if self._files_are_uploaded:
            before = deliveries.alias()
            waits = waits_for_files(before.c, self._clock())
            in_order = (before.c.customer == deliveries.c.customer) & (before.c.id <= deliveries.c.id)
            found = found.where(~select(before.c.id).where(waits, in_order).exists())
        with self._db.read() as connection:
            return list(connection.execute(found).all())

    def _entry(self, row: Row) -> Delivery | None:
        """None: refused, and the agent is told why."""
        payload = json.loads(row.payload or "{}")
        if row.uploads:
            payload["files"] = json.loads(row.uploads)
        if row.kind != "agent_comment" or not self._window_closed(row):
            return Delivery(row.kind, row.customer, row.entry_id, payload)
        text = " ".join("\n".join([payload["text"], *payload["media"]]).split())
        if not self._template:
            self._refuse(row, CLOSED_WINDOW.format(remedy=NO_TEMPLATE), "window_closed")
        elif len(text) > MAX_TEMPLATE_TEXT:
            remedy = TOO_LONG.format(limit=MAX_TEMPLATE_TEXT)
            self._refuse(row, CLOSED_WINDOW.format(remedy=remedy), "window_closed")
        else:
            name, _, language = self._template.partition(":")
            template = {"name": name, "language": language or "en", "parameters": [text]}
            return Delivery(row.kind, row.customer, row.entry_id, payload | {"template": template})
        return None

    def _window_closed(self, row: Row) -> bool:
        # After a takeover the customer's messages no longer pass here: the channel knows better.
        open_since = float(row.last_customer_at)
        return row.takeover_state != "closed" and self._clock() - open_since > WINDOW_S - WINDOW_MARGIN_S

    def _refuse(self, row: Row, why: str, reason: str) -> None:
        with self._db.write() as connection:
            connection.execute(
                update(deliveries).where(deliveries.c.id == row.id).values(state="refused", payload=None, uploads=None)
            )
            add_job(connection, row.takeover_id, "note", f"undelivered:{row.entry_id}", {"note": why}, self._clock())
        log.warning("handoff.comment.refused reason=%s", reason)


def files_of(db: Database, entry_id: str) -> int | None:
    """How many media a delivery has; None when there is no such delivery."""
    with db.read() as connection:
        found = select(deliveries.c.files).where(deliveries.c.entry_id == entry_id)
        return connection.execute(found).scalar()
