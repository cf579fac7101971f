"""Replies of which it is not known whether they went out: another process waits for a proof before it sends again."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from redis.exceptions import TimeoutError as RedisTimeoutError

from connectors.message_bus import keys
from tests.connectors.message_bus.outbox_samples import sent_records
from tests.connectors.message_bus.transport_fakes import FakeGraph, Process, message


@pytest.mark.parametrize("times_late", [1, 3])
async def test_what_graph_took_is_not_sent_again_by_who_took_over_while_redis_was_too_slow_to_hear_of_it(
    redis_url: str, times_late: int
) -> None:
    """Graph tells of no status meanwhile; the process that sent it lives, and proves it."""
    graph, late = FakeGraph(), []
    first = Process(redis_url, graph=graph)
    second = Process(redis_url, graph=graph, settle_s=4)
    sent, owner = first.transport.outbox._sent, keys.owner(keys.partition_of("91"))

    async def slowly(*args: Any, **options: Any) -> Any:
        if len(late) < times_late:
            late.append(args)
            await first.client.set(owner, "")  # its lease ran out
            if len(late) == 1:
                second.start()
            raise RedisTimeoutError("too slow")
        return await sent(*args, **options)

    first.transport.outbox._sent = slowly  # type: ignore[assignment]
    first.start()
    await first.inbox.put([message("91", f"w{n}", str(n)) for n in range(3)])
    await first.drained(20)
    assert graph.texts("91") == ["echo 0", "echo 1", "echo 2"]
    assert [(one["key"], one["outcome"]) for one in sent_records(redis_url)] == [
        (f"w{n}:1", "accepted") for n in range(3)
    ]
    for process in (first, second):
        await process.stop()


async def test_a_timeout_whose_message_went_out_is_settled_by_its_status(redis_url: str) -> None:
    taken: list[dict[str, Any]] = []

    async def accept_then_hang(body: dict[str, Any]) -> None:
        if not taken:
            taken.append(body)
            await asyncio.sleep(60)

    graph = FakeGraph(accept_then_hang)
    process = Process(redis_url, graph=graph, settle_s=3, send_timeout_s=0.2).start()
    await process.inbox.put([message("91", "a", "x"), message("91", "b", "y")])
    await asyncio.sleep(0.5)
    status = {"record": "status", "wamid": "wamid.real", "status": "delivered", "at": 1, "key": "a:1", "errors": []}
    await process.inbox.put([], [status])
    await process.drained()
    assert graph.texts("91") == ["echo y"]
    assert sent_records(redis_url)[0]["wamid"] == "wamid.real"
    await process.stop()


async def test_a_timeout_without_any_status_is_sent_again(redis_url: str) -> None:
    calls = 0

    async def hang_once(body: dict[str, Any]) -> None:
        nonlocal calls
        calls += 1
        if calls == 1:
            await asyncio.sleep(60)

    graph = FakeGraph(hang_once)
    process = Process(redis_url, graph=graph, settle_s=0.4, send_timeout_s=0.2).start()
    await process.inbox.put([message("91", "a", "x")])
    await process.drained()
    assert graph.texts("91") == ["echo x"]
    await process.stop()


async def test_a_process_killed_while_sending_leaves_at_most_that_one_reply_in_doubt(redis_url: str) -> None:
    reached = asyncio.Event()

    async def accept_and_die(body: dict[str, Any]) -> None:
        victim_graph.accepted.append(body)
        reached.set()
        await asyncio.sleep(60)

    victim_graph = FakeGraph(accept_and_die)
    victim = Process(redis_url, graph=victim_graph).start()
    await victim.inbox.put([message("91", "a", "x"), message("91", "b", "y"), message("91", "c", "z")])
    await asyncio.wait_for(reached.wait(), 5)
    await victim.die()
    survivor = Process(redis_url, settle_s=3).start()
    status = {"record": "status", "wamid": "wamid.real", "status": "sent", "at": 1, "key": "a:1", "errors": []}
    await survivor.inbox.put([], [status])
    await survivor.drained()
    assert [*victim_graph.texts("91"), *survivor.graph.texts("91")] == ["echo x", "echo y", "echo z"]
    await survivor.stop()
