"""Bad days on demand in Chromium, wide and on a phone, and the count of what they cost."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, ViewportSize, expect

from tests.journeys.tabs import Tabs
from tests.twin.standin import Assistant, RunningTwin, running_twin
from twin.scenarios.script import Script

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module"), pytest.mark.xdist_group("browser")]
SIZES = {1280: 900, 390: 844}


async def answer(assistant: Assistant, message: dict[str, Any]) -> None:
    """One reply to each webhook, under the message's own key: twice delivered is twice answered."""
    key = f"{message['id']}:1"
    await assistant.text(message["from"], "here", biz_opaque_callback_data=key)


@pytest_asyncio.fixture(loop_scope="module")
async def twin(tmp_path: Path) -> AsyncIterator[RunningTwin]:
    async with running_twin(tmp_path, answer) as running:
        yield running


@pytest_asyncio.fixture(loop_scope="module", params=SIZES)
async def page(tabs: Tabs, twin: RunningTwin, request: pytest.FixtureRequest) -> AsyncIterator[Page]:
    size: ViewportSize = {"width": request.param, "height": SIZES[request.param]}
    async with tabs.page(size) as opened:
        await opened.goto(f"{twin.url}/faults")
        yield opened
        wide = await opened.evaluate("document.documentElement.scrollWidth > innerWidth")
    assert not wide


async def test_a_switch_sets_the_bad_day_and_takes_it_back(page: Page, twin: RunningTwin) -> None:
    graph = twin.network.faults
    await page.get_by_role("switch", name="131056").check()
    await twin.until(lambda: [fault["code"] for fault in graph.listing()] == [131056])
    await page.get_by_role("switch", name="500").check()
    await twin.until(lambda: [fault["code"] for fault in graph.listing()] == [131000])
    await expect(page.get_by_role("switch", name="131056")).not_to_be_checked()
    await page.get_by_role("switch", name="500").uncheck()
    await twin.until(lambda: graph.listing() == [])
    await page.get_by_role("switch", name="Everything twice").check()
    await twin.until(lambda: twin.network.habits.copies == 2)
    await page.reload()
    await expect(page.get_by_role("switch", name="Everything twice")).to_be_checked()
    async with page.expect_response(lambda r: r.request.method == "POST" and r.url.endswith("/desk/faults")):
        await page.locator("section", has_text="Helpdesk").get_by_role("switch", name="Slow").check()
    assert [fault["kind"] for fault in (await twin.get("/helpdesk/desk/faults"))["faults"]] == ["slow"]


async def test_what_is_said_twice_is_counted_as_such(page: Page, twin: RunningTwin) -> None:
    await twin.write(text="one")
    twice = page.locator(".count", has_text="said twice")
    await expect(page.locator(".count", has_text="replies on the phones").locator("b")).to_have_text("1")
    await expect(twice.locator("b")).to_have_text("0")
    await twin.post("/control/habits", copies=2)
    await twin.write(text="two")
    await expect(twice.locator("b")).to_have_text("1")
    await expect(page.locator(".count", has_text="taken by the assistant").locator("b")).to_have_text("2")


async def test_a_process_is_killed_by_the_launcher_as_asked(page: Page, twin: RunningTwin) -> None:
    await page.get_by_role("button", name="Kill Redis").click()
    folder = twin.network.configuration.state_dir / "kill"
    await twin.until(lambda: [path.name for path in folder.glob("*")] == ["redis"])
    assert (await twin.post("/control/kill", name="../../etc"))[0] == 400
    await expect(page.get_by_role("button", name="Redis fails over")).to_be_disabled()
    assert (await twin.post("/control/kill", name="failover"))[0] == 400, "there is one Redis alone"


async def test_a_scenario_plays_on_the_phone_with_its_steps_ticked(
    browser: Browser, twin: RunningTwin, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps = (("says", "hello"), ("reads", "here"), ("says", "and now?"), ("reads", ["here"]))
    script = Script("mine", "A short story", "Tells itself", "Visitor", steps)
    monkeypatch.setattr("twin.scenarios.routes.scripts", lambda: [script])
    monkeypatch.setattr("twin.scenarios.player.PAUSE_S", 0.2)
    page = await browser.new_page(viewport={"width": 1280, "height": 900})
    await page.goto(twin.url)
    await page.get_by_role("button", name="A short story").click()
    await expect(page.locator(".played li.held")).to_have_count(4)
    await expect(page.locator(".played strong")).to_have_text("A short story ✓")
    await expect(page.locator("li.row.in:not(.typing-row)")).to_have_count(2)
    await page.get_by_role("button", name="Record what I just did").click()
    await expect(page.get_by_label("Recorded scenario")).to_have_value(re.compile("says: and now"))
    await page.close()
