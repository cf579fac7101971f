"""The running product for every journey, and Chromium for the pages."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, async_playwright, expect

from tests.journeys.shop import Shop
from tests.journeys.tabs import Tabs

FLAGS = [
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"),
    *("--disable-background-networking", "--disable-component-update"),
]
HERE = Path(__file__).resolve().parent
PATIENCE_MS = 20_000  # beside a training and three other workers; a page alone shows what it should within a second


@pytest.hookimpl(tryfirst=True)  # xdist reads the groups after us
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """One product for all that need no other, and time for it to start."""
    for item in items:
        if HERE in item.path.parents and "shop" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.journey)
            own = item._fixtureinfo.name2fixturedefs["shop"][-1].scope == "module"
            item.add_marker(pytest.mark.xdist_group(item.path.stem if own else "shop"))
            item.add_marker(pytest.mark.timeout(600))


@pytest.fixture(scope="session")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """The product of `make run`, without an LLM. One for all journeys: be other customers."""
    with Shop(tmp_path_factory.mktemp("shop"), helpdesk=True, LOG_LEVEL="DEBUG") as running:
        yield running


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def browser(chromium: str) -> AsyncIterator[Browser]:
    """A headless Chromium with an empty profile, for the asynchronous tests of one module."""
    expect.set_options(timeout=PATIENCE_MS)
    async with async_playwright() as playwright:
        launched = await playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        yield launched
        await launched.close()


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def tabs(browser: Browser) -> Tabs:
    """Closed with the browser."""
    return Tabs(browser)
