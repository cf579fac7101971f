"""Two Redis servers of the demo: killed, one takes over from the other, and nothing that was confirmed is lost."""

from __future__ import annotations

import contextlib
import subprocess
from pathlib import Path

import pytest
import redis

from hot_store import redis_address
from launch.embedded_redis import EmbeddedRedis, RedisPair, settle
from launch.processes import quiet_port
from tests import children
from tests.redis_servers import until


@pytest.mark.slow
def test_the_replica_takes_over_and_its_files_are_those_that_count_afterwards(tmp_path: Path) -> None:
    pair = RedisPair(tmp_path, *(quiet_port() for _ in range(3)))
    running: dict[str, subprocess.Popen[bytes]] = {}
    with contextlib.ExitStack() as stack:

        def start(name: str) -> None:
            command = pair.commands()[name]
            running[name] = stack.enter_context(children.child(command, stdout=subprocess.DEVNULL))
            until(lambda: pair.is_ready(name), f"{name} does not serve", 60)

        for name in pair.commands():
            start(name)
        assert pair.master() == "redis-1"
        client = redis_address.client(pair.url, decode_responses=True)
        client.set("said", "once")
        client.wait(1, 5000)
        running["redis-1"].kill()
        until(lambda: pair.master() == "redis-2", "nobody took over", 60)
        assert until(lambda: client.get("said"), "the new master does not answer", 60) == "once"
        start("redis-1")
        about = redis.Redis(port=pair.ports["redis-1"], decode_responses=True).info("replication")
        assert about["role"] == "slave"
        client.set("said", "twice")
    assert pair.master() == "nobody"
    settle(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["redis"]
    alone = EmbeddedRedis(tmp_path / "redis", quiet_port())
    alone.start()
    try:
        assert redis.Redis.from_url(alone.url, decode_responses=True).get("said") == "twice"
    finally:
        alone.stop()


def test_without_a_fail_over_the_first_ones_files_stay(tmp_path: Path) -> None:
    (tmp_path / "redis" / "appendonlydir").mkdir(parents=True)
    settle(tmp_path)
    RedisPair(tmp_path, 7001, 7002, 7003)
    (tmp_path / "redis-2" / "appendonlydir").mkdir()
    (tmp_path / "redis" / "first").touch()
    settle(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["redis"]
    assert (tmp_path / "redis" / "first").exists()
