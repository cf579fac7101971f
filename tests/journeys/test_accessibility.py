"""Every page of the shop in a box can be read, in light and dark, wide and on a phone: contrast, names, lists."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import date
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, expect

from launch import demo_orders
from tests.journeys.test_console_page import SIZES, console
from tests.journeys.test_desk_page import customer_writes, open_ticket
from tests.journeys.test_phone_page import answer
from tests.twin.standin import RunningTwin, running_twin

__all__ = ["console"]
pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module"), pytest.mark.xdist_group("browser")]
COMPLAINTS = Path(__file__).with_name("accessibility.js").read_text(encoding="utf-8")


@pytest_asyncio.fixture(loop_scope="module")
async def twin(tmp_path: Path, console: str) -> AsyncIterator[RunningTwin]:
    demo_orders.seed(f"sqlite:///{tmp_path}/orders.db", date(2026, 11, 29))
    async with running_twin(tmp_path, answer, inspector_url=console) as running:
        yield running


@pytest.mark.timeout(240)  # seven pages in two sizes, on a machine that has other tests to run
async def test_every_page_can_be_read(browser: Browser, twin: RunningTwin) -> None:
    number = await open_ticket(twin)
    await customer_writes(twin, number, "and now?")
    await twin.post(f"/helpdesk/desk/tickets/{number}/reply", body="a note", public=False)
    for cue in ("buttons", "links", "styled", "quote"):
        await twin.write(text=cue)
    pages = {"/#/919876543210": ".why .turn-head", f"/desk#/{number}": ".comment", "/faults": ".count",
             "/console/": ".tile", "/console/#whatif": ".verdict", "/pair": "iframe"}  # fmt: skip
    complaints: dict[str, list[str]] = {}
    for width, height in SIZES.items():
        context = await browser.new_context(viewport={"width": width, "height": height}, reduced_motion="reduce")
        opened = await context.new_page()
        opened.set_default_navigation_timeout(60_000)
        for path, shown in pages.items():
            await opened.goto("about:blank")
            await opened.goto(f"{twin.url}{path}")
            if "why" in shown:
                await expect(opened.locator("li.row.in").first).to_be_visible()
                complaints |= await read_in_both_lights(opened, f"{width} the chat")
                narrow = width < 900
                await (opened.locator("#ask-why") if narrow else opened.get_by_role("tab", name="Why?")).click()
            await expect(opened.locator(shown).first).to_be_visible()
            complaints |= await read_in_both_lights(opened, f"{width} {path}")
        await context.close()
    assert len(complaints) == 2 * 2 * (len(pages) + 1)
    assert {place: found for place, found in complaints.items() if found != []} == {}


async def read_in_both_lights(page: Page, place: str) -> dict[str, list[str]]:
    """The complaints about the page as it is now, light and dark."""
    found, grounds = {}, set()
    for scheme in ("light", "dark"):
        await page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        found[f"{place} {scheme}"] = await page.evaluate(COMPLAINTS)
        grounds.add(await page.evaluate("matchMedia('(prefers-color-scheme: dark)').matches"))
    assert grounds == {False, True}
    return found
