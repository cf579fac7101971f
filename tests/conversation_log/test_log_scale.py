"""Report, export and archive of many conversations stay within bounds; LOG_SCALE=100000 makes it the full number."""

from __future__ import annotations

import os
import resource
import time
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

import settings
from conversation_log.archive import archiver, parquet_archive
from conversation_log.query import tiers
from conversation_log.report import command
from tests.conversation_log.crowd import plant

COUNT = int(os.environ.get("LOG_SCALE", "1500"))
NOW = datetime(2026, 11, 20, tzinfo=timezone.utc)
MAX_GROWTH_MB = 150


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_memory_does_not_grow_with_the_log(sqlite_log, tmp_path: Path) -> None:
    plant(sqlite_log.engine, COUNT, NOW - timedelta(days=120), 118)
    found = settings.load(
        {"STATE_DIR": str(tmp_path), "ARCHIVE_URL": f"file://{tmp_path}/archive"}, env_file=tmp_path / "none"
    )
    period = tiers.Period(NOW - timedelta(days=121), NOW)
    archive = parquet_archive.ParquetArchive.at(f"file://{tmp_path}/archive")
    before = peak_mb()
    rates = {}
    started = time.monotonic()
    assert command.gather(found, sqlite_log.engine, period).conversations == COUNT
    rates["report, warm"] = COUNT / (time.monotonic() - started)
    started = time.monotonic()
    moved = archiver.run(sqlite_log.engine, archive, archiver.Retention(), NOW).conversations
    rates["archive"] = moved / (time.monotonic() - started)
    started = time.monotonic()
    assert sum(1 for _ in tiers.records(found, sqlite_log.engine, None, period)) == COUNT
    rates["export, both tiers"] = COUNT / (time.monotonic() - started)
    for name, rate in rates.items():
        print(f"{name}: {rate:.0f} conversations/s")
    print(f"peak memory grew by {peak_mb() - before:.0f} MB")
    assert moved > COUNT / 10
    assert peak_mb() - before < MAX_GROWTH_MB


def peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
