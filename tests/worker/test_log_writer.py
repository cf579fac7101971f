"""The log-writing job survives what it depends on, and leaves the lease to the next one."""

from __future__ import annotations

import asyncio
import json
import time
from datetime import datetime, timezone
from pathlib import Path

import pytest
import redis

import settings
from conversation_log.ingest import stream, writer
from conversation_log.ingest.stream import LEASE, STREAMS
from conversation_log.storage import database, reader
from launch.embedded_redis import EmbeddedRedis
from tests.conftest import free_port
from worker import log_writer


def inbound(wamid: str) -> str:
    metadata = {"wamid": wamid, "phone": "+919876543210", "kind": "text", "timestamp": 1793534400, "typed": wamid}
    return json.dumps({"record": "inbound", "customer": "919876543210", "metadata": metadata, "text": wamid})


def load(tmp_path: Path, redis_url: str | None) -> settings.Settings:
    environment = {"STATE_DIR": str(tmp_path)} | ({"REDIS_URL": redis_url} if redis_url else {})
    return settings.load(environment, env_file=tmp_path / "none")


async def test_redis_that_restarts_costs_nothing(tmp_path: Path) -> None:
    server = EmbeddedRedis(tmp_path / "redis", free_port())
    server.start()
    found = load(tmp_path, server.url)
    stop = asyncio.Event()
    job = asyncio.create_task(log_writer.run(found, stop))
    try:
        redis.Redis.from_url(server.url).xadd(STREAMS[0], {"j": inbound("wamid.A")})
        await until_logged(found, 1)
        server.process.kill()
        server.process.wait()
        await asyncio.sleep(0.3)
        server.start()
        redis.Redis.from_url(server.url).xadd(STREAMS[0], {"j": inbound("wamid.B")})
        await until_logged(found, 2)
    finally:
        stop.set()
        await asyncio.wait_for(job, 10)
    assert redis.Redis.from_url(server.url).get(LEASE) is None
    server.stop()


async def until_logged(found: settings.Settings, count: int) -> None:
    engine = database.connect(str(found.conversation_database_url))
    for _ in range(300):
        await asyncio.sleep(0.05)
        try:
            database.require_current(engine)
        except database.LogUnavailable:
            continue
        everything = reader.read(engine, reader.Selection(), datetime.now(timezone.utc))
        if sum(len(conversation.messages) for conversation in everything) == count:
            engine.dispose()
            return
    raise AssertionError(f"{count} messages were not logged in time")


async def test_a_writer_is_replaced_within_five_seconds_and_keeps_its_lease_while_the_database_is_slow(
    tmp_path: Path, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert stream.LEASE_S + writer.HELD_S <= 5
    monkeypatch.setattr(log_writer, "RENEW_S", 0.02)
    holds = stream.EventStream(redis.Redis.from_url(redis_url))
    assert holds.hold()
    asked = redis.Redis.from_url(redis_url)
    asked.expire(LEASE, 60)

    def database_is_slow() -> bool:
        deadline = time.monotonic() + 20
        while asked.ttl(LEASE) > stream.LEASE_S and time.monotonic() < deadline:
            time.sleep(0.01)
        return bool(asked.ttl(LEASE) <= stream.LEASE_S)

    assert await log_writer._holding(holds, database_is_slow), "it was renewed while the step lasted"
    asked.set(LEASE, "another", ex=60)
    holds.renew()
    assert asked.ttl(LEASE) > stream.LEASE_S, "who lost it does not renew it for another"


async def test_without_any_redis_the_job_says_what_is_missing(tmp_path: Path) -> None:
    with pytest.raises(settings.SettingsError, match="REDIS_URL"):
        await log_writer.run(load(tmp_path, None), asyncio.Event())
