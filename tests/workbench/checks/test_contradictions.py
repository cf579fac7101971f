"""What the workbench finds wrong with phrases."""

from __future__ import annotations

from pathlib import Path

import pytest

from workbench.checks.contradictions import trained_and_held_out, twice, under_two_intents
from workbench.nlu.phrases import TRAINING, Phrase, read_phrases


def phrase(text: str, intent: str, line: int = 1) -> Phrase:
    return Phrase(text, intent, Path("/somewhere/general.yml"), line)


def test_one_message_under_two_intents_is_found_however_it_is_spelt() -> None:
    (finding,) = under_two_intents([phrase("pls cancle", "cancel_order"), phrase("Please cancel", "deny", line=9)])
    assert finding.blocking
    assert finding.place.endswith("general.yml:9")
    assert "cancel_order" in finding.problem


def test_one_message_twice_under_its_intent_is_found() -> None:
    assert len(twice([phrase("hello", "greet"), phrase("hello", "greet", line=2)])) == 1


@pytest.mark.parametrize(
    ("held_out", "trained"),
    [
        ("Sir my money refund please", "money refund"),
        ("sir this is my order number 66201", "10234 this is the number"),
        ("that would be a no", "that would be 10234"),
    ],
)
def test_courtesies_and_numbers_alone_make_no_two_phrases_alike(held_out: str, trained: str) -> None:
    assert trained_and_held_out([phrase(trained, "a"), phrase("something else", "b")], [phrase(held_out, "a")]) == []


def test_a_held_out_phrase_that_is_trained_on_is_found() -> None:
    training = [phrase("where is my green lamp order", "check_order_status"), phrase("hello", "greet")]
    held_out = [
        phrase("where is my green lamp order?", "check_order_status"),
        phrase("how do i exchange a small rug", "ask_return_policy"),
    ]
    assert [f.problem.split('"')[1] for f in trained_and_held_out(training, held_out)] == [
        "where is my green lamp order?"
    ]


def test_phrases_know_their_file_and_line(tmp_path: Path) -> None:
    file = tmp_path / "general.yml"
    file.write_text(
        'version: "3.1"\nnlu:\n- intent: greet\n  examples: |\n    - hi\n    - order [10234](order_number)\n',
        encoding="utf-8",
    )
    assert [(p.text, p.intent, p.line) for p in read_phrases(tmp_path)] == [
        ("hi", "greet", 5),
        ("order 10234", "greet", 6),
    ]


def test_no_training_phrase_stands_under_two_intents() -> None:
    assert [finding.problem for finding in under_two_intents(read_phrases(TRAINING))] == []
