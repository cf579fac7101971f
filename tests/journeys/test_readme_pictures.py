"""The pictures of README and docs, of the product as it is: `PICTURES=1 pytest tests/journeys/test_readme_pictures.py`.

Without PICTURES they are made and thrown away, so that what they show is known to be there.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect, sync_playwright

from launch.processes import PROJECT_ROOT
from tests.journeys.conftest import FLAGS
from tests.journeys.shop import Shop

pytestmark = [pytest.mark.browser]
KEPT = PROJECT_ROOT / "docs" / "images"
MIN_BYTES = 30_000


@pytest.fixture
def page(chromium: str) -> Iterator[Page]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        yield browser.new_page(viewport={"width": 1280, "height": 860}, color_scheme="light")
        browser.close()


def shoot(page: Page, name: str, folder: Path) -> None:
    path = (KEPT if os.environ.get("PICTURES") else folder) / name
    page.screenshot(path=path)
    assert path.stat().st_size > MIN_BYTES


def play(shop: Shop, scenario: str) -> str:
    """The customer's key."""
    answer = shop.twin.post(f"/scenarios/{scenario}/play", json={"speed": 0, "wait": True})
    answer.raise_for_status()
    return str(answer.json()["customer"])


def test_the_pictures_show_a_chat_its_reasons_the_desk_and_the_dashboard(
    shop: Shop, page: Page, tmp_path: Path
) -> None:
    until = time.monotonic() + 60
    while shop.twin.get("/console/why.js").status_code != 200:  # it starts last, and the page asks for it once
        assert time.monotonic() < until, "there is no inspector"
        time.sleep(0.2)
    customers = [play(shop, "1_question_and_answer"), play(shop, "5_a_person_takes_over")]
    page.goto(f"{shop.twin_url}/#/919876543210")
    page.get_by_role("tab", name="Why?").click()
    page.locator(".turn-head", has_text="where is my order").first.click()
    expect(page.locator(".why")).to_contain_text("data/rules/order_status.yml")
    shoot(page, "phone.png", tmp_path)
    page.goto(f"{shop.twin_url}/desk#/{shop.tickets()[-1]['id']}")
    expect(page.locator(".comment.agent")).to_be_visible()
    expect(page.locator(".order").first).to_be_visible()
    shoot(page, "desk.png", tmp_path)
    page.goto(f"{shop.twin_url}/console/")
    expect(page.locator(".tile").first).to_be_visible()
    shoot(page, "dashboard.png", tmp_path)
    page.goto(f"{shop.twin_url}/faults")
    expect(page.locator(".count").first).to_be_visible()
    shoot(page, "faults.png", tmp_path)
    for customer in customers:  # other journeys meet them as they were
        shop.twin.post(f"/phone/api/chats/{customer}/start-over", json={}).raise_for_status()
