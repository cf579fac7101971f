"""The concurrency limiter: quick work is bounded, waiting work is not in its way."""

from __future__ import annotations

import asyncio
import time

import pytest

from connectors.message_bus.keyed_executor import ConcurrencyLimiter, RetryAfter, release_during_io


async def test_no_more_than_the_quick_slots_run_at_once() -> None:
    limiter, running, most = ConcurrencyLimiter(2, 100, 60), 0, 0

    async def work() -> None:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(0.005)
        running -= 1

    await asyncio.gather(*(limiter.run(work) for _ in range(20)))
    assert most == 2


async def test_work_that_waits_for_another_server_leaves_its_slot_to_others() -> None:
    limiter = ConcurrencyLimiter(1, 100, 60)

    async def call() -> None:
        async with release_during_io():
            await asyncio.sleep(0.3)

    begin = time.perf_counter()
    await asyncio.gather(*(limiter.run(call) for _ in range(20)))
    assert time.perf_counter() - begin < 5


async def test_work_that_hangs_is_no_longer_counted() -> None:
    limiter = ConcurrencyLimiter(1, 3, 0.05)
    hanging = [asyncio.create_task(limiter.run(lambda: asyncio.sleep(60))) for _ in range(2)]
    await asyncio.sleep(0.15)
    assert await asyncio.wait_for(limiter.run(lambda: asyncio.sleep(0, RetryAfter(1))), 1) == RetryAfter(1)
    for task in hanging:
        task.cancel()


@pytest.mark.parametrize("ending", ["error", "cancelled"])
async def test_slots_come_back_whatever_ends_the_work(ending: str) -> None:
    limiter = ConcurrencyLimiter(1, 1, 60)

    async def work() -> None:
        async with release_during_io():
            if ending == "error":
                raise ValueError
            await asyncio.sleep(60)

    for _ in range(3):
        task = asyncio.create_task(limiter.run(work))
        await asyncio.sleep(0.02)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    assert await asyncio.wait_for(limiter.run(lambda: asyncio.sleep(0, None)), 1) is None
