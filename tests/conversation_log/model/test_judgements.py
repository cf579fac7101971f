"""The log's judgements hold for whatever order the news comes in."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conversation_log.model import judgements

STATES = ("accepted", "sent", "failed", "delivered", "read")


@given(st.lists(st.sampled_from(STATES), min_size=1, max_size=12), st.randoms())
def test_delivery_status_never_goes_back_and_does_not_depend_on_the_order(news: list[str], rng: Any) -> None:
    known = None
    for state in news:
        before, known = known, judgements.furthest(known, state)
        assert before is None or STATES.index(known) >= STATES.index(before)
    shuffled = list(news)
    rng.shuffle(shuffled)
    again = None
    for state in shuffled:
        again = judgements.furthest(again, state)
    assert again == known


@pytest.mark.parametrize("order", list(itertools.permutations(("sent", "delivered", "read"))))
def test_statuses_in_any_order_end_as_read(sqlite_log, turn, sent, status, order) -> None:
    records = [turn("wamid.A"), sent("wamid.A:1", "wamid.R"), *[status("wamid.R", state) for state in order]]
    (record,) = sqlite_log.log(*records)
    assert record["messages"][1]["delivery_status"] == "read"


@pytest.mark.parametrize(
    ("response", "feature"),
    [
        ("utter_order_status_shipped", "order_status"),
        ("utter_order_change_kept", "order_status"),
        ("utter_return_policy_answer", "return_policy"),
        ("utter_handoff_opened", "escalation"),
        ("utter_fallback_apology", "clarification"),
        ("utter_clarification_first", "clarification"),
        ("utter_greet", "smalltalk"),
        ("utter_ordering_tips", "smalltalk"),
        (None, "smalltalk"),
    ],
)
def test_feature_is_the_topic_in_the_responses_name(response: str | None, feature: str) -> None:
    assert judgements.feature_of(response) == feature


def reply(response: str, delivered: str | None = "read", feature: str = "order_status") -> dict[str, Any]:
    return {"role": "assistant", "suppressed": False, "delivery_status": delivered, "response": response,
            "feature": feature}  # fmt: skip


CUSTOMER: dict[str, Any] = {"role": "user", "suppressed": False, "delivery_status": None, "response": None}


@pytest.mark.parametrize(
    ("messages", "ending"),
    [
        ([CUSTOMER, reply("utter_order_status_shipped")], "resolved"),
        ([CUSTOMER, reply("utter_order_status_shipped"), CUSTOMER], "abandoned"),
        ([CUSTOMER, reply("utter_order_status_not_found")], "abandoned"),
        ([CUSTOMER, reply("utter_order_change_ask_number")], "abandoned"),
        ([CUSTOMER, reply("utter_clarification_first", feature="clarification")], "abandoned"),
        ([CUSTOMER, reply("utter_order_status_shipped", delivered="failed")], "abandoned"),
        ([reply("utter_greet", feature="smalltalk")], "abandoned"),
        ([CUSTOMER, reply("utter_greet", feature="smalltalk")], "abandoned"),
        ([CUSTOMER, reply("utter_thank_welcome", feature="smalltalk")], "resolved"),
        ([CUSTOMER, reply("utter_order_status_choose_many")], "abandoned"),
        ([CUSTOMER, reply("utter_voice_note_received", feature="smalltalk")], "abandoned"),
        ([CUSTOMER, reply("utter_order_change_cancel_possible")], "abandoned"),
        ([CUSTOMER, reply("utter_order_change_kept")], "resolved"),
        ([CUSTOMER, reply("utter_order_status_no_refund")], "abandoned"),
        ([CUSTOMER, reply("utter_order_status_misshaped")], "abandoned"),
        ([CUSTOMER, reply("utter_order_change_return")], "abandoned"),
        ([CUSTOMER, reply("utter_order_status_no_delivery_date")], "resolved"),
        ([], "abandoned"),
    ],
)
def test_conversation_ends_as_its_last_answer_says(messages: list[dict[str, Any]], ending: str) -> None:
    assert judgements.ending(messages) == ending
