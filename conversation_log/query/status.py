"""How the log is: what waits to be written, what could not be, and how much each tier holds."""

from __future__ import annotations

from typing import Any

import redis
from sqlalchemy.engine import Engine

from conversation_log.archive.parquet_archive import ParquetArchive
from conversation_log.ingest import stream
from conversation_log.storage import reader
from settings import Settings

LATE_S = 60.0


def run_command(settings: Settings, engine: Engine, client: redis.Redis[Any] | None) -> int:
    """`status` on the command line: 1 when the log is behind or records were set aside."""
    warm = reader.count(engine, reader.Selection())
    manifests = ParquetArchive.at(str(settings.archive_url)).manifests()
    print(f"warm     {warm} conversations")
    print(f"archive  {sum(m.conversations for m in manifests)} conversations in {len(manifests)} files")
    if client is None:
        print("stream   unknown: Redis does not run. It does while the assistant runs.")
        return 1
    health = stream.health(client)
    print(f"stream   {health.backlog} records wait, the oldest for {health.oldest_s:.0f} s")
    print(f"poison   {health.poison} records were set aside (stream {stream.POISON})")
    if health.oldest_s > LATE_S:
        print("         The worker does not keep up: it logs why (`log.database.unavailable`), or does not run.")
    if health.poison:
        print("         The worker's log says why (`log.record.set_aside`). When that is corrected: `retry`.")
    return 1 if health.poison or health.oldest_s > LATE_S else 0
