"""The agent desk in the browser, over the simulated helpdesk."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import AsyncIterator
from datetime import date
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import pytest_asyncio
from playwright.async_api import Page, ViewportSize, expect

from launch import demo_orders
from tests.journeys.tabs import Tabs
from tests.twin.standin import TOKEN, RunningTwin, running_twin

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module"), pytest.mark.xdist_group("browser")]
NOTE = """She wrote: <script>document.title='owned'</script>
Photo: https://shop.example/photo.jpg

Draft reply, from your pages (not sent):
It is with the carrier since *Monday*.

It comes soon.

Sources:
- delivery: When it comes

Conversation:
[29 Nov 18:58] customer: where is 10234?
[29 Nov 18:58] assistant: Order #10234 has been shipped.
It comes tomorrow."""
ASHA = "+919876543210"
SIZES = {1280: 900, 390: 844}


@pytest_asyncio.fixture(loop_scope="module")
async def twin(tmp_path: Path) -> AsyncIterator[RunningTwin]:
    demo_orders.seed(f"sqlite:///{tmp_path}/orders.db", date(2026, 11, 29))
    async with running_twin(tmp_path) as running:
        yield running


@pytest_asyncio.fixture(loop_scope="module", params=SIZES)
async def page(tabs: Tabs, request: pytest.FixtureRequest) -> AsyncIterator[Page]:
    """The desk wide and on a phone, in a browser that is in another time zone than the shop."""
    size: ViewportSize = {"width": request.param, "height": SIZES[request.param]}
    async with tabs.page(size, timezone_id="America/New_York") as opened:
        yield opened
        wide = await opened.evaluate("document.documentElement.scrollWidth > innerWidth")
    assert not wide


async def open_ticket(twin: RunningTwin, **more: Any) -> int:
    """What the assistant does when it hands over; the ticket's number."""
    ticket = {
        "subject": "Asha asks for a person",
        "priority": "high",
        "tags": ["whatsapp_assistant"],
        "requester": {"name": "Asha Rao", "external_id": "a", "phone": ASHA},
        "comment": {"body": NOTE, "public": False},
        **more,
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
    await expect(page.locator(".comment.note .words").first).to_contain_text("<script>")
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
    await page.get_by_role("button", name="Solve it").click()
    await expect(page.locator("#facts")).to_contain_text("solved")
    await expect(page.locator("#speaks")).to_have_text("With the assistant")
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


async def customer_writes(twin: RunningTwin, number: int, words: str) -> None:
    """As the assistant adds a customer's words to the ticket."""
    asha = next(one["requester"]["id"] for one in await tickets(twin) if one["id"] == number)
    comment = {"body": f"{words}\n\n(WhatsApp, 29 Nov 18:59, MG-1001/1)", "public": True, "author_id": asha}
    address = f"{twin.url}/helpdesk/api/v2/tickets/{number}"
    headers = {"Authorization": f"Bearer {TOKEN}"}
    async with twin.session.put(address, json={"ticket": {"comment": comment}}, headers=headers) as response:
        assert response.status == 200


async def test_who_said_what_is_seen_in_the_shops_time_and_without_marks_for_machines(
    page: Page, twin: RunningTwin
) -> None:
    number = await open_ticket(twin)
    await customer_writes(twin, number, "and **now** see [this](https://shop.example/a)?")
    await page.goto(f"{twin.url}/desk#/{number}")
    said = page.locator(".said.by-assistant .words")
    await expect(said).to_have_text("Order #10234 has been shipped.\nIt comes tomorrow.")
    theirs = page.locator(".comment.theirs")
    await expect(theirs.locator(".words")).to_have_text("and now see this?")
    await expect(theirs.locator("strong").last).to_have_text("now")
    await expect(theirs.get_by_role("link", name="this")).to_have_attribute("href", "https://shop.example/a")
    added = dt.datetime.fromisoformat((await tickets(twin))[0]["comments"][-1]["created_at"].replace("Z", "+00:00"))
    await expect(theirs.locator("time")).to_have_text(f"{added.astimezone(ZoneInfo('Asia/Kolkata')):%H:%M}")


async def test_a_customers_picture_is_seen_and_only_those_of_the_assistant_are_fetched(
    page: Page, twin: RunningTwin
) -> None:
    number = await open_ticket(twin)
    media = twin.assistant_url + "/webhooks/zendesk/media/1/signed"
    await customer_writes(twin, number, f"it came torn\n[image: {media}]")
    await page.goto(f"{twin.url}/desk#/{number}")
    theirs = page.locator(".comment.theirs")
    await expect(theirs.locator(".words")).to_have_text("it came torn")
    picture = theirs.get_by_alt_text("Photo from the customer")
    await expect(picture).to_be_visible()
    assert await picture.evaluate("node => node.decode().then(() => node.naturalWidth)") == 1
    async with twin.session.get(f"{twin.url}/desk/api/picture", params={"url": "http://127.0.0.1:1/x.png"}) as answer:
        assert answer.status == 404


async def test_the_order_and_the_customers_history_are_beside_the_ticket(page: Page, twin: RunningTwin) -> None:
    before, number = await open_ticket(twin, subject="Asked before"), await open_ticket(twin)
    await page.goto(f"{twin.url}/desk#/{number}")
    await expect(page.locator(".order.mentioned")).to_contain_text("#10234")
    await expect(page.locator(".order")).to_contain_text(["shipped", "Brass lamp"])
    await page.locator(".past", has_text="Asked before").click()
    await expect(page).to_have_url(f"{twin.url}/desk#/{before}")


async def test_a_draft_and_a_saved_reply_become_ones_own_words(page: Page, twin: RunningTwin) -> None:
    await page.goto(f"{twin.url}/desk#/{await open_ticket(twin)}")
    await page.get_by_role("button", name="Use as my reply").click()
    draft = "It is with the carrier since *Monday*.\n\nIt comes soon."
    await expect(page.get_by_label("Your words")).to_have_value(draft)
    await page.get_by_label("Saved replies").select_option("1")
    await page.get_by_label("Your words").press("Control+Enter")
    await expect(page.locator(".comment.agent")).to_contain_text("Thanks for waiting, Asha.")


async def test_ones_own_words_and_the_newest_are_in_view_and_who_waits_is_said(page: Page, twin: RunningTwin) -> None:
    number = await open_ticket(twin)
    for place in range(12):
        await customer_writes(twin, number, f"and {place} " * 20)
    await page.goto(f"{twin.url}/desk#/{number}")
    await expect(page.locator(".comment").last).to_be_in_viewport()
    await expect(page.locator("#speaks")).to_have_text("Customer waits for less than a minute")
    await page.locator("#comments").evaluate("list => { list.scrollTop = 0; }")
    await page.get_by_label("Your words").fill("Hello, I am here")
    await page.get_by_role("button", name="Send to the customer").click()
    await expect(page.locator(".comment.agent")).to_be_in_viewport()
    await expect(page.locator("#speaks")).to_have_text("Meera speaks")


async def test_a_ticket_is_taken_given_to_a_colleague_and_handed_back_unsolved(page: Page, twin: RunningTwin) -> None:
    number = await open_ticket(twin)
    await page.goto(f"{twin.url}/desk#/{number}")
    assignee = page.get_by_label("Assigned to")
    await expect(assignee.locator("option:checked")).to_have_text("nobody")
    await page.keyboard.press("Escape")
    await page.keyboard.press("t")
    await expect(assignee.locator("option:checked")).to_have_text("Meera (you)")
    async with page.expect_response(lambda r: r.url.endswith("/assign")):
        await assignee.select_option("Ravi")
    await page.get_by_label("Your words").fill("The assistant knows that")
    async with page.expect_response(lambda r: r.url.endswith("/back")):
        await page.get_by_role("button", name="Back to the assistant").click()
    [ticket] = await tickets(twin)
    assert (ticket["status"], ticket["assignee_id"]) == ("open", 502)
    assert "back_to_assistant" in ticket["tags"]
    assert ticket["comments"][-1]["body"] == "The assistant knows that", "said before"


async def test_what_is_new_is_marked_in_the_title_only_for_who_wishes_it(page: Page, twin: RunningTwin) -> None:
    number = await open_ticket(twin)
    await page.goto(f"{twin.url}/desk")
    await page.evaluate("document.hasFocus = () => false")
    await customer_writes(twin, number, "hello?")
    await expect(page.locator("#tickets .last")).to_have_text("hello?")
    assert not (await page.title()).startswith("●")
    await page.get_by_label("Sound and mark for what is new").check()
    await customer_writes(twin, number, "anybody?")
    await expect(page).to_have_title(re.compile("^● "))
    await page.keyboard.press("j")
    await expect(page).to_have_title(re.compile("^(?!●)"))
    await page.reload()
    await expect(page.get_by_label("Sound and mark for what is new")).to_be_checked()


async def test_the_gravest_ticket_is_on_top_and_the_keyboard_leads_everywhere(page: Page, twin: RunningTwin) -> None:
    await open_ticket(twin, subject="Later")
    grave = await open_ticket(twin, subject="Grave", priority="urgent")
    await page.goto(f"{twin.url}/desk")
    await expect(page.locator("#tickets small").first).to_have_text("Grave")
    await page.keyboard.press("j")
    await expect(page.locator("#subject")).to_have_text("Grave")
    await page.keyboard.press("Escape")
    await page.keyboard.press("n")
    await page.keyboard.type("seen")
    await page.keyboard.press("Control+Enter")
    await expect(page.locator(".comment.note").last).to_contain_text("seen")
    await page.keyboard.press("Escape")
    await page.keyboard.press("s")
    await page.keyboard.press("Tab")
    await page.keyboard.press("Enter")
    await expect(page.locator("#facts")).to_contain_text("solved")
    assert [one["status"] for one in await tickets(twin) if one["id"] == grave] == ["solved"]


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
