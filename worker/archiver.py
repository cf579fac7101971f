"""The nightly job: old conversations to the archive, at 02:30 UTC (08:00 in India) and a while after each start.

After a start, because an installation that is switched off at night would never archive.
"""

import asyncio
import logging
from datetime import datetime, time, timedelta, timezone

from prometheus_client import Gauge

from conversation_log.archive import archiver
from conversation_log.archive.parquet_archive import ParquetArchive
from conversation_log.storage import database
from settings import Settings
from worker.pauses import pause

log = logging.getLogger(__name__)

AT = time(2, 30, tzinfo=timezone.utc)
AFTER_START_S = 300.0
RETRY_S = 3600.0
FAILED = Gauge("assistant_archive_failed", "1 when the last run of the archive failed", multiprocess_mode="mostrecent")


async def run(settings: Settings, stop: asyncio.Event) -> None:
    """Archive every night until `stop`; what fails is tried again in an hour."""
    await pause(stop, AFTER_START_S)
    while not stop.is_set():
        wait_s = RETRY_S
        try:
            await asyncio.to_thread(archive_once, settings)
            FAILED.set(0)
            wait_s = seconds_until_next(datetime.now(timezone.utc))
        except database.Busy:  # another worker archives tonight
            wait_s = seconds_until_next(datetime.now(timezone.utc))
        except Exception as error:
            FAILED.set(1)
            # Without the message of others' errors, which may quote the rows or hold an address with its password.
            reason = f": {error}" if isinstance(error, database.LogUnavailable) else ""
            log.error("log.archive.failed error=%s%s", type(error).__name__, reason)
            log.debug("log.archive.failed", exc_info=True)
        await pause(stop, wait_s)


def archive_once(settings: Settings) -> archiver.Moved:
    """One run. Raises SQLAlchemyError, LogUnavailable."""
    engine = database.connect(str(settings.conversation_database_url))
    try:
        database.require_current(engine)
        archive = ParquetArchive.at(str(settings.archive_url))
        return archiver.run(engine, archive, archiver.Retention.of(settings), datetime.now(timezone.utc))
    finally:
        engine.dispose()


def seconds_until_next(now: datetime) -> float:
    """From `now` to the next night's run."""
    due = datetime.combine(now.date(), AT)
    return ((due if due > now else due + timedelta(days=1)) - now).total_seconds()
