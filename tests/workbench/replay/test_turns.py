"""Which messages of a logged conversation are played again."""

from __future__ import annotations

from typing import Any

from workbench.replay.turns import read


def record(*messages: dict[str, Any]) -> dict[str, Any]:
    return {
        "customer_id": "919876543210", "customer_phone": "+919876543210", "messages": list(messages),
        "timestamp_start": "2026-11-01T12:00:00Z", "timestamp_end": "2026-11-01T12:05:00Z",
        "resolution_status": "resolved",
    }  # fmt: skip


def customer(text: str, intent: str | None = "greet", at: str = "00", **more: Any) -> dict[str, Any]:
    came = f"2026-11-01T12:00:{at}Z"
    return {"role": "user", "content": text, "intent_detected": intent, "received_at": came, **more}


def reply(response: str, **more: Any) -> dict[str, Any]:
    return {"role": "assistant", "content": "…", "response": response, "feature_used": "smalltalk", **more}


def test_a_burst_is_played_as_the_one_message_that_it_was_read_as() -> None:
    read_as_one = read(record(customer("hi", None), customer("where is 10234", "check_order_status", "01")))
    assert [turn.text for turn in read_as_one.turns] == ["hi\nwhere is 10234"]


def test_what_a_person_read_and_what_has_no_words_is_not_played() -> None:
    found = read(record(
        customer("hello?", None), {"role": "agent", "content": "yes?"},
        customer("thanks", "thank", "30"), reply("utter_thank_welcome"),
        customer("[image]", "send_media", "40"), reply("utter_media_received"),
    ))  # fmt: skip
    assert [turn.text for turn in found.turns] == ["thanks"]
    assert found.left_out == 1


def test_what_the_channel_said_by_itself_belongs_to_no_turn() -> None:
    found = read(record(customer("I want my money back", "request_refund"),
                        reply("utter_handoff_connecting", escalated=True), reply("utter_handoff_ended")))  # fmt: skip
    assert [one.response for one in found.turns[0].answer.said] == ["utter_handoff_connecting"]
    assert found.turns[0].answer.escalated


def test_a_tap_is_known_from_typed_words() -> None:
    found = read(record(customer("Yes, do it", "affirm", kind="button_reply"), customer("yes", "affirm", "20")))
    assert [turn.tapped for turn in found.turns] == [True, False]
