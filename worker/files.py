"""The part of the worker that copies customers' files before WhatsApp deletes them, and deletes them in time.

Beside the tickets and not in their round: a file may take a minute, and nobody waits for it.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable

from sqlalchemy.engine import Row

from connectors.message_bus.sending.errors import MediaFailed, SendError
from connectors.whatsapp.graph.client import GraphClient, Media
from handoff.configuration import load_configuration
from handoff.files.copies import Copies, copies_of
from handoff.storage.database import Database, HandoffUnavailable
from settings import Settings
from worker.pauses import pause

log = logging.getLogger(__name__)

ROUND_S = 2.0
RETRY_S = 15.0
SWEEP_EVERY_S = 600.0
NO_SUCH_OBJECT = 100
SURE_THAT_IT_IS_GONE = 2  # attempts

Download = Callable[[str, int], Awaitable[Media]]


async def copy(copies: Copies, row: Row, download: Download) -> str:
    """Fetch one file; what became of it. Raises HandoffUnavailable."""
    try:
        content = (await download(row.media_id, copies.max_bytes)).data
    except MediaFailed:
        return await asyncio.to_thread(copies.refuse, row, "too_large")
    except SendError as error:
        gone = error.code == NO_SUCH_OBJECT and row.attempts >= SURE_THAT_IT_IS_GONE
        return await asyncio.to_thread(copies.refuse, row, "gone") if gone else "later"
    return await asyncio.to_thread(copies.keep, row, content)


async def round_of(copies: Copies, download: Download) -> int:
    """Copy what is due; how many files. Raises HandoffUnavailable."""
    due = await asyncio.to_thread(copies.due)
    for row in due:
        log.info("files.copy.finished outcome=%s", await copy(copies, row, download))
    return len(due)


async def run(configured: Settings, stop: asyncio.Event) -> None:
    """Copy until `stop` is set."""
    db = Database(configured.values["CONVERSATION_DATABASE_URL"] or "")
    graph = GraphClient.from_settings(configured)
    swept_at = 0.0
    try:
        copies = await asyncio.to_thread(copies_of, configured, load_configuration(), db)
        while not stop.is_set():
            wait_s = ROUND_S
            try:
                if time.monotonic() - swept_at >= SWEEP_EVERY_S:
                    await asyncio.to_thread(copies.sweep)
                    swept_at = time.monotonic()
                if await round_of(copies, graph.media):
                    continue
            except HandoffUnavailable as error:
                log.warning("files.waits error=%s", type(error).__name__)
                wait_s = RETRY_S
            await pause(stop, wait_s)
    finally:
        await graph.close()
        db.close()
