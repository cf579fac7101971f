"""A night whose archive failed shows in the metrics until one succeeds, and is not left to the next night."""

from __future__ import annotations

import asyncio

import pytest

import settings
from conversation_log.storage import database
from worker import archiver


@pytest.mark.parametrize(("error", "failed"), [(OSError("s3: denied"), 1), (None, 0), (database.Busy("another"), 1)])
async def test_a_failed_archive_shows_until_one_succeeds_and_another_worker_s_is_no_failure(
    error: Exception | None, failed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    waited: list[float] = []
    stop = asyncio.Event()

    async def pause(stop: asyncio.Event, seconds: float) -> None:
        waited.append(seconds)
        if len(waited) == 2:
            stop.set()

    def archive_once(_: settings.Settings) -> None:
        if error is not None:
            raise error

    archiver.FAILED.set(1)
    monkeypatch.setattr(archiver, "pause", pause)
    monkeypatch.setattr(archiver, "archive_once", archive_once)
    await archiver.run(settings.load(), stop)
    assert archiver.FAILED._value.get() == failed
    assert (waited[1] == archiver.RETRY_S) == isinstance(error, OSError)
