"""The agent desk in the browser, over the simulated helpdesk."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, expect

from tests.twin.standin import TOKEN, RunningTwin, running_twin

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module"), pytest.mark.xdist_group("browser")]
NOTE = "She wrote: <script>document.title='owned'</script>\nPhoto: https://shop.example/photo.jpg"


@pytest_asyncio.fixture(loop_scope="module")
async def twin(tmp_path: Path) -> AsyncIterator[RunningTwin]:
    async with running_twin(tmp_path) as running:
        yield running


@pytest_asyncio.fixture(loop_scope="module")
async def page(browser: Browser) -> AsyncIterator[Page]:
    context = await browser.new_context(viewport={"width": 1200, "height": 860})
    yield await context.new_page()
    await context.close()


async def open_ticket(twin: RunningTwin) -> int:
    """What the assistant does when it hands over; the ticket's number."""
    ticket = {
        "subject": "Asha asks for a person",
        "priority": "high",
        "tags": ["whatsapp_assistant"],
        "requester": {"name": "Asha Rao", "external_id": "a"},
        "comment": {"body": NOTE, "public": False},
    }
    headers = {"Authorization": f"Bearer {TOKEN}"}
    address = f"{twin.url}/helpdesk/api/v2/tickets"
    async with twin.session.post(address, json={"ticket": ticket}, headers=headers) as response:
        assert response.status == 201
        return int((await response.json())["ticket"]["id"])


async def tickets(twin: RunningTwin) -> list[dict[str, Any]]:
    return list((await twin.get("/helpdesk/desk/tickets"))["tickets"])


async def test_a_new_ticket_appears_by_itself_and_shows_its_note_as_text(page: Page, twin: RunningTwin) -> None:
    await page.goto(f"{twin.url}/desk")
    await expect(page.locator("#empty-title")).to_have_text("Nobody is waiting")
    await open_ticket(twin)
    await page.get_by_role("button", name="Asha Rao").click()
    await expect(page.locator(".comment.note .words")).to_contain_text("<script>")
    await expect(page.get_by_role("link", name="https://shop.example/photo.jpg")).to_be_visible()
    assert "owned" not in await page.title()


async def test_an_agent_replies_notes_and_solves(page: Page, twin: RunningTwin) -> None:
    number = await open_ticket(twin)
    await page.goto(f"{twin.url}/desk#/{number}")
    await page.get_by_label("Your words").fill("Hello Asha")
    await page.get_by_role("button", name="Send to the customer").click()
    await expect(page.locator(".comment.agent")).to_contain_text("Hello Asha")
    await page.get_by_label("Private note").check()
    await page.get_by_label("Your words").fill("Carrier says tomorrow")
    await page.get_by_role("button", name="Add the note").click()
    await expect(page.locator(".comment.note").last).to_contain_text("Carrier says tomorrow")
    await page.get_by_role("button", name="Solve").click()
    await expect(page.locator("#facts .tag").first).to_have_text("solved")
    comments = (await tickets(twin))[0]["comments"]
    assert [(comment["body"], comment["public"]) for comment in comments[1:]] == [
        ("Hello Asha", True),
        ("Carrier says tomorrow", False),
    ]


async def test_what_an_agent_is_writing_survives_news(page: Page, twin: RunningTwin) -> None:
    number = await open_ticket(twin)
    await page.goto(f"{twin.url}/desk#/{number}")
    await page.get_by_label("Your words").fill("half a sentence")
    await open_ticket(twin)
    await expect(page.locator("#tickets li")).to_have_count(2)
    await expect(page.get_by_label("Your words")).to_have_value("half a sentence")


async def test_without_a_helpdesk_the_page_says_where_tickets_are(page: Page, tmp_path: Path) -> None:
    async with running_twin(tmp_path, ticketing="log") as twin:
        await page.goto(f"{twin.url}/desk")
        await expect(page.locator("#empty-title")).to_have_text("Tickets do not come here")
        await expect(page.locator("#empty-words")).to_contain_text("TICKETING=log")


async def test_other_web_pages_cannot_answer_for_an_agent(twin: RunningTwin) -> None:
    number = await open_ticket(twin)
    address = f"{twin.url}/helpdesk/desk/tickets/{number}/reply"
    elsewhere = {"Origin": "https://evil.example"}
    async with twin.session.post(address, json={"body": "x"}, headers=elsewhere) as response:
        assert response.status == 403
    assert len((await tickets(twin))[0]["comments"]) == 1
