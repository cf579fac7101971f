"""The detector on messages: the contract's examples, what is held out, context, the sheet, and the adapter."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from components.escalation import Signals, assess
from components.escalation_fitting import INNOCENT, labelled
from components.escalation_likeness import LABELS, Likeness, LikenessWeights, Opinion, Reader, default_likeness
from components.escalation_settings import CONFIG, POLICY, parse

ROOT = Path(__file__).parents[2]
HELD_OUT = Path(__file__).parent / "escalation_heldout.tsv"
SEALED = Path(__file__).parent / "escalation_sealed.tsv"


@pytest.mark.parametrize(
    ("text", "reason", "priority"),
    [
        ("I want a refund", "refund_request", "HIGH"),
        ("charge me back", "refund_request", "HIGH"),
        ("paisa wapas karo", "refund_request", "HIGH"),
        ("this is fraud", "complaint", "CRITICAL"),
        ("my parcel was stolen", "complaint", "CRITICAL"),
        ("expect a lawsuit", "complaint", "CRITICAL"),
        ("this is unacceptable", "complaint", "CRITICAL"),
        ("my order is late and I am really angry", "frustration", "HIGH"),
        ("great service, 3 weeks and no parcel 👏", "frustration", "HIGH"),
        ("I want to talk to a human", "human_requested", "HIGH"),
    ],
)
def test_trigger_has_its_reason_and_priority(text: str, reason: str, priority: str) -> None:
    assessed = assess(Signals(text))
    assert (assessed.escalate, assessed.reason, assessed.priority) == (True, reason, priority)


@pytest.mark.parametrize(
    "text",
    [
        "What is your refund policy?",
        "is there fraud protection?",
        "thanks, the manager was great",
        "when will my refund arrive?",
        "where is my order 10234",
        "I don't want a refund, I want an exchange",
        "my bag was stolen, can I change my phone number?",
        "what a steal!",
        "",
        "👍",
    ],
)
def test_innocent_message_does_not_call_a_person(text: str) -> None:
    assessed = assess(Signals(text))
    assert (assessed.escalate, assessed.reason, assessed.priority) == (False, None, None)
    assert 0 <= assessed.score < 0.5


def judged(path: Path, likeness: Reader | None) -> tuple[float, float, float]:
    """Precision, recall, and the share of false alarms among the tricky innocent messages."""
    decided = [(expected, assess(Signals(text), likeness=likeness).escalate) for expected, text in labelled(path)]
    right = sum(escalate for expected, escalate in decided if expected not in INNOCENT)
    alarms = [escalate for expected, escalate in decided if expected == "tricky"]
    needed = sum(expected not in INNOCENT for expected, _ in decided)
    return right / sum(escalate for _, escalate in decided), right / needed, sum(alarms) / len(alarms)


def test_held_out_messages_are_decided_as_well_as_they_were() -> None:
    likeness = default_likeness()
    assert likeness is not None
    precision, recall, alarms = judged(HELD_OUT, likeness)
    assert precision >= 0.96
    assert recall >= 0.92
    assert alarms <= 0.05


def test_messages_of_an_author_who_never_saw_the_others_are_decided_as_well_as_they_were() -> None:
    """Totals only: whoever reads the lines tunes on them."""
    likeness = default_likeness()
    expected, decided = [], []
    for line in SEALED.read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            text, needed, reasons = line.split("\t")
            expected.append(reasons.split("|") if needed == "yes" else [])
            decided.append(assess(Signals(text), likeness=likeness).reason)
    pairs = list(zip(expected, decided, strict=True))
    right = sum(bool(reasons and reason) for reasons, reason in pairs)
    named = sum(reason in reasons for reasons, reason in pairs if reasons and reason)
    alarms = sum(bool(reason) for reasons, reason in pairs if not reasons)
    assert right / (right + alarms) >= 0.89, "precision"
    assert right / sum(map(bool, expected)) >= 0.88, "recall"
    assert alarms / sum(not reasons for reasons in expected) <= 0.10, "false alarms"
    assert named / right >= 0.90, "right reason"


def test_without_the_embedding_model_words_still_tell() -> None:
    precision, recall, alarms = judged(HELD_OUT, Likeness(LikenessWeights.load(), None))
    assert precision >= 0.93
    assert recall >= 0.83
    assert alarms <= 0.12


def test_phrases_alone_are_precise() -> None:
    """What is left when the likeness cannot be used at all."""
    precision, recall, alarms = judged(HELD_OUT, None)
    assert precision >= 0.93
    assert recall >= 0.80
    assert alarms <= 0.10


def test_held_out_messages_were_not_used_for_tuning() -> None:
    seen = {text.lower() for _, text in labelled()}
    held_out = [text.lower() for _, text in labelled(HELD_OUT)]
    assert len(held_out) >= 250
    assert sum(text in seen for text in held_out) <= len(held_out) // 20  # "yes", "where is my order"


class Fixed:
    """Reads every message alike and counts how often it is asked for the meaning."""

    def __init__(self, glance: Opinion, read: Opinion) -> None:
        self._glance, self._read = glance, read
        self.asked = 0

    def glance(self, text: str) -> Opinion:
        return self._glance

    def read(self, text: str) -> Opinion:
        self.asked += 1
        return self._read


def opinion(label: str, probability: float) -> Opinion:
    """One label against its opposite; nothing for the others."""
    opposite = "frustration" if label == "innocent" else "innocent"
    return Opinion(dict.fromkeys(LABELS, 0.0) | {label: probability, opposite: 1 - probability})


ANGRY, INNOCENT_ONE, UNSURE = opinion("frustration", 0.95), opinion("innocent", 0.99), opinion("innocent", 0.6)


def test_meaning_is_asked_only_where_words_and_phrases_leave_a_doubt() -> None:
    for text, glance in (
        ("I want a refund", opinion("refund_request", 0.98)),
        ("is there fraud protection?", INNOCENT_ONE),
        ("hi", INNOCENT_ONE),
    ):
        likeness = Fixed(glance, ANGRY)
        assess(Signals(text), likeness=likeness)
        assert likeness.asked == 0, text
    for text, glance in (("I want a refund", INNOCENT_ONE), ("my parcel is late", ANGRY), ("hm", UNSURE)):
        likeness = Fixed(glance, UNSURE)
        assess(Signals(text), likeness=likeness)
        assert likeness.asked == 1, text


def test_likeness_alone_calls_a_person_when_it_is_sure() -> None:
    text = "the lehenga has seen more cities than I have"
    assert not assess(Signals(text), likeness=Fixed(UNSURE, opinion("frustration", 0.7))).escalate
    assessed = assess(Signals(text), likeness=Fixed(UNSURE, ANGRY))
    assert (assessed.reason, assessed.priority) == ("frustration", "HIGH")
    assert dict(assessed.sheet)["reads like frustration"] == "+1.35 (probability 0.95)"


def test_likeness_takes_back_what_one_phrase_says_but_not_several() -> None:
    innocent = Fixed(INNOCENT_ONE, INNOCENT_ONE)
    assert not assess(Signals("the thief costume"), likeness=innocent).escalate
    assert assess(Signals("the thief costume")).escalate


def test_phrase_that_alone_weighs_two_calls_a_person_whatever_the_likeness_says() -> None:
    entry = next(p for p in yaml.safe_load(CONFIG.read_text())["policies"] if p["name"] == POLICY)
    entry["signals"]["always"] = {"weights": {"complaint": 2.0}, "phrases": "wizard council"}
    innocent = Fixed(INNOCENT_ONE, INNOCENT_ONE)
    assert assess(Signals("ask the wizard council"), parse(entry), innocent).reason == "complaint"


def test_no_likeness_is_asked_where_nothing_was_written() -> None:
    likeness = Fixed(ANGRY, ANGRY)
    assert not assess(Signals(""), likeness=likeness).escalate
    assert not assess(Signals("  "), likeness=likeness).escalate
    assert not assess(Signals("+91 98765 00011"), likeness=likeness).escalate
    assert likeness.asked == 0


@pytest.mark.parametrize(
    "text", ["Asha Rao", "12 Lake View Road, Pune", "kal shaam ko", "the blue one", "prepaid", "M"]
)
def test_answer_to_a_question_of_the_assistant_calls_nobody(text: str) -> None:
    assert not assess(Signals(text), likeness=default_likeness()).escalate


def test_highest_priority_wins() -> None:
    text = "I want my money back and a manager, you thieves"
    assert assess(Signals(text)).reason == "complaint"
    assert assess(Signals(text, unresolved_turns=5)).reason == "complaint"


def test_third_unresolved_turn_counts_and_the_second_does_not() -> None:
    assert not assess(Signals("blah", unresolved_turns=2)).escalate
    assessed = assess(Signals("blah", unresolved_turns=3))
    assert (assessed.reason, assessed.priority) == ("repeated_failure", "MEDIUM")
    assert assessed.sheet == (("unresolved turns in a row", "3 of 3"),)


def test_sure_intent_calls_a_person_and_an_unsure_one_does_not() -> None:
    assert assess(Signals("", intent="request_human")).reason == "human_requested"
    assert assess(Signals("", intent="request_refund")).reason == "refund_request"
    assert not assess(Signals("", intent="request_human", confidence=0.5)).escalate


def test_anger_adds_up_over_messages() -> None:
    now = "this is not good"
    assert not assess(Signals(now)).escalate
    assert assess(Signals(now, earlier=("my parcel has not come, so sad",))).reason == "frustration"
    assert assess(Signals(now, order_problem_shown=True)).reason == "frustration"


def test_sheet_shows_the_sum() -> None:
    assessed = assess(Signals("Give me my money back!!"))
    assert dict(assessed.sheet)["score for refund_request"].endswith("threshold 1.00")
    for text in ("Give me my money back!!", "worst service, still waiting for a refund, so bad, so late, you thieves"):
        for likeness in (None, Fixed(UNSURE, ANGRY)):
            sheet = assess(Signals(text, intent="request_refund", confidence=0.8), likeness=likeness).sheet
            weights = [float(detail.split()[0]) for _, detail in sheet[:-1]]
            assert sum(weights) == pytest.approx(float(sheet[-1][1].split(",")[0]), abs=0.01 * len(weights))


def test_sheet_names_found_words_and_not_what_stands_between() -> None:
    details = " ".join(detail for _, detail in assess(Signals("give Anita Rao money back")).sheet)
    assert "give .. money back" in details
    assert "anita" not in details.lower()


@given(st.text(max_size=400), st.sampled_from([None, "request_human", "file_complaint", "unheard_of"]))
def test_any_text_gets_a_decision(text: str, intent: str | None) -> None:
    assessed = assess(Signals(text, intent, 0.4))
    assert 0 <= assessed.score < 1
    assert assessed.escalate == (assessed.reason is not None) == (assessed.priority is not None)


def test_long_message_takes_no_longer_than_its_length_explains() -> None:
    started = time.process_time()
    assess(Signals("i want my money back not received no reply worst service refund please " * 200))
    assert time.process_time() - started < 1.0


def run_adapter(lines: str) -> list[dict[str, object]]:
    command = [sys.executable, "-m", "components.escalation", "--jsonl"]
    done = subprocess.run(command, input=lines.encode(), capture_output=True, cwd=ROOT, check=True, timeout=60)
    return [json.loads(line) for line in done.stdout.decode().splitlines()]


def test_adapter_answers_each_line_in_order_and_survives_bad_ones() -> None:
    lines = [
        '{"text": "I want a refund"}',
        "not json",
        '{"text": 5}',
        "[1]",
        '{"text": "hi", "intent": "request_human"}',
        '{"text": "hi", "intent": {"name": "greet"}}',
        '{"intent": null}',
        '{"text": "\\ud800 scam"}',
    ]
    answers = run_adapter("\n".join(lines) + "\n")
    assert [answer["reason"] for answer in answers] == [
        "refund_request",
        None,
        None,
        None,
        "human_requested",
        None,
        None,
        "complaint",
    ]
    assert all(list(answer) == ["escalate", "reason", "priority", "score"] for answer in answers)
    assert answers[0]["priority"] == "HIGH"
    assert answers[1]["priority"] is None
