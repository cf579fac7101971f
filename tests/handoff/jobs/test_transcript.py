from __future__ import annotations

from typing import Any

import pytest

from handoff.jobs.transcript import MAX_LINES, transcript
from handoff.takeover.customer_messages import message_of


def user(text: str, **metadata: Any) -> dict[str, Any]:
    return {"event": "user", "text": text, "timestamp": 1.0, "metadata": metadata}


def bot(text: str | None, **data: Any) -> dict[str, Any]:
    return {"event": "bot", "text": text, "timestamp": 2.0, "data": data}


def test_a_conversation_reads_as_it_was_written() -> None:
    events = [
        {"event": "session_started", "timestamp": 0.0},
        user("hi", typed="Hi!"),
        bot("Which order?", buttons=[{"title": "#10234"}, {"title": "#10235"}]),
        {"event": "slot", "name": "order_number", "value": "1"},
        user('/inform_order_number{"order_number": "10234"}', typed="#10234"),
        user("/send_media", kind="image", media=[{"id": "9", "kind": "image"}]),
        user("/send_location", kind="location"),
        bot(None, custom={"type": "document"}),
    ]
    assert [(author, text) for _, author, text in transcript(events)] == [
        ("customer", "Hi!"),
        ("assistant", "Which order?\n[#10234] [#10235]"),
        ("customer", "#10234"),
        ("customer", "[image]"),
        ("customer", "[location]"),
        ("assistant", "[attachment]"),
    ]


def test_a_message_that_was_taken_back_and_said_again_stands_once() -> None:
    again = [{"event": "rewind"}, {"event": "action", "name": "action_listen"}, user("and for shoes?")]
    lines = transcript([user("hi"), bot("Hello"), user("and for shoes?"), *again, bot("Shoes, too.")])
    assert [text for _, _, text in lines] == ["hi", "Hello", "and for shoes?", "Shoes, too."]


def test_only_the_latest_lines_are_kept() -> None:
    lines = transcript([user(f"line {number}") for number in range(500)])
    assert len(lines) == MAX_LINES
    assert lines[-1][2] == "line 499"


@pytest.mark.parametrize(
    "event", [{}, {"event": "user"}, {"event": "bot", "data": None}, {"event": "user", "metadata": None}]
)
def test_events_with_holes_are_passed_over(event: dict[str, Any]) -> None:
    assert transcript([event]) == ()


def test_words_for_the_ticket_are_what_the_customer_typed_and_sent() -> None:
    payload = {
        "text": "/send_location",
        "metadata": {
            "kind": "location", "timestamp": 5, "location": {"latitude": 19.07, "longitude": 72.87, "name": "Home"},
        },
    }  # fmt: skip
    message = message_of("wamid.1", payload)
    assert (message.wamid, message.at) == ("wamid.1", 5.0)
    assert message.text == "[location: Home https://maps.google.com/?q=19.07,72.87]"


@pytest.mark.parametrize(("payload", "text"), [
    ({"text": "hello", "metadata": {"typed": "Hello!"}}, "Hello!"),
    ({"text": "\u2060/restart", "metadata": {"typed": "/restart"}}, "/restart"),
    ({"text": "/send_voice_note", "metadata": {"kind": "voice"}}, "[voice]"),
    ({"text": "hello"}, "hello"),
    ({}, "[message without words]"),
])  # fmt: skip
def test_messages_of_every_kind_have_words(payload: dict[str, Any], text: str) -> None:
    assert message_of("wamid.1", payload).text == text
