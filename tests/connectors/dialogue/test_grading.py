"""How grave a waiting customer's words are."""

from __future__ import annotations

import pytest

from connectors.dialogue import grading


@pytest.mark.parametrize(
    ("text", "priority"),
    [
        ("just give my money back now", "HIGH"),
        ("you are frauds, I will sue you", "CRITICAL"),
        ("ok thanks", None),
        ("", None),
        ("it was the blue one by the way", None),
    ],
)
def test_words_weigh_as_much_as_when_they_call_a_person(text: str, priority: str | None) -> None:
    assert grading.priority_of(text) == priority


def test_a_grade_that_fails_costs_no_message(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(grading, "assess", lambda *_: 1 / 0)
    assert grading.priority_of("give my money back") is None
