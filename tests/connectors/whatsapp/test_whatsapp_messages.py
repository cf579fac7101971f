"""One Rasa response becomes as few WhatsApp messages as possible, none of them beyond Meta's limits."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connectors.whatsapp.rendering.messages import MessageShaper, PayloadSigner, PayloadTooLong, problems
from tests.examples import examples

CUSTOMER = "919812345670"
SIGNER = PayloadSigner("app-secret")
SHAPER = MessageShaper(SIGNER)


def shape(**response: Any) -> list[dict[str, Any]]:
    return [shaped.body for shaped in SHAPER.shape(response, CUSTOMER)]


def only(**response: Any) -> dict[str, Any]:
    (body,) = shape(**response)
    return body


def options(count: int, title: str = "Option") -> list[dict[str, str]]:
    return [{"title": f"{title} {n}", "payload": f"/option{{{n}}}"} for n in range(1, count + 1)]


def test_a_text_stays_one_message_with_all_its_paragraphs() -> None:
    body = only(text="First.\n\nSecond.\n\nThird.")
    assert body == {
        "messaging_product": "whatsapp",
        "recipient_type": "individual",
        "type": "text",
        "text": {"body": "First.\n\nSecond.\n\nThird."},
    }


def test_links_get_a_preview() -> None:
    assert only(text="Track it: https://x.example/1")["text"]["preview_url"] is True


def test_a_last_line_with_a_label_and_the_only_link_is_a_button() -> None:
    interactive = only(text="It is on its way.\nNumber: DL1\nTrack it: https://x.example/1")["interactive"]
    assert interactive["body"] == {"text": "It is on its way.\nNumber: DL1"}
    parameters = {"display_text": "Track it", "url": "https://x.example/1"}
    assert (interactive["type"], interactive["action"]["parameters"]) == ("cta_url", parameters)


@pytest.mark.parametrize("text", [
    "See https://x.example/a\nTrack it: https://x.example/1", "Hi\nA label longer than a button: https://x.example/1",
    "Hi\nTrack it: https://x.example/1 now", f"{'x' * 1025}\nTrack it: https://x.example/1",
])  # fmt: skip
def test_other_links_stay_in_the_text(text: str) -> None:
    assert {body["type"] for body in shape(text=text)} == {"text"}


@pytest.mark.parametrize("text", ["", "  \n", None, "\x00"])
def test_an_empty_response_sends_nothing(text: Any) -> None:
    assert shape(text=text) == []


def test_up_to_three_options_are_buttons_with_ids_that_we_signed() -> None:
    interactive = only(text="Shall I?", buttons=options(3))["interactive"]
    assert (interactive["type"], interactive["body"]) == ("button", {"text": "Shall I?"})
    replies = [button["reply"] for button in interactive["action"]["buttons"]]
    assert [reply["title"] for reply in replies] == ["Option 1", "Option 2", "Option 3"]
    assert SIGNER.verify_payload(CUSTOMER, replies[1]["id"]) == "/option{2}"


def test_up_to_ten_options_are_a_list_with_long_titles_in_full_below() -> None:
    titles = [*options(9), {"title": "A title that is longer than a row", "payload": "/long"}]
    interactive = only(text="Which one?", buttons=titles, list_button="See all")["interactive"]
    assert (interactive["type"], interactive["action"]["button"]) == ("list", "See all")
    (section,) = interactive["action"]["sections"]
    assert len(section["rows"]) == 10
    assert section["rows"][9]["title"] == "A title that is longer…"
    assert section["rows"][9]["description"] == "A title that is longer than a row"


def test_more_options_are_a_numbered_text() -> None:
    text = only(text="Which one?", buttons=options(11))["text"]["body"]
    assert text.startswith("Which one?\n\n1. Option 1\n2. Option 2")
    assert text.endswith("11. Option 11")


def test_long_and_equal_titles_stay_apart() -> None:
    buttons = [{"title": "Talk to somebody from support now", "payload": f"/x{n}"} for n in range(3)]
    replies = only(text="So?", buttons=buttons)["interactive"]["action"]["buttons"]
    titles = [button["reply"]["title"] for button in replies]
    assert titles[0] == "Talk to somebody fr…"
    assert len(set(titles)) == 3


def test_options_that_mean_the_same_are_shown_once() -> None:
    buttons = [{"title": "Yes", "payload": "/affirm"}, {"title": "Sure", "payload": "/affirm"}]
    assert len(only(text="So?", buttons=buttons)["interactive"]["action"]["buttons"]) == 1


def test_a_long_text_goes_before_the_buttons_and_its_end_stays_with_them() -> None:
    text = "A sentence of some length. " * 60 + "So what shall I do?"
    first, second = shape(text=text, buttons=options(2))
    assert first["type"] == "text"
    body = second["interactive"]["body"]["text"]
    assert len(body) <= 1024
    assert body.endswith("So what shall I do?")
    assert (first["text"]["body"] + " " + body) == text


def test_an_image_with_text_is_one_message() -> None:
    body = only(text="Here it **is**", image="https://x.example/kurta.jpg")
    assert body["image"] == {"link": "https://x.example/kurta.jpg", "caption": "Here it *is*"}


def test_an_image_with_buttons_is_one_message() -> None:
    interactive = only(text="This one?", image="https://x.example/a.jpg", buttons=options(2))["interactive"]
    assert interactive["header"] == {"type": "image", "image": {"link": "https://x.example/a.jpg"}}


def test_rasas_copy_of_the_image_as_attachment_is_not_sent_twice() -> None:
    assert len(shape(image="https://x.example/a.jpg", attachment=None)) == 1


@pytest.mark.parametrize(
    ("attachment", "kind"),
    [
        ("https://x.example/bill.pdf?sig=1", "document"),
        ("https://x.example/clip.mp4", "video"),
        ("https://x.example/voice.mp3", "audio"),
        ({"type": "video", "payload": {"src": "https://x.example/clip"}}, "video"),
        ({"type": "template", "payload": {"url": "https://x.example/?"}}, "document"),
    ],
)
def test_attachments_travel_as_what_they_are(attachment: Any, kind: str) -> None:
    assert shape(text="See", attachment=attachment)[-1]["type"] == kind


def test_a_document_keeps_its_name() -> None:
    assert only(attachment="https://x.example/d/bill.pdf?sig=1")["document"]["filename"] == "bill.pdf"


def test_a_caption_that_is_too_long_is_a_text_of_its_own() -> None:
    first, second = shape(text="word " * 300, image="https://x.example/a.jpg")
    assert (first["type"], second["image"]) == ("text", {"link": "https://x.example/a.jpg"})


def test_a_picture_that_has_no_web_address_never_costs_the_text(caplog: pytest.LogCaptureFixture) -> None:
    assert only(text="Here it is", image="kurta.jpg")["text"]["body"] == "Here it is"
    assert "whatsapp.response.invalid" in caplog.text


def test_a_single_link_button_opens_the_link() -> None:
    interactive = only(text="Track it", buttons=[{"title": "Track", "url": "https://x.example/t"}])["interactive"]
    assert interactive["type"] == "cta_url"
    assert interactive["action"]["parameters"] == {"display_text": "Track", "url": "https://x.example/t"}


def test_link_buttons_beside_others_become_lines() -> None:
    buttons = [*options(1), {"title": "Track", "url": "https://x.example/t"}]
    assert only(text="So?", buttons=buttons)["interactive"]["body"]["text"] == "So?\nTrack: https://x.example/t"


CUSTOMS: list[tuple[dict[str, Any], str, dict[str, Any]]] = [
    ({"type": "text", "body": "**Hi**"}, "text", {"body": "*Hi*"}),
    ({"type": "document", "link": "https://x.example/a.pdf", "filename": "Bill.pdf", "caption": "Yours"}, "document",
     {"link": "https://x.example/a.pdf", "caption": "Yours", "filename": "Bill.pdf"}),
    ({"type": "image", "id": "123"}, "image", {"id": "123"}),
    ({"type": "location", "latitude": "12.97", "longitude": 77.6, "name": "Marigold", "address": "MG Road"}, "location",
     {"latitude": 12.97, "longitude": 77.6, "name": "Marigold", "address": "MG Road"}),
    ({"type": "template", "name": "reopen", "language": "en", "parameters": ["Meera\n#10234"]}, "template",
     {"name": "reopen", "language": {"code": "en"},
      "components": [{"type": "body", "parameters": [{"type": "text", "text": "Meera #10234"}]}]}),
    ({"type": "contact_request", "body": "May I have your number?"}, "interactive",
     {"type": "request_contact_info", "body": {"text": "May I have your number?"},
      "action": {"name": "request_contact_info"}}),
    ({"type": "cta_url", "body": "Track", "button": "Open", "url": "https://x.example/t", "footer": "Safe"},
     "interactive", {"type": "cta_url", "body": {"text": "Track"}, "footer": {"text": "Safe"},
      "action": {"name": "cta_url", "parameters": {"display_text": "Open", "url": "https://x.example/t"}}}),
]  # fmt: skip


@pytest.mark.parametrize(("custom", "kind", "content"), CUSTOMS, ids=lambda value: str(value)[:30])
def test_custom_responses_become_what_whatsapp_has(custom: dict[str, Any], kind: str, content: dict[str, Any]) -> None:
    body = only(custom=custom)
    assert (body["type"], body[kind]) == (kind, content)


def test_the_text_beside_a_custom_part_serves_as_its_body() -> None:
    assert only(text="May I?", custom={"type": "contact_request"})["interactive"]["body"]["text"] == "May I?"


def test_a_custom_list_keeps_its_sections_and_signs_its_rows() -> None:
    sections = [
        {"title": "On the way", "rows": [{"title": "#10234", "payload": "/a", "description": "Kurta"}]},
        {"title": "Delivered", "rows": [{"title": "#10235", "payload": "/b"}]},
    ]
    custom = {"type": "list", "body": "Which?", "button": "Orders", "sections": sections}
    action = only(custom=custom)["interactive"]["action"]
    assert [section["title"] for section in action["sections"]] == ["On the way", "Delivered"]
    row = action["sections"][0]["rows"][0]
    assert (row["title"], row["description"]) == ("#10234", "Kurta")
    assert SIGNER.verify_payload(CUSTOMER, row["id"]) == "/a"


@pytest.mark.parametrize(
    "custom",
    [{"type": "hologram"}, {"type": "cta_url", "url": "no"}, {"type": "location"}, {"type": "list", "rows": 5},
     {"type": "template"}, {"no": "type"}, {"type": ["list"]}],
    ids=str,
)  # fmt: skip
def test_a_broken_custom_part_never_costs_the_words(custom: dict[str, Any], caplog: pytest.LogCaptureFixture) -> None:
    assert only(text="Words", custom=custom)["text"]["body"] == "Words"
    assert "whatsapp.response.invalid" in caplog.text


def test_the_first_message_quotes_when_asked() -> None:
    first, second = SHAPER.shape({"text": "x " * 4000}, CUSTOMER, quote="wamid.in")
    assert first.body["context"] == {"message_id": "wamid.in"}
    assert "context" not in second.body


def test_the_log_shows_what_the_customer_could_tap() -> None:
    (shaped,) = SHAPER.shape({"text": "So?", "buttons": options(2)}, CUSTOMER)
    assert shaped.text == "So?\n[Option 1]\n[Option 2]"


def test_ids_are_payloads_only_for_the_customer_they_were_made_for() -> None:
    reply_id = SIGNER.sign_payload(CUSTOMER, "/affirm")
    assert SIGNER.verify_payload(CUSTOMER, reply_id) == "/affirm"
    assert SIGNER.verify_payload("910000000000", reply_id) is None
    assert PayloadSigner("another secret").verify_payload(CUSTOMER, reply_id) is None


@given(st.text(max_size=250))
def test_ids_that_we_did_not_make_are_refused_without_raising(reply_id: str) -> None:
    assert SIGNER.verify_payload(CUSTOMER, reply_id) is None


@given(st.text(max_size=200))
def test_signed_ids_fit_and_give_the_payload_back(payload: str) -> None:
    try:
        reply_id = SIGNER.sign_payload(CUSTOMER, payload)
    except PayloadTooLong:
        assert len(payload) > SIGNER.max_payload_chars
        return
    assert len(reply_id) <= 200
    assert reply_id == reply_id.strip()
    assert SIGNER.verify_payload(CUSTOMER, reply_id) == " ".join(payload.splitlines()).strip()


def test_a_payload_that_does_not_fit_is_refused_in_validation_and_harmless_at_run_time() -> None:
    response = {"text": "So?", "buttons": [{"title": "Yes", "payload": "/inform" + "x" * 200}]}
    assert problems(response) == ["payload of 'Yes' exceeds 183"]
    assert only(**response)["interactive"]["action"]["buttons"][0]["reply"] == {"id": "Yes", "title": "Yes"}


def test_validation_names_what_would_look_different() -> None:
    assert problems({"text": "So?", "buttons": options(3)}) == []
    long = {"text": "So?", "buttons": [{"title": "T" * 21, "payload": "/a"}, {"title": "T" * 21, "payload": "/b"}]}
    assert len(problems(long)) == 3
    assert problems({"text": "So?", "buttons": options(11)}) == ["11 buttons exceed a list's 10 rows"]


WORDS = st.text(max_size=50) | st.integers(0, 9000).map(lambda n: ("Some words 👍🏽 to cut.\n" * 450)[:n])
LINK = st.sampled_from(["https://x.example/a.jpg", "http://x.example/b.pdf", "nowhere", "", 5, None])
BUTTON = st.fixed_dictionaries({}, optional={"title": WORDS, "payload": WORDS, "description": WORDS, "url": LINK})
JUNK = st.none() | st.integers() | st.text(max_size=5) | st.lists(st.integers() | st.text(max_size=3), max_size=3)
CUSTOM = st.fixed_dictionaries(
    {"type": st.sampled_from(["text", "image", "audio", "list", "cta_url", "location", "template", "contact_request"])},
    optional={
        "body": WORDS, "link": LINK, "url": LINK, "button": WORDS, "header": WORDS, "footer": WORDS,
        "rows": st.lists(BUTTON, max_size=12) | JUNK, "latitude": st.floats() | JUNK, "longitude": st.floats(),
        "sections": st.lists(st.fixed_dictionaries({}, optional={"title": WORDS, "rows": st.lists(BUTTON, max_size=4)}),
                             max_size=5),
    },
)  # fmt: skip
BUTTONS = st.lists(BUTTON, max_size=12) | JUNK
RESPONSE = st.fixed_dictionaries(
    {"text": WORDS | JUNK},
    optional={"buttons": BUTTONS, "image": LINK, "attachment": LINK, "custom": CUSTOM | JUNK},
)


@settings(max_examples=examples(120), deadline=None, suppress_health_check=list(HealthCheck))
@given(RESPONSE)
def test_whatever_an_action_utters_keeps_metas_limits(response: dict[str, Any]) -> None:
    for body in shape(**response):
        json.dumps(body, allow_nan=False, ensure_ascii=False).encode()
        kind = body["type"]
        if kind == "text":
            assert 1 <= len(body["text"]["body"].strip()) <= 4096
        elif kind == "interactive":
            _check_interactive(body["interactive"])
        elif kind in ("image", "video", "document", "audio"):
            assert body[kind]["link"].startswith("http")
            assert len(body[kind].get("caption", "")) <= (0 if kind == "audio" else 1024)
        elif kind == "location":
            assert abs(body[kind]["latitude"]) <= 90


def _check_interactive(interactive: dict[str, Any]) -> None:
    assert 1 <= len(interactive["body"]["text"].strip()) <= 1024
    assert len(interactive.get("header", {}).get("text", "")) <= 60
    assert len(interactive.get("footer", {}).get("text", "")) <= 60
    action = interactive["action"]
    if interactive["type"] == "button":
        replies = [button["reply"] for button in action["buttons"]]
        _check_options(replies, most=3, title=20)
    elif interactive["type"] == "list":
        assert 1 <= len(action["button"]) <= 20
        sections = action["sections"]
        assert all(0 < len(section.get("title", "")) <= 24 for section in sections) or len(sections) == 1
        rows = [row for section in sections for row in section["rows"]]
        _check_options(rows, most=10, title=24)
        assert all(len(row.get("description", "")) <= 72 for row in rows)
    elif interactive["type"] == "cta_url":
        assert 1 <= len(action["parameters"]["display_text"]) <= 20


def _check_options(replies: list[dict[str, str]], most: int, title: int) -> None:
    assert 1 <= len(replies) <= most
    assert all(1 <= len(reply["title"]) <= title for reply in replies)
    assert all(1 <= len(reply["id"]) <= 200 and reply["id"] == reply["id"].strip() for reply in replies)
    assert len({reply["id"] for reply in replies}) == len({reply["title"] for reply in replies}) == len(replies)
