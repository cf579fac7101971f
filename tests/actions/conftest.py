"""The stand-in for the LLMs, and no other: a developer's environment may configure a real one."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from types import SimpleNamespace

import pytest
from aiohttp import web

from actions.skill import services
from twin.llm import LlmStandIn, make_llm_app


@pytest.fixture(autouse=True)
def _no_llm_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("LLM_PROVIDER", "none")
    forget_llm()
    yield
    forget_llm()


def forget_llm() -> None:
    """Let the services look at the environment again."""
    services._llm.cache_clear()
    services.reader.cache_clear()


@pytest.fixture
async def llm() -> AsyncIterator[SimpleNamespace]:
    """The stand-in over HTTP: `.url`, and `.api` with its fault and the requests that came."""
    stand_in = LlmStandIn()
    runner = web.AppRunner(make_llm_app(stand_in), shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    yield SimpleNamespace(url=f"http://127.0.0.1:{port}", api=stand_in)
    await runner.cleanup()
