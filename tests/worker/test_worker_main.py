"""The worker runs its jobs side by side, keeps them running, and stops when told."""

from __future__ import annotations

import asyncio
import contextlib
import json
import signal
import subprocess
import time
from pathlib import Path

import aiohttp
import pytest
import redis
from aiohttp import web
from sqlalchemy import text

import settings
from conversation_log.ingest.stream import STREAMS
from conversation_log.storage import database
from tests.children import child, python
from tests.conftest import free_port
from worker import __main__ as worker_main
from worker import archiver, health


@pytest.fixture
def found(tmp_path: Path) -> settings.Settings:
    return settings.load({"STATE_DIR": str(tmp_path)}, env_file=tmp_path / "none")


async def test_failing_job_is_started_again_and_the_others_go_on(found, monkeypatch, caplog) -> None:
    stop, pauses, steady = asyncio.Event(), [], []

    async def pause(_stop: asyncio.Event, seconds: float) -> None:
        pauses.append(seconds)
        await asyncio.sleep(0)
        if len(pauses) == 3:
            stop.set()

    monkeypatch.setattr(worker_main, "pause", pause)

    async def fails(_settings: settings.Settings, _stop: asyncio.Event) -> None:
        raise RuntimeError("no luck")

    async def goes_on(_settings: settings.Settings, until: asyncio.Event) -> None:
        await until.wait()
        steady.append("stopped cleanly")

    assert await worker_main.run(found, stop, {"fails": fails, "goes_on": goes_on})
    assert pauses == [worker_main.FIRST_PAUSE_S * factor for factor in (1, 2, 4)]
    assert steady == ["stopped cleanly"]
    assert "worker.job.failed name=fails error=RuntimeError" in caplog.text


async def test_job_that_does_not_stop_is_given_up(found, monkeypatch) -> None:
    monkeypatch.setattr(worker_main, "STOP_WITHIN_S", 0.05)
    stop = asyncio.Event()

    async def stubborn(_settings: settings.Settings, _stop: asyncio.Event) -> None:
        stop.set()
        await asyncio.sleep(3600)

    stop.set()
    assert await worker_main.run(found, stop, {}) is True
    stop.clear()
    assert await worker_main.run(found, stop, {"stubborn": stubborn}) is False


def test_job_that_is_not_installed_is_left_out() -> None:
    assert set(worker_main.load(("worker.log_writer", "worker.no_such_job"))) == {"log_writer"}


def test_archiver_waits_for_the_night() -> None:
    from datetime import datetime, timezone

    assert archiver.seconds_until_next(datetime(2026, 11, 1, 2, 0, tzinfo=timezone.utc)) == 1800
    assert archiver.seconds_until_next(datetime(2026, 11, 1, 2, 30, tzinfo=timezone.utc)) == 24 * 3600


async def test_a_worker_that_runs_apart_tells_how_it_is_and_what_it_counted(tmp_path: Path) -> None:
    port = free_port()
    found = settings.load({"STATE_DIR": str(tmp_path), "WORKER_PORT": str(port)}, env_file=tmp_path / "none")
    stop = asyncio.Event()
    running = asyncio.create_task(worker_main.run(found, stop, worker_main.load(("worker.health", "worker.budget"))))
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(force_close=True)) as session:
        for path, holds in (("/health", "ok"), ("/metrics", "assistant_month_budget_spent_ratio")):
            for _ in range(200):
                with contextlib.suppress(aiohttp.ClientError):
                    async with session.get(f"http://127.0.0.1:{port}{path}") as response:
                        assert response.status == 200
                        assert holds in await response.text()
                        break
                await asyncio.sleep(0.05)
            else:
                raise AssertionError("it does not listen")
    stop.set()
    assert await running


async def test_a_worker_beside_the_servers_listens_nowhere(found, monkeypatch) -> None:
    monkeypatch.setattr(web.TCPSite, "start", pytest.fail)
    stop = asyncio.Event()
    asyncio.get_running_loop().call_later(0.1, stop.set)
    await health.run(found, stop)


def test_a_job_that_something_else_runs_is_left_out_and_an_unknown_one_refused(found, monkeypatch, capsys) -> None:
    ran = []
    monkeypatch.setattr(worker_main.settings_module, "load", lambda: found)
    monkeypatch.setattr(worker_main, "configure_logging", lambda _: None)

    async def note(_settings, _stop, jobs):
        ran.extend(jobs)
        return True

    monkeypatch.setattr(worker_main, "run", note)
    assert worker_main.main(["--without", "archiver"]) == 0
    assert ran == [module.removeprefix("worker.") for module in worker_main.JOBS if module != "worker.archiver"]
    with pytest.raises(SystemExit):
        worker_main.main(["--without", "archive"])
    assert "archiver" in capsys.readouterr().err


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_worker_writes_the_log_and_stops_on_a_signal(redis_url: str, tmp_path: Path, number: int) -> None:
    phone = "+919876543210"
    record = {
        "record": "inbound", "customer": "919876543210", "text": "hello",
        "metadata": {"wamid": "wamid.A", "phone": phone, "kind": "text", "timestamp": 1793534400, "typed": "hello"},
    }  # fmt: skip
    client = redis.Redis.from_url(redis_url)
    client.xadd(STREAMS[0], {"j": json.dumps(record)})
    environment = {"STATE_DIR": str(tmp_path), "REDIS_URL": redis_url, "LOG_LEVEL": "INFO"}
    with child(python("-m", "worker"), environment, stderr=subprocess.PIPE, text=True) as process:
        deadline = time.monotonic() + 60
        while client.xlen(STREAMS[0]) and time.monotonic() < deadline:
            time.sleep(0.05)
        assert client.xlen(STREAMS[0]) == 0
        started = time.monotonic()
        process.send_signal(number)
        _, lines = process.communicate(timeout=15)
    assert process.returncode == 0, lines
    assert time.monotonic() - started < 10
    assert "worker.stopped" in lines
    assert phone not in lines
    engine = database.connect(f"sqlite:///{tmp_path}/conversations.db")
    with engine.connect() as connection:
        assert connection.execute(text("SELECT content FROM messages")).scalars().all() == ["hello"]
