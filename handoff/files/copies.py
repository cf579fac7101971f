"""Copies of the files that tickets link to: WhatsApp keeps a customer's file for seven days, tickets live longer.

A file is noted in the transaction that puts it into a ticket, fetched once somebody can, looked at, and kept until its
time is over. Without a store, files are only noted; a store that is configured within their seven days still gets them.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import delete, select, update
from sqlalchemy.engine import Row

from handoff.configuration import HandoffConfiguration
from handoff.files.file_types import content_type
from handoff.storage.database import Database, HandoffUnavailable
from handoff.storage.tables import media
from settings import Settings

if TYPE_CHECKING:
    from handoff.files.store import MediaStore

log = logging.getLogger(__name__)

DAY_S = 24 * 3600.0
WHATSAPP_KEEPS_S = 7 * DAY_S
CLAIM_S = 120.0  # two workers that fetch the same file keep it once
MAX_WAIT_S = 3600.0
BATCH = 5


@dataclass(frozen=True)
class Copy:
    """A customer's file as it is known here. `state` is pending, kept or refused."""

    customer: str
    filename: str
    state: str
    content_type: str | None


class Copies:
    """Files of customers. Methods block and raise HandoffUnavailable (StoreUnavailable, too)."""

    def __init__(
        self,
        db: Database,
        store: MediaStore | None,
        max_bytes: int,
        keep_s: float,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._db, self._store, self.max_bytes, self._keep_s, self._clock = db, store, max_bytes, keep_s, clock

    def due(self) -> list[Row]:
        """Files to fetch now; nobody else gets them for a while."""
        if self._store is None:
            return []
        now = self._clock()
        found = select(media).where(media.c.state == "pending", media.c.due_at <= now)
        with self._db.read() as connection:
            if connection.execute(found.limit(1)).first() is None:
                return []  # the usual case locks nothing
        with self._db.write() as connection:
            rows = connection.execute(found.order_by(media.c.due_at).limit(BATCH).with_for_update()).all()
            for row in rows:
                claimed = {"due_at": now + max(CLAIM_S, wait_s(row.attempts)), "attempts": row.attempts + 1}
                connection.execute(update(media).where(media.c.media_id == row.media_id).values(claimed))
        return list(rows)

    def keep(self, row: Row, content: bytes) -> str:
        """Keep a file that was fetched, if it is of a type that may be; what became of it, for the log."""
        found = content_type(content, row.filename)
        if found is None:
            return self.refuse(row, "type")
        if self._store is None or not content:
            return "later"
        self._store.write(row.customer, row.media_id, content)
        if not self._change(row.media_id, state="kept", content_type=found, due_at=self._clock() + self._keep_s):
            self._store.delete(row.customer, row.media_id)  # the customer was erased meanwhile
            return "erased"
        return "kept"

    def refuse(self, row: Row, why: str) -> str:
        """Never ask for it again; `why` is too_large, type or gone."""
        self._change(row.media_id, state="refused", why=why, due_at=self._clock() + self._keep_s)
        return why

    def sweep(self) -> int:
        """Delete what was kept long enough, and forget what WhatsApp has deleted by now; how many files."""
        now = self._clock()
        # Without its store, what was kept is there, and goes once the store is configured again.
        states = ("refused",) if self._store is None else ("refused", "kept")
        over = media.c.state.in_(states) & (media.c.due_at <= now)
        lost = (media.c.state == "pending") & (media.c.created_at <= now - WHATSAPP_KEEPS_S)
        with self._db.read() as connection:
            rows = connection.execute(select(media).where(over | lost).limit(100)).all()
        gone = [row.media_id for row in rows if row.state != "kept" or self._is_deleted(row)]
        with self._db.write() as connection:
            connection.execute(delete(media).where(media.c.media_id.in_(gone)))
        return len(gone)

    def _is_deleted(self, row: Row) -> bool:
        """Whether the store deleted a file; one that does not let us keeps nobody from copying and deleting others."""
        try:
            if self._store is not None:
                self._store.delete(row.customer, row.media_id)
        except HandoffUnavailable as error:
            log.error("files.delete.failed error=%s", type(error).__name__)
            return False
        return True

    def find(self, media_id: str) -> Copy | None:
        """What is known of a file; None when no ticket links to it, or its customer was erased."""
        with self._db.read() as connection:
            row = connection.execute(select(media).where(media.c.media_id == media_id)).first()
        return None if row is None else Copy(row.customer, row.filename, row.state, row.content_type)

    def read(self, media_id: str, copy: Copy) -> bytes | None:
        """The content of a file that was kept."""
        return self._store.read(copy.customer, media_id) if self._store is not None else None

    def _change(self, media_id: str, **values: float | str) -> bool:
        with self._db.write() as connection:
            return bool(connection.execute(update(media).where(media.c.media_id == media_id).values(values)).rowcount)


def copies_of(configured: Settings, configuration: HandoffConfiguration, db: Database) -> Copies:
    """As configured. Raises SettingsError, StoreUnavailable."""
    store = None
    if configured.media_url:
        from handoff.files.store import MediaStore  # loads Arrow, which nobody else here needs

        store = MediaStore.at(configured.media_url)
    return Copies(db, store, configuration.file_max_bytes, configuration.file_keep_s)


def wait_s(attempts: int) -> float:
    """Seconds before the next attempt."""
    return min(MAX_WAIT_S, 10.0 * 4.0 ** min(attempts, 6))
