"""The customer's patience is kept to the tenth of a second, whatever the provider's SDK makes of its own time-out."""

from __future__ import annotations

import asyncio
import contextlib
import time
from types import SimpleNamespace

import pytest

from actions.llm.anthropic_api import anthropic_client
from actions.llm.client import LlmClient, LlmFailed, within
from actions.llm.commands import schema
from actions.llm.openai_api import openai_client

BUDGET_S = 1.0


def clients(url: str) -> list[LlmClient]:
    return [anthropic_client("k", "m", url, BUDGET_S), openai_client("k", "m", f"{url}/v1", BUDGET_S)]


@pytest.mark.slow
@pytest.mark.parametrize("place", [0, 1], ids=["anthropic", "openai"])
async def test_a_hanging_provider_is_left_when_the_time_is_up(llm: SimpleNamespace, place: int) -> None:
    llm.api.fault = "hang"
    client = clients(llm.url)[place]
    started = time.monotonic()
    request = client.api.structured("read", "words", schema())
    with pytest.raises(LlmFailed, match="timeout"):
        await within(BUDGET_S, client.ask(lambda answer, usage: answer, **request))
    assert time.monotonic() - started < BUDGET_S + 10
    await client.close()


@pytest.mark.slow
async def test_work_that_will_not_be_cancelled_keeps_nobody_waiting() -> None:
    over = asyncio.Event()

    async def stubborn() -> str:
        while not over.is_set():
            with contextlib.suppress(asyncio.CancelledError):
                await over.wait()
        return "late"

    with pytest.raises(LlmFailed, match="timeout"):
        await within(0.2, stubborn())
    over.set()


async def test_who_stops_waiting_stops_the_work() -> None:
    ended = asyncio.Event()

    async def work() -> None:
        try:
            await asyncio.sleep(10)
        finally:
            ended.set()

    waiting = asyncio.ensure_future(within(10, work()))
    await asyncio.sleep(0.05)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    await asyncio.wait_for(ended.wait(), 1)


async def test_what_the_work_returns_or_raises_comes_through() -> None:
    async def fails() -> None:
        raise LlmFailed("refusal")

    async def works() -> int:
        return 7

    assert await within(1, works()) == 7
    with pytest.raises(LlmFailed, match="refusal"):
        await within(1, fails())
