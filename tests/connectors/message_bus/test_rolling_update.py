"""Servers are replaced while customers write, as a rolling update does it: one more first, then an old one ends."""

from __future__ import annotations

import asyncio
import random
from itertools import count
from typing import Any

import pytest

from connectors.message_bus import keys, partitions
from connectors.message_bus.turn import Turn
from tests.connectors.message_bus.transport_fakes import FakeGraph, FakeSpeaker, Process, eventually, message

CUSTOMERS, SERVERS = 40, 3
TIMEOUT_S = 30.0  # a busy machine must not look like a server that does not end in time


async def _work(_: Turn) -> None:
    await asyncio.sleep(random.uniform(0.01, 0.08))


async def _shares(servers: list[Process]) -> bool:
    each, left = divmod(keys.PARTITIONS, len(servers))
    owned = sorted(len(one.transport.partitions.owned) for one in servers)
    return owned == [each] * (len(servers) - left) + [each + 1] * left


def test_a_server_that_is_killed_is_not_missed_for_more_than_five_seconds() -> None:
    """Its lease ends, and somebody's next heartbeat sees it; how they take over is shown with quicker clocks."""
    assert partitions.LEASE_S + partitions.TICK_S <= 5


async def test_what_runs_on_a_server_that_ends_is_finished_there_although_others_could_take_it(redis_url: str) -> None:
    runs = asyncio.Event()

    async def takes_long(_: Turn) -> None:
        runs.set()
        await asyncio.sleep(2.0)  # many heartbeats

    async def sends_long(_: dict[str, Any]) -> None:
        await asyncio.sleep(0.5)

    graph = FakeGraph(sends_long)
    ends, stays = Process(redis_url, FakeSpeaker(takes_long), graph), Process(redis_url, graph=graph)
    for one in (ends, stays):
        one.transport.partitions._lease_s = partitions.LEASE_S  # a busy machine must not look like one that died
    ends.start()
    await ends.inbox.put([message("91", "a")])
    await asyncio.wait_for(runs.wait(), 10)
    stays.start()
    await eventually(lambda: _serves(stays))
    await ends.stop(TIMEOUT_S)
    await stays.drained()
    assert (len(ends.speaker.answered), stays.speaker.answered) == (1, [])
    assert (graph.attempts, graph.keys()) == (1, {"a:1": 1})
    await stays.stop()


async def _serves(one: Process) -> bool:
    return bool(one.transport.partitions.owned)


@pytest.mark.marathon
async def test_a_rolling_update_under_load_loses_doubles_and_disorders_nothing(redis_url: str) -> None:
    graph, rolling = FakeGraph(), asyncio.Event()

    def started() -> Process:
        process = Process(redis_url, FakeSpeaker(_work), graph, settle_s=TIMEOUT_S, send_timeout_s=TIMEOUT_S)
        process.transport.partitions._lease_s = partitions.LEASE_S  # nobody dies here, and one loop runs them all
        return process.start()

    servers = [started() for _ in range(SERVERS)]
    await eventually(lambda: _shares(servers))
    said: dict[str, int] = {}

    async def writes(customer: str) -> None:
        for number in count():
            if rolling.is_set():
                return
            await random.choice(servers).inbox.put([message(customer, f"{customer}.{number}", str(number))])
            said[customer] = number + 1
            await asyncio.sleep(random.uniform(0.05, 0.3))

    writing = [asyncio.create_task(writes(f"91{n:04d}")) for n in range(CUSTOMERS)]
    for _ in range(SERVERS):
        servers.append(started())
        await eventually(lambda: _shares(servers), TIMEOUT_S)
        await servers.pop(0).stop(TIMEOUT_S)
    rolling.set()
    await asyncio.gather(*writing)
    await servers[0].drained(60)
    await eventually(lambda: _shares(servers))
    for customer, messages in said.items():
        assert graph.texts(customer) == [f"echo {number}" for number in range(messages)]
    assert set(graph.keys().values()) == {1}
    assert sum(said.values()) > 2 * CUSTOMERS, "they wrote while it rolled"
    for one in servers:
        await one.stop(TIMEOUT_S)
