"""The job that keeps the conversation log up to date."""

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable
from typing import TypeVar

from redis.exceptions import RedisError
from sqlalchemy.exc import SQLAlchemyError

from conversation_log.ingest import hot_tier
from conversation_log.ingest.kafka import Egress
from conversation_log.ingest.stream import EventStream
from conversation_log.ingest.writer import Writer
from conversation_log.model.version import bot_version
from conversation_log.storage import database
from settings import Settings, SettingsError
from worker.pauses import pause

log = logging.getLogger(__name__)
T = TypeVar("T")

SETTLE_EVERY_S = 60.0
MAX_REDIS_PAUSE_S = 5.0
RENEW_S = 1.0
# What arrives meanwhile shares a transaction: under load a tenth of the processor time of one for every turn.
GATHER_S = 0.25


async def run(settings: Settings, stop: asyncio.Event) -> None:
    """Write batches until `stop`; the batch in hand is finished.

    Raises SettingsError without any Redis, and where LOG_KAFKA_URL is set without its client.
    """
    url = settings.redis_url
    if not url:
        raise SettingsError("REDIS_URL is not set and no embedded Redis runs: there is no event stream to read.")
    egress = Egress.from_url(settings.log_kafka_url) if settings.log_kafka_url else None
    engine = database.connect(str(settings.conversation_database_url), database.WRITERS_STATEMENT_S)
    stream = EventStream(hot_tier.client(url, timeout_s=4.0))
    writer = Writer(engine, stream, bot_version(), egress=egress)
    try:
        await _write_until(stop, writer, stream)
    finally:
        await asyncio.to_thread(_let_go, stream)
        engine.dispose()


async def _write_until(stop: asyncio.Event, writer: Writer, stream: EventStream) -> None:
    settle_at = time.monotonic()
    failures = 0
    while not stop.is_set():
        try:
            pause_s = await _holding(stream, writer.step)
            failures = 0
        except RedisError as error:
            failures += 1
            pause_s = min(MAX_REDIS_PAUSE_S, 0.2 * 2 ** min(failures, 8))
            log.warning("log.redis.unavailable error=%s", type(error).__name__)
            stream.reconnect()
        if time.monotonic() >= settle_at and not failures and not pause_s:
            settle_at = time.monotonic() + SETTLE_EVERY_S
            await _holding(stream, lambda: _settle(writer))
        await pause(stop, pause_s or GATHER_S)


async def _holding(stream: EventStream, work: Callable[[], T]) -> T:
    """Do it in a thread, and keep the lease however long a database takes. A worker that was paused loses it."""
    doing = asyncio.create_task(asyncio.to_thread(work))
    while not (await asyncio.wait({doing}, timeout=RENEW_S))[0]:
        with contextlib.suppress(RedisError):
            await asyncio.to_thread(stream.renew)
    return await doing


def _settle(writer: Writer) -> None:
    try:
        settled = writer.settle_idle()
        if settled:
            log.info("log.conversations.settled count=%d", settled)
    except (SQLAlchemyError, database.LogUnavailable) as error:
        # The database is away: the next round does it.
        log.debug("log.conversations.settle_failed error=%s", type(error).__name__)


def _let_go(stream: EventStream) -> None:
    try:
        stream.release()
    except RedisError:
        log.debug("log.writer.lease_runs_out")
