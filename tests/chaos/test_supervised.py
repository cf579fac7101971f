"""Servers and Redis are killed together, at the worst moment; the supervisor brings everything back by itself."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from pathlib import Path

import pytest

from benchmarks import webhooks
from benchmarks.graph_stand_in import GraphStandIn
from launch.processes import free_port
from settings import PROJECT_ROOT
from tests.chaos.supervised import Supervised, supervised

BACK_WITHIN_S = 120.0


@pytest.mark.chaos
@pytest.mark.model
@pytest.mark.timeout(600)
async def test_when_servers_and_redis_are_killed_together_everything_comes_back(tmp_path: Path) -> None:
    if not list((PROJECT_ROOT / "models").glob("*.tar.gz")):
        pytest.skip("no model in models/: run `make train` first")
    graph = GraphStandIn(free_port())
    await graph.start()
    starting = supervised(tmp_path, graph.url, workers=2)
    product = await asyncio.to_thread(starting.__enter__)
    try:
        statuses: Counter[int] = Counter()
        # Twice: the first time the second server is still starting, since the first one already answers.
        for attempt in range(2):
            await asyncio.to_thread(product.kill, "rasa", "redis")
            await _all_stored(product, attempt, statuses)
        assert set(statuses) <= {200, 503, 0}, statuses
        await _all_answered(graph)
    finally:
        await asyncio.to_thread(starting.__exit__, None, None, None)
        await graph.stop()


async def _all_stored(product: Supervised, attempt: int, statuses: Counter[int]) -> None:
    """Twenty customers write while nothing runs; each delivers again, as Meta does, until it gets its 200."""
    deadline = time.monotonic() + BACK_WITHIN_S
    meta = webhooks.Meta(product.url, timeout_s=5)

    async def deliver(customer: int) -> None:
        message = webhooks.text_message(f"9198{customer:08d}", f"wamid.{attempt}.{customer}", "hello")
        status = 0
        while status != 200:
            assert product.is_alive(), product.output()
            assert time.monotonic() < deadline, product.output()
            status = await meta.post(webhooks.notification([message]))
            statuses[status] += 1
            await asyncio.sleep(0.2)

    await asyncio.gather(*(deliver(customer) for customer in range(20)))


async def _all_answered(graph: GraphStandIn) -> None:
    asked = {f"wamid.{attempt}.{customer}" for attempt in range(2) for customer in range(20)}
    deadline = time.monotonic() + BACK_WITHIN_S
    while missing := asked - {accepted.key.rpartition(":")[0] for accepted in graph.accepted}:
        assert time.monotonic() < deadline, f"not answered: {missing}"
        await asyncio.sleep(0.3)
