"""Every message of every notification is understood, and nothing in a body makes us fail."""

from __future__ import annotations

import json
from typing import Any

import pytest

from connectors.whatsapp.webhook.payloads import Message, parse_notification
from tests.connectors.whatsapp.payload_samples import parse
from tests.connectors.whatsapp.whatsapp_bodies import OUR_NUMBER, USER_ID, WA_ID, as_bytes, message, notification, value

REPLY = {"id": "/affirm~tag", "title": "Yes, please"}


def only(*messages: dict[str, Any], **more: Any) -> Message:
    found = parse(notification(value(*messages, **more))).messages
    assert len(found) == 1
    return found[0]


TURNS = [
    ("text", {"text": {"body": "Hello"}}, "text", "Hello"),
    ("text", {"text": {"body": "   "}}, "unsupported", "/send_unsupported"),
    ("text", {"text": "Hello"}, "unsupported", "/send_unsupported"),
    ("interactive", {"interactive": {"type": "button_reply", "button_reply": REPLY}}, "button_reply", "Yes, please"),
    ("interactive", {"interactive": {"type": "list_reply", "list_reply": REPLY}}, "list_reply", "Yes, please"),
    ("interactive", {"interactive": {"list_reply": {"id": "x"}}}, "list_reply", "x"),
    ("interactive", {"interactive": {"type": "button_reply"}}, "unsupported", "/send_unsupported"),
    ("interactive", {"interactive": {"type": "payment_method"}}, "unsupported", "/send_unsupported"),
    ("interactive", {"interactive": {"type": "nfm_reply", "nfm_reply": {"response_json": "{oops"}}}, "flow_reply",
     "/send_flow"),
    ("interactive", {"interactive": {"type": "call_permission_reply", "call_permission_reply": {"response": "accept"}}},
     "call_permission", None),
    ("interactive", {"interactive": {"call_permission_update": {"status": "expired"}}}, "call_permission", None),
    ("call_permission_update", {"call_permission_update": {"status": "expired"}}, "call_permission", None),
    ("button", {"button": {"payload": "STOP", "text": "Stop these"}}, "template_button", "Stop these"),
    ("button", {"button": {"payload": "STOP"}}, "template_button", "STOP"),
    ("image", {"image": {"id": "1", "caption": "This tore"}}, "image", "This tore"),
    ("image", {"image": {"id": "1"}}, "image", "/send_media"),
    ("video", {"video": {"id": "1"}}, "video", "/send_media"),
    ("document", {"document": {"id": "1", "filename": "bill.pdf"}}, "document", "/send_media"),
    ("sticker", {"sticker": {"id": "1"}}, "sticker", "/send_media"),
    ("audio", {"audio": {"id": "1", "voice": True}}, "voice", "/send_voice_note"),
    ("audio", {"audio": {"id": "1"}}, "audio", "/send_voice_note"),
    ("audio", {"audio": None}, "audio", "/send_voice_note"),
    ("location", {"location": {"latitude": 12.9, "longitude": 77.6}}, "location", "/send_location"),
    ("contacts", {"contacts": [{"phones": [{"phone": "+919800000000"}]}]}, "contacts", "/send_contact"),
    ("order", {"order": {"product_items": [{"product_retailer_id": "kurta", "quantity": 2}]}}, "order", "/send_cart"),
    ("request_welcome", {}, "request_welcome", "/greet"),
    ("unsupported", {"errors": [{"code": 131051}]}, "unsupported", "/send_unsupported"),
    ("hologram", {"hologram": {}}, "unsupported", "/send_unsupported"),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "parts", "read_as", "text"), TURNS)
def test_each_kind_gives_its_turn(kind: str, parts: dict[str, Any], read_as: str, text: str | None) -> None:
    content = only(message(kind, **parts)).content
    assert (content.kind, content.text) == (read_as, text)


@pytest.mark.parametrize(
    ("kind", "parts", "typed"),
    [
        ("reaction", {"reaction": {"message_id": "wamid.B", "emoji": "👍"}}, "👍"),
        ("reaction", {"reaction": {"message_id": "wamid.B"}}, ""),
        ("unreaction", {"unreaction": {"message_id": "wamid.B"}}, ""),
        ("edit", {"edit": {"message": {"type": "text", "text": {"body": "New"}}}}, "New"),
        ("edit", {"edit": {"message": {"edit": {"message": {}}}}}, ""),
        ("revoke", {"revoke": {"original_message_id": "wamid.B"}}, ""),
        ("system", {"system": {"type": "customer_identity_changed"}}, ""),
    ],
)
def test_reactions_edits_revocations_and_system_messages_give_no_turn(
    kind: str, parts: dict[str, Any], typed: str
) -> None:
    content = only(message(kind, **parts)).content
    assert content.text is None
    assert content.typed == typed


@pytest.mark.parametrize("field", ["calls", "smb_app_state_sync", "account_update", "history", "", None, 7])
def test_only_the_messages_field_gives_turns(field: Any) -> None:
    found = parse(notification(value(message()), field=field))
    assert not found.messages
    assert len(found.others) == 1


def test_group_messages_and_other_numbers_are_left_alone() -> None:
    group = value(message(group_id="G1"))
    found = parse(notification(group, value(message(), number="700000000000002")))
    assert not found.messages
    assert found.others == ("group message", "other phone number")


def test_a_body_without_our_numbers_metadata_is_still_read() -> None:
    bare = value(message())
    del bare["metadata"]
    assert len(parse(notification(bare)).messages) == 1


def test_all_entries_changes_and_messages_are_read_in_order() -> None:
    values = [value(*(message(wamid=f"wamid.{change}.{n}") for n in range(50))) for change in range(10)]
    body = notification(*values)
    body["entry"].append(notification(*values)["entry"][0])
    ids = [found.id for found in parse(body).messages]
    assert ids == [f"wamid.{change}.{n}" for change in range(10) for n in range(50)] * 2


def test_the_metadata_holds_what_the_dialogue_and_the_log_need() -> None:
    found = only(
        message(
            "image",
            image={"id": "99", "mime_type": "image/jpeg", "caption": "See"},
            context={"id": "wamid.ours", "forwarded": True},
            referral={"source_type": "ad", "headline": "Sale", "junk": 1},
        )
    )
    assert found.metadata == {
        "wamid": "wamid.A1",
        "wa_id": WA_ID,
        "user_id": None,
        "profile_name": "Meera",
        "kind": "image",
        "timestamp": 1790000000,
        "typed": "See",
        "reply_to": "wamid.ours",
        "media": [{"id": "99", "mime_type": "image/jpeg", "kind": "image"}],
        "forwarded": True,
        "referral": {"source_type": "ad", "headline": "Sale"},
    }


def test_nothing_a_body_adds_overrides_the_identity_in_the_metadata() -> None:
    found = only(message("location", location={"latitude": 1, "longitude": 2, "name": "x"}, wa_id="910000000000"))
    assert found.metadata["wa_id"] == WA_ID


def test_a_customer_who_hides_the_phone_is_known_by_user_id() -> None:
    sent = message(from_user_id=USER_ID)
    del sent["from"]
    found = only(sent, contacts=[{"profile": {"name": "Meera"}, "user_id": USER_ID}])
    assert (found.sender.wa_id, found.sender.user_id, found.sender.profile_name) == (None, USER_ID, "Meera")


def test_the_only_contact_names_a_sender_whom_the_message_does_not() -> None:
    sent = message()
    del sent["from"]
    assert only(sent).sender.wa_id == WA_ID


def test_another_persons_profile_is_never_taken_for_the_senders() -> None:
    found = only(message(), contacts=[{"profile": {"name": "Someone"}, "wa_id": "910000000000", "user_id": "IN.9"}])
    assert (found.sender.wa_id, found.sender.user_id, found.sender.profile_name) == (WA_ID, None, None)


@pytest.mark.parametrize("missing", ["id", "from"])
def test_a_message_without_id_or_sender_is_dropped_and_the_rest_is_read(
    missing: str, caplog: pytest.LogCaptureFixture
) -> None:
    broken = message()
    del broken[missing]
    found = parse(notification(value(broken, message(wamid="wamid.good"), contacts=[])))
    assert [kept.id for kept in found.messages] == ["wamid.good"]
    assert "whatsapp.message.dropped" in caplog.text


@pytest.mark.parametrize("typed", ["/restart", "  /restart", "\x00/restart", "\x1b/restart", "\n\u3000/inform{}", "/"])
def test_a_typed_slash_is_text(typed: str) -> None:
    for parts in (message(text={"body": typed}), message("image", image={"caption": typed})):
        text = only(parts).content.text
        assert text is not None
        assert not text.strip().startswith("/")
        assert text.strip("\u2060 ").endswith(typed.strip("\x00\x1b \n\u3000"))


def test_a_button_title_that_looks_like_a_command_is_text() -> None:
    reply = {"type": "button_reply", "button_reply": {"id": "x", "title": "/restart"}}
    assert only(message("interactive", interactive=reply)).content.text == "\u2060/restart"


def test_very_long_texts_are_kept_and_bounded_for_nlu() -> None:
    found = only(message(text={"body": "word " * 13_000}))
    assert len(found.content.text or "") <= 4096
    assert len(found.metadata["typed"]) == 65_000


def test_text_that_no_store_could_keep_is_made_storable() -> None:
    body = as_bytes(notification(value(message(text={"body": "a\x00b\ud83dc"}))))
    found = parse_notification(body, OUR_NUMBER).messages[0]
    assert found.metadata["typed"] == "ab\ufffdc"


def test_no_words_command_the_terminal_of_who_reads_them() -> None:
    """As `python -m handoff show` and `conversation_log follow` do."""
    found = only(message(text={"body": "\x1b]52;c;cm0gLXJm\x07 hi\x9b31m\r\nthere\t\x7f!"}))
    assert found.metadata["typed"] == "]52;c;cm0gLXJm hi31m\nthere\t!"


@pytest.mark.parametrize(
    ("sent", "read"),
    [("1790000000", 1790000000), (1790000000, 1790000000), ("1790000000123", 1790000000), ("soon", None), (-5, None),
     (True, None), ({}, None), ("9" * 400, None)],
)  # fmt: skip
def test_timestamps_are_read_with_care(sent: Any, read: int | None) -> None:
    assert only({**message(), "timestamp": sent}).metadata["timestamp"] == read


def test_flow_answers_arrive_as_data() -> None:
    reply = {"type": "nfm_reply", "nfm_reply": {"name": "flow", "response_json": '{"size": "M", "n": 2}'}}
    assert only(message("interactive", interactive=reply)).metadata["flow"] == {
        "name": "flow",
        "answers": {"size": "M", "n": "2"},
    }


@pytest.mark.parametrize(("answers", "turn"), [
    ({"order": "10234", "issue": "The lid came broken"}, "10234\nThe lid came broken"),
    ({"comment": "where is my refund"}, "where is my refund"),
    ({"order": "10234", "reason": "0_damaged"}, "/send_flow"),
    ({"comment": "/restart all of it"}, "\u2060/restart all of it"), ({}, "/send_flow"),
    ({"date": "2026-12-03", "slot": "10:00 - 12:00"}, "/send_flow"), ({"where": "12 - 14 B"}, "/send_flow"),
])  # fmt: skip
def test_what_a_customer_wrote_into_a_form_in_words_of_their_own_is_a_message(
    answers: dict[str, str], turn: str
) -> None:
    reply = {"type": "nfm_reply", "nfm_reply": {"response_json": json.dumps({"flow_token": "a b c", **answers})}}
    assert only(message("interactive", interactive=reply)).content.text == turn


def test_a_person_reads_what_a_cart_holds() -> None:
    items = [{"product_retailer_id": "kurta", "quantity": 2}, {"product_retailer_id": "belt"}, {"quantity": 1}]
    cart = only(message("order", order={"text": "by Friday?", "product_items": items}))
    assert cart.content.typed == "by Friday?\n2 × kurta\n1 × belt"


CARD = {"phones": [{"phone": "+91 98123 45670", "wa_id": WA_ID}]}


def share(card: Any, origin: Any = "contact_request", **parts: Any) -> str | None:
    sent = message("contacts", contacts=card if isinstance(card, list) else [card], from_user_id=USER_ID, **parts)
    if "sender" not in parts:
        del sent["from"]
    if origin:
        sent["origin"] = origin
    return only(sent, contacts=[]).shared_phone


def test_a_phone_shared_on_our_request_is_the_customers() -> None:
    assert share(CARD) == "+919812345670"
    assert share({**CARD, "origin": "contact_request"}, origin=None) == "+919812345670"
    assert share({"vcard": "BEGIN:VCARD\nTEL;type=CELL;waid=1:+91 98123 45670\nEND:VCARD"}) == "+919812345670"


@pytest.mark.parametrize(
    ("card", "origin"),
    [
        pytest.param(CARD, None, id="picked by hand"),
        pytest.param(CARD, "other", id="said to be by hand"),
        pytest.param({**CARD, "origin": "other"}, "contact_request", id="contradictory origins"),
        pytest.param([CARD, CARD], "contact_request", id="two cards"),
        pytest.param({"phones": [*CARD["phones"], {"phone": "+919800000001"}]}, "contact_request", id="two numbers"),
        pytest.param({**CARD, "user_id": "IN.77"}, "contact_request", id="another user_id"),
        pytest.param({**CARD, "vcard": "TEL:+919800000001"}, "contact_request", id="card says otherwise"),
        pytest.param({"phones": [{"phone": "call me"}]}, "contact_request", id="no number"),
        pytest.param({"phones": 5}, "contact_request", id="no phones"),
    ],
)
def test_any_other_contact_card_is_nobodys_identity(card: Any, origin: Any) -> None:
    assert share(card, origin) is None


def test_a_shared_phone_that_is_not_the_senders_own_is_ignored() -> None:
    assert share(CARD, sender="919800000001") is None
    assert share(CARD, sender=WA_ID) == "+919812345670"


def test_statuses_are_read_with_their_key_and_errors() -> None:
    status = {
        "id": "wamid.out",
        "status": "failed",
        "timestamp": "1790000001",
        "recipient_id": WA_ID,
        "biz_opaque_callback_data": "wamid.in:1",
        "errors": [{"code": 131047, "title": f"to {WA_ID}", "error_data": {"details": "Too late"}}],
    }
    found = parse(notification(value(statuses=[status, {**status, "status": "imagined"}, 3])))
    assert [each.record() for each in found.statuses] == [
        {
            "record": "status",
            "wamid": "wamid.out",
            "status": "failed",
            "at": 1790000001,
            "key": "wamid.in:1",
            "errors": [{"code": 131047, "title": "to …", "details": "Too late"}],
        }
    ]


def test_errors_of_the_account_are_surfaced() -> None:
    found = parse(notification(value(errors=[{"code": 130429, "title": "Rate limit hit"}])))
    assert found.errors == ({"code": 130429, "title": "Rate limit hit"},)
