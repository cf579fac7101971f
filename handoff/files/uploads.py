"""Agents' attachments on their way to WhatsApp: fetched from the helpdesk and uploaded, before their comment goes out.

A comment with files waits for them, and its customer's later comments behind it, but not for long: what cannot be
uploaded is told as a link. A worker that dies has uploaded a file for nothing, which WhatsApp deletes after a month;
the comment itself is handed over once, as ever.
"""

import json
import logging
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.sql.elements import ColumnElement

from handoff.files.attachments import Fetch, TooLarge
from handoff.files.file_types import LIMITS, content_type, sent_as
from handoff.helpdesks.interface import HelpdeskError, NotAllowed, Refused
from handoff.storage.database import Database
from handoff.storage.tables import deliveries

log = logging.getLogger(__name__)

TIMEOUT_S = 90.0
RETRY_S = 3.0
BATCH = 3
MAX_FILES = 10  # of one comment; the others are told as links


class UploadFailed(Exception):
    """WhatsApp did not take a file. `for_good`: it never will."""

    def __init__(self, why: str, for_good: bool) -> None:
        super().__init__(why)
        self.for_good = for_good


@dataclass(frozen=True)
class Upload:
    """A file of a comment: under its media id, as an image, video, audio or document; or a link, and `why` only that.

    `why` is too_large, type, or not_available.
    """

    link: str
    filename: str = ""
    kind: str = ""
    id: str = ""
    why: str = ""


class Uploads:
    """`due()` says which comments have files to upload, `work(id)` uploads one's; both block.

    `send(content, content_type, filename)` gives a media id, or raises UploadFailed.
    """

    def __init__(
        self, db: Database, fetch: Fetch, send: Callable[[bytes, str, str], str], clock: Callable[[], float] = time.time
    ) -> None:
        self._db, self._fetch, self._send, self._clock = db, fetch, send, clock
        self._not_before: dict[int, float] = {}

    def due(self) -> list[int]:
        """Comments that wait for their files."""
        now = self._clock()
        found = select(deliveries.c.id).where(waits_for_files(deliveries.c, now)).order_by(deliveries.c.id)
        with self._db.read() as connection:
            waiting = list(connection.execute(found.limit(50)).scalars())
        self._not_before = {one: at for one, at in self._not_before.items() if one in waiting}
        return [one for one in waiting if self._not_before.get(one, 0.0) <= now][:BATCH]

    def work(self, delivery_id: int) -> None:
        """Upload the files of one comment; what fails for the moment is tried again, for as long as they wait."""
        with self._db.read() as connection:
            row = connection.execute(select(deliveries.c.payload).where(deliveries.c.id == delivery_id)).first()
        links = [str(link) for link in json.loads(row.payload or "{}").get("media") or []] if row else []
        try:
            done = [
                self._upload(link) if number < MAX_FILES else Upload(link, why="not_available")
                for number, link in enumerate(links)
            ]
        except (HelpdeskError, UploadFailed) as error:
            log.warning("files.upload.failed error=%s", type(error).__name__)
            self._not_before[delivery_id] = self._clock() + RETRY_S
            return
        with self._db.write() as connection:
            uploaded = json.dumps([asdict(upload) for upload in done])
            connection.execute(update(deliveries).where(deliveries.c.id == delivery_id).values(uploads=uploaded))
        log.info("files.upload.finished files=%d as_links=%d", len(done), sum(not upload.id for upload in done))

    def _upload(self, link: str) -> Upload:
        """Raises HelpdeskError or UploadFailed for what may go better later."""
        try:
            file = self._fetch(link, max(LIMITS.values()))
        except TooLarge:
            return Upload(link, why="too_large")
        except (Refused, NotAllowed):
            return Upload(link, why="not_available")
        found = content_type(file.content, file.filename)
        kind = sent_as(found)
        if found is None or kind is None:
            return Upload(link, file.filename, why="type")
        if len(file.content) > LIMITS[kind]:
            return Upload(link, file.filename, why="too_large")
        try:
            return Upload(link, file.filename, kind, self._send(file.content, found, file.filename))
        except UploadFailed as error:
            if error.for_good:
                return Upload(link, file.filename, why="type")
            raise


def waits_for_files(columns: Any, now: float) -> ColumnElement[bool]:
    """Of the deliveries' columns: a comment whose files may still be uploaded."""
    found: ColumnElement[bool] = (
        (columns.state == "pending")
        & (columns.kind == "agent_comment")
        & (columns.files > 0)
        & columns.uploads.is_(None)
        & (columns.created_at > now - TIMEOUT_S)
    )
    return found
