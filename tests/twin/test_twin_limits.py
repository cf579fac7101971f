"""Meta's limits, each at its edge and one past it."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twin.whatsapp.limits import check_message, check_read_receipt

Body = dict[str, Any]


def message(kind: str, content: Any, **more: Any) -> Body:
    return {"messaging_product": "whatsapp", "to": "+919876543210", "type": kind, kind: content, **more}


def text(body: str = "hello", **more: Any) -> Body:
    return message("text", {"body": body}, **more)


def interactive(kind: str, action: Any, body: str = "Choose", **more: Any) -> Body:
    return message("interactive", {"type": kind, "body": {"text": body}, "action": action, **more})


def buttons(*replies: tuple[str, str], body: str = "Choose", **more: Any) -> Body:
    made = [{"type": "reply", "reply": {"id": identifier, "title": title}} for identifier, title in replies]
    return interactive("button", {"buttons": made}, body, **more)


def rows(count: int, start: int = 0) -> list[Body]:
    return [{"id": f"r{n}", "title": f"Row {n}"} for n in range(start, start + count)]


def listing(*sections: Body, button: str = "Choose", body: str = "Which?", **more: Any) -> Body:
    return interactive("list", {"button": button, "sections": list(sections)}, body, **more)


def one_row(**row: Any) -> Body:
    return listing({"rows": [{"id": "r", "title": "Row", **row}]})


def link(title: str = "Track", url: str = "https://track.example/1", **more: Any) -> Body:
    return interactive("cta_url", {"name": "cta_url", "parameters": {"display_text": title, "url": url}}, **more)


def titled(count: int) -> Body:
    return listing(*[{"title": f"S{n}", "rows": rows(1, n)} for n in range(count)])


ACCEPTED = {
    "text of 4096": text("x" * 4096),
    "text without type": {"messaging_product": "whatsapp", "to": "919876543210", "text": {"body": "hi"}},
    "callback data of 512": text(biz_opaque_callback_data="k" * 512),
    "quoted": text(context={"message_id": "wamid.x"}),
    "user id as recipient": {"messaging_product": "whatsapp", "recipient": "IN.12ab", "text": {"body": "x"}},
    "three buttons, title of 20, id of 256": buttons(("a" * 256, "t" * 20), ("b", "B"), ("c", "C")),
    "button body of 1024": buttons(("a", "A"), body="x" * 1024),
    "ten rows": listing({"rows": rows(10)}),
    "ten rows in two sections": listing({"title": "A", "rows": rows(5)}, {"title": "B", "rows": rows(5, 5)}),
    "ten sections": titled(10),
    "row title 24, description 72, id 200": one_row(id="i" * 200, title="t" * 24, description="d" * 72),
    "list button of 20": listing({"rows": rows(1)}, button="b" * 20),
    "section title of 24": listing({"title": "t" * 24, "rows": rows(1)}, {"title": "u", "rows": rows(1, 1)}),
    "list body of 1024": listing({"rows": rows(1)}, body="x" * 1024),
    "header of 60": buttons(("a", "A"), header={"type": "text", "text": "h" * 60}),
    "footer of 60": buttons(("a", "A"), footer={"text": "f" * 60}),
    "image header": buttons(("a", "A"), header={"type": "image", "image": {"link": "https://x.example/a.png"}}),
    "link title of 20": link("t" * 20),
    "image caption of 1024": message("image", {"link": "https://x.example/a.png", "caption": "c" * 1024}),
    "document": message("document", {"id": "12", "filename": "invoice.pdf", "caption": "Invoice"}),
    "location": message("location", {"latitude": 12.9, "longitude": "77.5", "name": "Shop"}),
    "reaction taken back": message("reaction", {"message_id": "wamid.x", "emoji": ""}),
    "template": message("template", {"name": "reopen", "language": {"code": "en"}, "components": []}),
    "contacts": message("contacts", [{"name": {"formatted_name": "Shop"}}]),
    "request for a contact": interactive("request_contact_info", {"name": "request_contact_info"}),
    "request for a location": interactive("location_request_message", {"name": "send_location"}),
}

REFUSED = {
    "text of 4097": (text("x" * 4097), 100),
    "empty text": (text(""), 131008),
    "blank text": (text(" \n "), 131008),
    "callback data of 513": (text(biz_opaque_callback_data="k" * 513), 100),
    "no addressee": ({"messaging_product": "whatsapp", "type": "text", "text": {"body": "x"}}, 131008),
    "an addressee that is no number": ({**text(), "to": "asha"}, 131009),
    "a malformed user id": ({**text(), "recipient": "India.1"}, 131009),
    "another product": ({**text(), "messaging_product": "messenger"}, 100),
    "an unknown type": (message("poll", {}), 100),
    "an unknown key": (text(silent=True), 100),
    "an unknown key inside": (message("text", {"body": "x", "size": 1}), 100),
    "content of another type": ({**text(), "type": "image"}, 100),
    "a number as text": (message("text", {"body": 5}), 100),
    "four buttons": (buttons(("a", "A"), ("b", "B"), ("c", "C"), ("d", "D")), 131009),
    "no buttons": (buttons(), 131009),
    "button title of 21": (buttons(("a", "t" * 21)), 131009),
    "button id of 257": (buttons(("a" * 257, "A")), 100),
    "button id with a space before": (buttons((" a", "A")), 131009),
    "equal button titles": (buttons(("a", "A"), ("b", "A")), 131009),
    "equal button ids": (buttons(("a", "A"), ("a", "B")), 131009),
    "an empty button title": (buttons(("a", "")), 131008),
    "button body of 1025": (buttons(("a", "A"), body="x" * 1025), 100),
    "eleven rows": (listing({"rows": rows(11)}), 131009),
    "eleven rows in two sections": (
        listing({"title": "A", "rows": rows(6)}, {"title": "B", "rows": rows(5, 6)}), 131009),
    "eleven sections": (titled(11), 131009),
    "a section without title among several": (
        listing({"rows": rows(1)}, {"title": "B", "rows": rows(1, 1)}), 131008),
    "equal row ids": (listing({"rows": [*rows(1), *rows(1)]}), 131009),
    "row title of 25": (one_row(title="t" * 25), 100),
    "row description of 73": (one_row(description="d" * 73), 100),
    "row id of 201": (one_row(id="i" * 201), 100),
    "list button of 21": (listing({"rows": rows(1)}, button="b" * 21), 100),
    "section title of 25": (listing({"title": "t" * 25, "rows": rows(1)}), 100),
    "list body of 1025": (listing({"rows": rows(1)}, body="x" * 1025), 100),
    "a picture above a list": (
        listing({"rows": rows(1)}, header={"type": "image", "image": {"id": "1"}}), 131009),
    "header of 61": (buttons(("a", "A"), header={"type": "text", "text": "h" * 61}), 100),
    "footer of 61": (buttons(("a", "A"), footer={"text": "f" * 61}), 100),
    "link title of 21": (link("t" * 21), 100),
    "a link that is none": (link(url="javascript:alert(1)"), 131009),
    "image caption of 1025": (message("image", {"link": "https://x.example/a.png", "caption": "c" * 1025}), 100),
    "image without source": (message("image", {"caption": "x"}), 131009),
    "image with two sources": (message("image", {"id": "1", "link": "https://x.example/a.png"}), 131009),
    "image that cannot be fetched": (message("image", {"link": "file:///etc/passwd"}), 131053),
    "a caption under a voice note": (message("audio", {"id": "1", "caption": "x"}), 100),
    "latitude past the pole": (message("location", {"latitude": 91, "longitude": 0}), 131009),
    "a location without longitude": (message("location", {"latitude": 1}), 131008),
    "a template without language": (message("template", {"name": "reopen"}), 131008),
    "a list of bodies": ([], 100),
}


@pytest.mark.parametrize("body", ACCEPTED.values(), ids=ACCEPTED.keys())
def test_what_meta_takes_is_accepted(body: Body) -> None:
    assert check_message(body) is None


@pytest.mark.parametrize(("body", "code"), REFUSED.values(), ids=REFUSED.keys())
def test_what_meta_refuses_is_refused_with_its_code(body: Body, code: int) -> None:
    refusal = check_message(body)
    assert refusal is not None
    assert refusal.code == code
    assert refusal.status == 400
    assert refusal.body()["error"]["message"].startswith(f"(#{code})")


def test_the_text_limit_is_refused_in_metas_words() -> None:
    refusal = check_message(text("x" * 4097))
    assert refusal is not None
    assert refusal.body()["error"]["message"] == "(#100) Param text['body'] must be at most 4096 characters long."


def test_a_read_receipt_may_show_the_typing_indicator() -> None:
    receipt = {"messaging_product": "whatsapp", "status": "read", "message_id": "wamid.x"}
    assert check_read_receipt(receipt) is None
    assert check_read_receipt({**receipt, "typing_indicator": {"type": "text"}}) is None


BAD_RECEIPTS: list[Body] = [{"status": "seen"}, {"message_id": ""}, {"typing_indicator": {"type": "x"}}, {"to": "1"}]


@pytest.mark.parametrize("change", BAD_RECEIPTS)
def test_a_read_receipt_is_checked_too(change: Body) -> None:
    receipt = {"messaging_product": "whatsapp", "status": "read", "message_id": "wamid.x", **change}
    assert check_read_receipt(receipt) is not None


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


@given(st.sampled_from(sorted(ACCEPTED)), st.data())
def test_a_body_with_anything_replaced_is_judged_without_failing(name: str, data: st.DataObject) -> None:
    body = copy.deepcopy(ACCEPTED[name])
    place: Any = body
    while True:
        keys = list(place) if isinstance(place, dict) else list(range(len(place)))
        key = data.draw(st.sampled_from(keys))
        if not isinstance(place[key], dict | list) or not place[key] or data.draw(st.booleans()):
            place[key] = data.draw(JSON)
            break
        place = place[key]
    check_message(body)
