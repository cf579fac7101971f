"""Processes that share the customers, die, stop and come back; and a Redis that does."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
import redis

from connectors.message_bus import keys
from connectors.message_bus.inbox import InboxUnavailable
from connectors.message_bus.turn import Turn
from launch.embedded_redis import EmbeddedRedis
from tests.conftest import free_port
from tests.connectors.message_bus.log_records import records
from tests.connectors.message_bus.transport_fakes import FakeGraph, FakeSpeaker, Process, eventually, message


async def test_a_crash_before_the_commit_leaves_nothing_and_the_turn_runs_again(redis_url: str) -> None:
    stuck = asyncio.Event()

    async def hang(turn: Turn) -> None:
        stuck.set()
        await asyncio.sleep(60)

    victim = Process(redis_url, FakeSpeaker(hang)).start()
    await victim.inbox.put([message("91", "a")])
    await asyncio.wait_for(stuck.wait(), 5)
    await victim.die()
    assert records(redis_url) == []
    survivor = Process(redis_url).start()
    await survivor.drained()
    assert survivor.graph.keys() == {"a:1": 1}
    assert [r["record"] for r in records(redis_url)] == ["turn", "sent"]
    assert await survivor.client.llen(keys.tracker("91")[0]) == 1
    await survivor.stop()


async def test_a_process_that_lost_its_partitions_cannot_commit(redis_url: str) -> None:
    resume, stuck = asyncio.Event(), asyncio.Event()

    async def hang(turn: Turn) -> None:
        stuck.set()
        await resume.wait()

    paused = Process(redis_url, FakeSpeaker(hang)).start()
    await paused.inbox.put([message("91", "a")])
    await asyncio.wait_for(stuck.wait(), 5)
    for task in paused.transport._tasks:
        task.cancel()
    other = Process(redis_url).start()
    await other.drained()
    resume.set()
    await asyncio.sleep(0.2)
    assert paused.graph.accepted == []
    assert other.graph.keys() == {"a:1": 1}
    assert await other.client.llen(keys.tracker("91")[0]) == 1
    await other.stop()
    await paused.die()


@pytest.mark.slow
async def test_processes_share_the_customers_and_take_over_within_seconds(redis_url: str) -> None:
    graph = FakeGraph()
    first, second = Process(redis_url, graph=graph).start(), Process(redis_url, graph=graph).start()

    async def balanced() -> bool:
        return sorted(len(p.transport.partitions.owned) for p in (first, second)) == [128, 128]

    await eventually(balanced)
    await second.die()
    await first.inbox.put([message(f"91{n:04d}", f"m{n}") for n in range(200)])
    await first.drained(15)
    assert graph.keys() == {f"m{n}:1": 1 for n in range(200)}
    await first.stop()


@pytest.mark.slow
async def test_a_partition_that_cannot_be_given_back_is_served_all_the_same(redis_url: str) -> None:
    graph = FakeGraph()
    first, second = Process(redis_url, graph=graph).start(), Process(redis_url, graph=graph)

    release, refused = first.transport.partitions._release.many, 0

    async def away(*arguments: Any) -> Any:
        nonlocal refused
        refused += 1
        if refused <= 2:
            raise redis.ConnectionError("Connection closed by server.")
        return await release(*arguments)

    async def shares(*expected: int) -> bool:
        return sorted(len(p.transport.partitions.owned) for p in (first, second)) == [*expected]

    await eventually(lambda: shares(0, 256))
    first.transport.partitions._release.many = away  # type: ignore[method-assign]
    second.start()
    await eventually(lambda: shares(128, 128))
    await second.die()
    await first.inbox.put([message(f"91{n:04d}", f"m{n}") for n in range(200)])
    await first.drained(15)
    assert graph.keys() == {f"m{n}:1": 1 for n in range(200)}
    await first.die()


async def test_a_claim_whose_answer_was_lost_leaves_no_partition_that_nobody_serves(redis_url: str) -> None:
    processes = [Process(redis_url) for _ in range(2)]
    one, other = (process.transport.partitions for process in processes)
    claim = one._claim

    class Lossy:
        async def many(self, *arguments: Any, **options: Any) -> Any:
            await claim.many(*arguments, **options)
            raise redis.ConnectionError("the answer did not come")

    one._claim = Lossy()  # type: ignore[assignment]
    with pytest.raises(redis.ConnectionError):
        await one.tick()  # alone yet: all are claimed
    await other.tick()
    one._claim = claim
    one._poll = other._poll = _nothing  # type: ignore[method-assign]
    for process in processes:
        process.start()

    async def all_served() -> bool:
        return len(one.owned) == len(other.owned) == 128

    await eventually(all_served)
    for process in processes:
        await process.stop()


async def _nothing(partitions: Any) -> None:
    return None


async def test_a_partition_that_is_said_to_be_of_a_process_that_does_not_serve_it_is_served_again(
    redis_url: str,
) -> None:
    processes = [Process(redis_url).start() for _ in range(2)]
    one, other = (process.transport.partitions for process in processes)

    async def balanced() -> bool:
        return len(one.owned) == len(other.owned) == 128

    await eventually(balanced)
    partition = next(iter(other.owned))
    await processes[0].client.set(keys.owner(partition), f"{one.instance}:999")  # as a claim that arrives late

    async def served() -> bool:
        token = await processes[0].client.get(keys.owner(partition))
        return any(partition in each.owned and each.owned[partition].token == token for each in (one, other))

    assert not await served()
    await eventually(served)
    for process in processes:
        await process.stop()


async def test_a_clean_stop_hands_over_at_once_and_finishes_what_runs(redis_url: str) -> None:
    async def dawdle(turn: Turn) -> None:
        await asyncio.sleep(0.3)

    graph = FakeGraph()
    first = Process(redis_url, FakeSpeaker(dawdle), graph).start()
    await first.inbox.put([message(f"91{n:04d}", f"m{n}") for n in range(10)])
    await asyncio.sleep(0.2)
    await first.stop()
    done = len(graph.accepted)
    second = Process(redis_url, graph=graph).start()
    await second.drained(3)
    assert done == len(first.speaker.answered) >= 1
    assert graph.keys() == {f"m{n}:1": 1 for n in range(10)}
    assert not set(first.speaker.answered[:done]) & set(second.speaker.answered)
    await second.stop()


@pytest.mark.slow
async def test_a_full_redis_takes_nothing_new_but_what_it_holds_is_worked_off(tmp_path: Path) -> None:
    server = EmbeddedRedis(tmp_path, free_port())
    server.start()
    try:
        process = Process(server.url)
        await process.inbox.put([message("91", "a", "hi"), message("92", "b", "ho")])
        await process.client.config_set("maxmemory", "1")
        process.start()
        await process.drained()
        assert sorted(process.graph.keys()) == ["a:1", "b:1"]
        with pytest.raises(InboxUnavailable):
            await process.inbox.put([message("91", "c")])
        await process.client.config_set("maxmemory", "0")
        await process.inbox.put([message("91", "c", "again")])
        await process.drained()
        assert process.graph.texts("91") == ["echo hi", "echo again"]
        await process.stop()
    finally:
        server.stop()


@pytest.mark.slow
async def test_a_redis_that_is_killed_and_comes_back_loses_and_doubles_nothing(tmp_path: Path) -> None:
    server = EmbeddedRedis(tmp_path, free_port())
    server.start()
    try:
        process = Process(server.url).start()
        for n in range(30):
            await process.inbox.put([message(f"91{c}", f"{c}.{n}", str(n)) for c in range(10)])
        assert server.process is not None
        server.process.kill()
        server.process.wait()
        await asyncio.sleep(1)
        server.start()
        await process.drained(20)
        for c in range(10):
            assert process.graph.texts(f"91{c}") == [f"echo {n}" for n in range(30)]
        assert set(process.graph.keys().values()) == {1}
        await process.stop()
    finally:
        server.stop()
