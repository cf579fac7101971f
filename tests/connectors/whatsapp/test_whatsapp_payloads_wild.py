"""Bodies that are no notifications, and notifications with anything anywhere."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.whatsapp.webhook.payloads import NotJson, parse_notification
from tests.connectors.whatsapp.payload_samples import parse
from tests.connectors.whatsapp.whatsapp_bodies import OUR_NUMBER, notification, value
from tests.examples import examples


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"\xff\xfe{}", b'{"a": NaN}', b"\xef\xbb\xbf{}", b"[" * 100_000, b"{}x", "{}".encode("utf-16")],
    ids=["empty", "cut off", "not UTF-8", "NaN", "byte order mark", "nested without end", "more after it", "UTF-16"],
)
def test_what_is_not_json_is_refused(body: bytes) -> None:
    with pytest.raises(NotJson):
        parse_notification(body, OUR_NUMBER)


@pytest.mark.parametrize("body", [b"[]", b"1", b'"x"', b"null", b"{}", b'{"object": "page", "entry": [{}]}'])
def test_json_that_is_no_notification_holds_nothing(body: bytes) -> None:
    assert parse_notification(body, OUR_NUMBER).messages == ()


def test_a_megabyte_of_digits_does_not_stop_us() -> None:
    body = b'{"entry": ' + b"9" * 1_000_000 + b"}"
    assert parse_notification(body, OUR_NUMBER).messages == ()


NAMES = st.sampled_from(
    # Every name that the reader looks at, so that wild values land in the right places.
    ["object", "entry", "changes", "field", "value", "metadata", "phone_number_id", "contacts",
     "messages", "statuses", "errors", "id", "from", "type", "text", "body", "interactive",
     "button_reply", "list_reply", "nfm_reply", "response_json", "title", "button", "payload", "image",
     "caption", "audio", "location", "order", "product_items", "reaction", "edit", "message", "revoke",
     "system", "wa_id", "user_id", "profile", "name", "timestamp", "context", "code", "origin",
     "phones", "vcard", "status", "error_data", "referral"]
)
KINDS = st.sampled_from(
    ["messages", "text", "image", "interactive", "contacts", "edit", "system", "order", "button_reply",
     "user_changed_number", "contact_request", OUR_NUMBER, "wamid.1"]
)  # fmt: skip
WILD = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12) | KINDS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES | st.text(max_size=5), inner, max_size=4),
    max_leaves=8,
)
PARTS = st.sampled_from(
    ["from", "text", "interactive", "button", "image", "contacts", "order", "context", "reaction", "edit", "system",
     "location", "timestamp", "origin", "errors"]
)  # fmt: skip
WILD_MESSAGE = st.builds(
    lambda kind, parts: {"id": "wamid.1", "from": "919800000000", "type": kind, **parts},
    KINDS,
    st.dictionaries(PARTS, WILD, max_size=4),
)


@pytest.mark.slow
@settings(max_examples=examples(150), deadline=None)
@given(WILD)
def test_arbitrary_json_never_raises(body: Any) -> None:
    for whole in (body, notification(body) if isinstance(body, dict) else [body], {"entry": body}):
        parse_notification(json.dumps(whole, allow_nan=False, default=str).encode() if _finite(whole) else b"{}", "1")


@pytest.mark.slow
@settings(max_examples=examples(100), deadline=None)
@given(st.lists(WILD_MESSAGE, max_size=2), WILD)
def test_arbitrary_messages_never_raise_and_what_is_read_can_be_stored(messages: list[Any], contacts: Any) -> None:
    body = notification(value(*messages, contacts=contacts, statuses=messages))
    if not _finite(body):
        return
    for found in parse(body).messages:
        kept = [found.metadata, found.content.text, found.content.typed]
        json.dumps(kept, allow_nan=False, ensure_ascii=False).encode()
        assert found.content.text is None or found.content.text.strip()
        assert found.content.kind != "text" or not (found.content.text or "").strip().startswith("/")


def _finite(body: Any) -> bool:
    try:
        json.dumps(body, allow_nan=False)
    except ValueError:
        return False
    return True
