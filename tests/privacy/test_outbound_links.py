"""With `links` of shop.yml the assistant sends nobody to a stranger's site, whatever a row, a page or a model says."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.dialogue.output import WhatsAppOutput
from connectors.message_bus.inbox import Entry
from connectors.message_bus.turn import Turn
from connectors.whatsapp.rendering.messages import MessageShaper, PayloadSigner
from privacy.outbound_links import LINK, AllowedLinks

OURS = AllowedLinks(["oak.example", "dhl.com"], Path("/nowhere"), ["Write to https://help.oakhelp.example/contact."])


@pytest.mark.parametrize("url", [
    "https://oak.example", "https://www.oak.example/x?y=1", "http://OAK.EXAMPLE./a", "www.dhl.com/track", "dhl.com",
    "https://help.oakhelp.example/other",
])  # fmt: skip
def test_our_own_domains_and_what_lies_below_them_are_ours(url: str) -> None:
    assert OURS.permits(url)
    assert OURS.words(f"See {url} please") == f"See {url} please"


@pytest.mark.parametrize("url", [
    "https://evil.example", "https://oak.example.evil.com/a", "https://notoak.example", "https://oak.example@evil.com/",
    "https://evil.com\\@oak.example/", "https://evil.com#oak.example", "http://[::1]/", "http://10.0.0.1/x",
    "ftp://evil.example/oak.example", "whatsapp://send?text=oak.example", "www.evil.com", "evil.com", "Evil.co.uk/in",
    "wa.me/15550001", "bit.ly/x", "https://oak.example:80:evil/", "https://оak.example/", "evil.xn--p1ai/dhl.com",
])  # fmt: skip
def test_everywhere_else_is_not(url: str) -> None:
    assert not OURS.permits(url)
    assert OURS.words(f"Go on there: {url}") == ""
    assert url not in OURS.words(f"Pay at {url} now.")


@pytest.mark.parametrize("words", [
    "It costs Rs.500.", "Open 10.30am to 6.p.m.", "Write to help@evil.com", "Order ORD/2024/001 and WC-1001.",
    "A T-shirt, No.5, v1.2.3.", "and/or", "You can wear it.In the box is a card.",
])  # fmt: skip
def test_what_is_no_link_stays(words: str) -> None:
    assert OURS.words(words) == words


def test_only_the_link_goes_and_the_line_that_introduced_it() -> None:
    said = "It is on its way.\nTrack it: https://evil.example/10234\nAsk [our shop](https://evil.example) or dhl.com."
    assert OURS.words(said) == "It is on its way.\nAsk our shop or dhl.com."


def sent(message: dict[str, Any], kind: str = "message", links: AllowedLinks | None = OURS) -> list[dict[str, Any]]:
    turn = Turn(Entry(kind, "91", "w", {}), {})
    output = WhatsAppOutput(turn, MessageShaper(PayloadSigner("secret")), links)
    asyncio.run(output.send_response("91", message))
    return [reply.body for reply in turn.replies]


@pytest.mark.parametrize("message", [
    {"text": "It's on its way.\nTrack it: https://evil.example/t"},
    {"text": "A", "buttons": [{"title": "Go", "url": "https://evil.example/t"}, {"title": "Hi", "payload": "/greet"}]},
    {"text": "Look.", "image": "https://evil.example/p.png"},
    {"text": "Look.", "attachment": {"type": "file", "payload": {"src": "https://evil.example/p.pdf"}}},
    {"custom": {"type": "cta_url", "body": "Pay here", "button": "Pay", "url": "https://evil.example/pay"}},
    {"custom": {"type": "document", "link": "https://evil.example/p.pdf", "caption": "Your bill"}},
    {"text": "A", "custom": {"type": "list", "rows": [{"title": "evil.com", "payload": "/x"}, {"title": "#1"}]}},
    {"text": "A", "elements": [{"title": "A coat", "subtitle": "see evil.com", "image_url": "https://evil.example/c.png"}]},
])  # fmt: skip
def test_no_part_of_a_reply_leads_there_and_the_rest_is_said(message: dict[str, Any]) -> None:
    bodies = sent(message)
    assert bodies
    assert "evil" not in str(bodies)
    assert "evil" in str(sent(message, links=None))


def test_payloads_are_no_links() -> None:
    button = {"title": "#WC.in/1", "payload": '/inform_order_number{"order_number":"WC.in/1"}'}
    row = {"title": "One", "payload": button["payload"]}
    assert sent({"text": "Which?", "buttons": [row]}) == sent({"text": "Which?", "buttons": [row]}, links=None)


def test_an_agents_words_are_theirs() -> None:
    assert "evil" in str(sent({"text": "See https://evil.example"}, kind="agent_comment"))


def test_what_the_pages_link_to_is_allowed_once_they_are_saved(tmp_path: Path) -> None:
    links = AllowedLinks(["oak.example"], tmp_path)
    assert not links.permits("https://bank.example/pay")
    (tmp_path / "payment.md").write_text("# Paying\nAt [our bank](https://bank.example/shop).")
    assert links.permits("https://bank.example/pay")
    assert not links.permits("https://sub.bank.example/pay")


@given(st.text(alphabet="ab.:/\\@#?[]()in \n", max_size=60))
def test_after_cleaning_no_foreign_link_is_left(words: str) -> None:
    cleaned = OURS.words(f"{words} evil.com/{words} [a](https://{words}) {words}https://oak.example/{words}")
    assert [found.group() for found in LINK.finditer(cleaned) if not OURS.permits(found.group())] == []
