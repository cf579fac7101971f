"""While many webhooks wait to be acknowledged no turn begins; webhooks without end stop none."""

from __future__ import annotations

import asyncio
from contextlib import ExitStack
from types import SimpleNamespace

import pytest

from connectors.message_bus import arrivals
from connectors.message_bus.arrivals import MANY, Arrivals
from tests.connectors.message_bus.transport_fakes import Process, eventually, message


async def begins(waiting: Arrivals) -> bool:
    """Whether a turn begins at once."""
    try:
        await asyncio.wait_for(waiting.passed(), 0.01)
    except asyncio.TimeoutError:
        return False
    return True


async def test_turns_wait_for_a_burst_and_not_for_a_few() -> None:
    waiting = Arrivals()
    with ExitStack() as few:
        for _ in range(MANY - 1):
            few.enter_context(waiting.one())
        assert await begins(waiting)
        with waiting.one():
            assert not await begins(waiting)
    await asyncio.wait_for(waiting.passed(), 60)


async def test_webhooks_without_end_hold_turns_for_a_while_and_then_let_them_go_on_for_as_long(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock = [1000.0]
    monkeypatch.setattr(arrivals, "time", SimpleNamespace(monotonic=lambda: clock[0]))  # the loop keeps its own
    waiting = Arrivals()
    with ExitStack() as burst:
        for _ in range(MANY):
            burst.enter_context(waiting.one())
        assert not await begins(waiting)
        clock[0] += arrivals.HOLD_S
        await asyncio.wait_for(waiting.passed(), 60)
        clock[0] += arrivals.HOLD_S * 0.9
        with waiting.one():
            assert await begins(waiting), "held again too early"
        clock[0] += arrivals.HOLD_S * 0.2
        with waiting.one():
            assert not await begins(waiting)


async def test_what_a_burst_brought_is_answered_when_it_is_over(redis_url: str) -> None:
    process = Process(redis_url).start()
    with ExitStack() as burst:
        for _ in range(MANY):
            burst.enter_context(process.arrivals.one())
        await process.inbox.put([message("91", "a")])
        await asyncio.sleep(0.1)
        assert not process.speaker.answered
    await process.drained()

    async def heard() -> bool:
        return process.graph.texts("91") == ["echo hello"]

    await eventually(heard)
    await process.stop()
