"""The examples in other languages that teach when a person takes over: each under one reason, none of them held out."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

import pytest

import yaml_files
from components.escalation.assessment import TurnContext, assess
from workbench.nlu.trained_nlu import TrainedNlu

ROOT = Path(__file__).resolve().parents[3]
REASONS = {"complaint", "refund_request", "human_requested", "frustration", "none"}
HELD_OUT = [
    row.split("\t")
    for row in (Path(__file__).parent / "escalation.tsv").read_text(encoding="utf-8").splitlines()
    if not row.startswith("#")
]


def examples(language: str) -> dict[str, set[str]]:
    """Messages by reason."""
    found = defaultdict(set)
    for path in sorted((ROOT / "data" / "escalation" / language).glob("*.yml")):
        for block in yaml_files.read(path)["escalation"]:
            found[block["reason"]] |= {line.removeprefix("- ") for line in block["examples"].splitlines()}
    return found


@pytest.mark.parametrize("language", ["hi", "pt", "es"])
def test_a_language_that_is_answered_in_has_examples_of_every_reason_and_calm_ones(language: str) -> None:
    assert {reason: len(messages) >= 15 for reason, messages in examples(language).items()} == dict.fromkeys(
        REASONS, True
    )


@pytest.mark.model
@pytest.mark.parametrize(("language", "level"), [("hi", 0.88), ("pt", 0.91), ("es", 0.91)])
def test_a_person_is_called_by_held_out_messages_that_need_one_and_by_no_other(language: str, level: float) -> None:
    reasons = TrainedNlu.newest().reasons
    said = [(reason != "none", text) for of, reason, text in HELD_OUT if of == language]
    right = sum(assess(TurnContext(text), reasons).escalate == wanted for wanted, text in said)
    assert right >= level * len(said), f"{right} of {len(said)}"


@pytest.mark.parametrize("language", ["hi", "pt", "es", "other"])
def test_a_message_stands_under_one_reason_and_is_not_held_out(language: str) -> None:
    all_messages = [message for messages in examples(language).values() for message in messages]
    assert len(all_messages) == len(set(all_messages))
    assert not {text for _, _, text in HELD_OUT} & set(all_messages)
    assert {reason for _, reason, _ in HELD_OUT} <= REASONS
