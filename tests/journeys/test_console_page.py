"""The inspector beside the phone and the dashboard, in Chromium, wide and on a phone, over told answers."""

from __future__ import annotations

import threading
from collections.abc import AsyncIterator, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, ViewportSize, expect

from settings import load
from tests.journeys.tabs import Tabs
from tests.twin.standin import TOKEN, RunningTwin, running_twin
from workbench.console.answers import Answers
from workbench.console.server import ConsoleServer

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module"), pytest.mark.xdist_group("browser")]
SIZES = {1280: 900, 390: 844}
EVIL = "<img src=x onerror=\"document.title='owned'\">"
TURN: dict[str, Any] = {
    "id": "wamid.1", "text": f"where is 10234 {EVIL}",
    "timings": [["webhook in the inbox", 10.0], ["read", 10.05], ["accepted by Graph", 10.25]],
    "understood": {"intents": [["check_order_status", 0.97], ["greet", 0.02]], "entities": [["order_number", "10234"]],
                   "after": "none"},
    "person": None,
    "decided": [{"policy": "RulePolicy", "confidence": 1.0, "action": "action_check_order_status",
                 "sources": ["“Customer asks where an order is” (data/rules/order_status.yml:5)"]}],
    "slots": [["order_number", "–", "10234"]],
    "replies": [{"key": "wamid.1:1", "wamid": "out.1", "author": "assistant", "text": "It comes.", "error": None,
                 "response": "utter_order_status_shipped", "topic": "order_status", "pages": [], "status": "read",
                 "sections": ["delivery#When"], "llm": {"verdict": "extractive"}, "facts": {}, "held_back": False}],
    "rows": [{"message_key": "wamid.1", "role": "user"}],
}  # fmt: skip
FIGURES: dict[str, Any] = {
    "conversations": 3, "outcomes": {"open": 3}, "containment": None, "ended": 0, "messages": {}, "refused": 1,
    "features": [["order_status", 2]], "replies": 4, "failed": 0, "errors": [], "escalations": [["complaint", 2]],
    "intents": [["greet", 2, 0]], "answer_s": [0.2, 0.3, 0.4], "waiting_s": [None, None, None], "days": [], "llm": {},
    "cost": {"llm_usd": 0, "messages": 0.0, "currency": "INR", "free_left": 990}, "failures": [[EVIL, 1]],
    "slowest": [[1.5, "slow"]], "ratings": [["good", "2", "67 %"]],
}  # fmt: skip


class Told(Answers):
    """What the pages need to show."""

    def about(self) -> dict[str, Any]:
        return {"intents": ["greet", "check_order_status"], "reasons": ["complaint", "none"], "writes": True}

    def turns(self, customer: str) -> list[dict[str, Any]]:
        return [TURN]

    def person(self, text: str) -> dict[str, Any]:
        return {"probabilities": [["none", 0.9]], "need": 0.1, "thresholds": {"complaint": 0.3}, "calls": None,
                "nearest": [["none", "where is it"]]}  # fmt: skip

    def copy(self, customer: str, wamid: str, kind: str, label: str) -> dict[str, str | None]:
        return {"yaml": f"{kind} {label} {wamid}", "file": "var/review/phrases.yml"}

    def figures(self) -> dict[str, Any]:
        return FIGURES

    def what_if(self, wished: Mapping[str, float]) -> dict[str, Any]:
        then = {"text": "you are late", "today": None, "then": "complaint", "score": 0.4}
        lower = wished.get("complaint", 0.3) < 0.3
        return {"thresholds": {"complaint": 0.3}, "messages": 9, "calls_today": 1, "calls_then": 2 if lower else 1,
                "changed": [then] if lower else [], "near": [["you are late", 0.4]]}  # fmt: skip


@pytest.fixture(scope="module")
def console() -> Iterator[str]:
    with ConsoleServer(Told(load()), TOKEN) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        yield f"http://127.0.0.1:{server.port}"
        server.shutdown()


@pytest_asyncio.fixture(loop_scope="module")
async def twin(tmp_path: Path, console: str) -> AsyncIterator[RunningTwin]:
    async with running_twin(tmp_path, inspector_url=console) as running:
        yield running


@pytest_asyncio.fixture(loop_scope="module", params=SIZES)
async def page(tabs: Tabs, request: pytest.FixtureRequest) -> AsyncIterator[Page]:
    size: ViewportSize = {"width": request.param, "height": SIZES[request.param]}
    async with tabs.page(size) as opened:
        yield opened
        wide = await opened.evaluate("document.documentElement.scrollWidth > innerWidth")
        title = await opened.title()
    assert (wide, "owned" in title) == (False, False)


async def test_why_a_message_was_answered_so_stands_beside_the_phone(page: Page, twin: RunningTwin) -> None:
    await page.goto(f"{twin.url}/#/919876543210")
    narrow = (page.viewport_size or {})["width"] < 900
    await (page.locator("#ask-why") if narrow else page.get_by_role("tab", name="Why?")).click()
    why = page.locator(".why")
    await expect(why.locator(".turn-head strong")).to_have_text(TURN["text"])
    await expect(why).to_contain_text("+250 ms")
    await expect(why).to_contain_text("data/rules/order_status.yml:5")
    await expect(why).to_contain_text("policy_kb/delivery#When")
    await expect(why).to_contain_text("Verifier: extractive")
    await why.get_by_role("button", name="Why not?").click()
    await expect(why).to_contain_text("where is it")
    await why.get_by_label("Intent").select_option("greet")
    await why.get_by_role("button", name="Training phrase").click()
    await expect(why.get_by_role("status")).to_contain_text("Kept for review in var/review/phrases.yml")
    if narrow:
        await page.get_by_role("button", name="Back to the chat").click()
        await expect(page.locator("#text")).to_be_in_viewport()


async def test_the_dashboard_shows_the_figures_and_tries_a_threshold(page: Page, twin: RunningTwin) -> None:
    await page.goto(f"{twin.url}/console/")
    await expect(page.locator(".tile", has_text="resolved without a person")).to_contain_text("–")
    await expect(page.locator(".panel", has_text="Escalations by reason")).to_contain_text("complaint")
    await expect(page.locator(".panel", has_text="How it was with a person")).to_contain_text("67 %")
    await page.get_by_role("tab", name="What if").click()
    await expect(page.locator(".verdict")).to_contain_text("1 would call a person; today 1 do")
    await page.get_by_label("Threshold for complaint").fill("0.1")
    await expect(page.locator(".verdict")).to_contain_text("2 would call a person")
    await expect(page.locator("td").first).to_have_text("you are late")


async def test_without_an_inspector_the_phone_is_as_it_was(browser: Browser, tmp_path: Path) -> None:
    async with running_twin(tmp_path) as running:
        opened = await browser.new_page(viewport={"width": 1280, "height": 900})
        await opened.goto(running.url)
        await expect(opened.locator("#presence")).to_have_text("online")
        await expect(opened.get_by_role("tab", name="Why?")).to_have_count(0)
        await expect(opened.get_by_role("link", name="Dashboard")).to_have_count(0)
        await opened.close()
