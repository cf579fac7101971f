"""What reads input that others make, each with what may be put into it and what has to hold whatever it is.

A test runs each shortly; `python -m tests.fuzz --minutes 60` for long, and keeps in `corpus.json` what it found
worth keeping: the tests read that first.
"""

from __future__ import annotations

import datetime as dt
import json
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml
from hypothesis import given, target
from hypothesis import strategies as st

import shop
from actions.knowledge.pages import documents
from actions.orders.rows import RowReader
from connectors.whatsapp.webhook.payloads import NotJson, parse_notification
from handoff.helpdesks import zendesk_events
from handoff.updates import events as shop_events
from privacy.outbound_links import LINK, AllowedLinks

NUMBER = "106540352242922"
NOW = 1_800_000_000.0
TEXT = st.text(max_size=40)
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | TEXT | st.dates() | st.datetimes()


def nested(names: list[str], words: list[str]) -> st.SearchStrategy[Any]:
    """Anything, where the reader looks: under names that it knows, with words that it knows."""
    leaves = SCALARS | st.sampled_from(words)
    keys = st.sampled_from(names) | TEXT
    return st.recursive(leaves, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(keys, inner, max_size=5),
                        max_leaves=25)  # fmt: skip


def body(names: list[str], words: list[str]) -> st.SearchStrategy[bytes]:
    """Bytes, and JSON of such things."""
    made = st.dictionaries(st.sampled_from(names), nested(names, words), max_size=8)
    return st.binary(max_size=200) | made.map(lambda value: json.dumps(value, default=str).encode())


@given(body(
    ["object", "entry", "changes", "field", "value", "metadata", "phone_number_id", "contacts", "messages", "statuses",
     "id", "from", "type", "text", "body", "interactive", "button_reply", "context", "timestamp", "errors", "wa_id"],
    ["whatsapp_business_account", "messages", "text", "interactive", "image", NUMBER, "wamid.1", "1800000000"],
))  # fmt: skip
def webhook(raw: bytes) -> None:
    """Meta's notifications: read, or refused as no JSON."""
    try:
        found = parse_notification(raw, NUMBER)
    except NotJson:
        return
    target(float(len(found.messages)), label="messages")


@given(body(
    ["type", "detail", "event", "comment", "id", "body", "author", "is_public", "is_staff", "ticket_id", "external_id",
     "status", "current", "previous", "time", "subject", "account_id", "name"],
    ["zen:event-type:ticket.comment_added", "zen:event-type:ticket.status_changed", "SOLVED", "handoff:1", "true"],
))  # fmt: skip
def helpdesk_webhook(raw: bytes) -> None:
    """Zendesk's events: read, of no interest, or refused."""
    try:
        event = zendesk_events.parse_event(raw, NOW)
    except zendesk_events.NotAnEvent:
        return
    if event is not None and event.comment is not None:
        json.dumps(event.comment.text).encode()  # can be stored


@given(body(["event_id", "type", "order_id", "occurred_at"],
            ["order.shipped", "order.delivered", "10234", "e1", "2026-11-23T09:00:00Z"]))  # fmt: skip
def shop_webhook(raw: bytes) -> None:
    """The shop's events: complete, of this time, or refused."""
    try:
        event = shop_events.parse_event(raw, NOW)
    except shop_events.NotAnEvent:
        return
    assert event.event_id
    assert 0 < len(event.order_id) <= 80
    assert 0 < event.occurred_at <= NOW


SHOP_KEYS = [
    "name", "region", "languages", "currency", "time_zone", "opening_hours", "holidays", "ticket_prefix", "orders",
    "updates", "quiet_hours", "message_costs", "actions", "links", "monday", "id_examples", "id_pattern", "statuses",
    "order.shipped", "text", "template", "rates", "default", "utility", "free_service_messages", "monthly_budget",
]  # fmt: skip
SHOP_WORDS = ["GB", "en", "GBP", "Europe/London", "09:00-17:30", "OS", "WC-1001", "delivered", "cancel", "a.example"]


@given(
    st.dictionaries(st.sampled_from(SHOP_KEYS), nested(SHOP_KEYS, SHOP_WORDS), max_size=8).map(yaml.safe_dump)
    | st.text(alphabet="ab:-[]{}&*!#>|\"'\n ,0", max_size=120).map(lambda text: f"name: Oak\n{text}")
)
def shop_yml(text: str) -> None:
    """A shop's file: usable, or each mistake with the file and a remedy."""
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / shop.FILE).write_text(text, encoding="utf-8", errors="surrogatepass")
        found, mistakes = shop.examine(Path(folder))
    assert (found is None) == bool(mistakes)
    assert all(shop.FILE in str(one) for one in mistakes)


MARKS = ["# ", "## ", "**", "- ", "| a | b |\n", "|---|---|\n", "<h1>", "</h1>", "<p>", "<table><tr><td>", "</td>",
         "[x](", "](http://a.example)", "<!-- asked as\n", "-->", "---\n", "```", "&nbsp;", "\n\n", "\t", "<script>",
         "<li>", "1. "]  # fmt: skip


@given(
    st.lists(st.sampled_from(MARKS) | TEXT, max_size=30).map(lambda parts: "".join(parts).encode("utf-8", "replace"))
    | st.binary(max_size=200),
    st.sampled_from(["page.md", "page.txt", "page.html"]),
)
def page(content: bytes, name: str) -> None:
    """A shop's page: sections, or a mistake that names the file."""
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / name).write_bytes(content)
        pages, mistakes = documents.examine(Path(folder))
    assert all(name in said for _, said in mistakes)
    sections = [section for found in pages.values() for section in found.sections]
    keys = [section.key for section in sections]
    assert len(set(keys)) == len(keys), "each section has a name of its own"
    assert all(section.text.strip() for section in sections)


COLUMNS = ["order_id", "customer_phone", "status", "estimated_delivery", "carrier", "tracking_number", "tracking_url",
           "placed_at", "delivered_at"]  # fmt: skip
CELLS = SCALARS | st.binary(max_size=40) | st.decimals() | st.times() | st.sampled_from(
    ["https://a.example/[x]", "2026-11-23", "23.11.26", "+44 7700 900123", "shipped", "0[", "NULL", "javascript:1"]
)  # fmt: skip


@given(st.fixed_dictionaries(dict.fromkeys(COLUMNS, CELLS)), st.sampled_from(["GB", "IN", "US", "BR"]))
def orders_row(row: dict[str, Any], region: str) -> None:
    """A row of the orders table: read, with nothing in it that cannot be said."""
    order = RowReader(region, "Europe/London", {}).order(row)
    said = f"{order.number}{order.carrier}{order.tracking_number}{order.tracking_url}{order.status_said}"
    assert all(c.isprintable() for c in said)
    assert len(order.carrier or "") <= 60
    assert order.urgency >= (0, dt.date.min)
    assert order.tracking_url is None or order.tracking_url.startswith(("http://", "https://", "HTTP", "Http"))


LINKS = AllowedLinks(["oak.example"], Path("/nowhere"))
PIECES = ["evil.com", "https://", "oak.example", "/", "\\", "@", "#", "[", "](", ")", "(", " ", "\n", ".", "www.", ":"]


@given(st.lists(st.sampled_from(PIECES) | st.text(max_size=5), max_size=20).map("".join))
def outbound_links(text: str) -> None:
    """Words with links: no foreign one is left, and cleaning them again changes nothing."""
    kept = LINKS.words(text)
    assert [found.group() for found in LINK.finditer(kept) if not LINKS.permits(found.group())] == []
    assert LINKS.words(kept) == kept


TARGETS: tuple[Callable[[], None], ...] = (
    webhook, helpdesk_webhook, shop_webhook, shop_yml, page, orders_row, outbound_links,
)  # fmt: skip
