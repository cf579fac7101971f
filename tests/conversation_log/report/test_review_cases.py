"""Which of the customers' messages a designer is shown, on SQLite and PostgreSQL."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from typing import Any

from conversation_log.report import review_queue

Turn = Callable[..., dict[str, Any]]
ANSWER = (("It arrives tomorrow.", "utter_order_status_shipped"),)
CLARIFY = (("Could you say that differently?", "utter_clarification_first"),)
HANDOFF = (("A colleague takes over.", "utter_handoff_opened"),)
ESCALATED = {"escalation_reason": "complaint", "escalation_priority": "CRITICAL"}


def everything(text: str, at: datetime) -> bool:
    return True


def test_rejected_uncertain_asked_back_and_escalated_messages_are_found_and_no_others(
    the_log: Any, turn: Turn, noon: float
) -> None:
    the_log.log(
        turn("wamid.1", "blorf", CLARIFY, intent="nlu_fallback", confidence=0.7),
        turn("wamid.2", "weather?", CLARIFY, noon + 10, intent="out_of_scope", confidence=0.99),
        turn("wamid.3", "parcel hmm", ANSWER, noon + 20, confidence=0.41),
        turn("wamid.4", "10234 or what", CLARIFY, noon + 30, intent="inform_order_number", confidence=0.9),
        turn("wamid.5", "fraud company", HANDOFF, noon + 40, intent="file_complaint", confidence=0.95, slots=ESCALATED),
        turn("wamid.6", "where is my order", ANSWER, noon + 50, confidence=0.97),
        turn("wamid.7", "Talk to a person", CLARIFY, noon + 60, confidence=0.2, metadata={"kind": "button_reply"}),
        turn("wamid.8", "[image]", CLARIFY, noon + 70, intent="out_of_scope", metadata={"kind": "image"}),
    )
    found = {case.text: case.reasons for case in review_queue.cases(the_log.engine)}
    assert found == {
        "blorf": ("rejected",),
        "weather?": ("rejected",),
        "parcel hmm": ("uncertain",),
        "10234 or what": ("asked back",),
        "fraud company": ("escalated",),
    }


def test_messages_leave_the_log_redacted_and_only_those_since_a_moment(the_log: Any, turn: Turn, noon: float) -> None:
    the_log.log(
        turn("wamid.1", "blorf call 98765 43210", CLARIFY, intent="nlu_fallback"),
        turn("wamid.2", "blorf mail ravi@example.in", CLARIFY, noon + 600, intent="nlu_fallback"),
    )
    since = datetime.fromtimestamp(noon + 300, timezone.utc)
    assert [case.text for case in review_queue.cases(the_log.engine)] == ["blorf mail [email]", "blorf call [phone]"]
    assert [case.text for case in review_queue.cases(the_log.engine, since)] == ["blorf mail [email]"]
    assert [case.text for case in review_queue.cases(the_log.engine, newest=1)] == ["blorf mail [email]"]


def test_messages_are_grouped_by_wording_and_the_most_frequent_group_comes_first(
    sqlite_log: Any, turn: Turn, noon: float
) -> None:
    said = [
        "gift wrap available?",
        *["cashback not credited 10234", "Cashback not credited 10277"] * 2,
        "my cashback not credited",
    ]
    sqlite_log.log(*[turn(f"wamid.{n}", text, CLARIFY, noon + n, intent="nlu_fallback") for n, text in enumerate(said)])
    first, second = review_queue.clusters(review_queue.cases(sqlite_log.engine), everything)
    assert (first.count, second.count) == (5, 1)
    assert {wording.text.lower().rstrip(" 01234567") for wording in first.wordings} == {
        "cashback not credited", "my cashback not credited",
    }  # fmt: skip
    assert [len(wording.cases) for wording in first.wordings] == [4, 1]
    assert first.reasons == {"rejected": 5}
    assert second.wordings[0].text == "gift wrap available?"


def test_what_was_reviewed_is_left_out_until_it_is_written_again(sqlite_log: Any, turn: Turn, noon: float) -> None:
    sqlite_log.log(
        turn("wamid.1", "gift wrap?", CLARIFY, noon, intent="nlu_fallback"),
        turn("wamid.2", "gift wrap?", CLARIFY, noon + 600, intent="nlu_fallback"),
    )
    seen = datetime.fromtimestamp(noon, timezone.utc) + timedelta(seconds=300)
    (again,) = review_queue.clusters(review_queue.cases(sqlite_log.engine), lambda text, at: at > seen)
    assert again.count == 1
