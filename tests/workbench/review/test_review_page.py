"""Labelling in the browser: the page works, and only the person who was given its address can use it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Page, expect, sync_playwright

from workbench.review.command import Review
from workbench.review.server import ReviewServer

LABEL = {"cluster": 0, "phrases": ["parcel kidhar reh gaya bhai"], "intent": "check_order_status"}


@pytest.fixture
def server(review: Review) -> Iterator[ReviewServer]:
    review.guess = lambda text: ("check_order_status", 0.55)
    with ReviewServer(review) as running:
        thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        yield running
        running.shutdown()
        thread.join()


def post(server: ReviewServer, wish: object = LABEL, **headers: str) -> httpx.Response:
    given = {"X-Review-Token": server.token, **{name.replace("_", "-"): value for name, value in headers.items()}}
    return httpx.post(server.url, json=wish, headers=given)


def test_a_label_is_written_and_its_place_is_told(server: ReviewServer, general: Path) -> None:
    response = post(server)
    assert response.json() == [
        {"kind": "added", "phrase": "parcel kidhar reh gaya bhai", "said": f"added: {general}:9"}
    ]
    assert "    - parcel kidhar reh gaya bhai\n" in general.read_text()
    assert post(server).json()[0]["kind"] == "there"


def test_a_skip_is_remembered_and_writes_nothing(server: ReviewServer, general: Path, review: Review) -> None:
    before = general.read_text()
    assert post(server, {"cluster": 1, "phrases": []}).json() == []
    assert general.read_text() == before
    assert not any(review.reviewed.is_new(case.text, case.at) for case in review.clusters[1].cases)


def test_a_refused_label_leaves_the_group_to_be_done(server: ReviewServer, review: Review) -> None:
    assert post(server, {**LABEL, "intent": "no_such"}).json()[0]["kind"] == "refused"
    assert review.reviewed.is_new(review.clusters[0].wordings[0].text, review.clusters[0].latest)


def test_without_the_token_nothing_is_shown_or_written(server: ReviewServer, general: Path) -> None:
    before = general.read_text()
    base = f"http://{server.authority}"
    for path in ("/", "/guess/", f"/{server.token}"):
        assert httpx.get(base + path, timeout=30).status_code == 404
    assert post(server, X_Review_Token="guess").status_code == 403
    assert httpx.post(server.url, json=LABEL).status_code == 403
    assert general.read_text() == before


@pytest.mark.parametrize(
    ("name", "value"), [("Origin", "https://evil.example"), ("Origin", "null"), ("Host", "evil.example")]
)
def test_another_sites_page_can_do_nothing_even_with_the_token(
    server: ReviewServer, general: Path, name: str, value: str
) -> None:
    before = general.read_text()
    assert post(server, **{name: value}).status_code == 403
    assert general.read_text() == before
    assert httpx.get(server.url, headers={"Host": "evil.example"}, timeout=30).status_code == 404


@pytest.mark.parametrize(
    "wish",
    [
        {},
        [],
        "x",
        None,
        {"cluster": 99},
        {"cluster": -1},
        {"cluster": True},
        {"cluster": 0, "phrases": [1]},
        {"cluster": 0, "phrases": 5},
    ],
)
def test_a_wish_that_is_none_is_refused(server: ReviewServer, general: Path, wish: object) -> None:
    before = general.read_text()
    assert post(server, wish).status_code == 400
    assert general.read_text() == before


def test_a_body_that_is_too_large_is_not_read(server: ReviewServer) -> None:
    assert post(server, {"cluster": 0, "phrases": ["x" * 100_000]}).status_code == 413


def test_the_page_needs_nothing_from_elsewhere_and_customers_words_stay_words(server: ReviewServer) -> None:
    page = httpx.get(server.url, timeout=30)
    assert "<b>gift wrap" not in page.text
    assert "http" not in page.text.replace("http-equiv", "")
    policy = page.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert page.headers["Cache-Control"] == "no-store"
    assert server.server_address[0] == "127.0.0.1"


@pytest.fixture
def page(chromium: str) -> Iterator[Page]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--headless", "--no-sandbox"])
        yield browser.new_page()
        browser.close()


@pytest.mark.browser
@pytest.mark.xdist_group("browser")
def test_a_designer_labels_corrects_and_skips_in_the_browser(
    page: Page, server: ReviewServer, general: Path, project: Path
) -> None:
    mistakes: list[str] = []
    page.on("console", lambda message: mistakes.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: mistakes.append(str(error)))
    page.goto(server.url)
    parcel, gift = page.locator("article").all()
    expect(parcel).to_contain_text("4 messages")
    expect(parcel).to_contain_text("written: Bhai parcel kidhar reh gaya 45678 call [phone]")
    parcel.get_by_role("textbox").nth(1).fill("parcel kidhar hai order 45678")
    parcel.get_by_role("button", name="check_order_status").click()
    expect(parcel.locator(".added")).to_have_count(2)
    assert "    - parcel kidhar hai order 10234\n" in general.read_text()
    gift.get_by_label("held-out").check()
    gift.get_by_label("intent").select_option("greet")
    expect(gift.locator(".added")).to_contain_text("from_the_log.yml")
    expect(page.locator("#progress")).to_contain_text("0 of 2 groups left, 3 phrases added.")
    assert "<b>gift wrap</b> available?" in (project / "tests/nlu/held_out/from_the_log.yml").read_text()
    assert mistakes == []
