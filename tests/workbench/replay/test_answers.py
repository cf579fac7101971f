"""What counts as a change when a logged turn is played again, whatever the orders have come to since."""

from __future__ import annotations

import pytest

from conversation_log.model.judgements import feature_of
from workbench.replay.answers import (
    ANSWER,
    ANSWERED,
    CALLED,
    FAILED,
    INTENT,
    NOT_CALLED,
    REFUSED,
    WORDS,
    Answer,
    Said,
    changes,
    moved_on,
)

SHIPPED, DELIVERED = "utter_order_status_shipped", "utter_order_status_delivered"
QUOTED, NOT_COVERED = "utter_return_policy_answer", "utter_return_policy_not_covered"


def said(response: str, text: str = "", *pages: str, by_llm: bool = False) -> Said:
    return Said(response, feature_of(response, bool(pages)), text, pages, by_llm)


def answer(*bubbles: Said, intent: str = "check_order_status", escalated: bool = False) -> Answer:
    return Answer(intent, bubbles, escalated)


@pytest.mark.parametrize(
    ("then", "now"),
    [
        (said(SHIPPED, "Order #10234 is on its way"), said(DELIVERED, "Order #10234 was delivered")),
        (said(SHIPPED, "Order #10234 is on its way"), said("utter_order_status_choose", "Which one?")),
        (said("utter_self_service_confirm", "#10234?"), said("utter_order_change_finished", "#10234 is cancelled")),
        (said("utter_clarification_first", "Sorry?"), said("utter_clarification_second", "Once more?")),
        (said("utter_handoff_connecting"), said("utter_handoff_connecting_out_of_hours")),
        (said(QUOTED, "30 days", "window", by_llm=True), said(QUOTED, "You have 30 days", "window", by_llm=True)),
        (said(QUOTED, "*30 days*, mail a@b.in", "window"), said(QUOTED, "30  days, mail [email]", "window")),
        (Said("", "order_status", "Order #10234"), said(DELIVERED, "#10234")),
    ],
)
def test_what_the_orders_the_hour_or_an_llm_make_of_an_answer_is_no_change(then: Said, now: Said) -> None:
    assert changes("10234 kaha hai", answer(then), answer(now)) == ()


@pytest.mark.parametrize(
    ("then", "now", "kinds"),
    [
        (said(SHIPPED, "Order #10234"), said("utter_greet"), (ANSWER,)),
        (said(SHIPPED, "Order #10234 is on its way"), said(SHIPPED, "Order #10248 is on its way"), (ANSWER,)),
        (said(SHIPPED, "#10234"), said("utter_order_change_possible", "#10234"), (ANSWER,)),
        (said(QUOTED, "30 days", "window"), said(NOT_COVERED), (REFUSED,)),
        (said(NOT_COVERED), said(QUOTED, "30 days", "window"), (ANSWERED,)),
        (said(QUOTED, "30 days", "window"), said(QUOTED, "45 days", "window"), (WORDS,)),
        (said(QUOTED, "30 days", "window"), said(QUOTED, "30 days", "refunds"), (ANSWER,)),
        (said("utter_clarification_first"), said("utter_clarification_out_of_scope"), (ANSWER,)),
    ],
)
def test_another_kind_of_answer_is_a_change(then: Said, now: Said, kinds: tuple[str, ...]) -> None:
    assert changes("10234 kaha hai", answer(then), answer(now)) == kinds


def test_intent_person_and_failure_are_told() -> None:
    calm, called = answer(said("utter_greet")), answer(said("utter_handoff_connecting"), escalated=True)
    assert changes("hi", calm, called) == (CALLED,)
    assert changes("hi", called, calm) == (NOT_CALLED,)
    assert changes("hi", calm, answer(said("utter_greet"), intent="greet")) == (INTENT,)
    assert changes("hi", calm, Answer("", (), failed="KeyError")) == (FAILED,)


def test_only_another_state_of_the_orders_lets_what_follows_go_uncompared() -> None:
    confirm, finished = answer(said("utter_self_service_confirm")), answer(said("utter_order_change_finished"))
    assert moved_on(confirm, finished)
    assert not moved_on(confirm, confirm)
    assert not moved_on(confirm, answer(said("utter_greet")))
    assert not moved_on(answer(said("utter_greet")), finished)
