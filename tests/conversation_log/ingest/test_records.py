"""What the stream's records become in the log."""

from __future__ import annotations

import json
from typing import Any

import jsonschema
import pytest

from conversation_log.ingest.parsing import parse
from conversation_log.model.records import BadRecord
from conversation_log.query.export import SCHEMA

SCHEMA_CHECK = jsonschema.Draft202012Validator(
    json.loads(SCHEMA.read_text()), format_checker=jsonschema.FormatChecker()
)


def only_messages(records: list[dict[str, Any]]) -> list[dict[str, Any]]:
    (record,) = records
    return record["messages"]


def test_turn_gives_the_customers_message_and_each_reply(the_log, turn):
    replies = (("Order #10234 is on its way.", "utter_order_status_shipped"), ("Anything else?", "utter_anything_else"))
    (record,) = the_log.log(turn("wamid.A", replies=replies))
    SCHEMA_CHECK.validate(record)
    assert record["customer_phone"] == "+919876543210"
    assert record["session_metadata"] == {
        "bot_version": "0.1.0", "model": "20261101-nlu", "total_turns": 1, "duration_seconds": 0.2,
    }  # fmt: skip
    customer, first, second = record["messages"]
    assert (customer["role"], customer["content"]) == ("user", "where is my order")
    assert (customer["intent_detected"], customer["confidence"]) == ("check_order_status", 0.93)
    assert (first["content"], first["feature_used"]) == ("Order #10234 is on its way.", "order_status")
    assert (second["feature_used"], second["escalated"], second["delivery_status"]) == ("smalltalk", False, None)


def test_reading_every_record_twice_changes_nothing(the_log, turn, sent, status):
    records = [
        turn("wamid.A", new_session=True),
        sent("wamid.A:1", "wamid.R"),
        status("wamid.R", "delivered"),
        turn("wamid.B", at=turn("x")["metadata"]["timestamp"] + 30),
    ]
    once = the_log.log(*records)
    assert the_log.log(*records) == once


def test_sixty_idle_minutes_begin_a_new_conversation(the_log, turn, noon):
    records = the_log.log(turn("wamid.A"), turn("wamid.B", at=noon + 3500), turn("wamid.C", at=noon + 3500 + 3700))
    assert [len(record["messages"]) for record in records] == [4, 2]
    assert len({record["session_id"] for record in records}) == 2


def test_session_start_begins_a_new_conversation(the_log, turn, noon):
    records = the_log.log(turn("wamid.A"), turn("wamid.B", at=noon + 60, new_session=True))
    assert [record["session_metadata"]["total_turns"] for record in records] == [1, 1]


def test_escalation_is_logged_with_its_reason(the_log, turn):
    slots = {"escalation_reason": "complaint", "escalation_priority": "CRITICAL"}
    (record,) = the_log.log(turn("wamid.A", slots=slots, replies=(("Connecting you.", "utter_handoff_opened"),)))
    SCHEMA_CHECK.validate(record)
    assert (record["resolution_status"], record["escalation_reason"]) == ("escalated", "complaint")
    assert record["escalation_priority"] == "CRITICAL"
    assert record["messages"][1]["escalated"] is True
    assert record["messages"][1]["feature_used"] == "escalation"


def test_messages_to_and_from_a_person_stay_in_the_escalated_conversation(the_log, turn, sent, noon):
    inbound = turn("wamid.B", at=noon + 9000)
    inbound = {"record": "inbound", "customer": inbound["customer"], "metadata": inbound["metadata"], "text": "hello?"}
    (record,) = the_log.log(
        turn("wamid.A", slots={"escalation_reason": "refund_request"}),
        inbound,
        sent("comment:7:1", "wamid.G", at=noon + 18000, author="agent", text="I have refunded it."),
    )
    SCHEMA_CHECK.validate(record)
    assert [message["role"] for message in record["messages"]] == ["user", "assistant", "user", "agent"]
    assert record["messages"][2]["intent_detected"] is None
    assert record["messages"][3]["content"] == "I have refunded it."


def test_first_answer_after_a_takeover_begins_a_new_conversation(the_log, turn, sent, noon):
    records = the_log.log(
        turn("wamid.A", slots={"escalation_reason": "refund_request"}),
        sent("returned:handoff:1:2:1", "wamid.G", at=noon + 600, text="You are back with me."),
        turn("wamid.B", at=noon + 660),
    )
    assert [record["resolution_status"] for record in records] == ["escalated", "resolved"]
    assert [len(record["messages"]) for record in records] == [3, 2]


def test_messages_stand_in_the_order_in_which_they_were_spoken(the_log, turn, sent, noon):
    """The assistant's next words were logged while the agent's were still on their way out."""
    back = turn("returned:1", at=noon + 30, metadata={"kind": "conversation_returned"}, replies=(("I am back.", ""),))
    (record,) = the_log.log(
        turn("wamid.A", slots={"escalation_reason": "refund_request"}),
        back,
        sent("comment:7:1", "wamid.G", at=noon + 31, author="agent", text="I have refunded it."),
        sent("returned:1:1", "wamid.H", at=noon + 32, text="I am back."),
    )
    assert [message["content"] for message in record["messages"][2:]] == ["I have refunded it.", "I am back."]
    times = [message["timestamp"] for message in record["messages"]]
    assert times == sorted(times)
    assert record["timestamp_end"] == times[-1]


def test_suppressed_reply_was_never_said(the_log, turn, sent):
    messages = only_messages(the_log.log(turn("wamid.A"), sent("wamid.A:1", outcome="suppressed")))
    assert [message["role"] for message in messages] == ["user"]


def test_reply_that_the_send_gate_held_back_was_never_said(the_log, turn, sent):
    held = sent("wamid.A:1", outcome="failed", error="floor_lost", text="It arrives tomorrow.")
    assert [message["role"] for message in only_messages(the_log.log(turn("wamid.A"), held))] == ["user"]


def test_call_for_a_person_that_failed_is_no_escalation(the_log, turn):
    slots = {"escalation_reason": "complaint"}
    (record,) = the_log.log(turn("wamid.A", slots=slots, replies=(("Sorry.", "utter_handoff_unavailable"),)))
    assert (record["resolution_status"], record["escalation_reason"]) == ("abandoned", None)


def test_accepted_offer_of_a_person_counts_as_asking_for_one(the_log, turn):
    accepted = turn("wamid.A", replies=(("Connecting you.", "utter_handoff_connecting"),))
    accepted["events"].append({"event": "action", "name": "action_escalate"})
    (record,) = the_log.log(accepted)
    assert (record["resolution_status"], record["escalation_reason"]) == ("escalated", "human_requested")


def test_replies_are_logged_as_they_go_out(the_log, turn, sent):
    """One response that is split in two, as the turn record lists it."""
    record = turn("wamid.A", replies=(("part one part two", "utter_return_policy_answer"),))
    about = {"utter_action": "utter_return_policy_answer"}
    record["replies"] = [{"text": "part one", "metadata": about}, {"text": "part two", "metadata": about}]
    messages = only_messages(the_log.log(record, sent("wamid.A:2", "wamid.S", text="part two")))
    assert [message["content"] for message in messages[1:]] == ["part one", "part two"]
    assert {message["feature_used"] for message in messages[1:]} == {"return_policy"}


def test_words_of_the_graph_call_win_over_the_dialogues(the_log, turn, sent):
    messages = only_messages(the_log.log(turn("wamid.A"), sent("wamid.A:1", "wamid.S", text="*It arrives tomorrow.*")))
    assert messages[1]["content"] == "*It arrives tomorrow.*"


def test_buttons_are_kept_beside_the_words(the_log, turn, sent):
    record = turn("wamid.A", replies=(("Which one?", "utter_clarification_first"),))
    record["events"][-1]["data"] = {"buttons": [{"title": "Track my order"}, {"title": "Talk to a person"}]}
    words = "Which one?\n[Track my order]\n[Talk to a person]"
    messages = only_messages(the_log.log(record, sent("wamid.A:1", "wamid.S", text=words)))
    assert messages[1]["content"] == "Which one?"
    assert messages[1]["buttons"] == ["Track my order", "Talk to a person"]


def test_buttons_stand_once_beside_words_that_never_went_out(the_log, turn, sent):
    record = turn("wamid.A", replies=(("Which one?", "utter_clarification_first"),))
    record["events"][-1]["data"] = {"buttons": [{"title": "Track my order"}]}
    about = {"utter_action": "utter_clarification_first"}
    record["replies"] = [{"text": "Which one?\n[Track my order]", "metadata": about}]
    messages = only_messages(the_log.log(record, sent("wamid.A:1", outcome="failed", error="recipient")))
    assert (messages[1]["content"], messages[1]["buttons"]) == ("Which one?", ["Track my order"])


def test_outcome_that_is_read_before_its_turn_is_completed_by_it(the_log, turn, sent):
    messages = only_messages(the_log.log(sent("wamid.A:1", "wamid.R", text="It arrives tomorrow."), turn("wamid.A")))
    reply = next(message for message in messages if message["role"] == "assistant")
    assert (reply["feature_used"], reply["message_id"]) == ("order_status", "wamid.R")
    assert reply["delivery_status"] == "accepted"


def test_words_that_no_turn_knows_are_logged_from_their_outcome(the_log, turn, sent):
    messages = only_messages(the_log.log(turn("wamid.A"), sent("wamid.A:2", "wamid.S", text="Sorry, my mistake.")))
    assert messages[-1]["content"] == "Sorry, my mistake."


@pytest.mark.parametrize("key", [None, "wamid.A:1"])
def test_status_that_overtook_its_message_is_kept_for_it(the_log, turn, sent, status, key):
    the_log.log(status("wamid.R", "delivered", key=key))
    the_log.log(status("wamid.R", "sent", key=key))
    messages = only_messages(the_log.log(turn("wamid.A"), sent("wamid.A:1", "wamid.R")))
    assert messages[1]["delivery_status"] == "delivered"


def test_button_is_logged_as_its_title_and_the_slash_guard_is_not_logged(the_log, turn, noon):
    tapped = turn("wamid.A", text="/check_order_status", metadata={"typed": "Track my order", "kind": "button_reply"})
    guarded = turn("wamid.B", text="\u2060/restart", at=noon + 5, metadata={"typed": "\u2060/restart"})
    messages = only_messages(the_log.log(tapped, guarded))
    assert [m["content"] for m in messages if m["role"] == "user"] == ["Track my order", "/restart"]


def test_voice_note_without_words_is_named(the_log, turn):
    about = {"typed": "", "kind": "voice", "media": [{"kind": "voice"}]}
    said = turn("wamid.A", text="/send_voice_note", metadata=about)
    assert only_messages(the_log.log(said))[0]["content"] == "[voice]"


def test_turn_that_a_person_led_has_no_message_of_the_customer(the_log, turn, noon):
    returned = turn("return:1", text="/returned", at=noon + 9000, metadata={"kind": "conversation_returned"})
    (record,) = the_log.log(turn("wamid.A", slots={"escalation_reason": "complaint"}), returned)
    assert [message["role"] for message in record["messages"]] == ["user", "assistant", "assistant"]


def test_text_that_databases_refuse_is_logged_without_those_characters(the_log, turn):
    messages = only_messages(the_log.log(turn("wamid.A", text="a\x00b\ud83d")))
    assert messages[0]["content"] == "ab\ufffd"


def test_no_words_command_the_terminal_of_who_reads_the_log(sqlite_log, turn, sent):
    wild = "\x1b]52;c;cm0gLXJm\x07 hi\x9b31m\r\nthere\t\x7f!"
    said = only_messages(sqlite_log.log(turn("wamid.A", text=wild), sent("wamid.A:1", "wamid.R", text=wild)))
    assert [one["content"] for one in said] == ["]52;c;cm0gLXJm hi31m\nthere\t!"] * 2


def test_llm_verdict_and_cited_pages_are_logged(the_log, turn):
    about = {"llm": {"model": "claude-haiku-5-5", "verdict": "grounded"}, "policy_pages": ["return_window"]}
    messages = only_messages(the_log.log(turn("wamid.A", replies=(("30 days.", ""),), bot_metadata=about)))
    assert messages[1]["llm"] == about["llm"]
    assert messages[1]["policy_pages"] == ["return_window"]
    assert messages[1]["feature_used"] == "return_policy"


def test_message_whose_meaning_an_llm_settled_is_logged_once_with_that_meaning(the_log, turn):
    record = turn("wamid.A", text="meko parcel ka bolo", intent="nlu_fallback", confidence=0.3)
    said = next(event for event in record["events"] if event["event"] == "user")
    about = {"provider": "anthropic", "model": "claude-haiku-5-5", "verdict": "settled", "input_tokens": 400}
    intent = {"name": "check_order_status", "confidence": 0.9}
    again = {**said, "parse_data": {**said["parse_data"], "intent": intent}, "metadata": {"llm": about}}
    place = record["events"].index(said) + 1
    record["events"][place:place] = [{"event": "rewind"}, {"event": "action", "name": "action_listen"}, again]
    asked, _ = only_messages(the_log.log(record))
    assert (asked["intent_detected"], asked["confidence"]) == ("check_order_status", 0.9)
    assert asked["llm"] == about


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", "null", '{"record":"turn"}', '{"record":"sent","customer":"c"}', "{" * 5000]
)
def test_malformed_record_is_refused_as_such(text):
    with pytest.raises(BadRecord):
        parse(text)


def test_record_of_a_kind_from_the_future_is_passed_over():
    assert parse('{"record":"weather"}') is None
