"""The phone in the browser, in real Chromium, with an assistant that answers on cue."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, Request, expect

from launch import demo_orders
from tests.journeys.tabs import Tabs
from tests.twin.standin import Assistant, RunningTwin, running_twin

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module"), pytest.mark.xdist_group("browser")]
EVIL = "<img src=x onerror=\"document.title='owned'\"><script>document.title='owned'</script> *<b>bold</b>*"
LINKS = "Track https://track.example/AWB_1_2?a=1, not javascript:alert(1) or data:text/html,x."
KIRAN = "IN.8842017365520194"


async def answer(assistant: Assistant, message: dict[str, Any]) -> None:
    """What the page needs to show, on cue."""
    to = {"to": message["from"]} if "from" in message else {"recipient": message["from_user_id"]}
    await assistant.send({"status": "read", "message_id": message["id"], "typing_indicator": {"type": "text"}})
    if message["type"] == "interactive":
        chosen = message["interactive"][message["interactive"]["type"]]
        await assistant.send({**to, "type": "text", "text": {"body": f"You chose {chosen['id']}"}})
        return
    cue = message.get("text", {}).get("body", message["type"])
    bodies = {
        "typing": None,
        "buttons": interactive("button", "Which?", {"buttons": [button("y", "Yes"), button("n", "No")]}),
        "list": interactive("list", "Which order?", {"button": "Choose an order", "sections": [{"rows": [
            {"id": "o1", "title": "#10234", "description": "A <b>kurta</b>"}, {"id": "o2", "title": "#10235"}]}]}),
        "link": interactive("cta_url", "Follow it", {"name": "cta_url", "parameters": {
            "display_text": "Track parcel", "url": "https://track.example/1"}}),
        "evil": {"type": "text", "text": {"body": EVIL}},
        "links": {"type": "text", "text": {"body": LINKS}},
        "number": interactive("request_contact_info", "Your number?", {"name": "request_contact_info"}),
        "quote": {"type": "text", "text": {"body": "quoting you"}, "context": {"message_id": message["id"]}},
        "styled": {"type": "text", "text": {"body": "*bold* _it_ ~no~ ```code``` 2*3*4 snake_case_name\n- one"}},
        "long": {"type": "text", "text": {"body": "word " * 400}},
    }
    body = bodies.get(cue, {"type": "text", "text": {"body": f"echo: {cue}"}} if len(cue) < 4000 else None)
    if body is not None:
        status, refused = await assistant.send({**to, **body})
        assert status == 200, refused


def interactive(kind: str, text: str, action: dict[str, Any]) -> dict[str, Any]:
    return {"type": "interactive", "interactive": {"type": kind, "body": {"text": text}, "action": action}}


def button(identifier: str, title: str) -> dict[str, Any]:
    return {"type": "reply", "reply": {"id": identifier, "title": title}}


@pytest_asyncio.fixture(loop_scope="module")
async def twin(tmp_path: Path) -> AsyncIterator[RunningTwin]:
    async with running_twin(tmp_path, answer) as running:
        yield running


@pytest_asyncio.fixture(loop_scope="module")
async def page(tabs: Tabs, twin: RunningTwin) -> AsyncIterator[Page]:
    """The page at desktop size; fails the test when a script failed or something outside was asked for."""
    outside: list[str] = []

    def note(request: Request) -> None:
        if not request.url.startswith((twin.url, "blob:", "data:", "about:")):
            outside.append(request.url)

    async with tabs.page({"width": 1200, "height": 860}) as opened:
        opened.on("request", note)
        await opened.goto(twin.url)
        await expect(opened.locator("#presence")).to_have_text("online")
        yield opened
        opened.remove_listener("request", note)
    assert outside == []


async def say(page: Page, text: str) -> None:
    await page.locator("#text").fill(text)
    await page.locator("#text").press("Enter")


def replies(page: Page) -> Any:
    return page.locator("li.row.in:not(.typing-row)")


async def test_a_message_is_sent_with_enter_and_answered(page: Page, twin: RunningTwin) -> None:
    await say(page, "hello")
    await expect(replies(page).last).to_contain_text("echo: hello")
    await expect(page.locator("li.row.out .ticks")).to_have_attribute("data-status", "read")
    await expect(page.locator("#text")).to_have_value("")
    await expect(page.locator("li.row.out")).to_have_count(1)
    await twin.until(lambda: [s["status"] for s in twin.assistant.delivery_statuses] == ["sent", "delivered", "read"])


async def test_shift_enter_makes_a_new_line(page: Page) -> None:
    await page.locator("#text").fill("one")
    await page.locator("#text").press("Shift+Enter")
    await page.locator("#text").type("two")
    await page.locator("#text").press("Enter")
    await expect(page.locator("li.row.out .words").last).to_have_text("one\ntwo")


async def test_the_shop_is_seen_typing_until_it_writes(page: Page, twin: RunningTwin) -> None:
    await say(page, "typing")
    await expect(page.locator("#presence")).to_have_text("typing…")
    await expect(page.locator(".typing-row")).to_be_visible()
    await twin.assistant.text(next(key for key in twin.network.chats if key.isdigit()), "here I am")
    await expect(page.locator("#presence")).to_have_text("online")
    await expect(page.locator(".typing-row")).to_have_count(0)


async def test_a_button_is_pressed_once_and_quotes_its_question(page: Page) -> None:
    await say(page, "buttons")
    await page.get_by_role("button", name="Yes", exact=True).click()
    await expect(replies(page).last).to_contain_text("You chose y")
    await expect(page.locator("li.row.out .quote").last).to_contain_text("Which?")
    await expect(page.get_by_role("button", name="Yes", exact=True)).to_be_disabled()
    await expect(page.get_by_role("button", name="No", exact=True)).to_be_enabled()


async def test_a_list_opens_and_a_row_is_picked(page: Page) -> None:
    await say(page, "list")
    await page.get_by_role("button", name="Choose an order").click()
    sheet = page.get_by_role("dialog")
    await expect(sheet).to_contain_text("A <b>kurta</b>")
    await expect(sheet.get_by_role("button", name="Send")).to_be_disabled()
    await sheet.get_by_text("#10234").click()
    await sheet.get_by_role("button", name="Send").click()
    await expect(replies(page).last).to_contain_text("You chose o1")
    await expect(sheet).to_have_count(0)


async def test_a_list_works_with_the_keyboard_alone(page: Page) -> None:
    await say(page, "list")
    opener = page.get_by_role("button", name="Choose an order")
    await opener.focus()
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("dialog")).to_be_visible()
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("dialog")).to_have_count(0)
    await expect(opener).to_be_focused()
    await page.keyboard.press("Enter")
    await page.keyboard.press("ArrowDown")
    await page.keyboard.press("Enter")
    await expect(replies(page).last).to_contain_text("You chose o2")


async def test_what_anybody_writes_is_text_and_never_markup(page: Page) -> None:
    await say(page, "evil")
    await expect(replies(page).last.locator(".words")).to_contain_text("<img src=x onerror=")
    await say(page, EVIL)
    await expect(page.locator("li.row.out .words").last).to_contain_text("<script>")
    assert await page.locator("#messages .words img, #messages script, #messages .words b").count() == 0
    assert "owned" not in await page.title()


async def test_only_web_addresses_become_links_and_they_tell_nothing(page: Page) -> None:
    await say(page, "links")
    links = replies(page).last.locator("a")
    await expect(links).to_have_count(1)
    await expect(links).to_have_attribute("href", "https://track.example/AWB_1_2?a=1")
    await expect(links).to_have_attribute("rel", "noopener noreferrer nofollow")
    await say(page, "link")
    await expect(page.get_by_role("link", name="Track parcel")).to_have_attribute("href", "https://track.example/1")


async def test_whatsapps_formatting_is_shown(page: Page) -> None:
    await say(page, "styled")
    words = replies(page).last.locator(".words")
    await expect(words.locator("strong")).to_have_text(["bold"])
    await expect(words.locator("em")).to_have_text(["it"])
    await expect(words.locator("s")).to_have_text(["no"])
    await expect(words.locator("code")).to_have_text(["code"])
    await expect(words).to_contain_text("2*3*4 snake_case_name")
    await expect(words.locator(".item")).to_have_text(["one"])


async def test_a_long_message_is_folded_and_unfolds(page: Page) -> None:
    await say(page, "long")
    more = page.get_by_role("button", name="Read more")
    # The page redraws a row when its ticks change, so its height is asked of whatever stands there now.
    height = "row => row.getBoundingClientRect().height"
    await expect(more).to_be_visible()
    folded = await replies(page).last.evaluate(height)
    await more.click()
    await expect(more).to_have_count(0)
    assert await replies(page).last.evaluate(height) > folded + 100


async def test_a_text_made_of_markers_does_not_stop_the_page(page: Page) -> None:
    await page.locator("#text").fill(" *a _b ~c" * 7000)
    await page.locator("#text").press("Enter")
    await expect(page.locator("li.row.out")).to_have_count(1, timeout=4000)
    await expect(replies(page)).to_have_count(0)


async def test_a_reload_keeps_the_conversation_and_who_holds_the_phone(page: Page) -> None:
    await page.locator(".customer").last.click()
    await say(page, "remember me")
    await expect(replies(page).last).to_contain_text("echo: remember me")
    await page.reload()
    await expect(replies(page).last).to_contain_text("echo: remember me")
    await expect(page.locator(".customer[aria-current]")).to_have_attribute("data-key", KIRAN)


async def test_a_customer_without_a_number_can_share_it(page: Page, twin: RunningTwin) -> None:
    await page.locator(f'.customer[data-key="{KIRAN}"]').click()
    await say(page, "number")
    await page.get_by_role("button", name="Share phone number").click()
    await expect(replies(page).last).to_contain_text("echo: contacts")
    assert twin.assistant.messages[-1]["origin"] == "contact_request"


async def test_a_number_of_ones_own_can_be_used(page: Page, twin: RunningTwin) -> None:
    await page.get_by_label("A number of your own").fill("+91 91234 56789")
    await page.get_by_role("button", name="Use", exact=True).click()
    await expect(page.locator(".customer[aria-current]")).to_have_attribute("data-key", "919123456789")
    await say(page, "hi")
    await expect(replies(page).last).to_contain_text("echo: hi")
    assert twin.assistant.messages[-1]["from"] == "919123456789"


async def test_another_customers_news_is_an_unread_badge(page: Page, twin: RunningTwin) -> None:
    await twin.write(customer=KIRAN, text="hello")
    await expect(page.locator(f'.customer[data-key="{KIRAN}"] .unread')).to_have_text("1")
    await expect(page).to_have_title("(1) Marigold on WhatsApp")
    await page.locator(f'.customer[data-key="{KIRAN}"]').click()
    await expect(page.locator(".unread")).to_have_count(0)
    await twin.until(lambda: "read" in [status["status"] for status in twin.assistant.delivery_statuses])


async def test_the_shops_quotes_and_the_customers_quotes_are_shown(page: Page, twin: RunningTwin) -> None:
    await say(page, "quote")
    await expect(replies(page).last.locator(".quote")).to_contain_text("quote")
    await replies(page).last.hover()
    await page.get_by_role("button", name="Reply to this message").last.click()
    await say(page, "about that")
    await expect(page.locator("li.row.out .quote").last).to_contain_text("quoting you")
    await twin.until(lambda: twin.assistant.messages[-1].get("context", {}).get("id"))


async def test_an_assistant_that_is_away_is_named_kindly_and_catches_up(page: Page, twin: RunningTwin) -> None:
    twin.network.webhooks.first_retry_s = 0.3
    twin.assistant.statuses = [503, 503]
    await say(page, "are you there?")
    await expect(page.locator(".trouble")).to_contain_text("WhatsApp keeps trying")
    await expect(replies(page).last).to_contain_text("echo: are you there?")
    await expect(page.locator(".trouble")).to_have_count(0)


async def test_a_photo_is_sent_and_shown(page: Page, twin: RunningTwin) -> None:
    await page.get_by_role("button", name="Attach").click()
    await page.get_by_role("button", name="A photo of a torn parcel").click()
    picture = page.locator("li.row.out img.picture")
    await expect(picture).to_be_visible()
    assert await picture.evaluate("node => node.decode().then(() => node.naturalWidth)") == 320
    await twin.until(lambda: twin.assistant.messages)


@pytest.mark.parametrize("width", [1280, 390])
async def test_the_message_box_is_two_keys_away_and_has_no_scrollbar(page: Page, width: int) -> None:
    await page.set_viewport_size({"width": width, "height": 844})
    for cue in ("buttons", "links", "long"):
        await say(page, cue)
        await expect(replies(page).last).to_be_visible()
    box = page.locator("#text")
    assert await box.evaluate("box => getComputedStyle(box).overflowY") == "hidden"
    await page.reload()
    await expect(replies(page)).to_have_count(3)
    await page.keyboard.press("Tab")
    await page.keyboard.press("Enter")
    await page.keyboard.type("here")
    await expect(box).to_have_value("here")
    await page.locator("#messages").focus()
    await page.keyboard.press("ArrowUp")
    await page.keyboard.press("ArrowUp")
    await page.keyboard.press("ArrowUp")
    await expect(page.get_by_role("button", name="Yes", exact=True)).to_be_focused()


async def test_a_customers_own_orders_and_messages_worth_sending_are_shown(
    browser: Browser, tmp_path: Path
) -> None:
    demo_orders.seed(f"sqlite:///{tmp_path}/orders.db", date(2026, 11, 29))
    demo_orders.write_customers(tmp_path, [replace(demo_orders.ASHA, tries=("Return 10187",))])
    async with running_twin(tmp_path) as running:
        opened = await browser.new_page(viewport={"width": 1280, "height": 900})
        await opened.goto(running.url)
        await expect(opened.locator("#suggestions button").first).to_have_text("Return 10187")
        await opened.get_by_role("button", name="#10234").click()
        await expect(opened.locator("#text")).to_have_value("10234")
        await opened.close()


async def test_emoji_and_right_to_left_text_survive(page: Page, twin: RunningTwin) -> None:
    await say(page, "مرحبا 👩‍👩‍👧 नमस्ते")
    await expect(replies(page).last).to_contain_text("echo: مرحبا 👩‍👩‍👧 नमस्ते")
    assert twin.assistant.messages[-1]["text"]["body"] == "مرحبا 👩‍👩‍👧 नमस्ते"


async def test_many_quick_messages_stay_in_order(page: Page, twin: RunningTwin) -> None:
    for n in range(12):
        await say(page, f"quick {n}")
    await expect(replies(page)).to_have_count(12)
    shown = await page.locator("li.row.out .words").all_inner_texts()
    assert [text.strip() for text in shown] == [f"quick {n}" for n in range(12)]
    assert [message["text"]["body"] for message in twin.assistant.messages] == [f"quick {n}" for n in range(12)]


async def test_on_a_small_screen_the_chat_fills_it_and_back_leads_to_the_customers(page: Page) -> None:
    await page.set_viewport_size({"width": 360, "height": 640})
    await expect(page.locator("#panel")).to_be_hidden()
    await say(page, "buttons")
    await expect(page.get_by_role("button", name="Yes", exact=True)).to_be_in_viewport()
    wide = await page.evaluate("document.documentElement.scrollWidth > innerWidth")
    await page.get_by_role("button", name="Back to the customers").click()
    await expect(page.locator("#panel")).to_be_visible()
    await page.locator(".customer").first.click()
    await expect(page.locator("#text")).to_be_visible()
    assert wide is False


async def test_a_lost_twin_is_said_and_the_words_are_kept(page: Page, twin: RunningTwin) -> None:
    await page.route("**/messages", lambda route: route.abort())
    await say(page, "keep me")
    await expect(page.locator(".trouble")).to_contain_text("Not sent")
    await page.unroute("**/messages")
    await page.get_by_role("button", name="Try again").click()
    await expect(replies(page).last).to_contain_text("echo: keep me")
    await expect(page.locator("li.row.out")).to_have_count(1)
    await asyncio.sleep(0)
