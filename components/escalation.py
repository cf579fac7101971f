"""Should a person take over? A pure function over what is known of a turn.

Each reason (refund request, complaint, frustration, wish for a person) has a score: the sum of the weights of the
signals that the message and the conversation show. From its threshold on, the reason holds; the highest priority among
those that hold wins. Signals, phrases, weights and thresholds stand in `config.yml`, and every decision carries the
sheet that shows the sum.

    python -m components.escalation --jsonl < messages.jsonl     {"text", "intent"?} a line in, a decision a line out
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import signals
from components.escalation_likeness import Opinion, Reader, default_likeness
from components.escalation_reading import read
from components.escalation_settings import (
    AGAINST,
    INTENT,
    OF_CONVERSATION,
    PHRASES,
    PRIORITY_OF,
    PROBLEMS,
    READS_INNOCENT,
    READS_LIKE,
    SCORED,
    EscalationConfigError,
    EscalationSettings,
    default_settings,
)

_URGENCY = {"MEDIUM": 1, "HIGH": 2, "CRITICAL": 3}
_NEGATIVE = ("displeasure", "contempt", "serious_accusation", "threat")
_CLEAR = 0.6  # of a threshold ("where is my order"): phrases that weigh no more, and words that agree, leave no doubt
_AGREED, _OPPOSED = 0.03, 0.92  # probability of innocence by words


@dataclass(frozen=True)
class Signals:
    """What is known when the customer has spoken. `earlier`: their messages before this one, newest last."""

    text: str
    intent: str | None = None  # of a pressed button, or what the caller is sure of
    confidence: float = 1.0
    unresolved_turns: int = 0  # in a row, this one included
    earlier: tuple[str, ...] = ()
    order_problem_shown: bool = False  # the assistant's last answer told of a late or missing order


@dataclass(frozen=True)
class Assessment:
    """The decision. `score` is 0 to 1, one half at the threshold. `sheet`: pairs of what and its weight."""

    escalate: bool
    reason: str | None
    priority: str | None
    score: float
    sheet: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class _Evidence:
    """Names of the signals that hold, what showed each, and how strongly those hold that are a matter of degree."""

    shown: dict[str, tuple[str, ...]]
    strength: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class _Row:
    """A line of the sheet."""

    what: str
    weight: float
    why: str


def assess(signals: Signals, settings: EscalationSettings | None = None, likeness: Reader | None = None) -> Assessment:
    """Weigh the signals.

    Without settings, those of config.yml (raises EscalationConfigError). Without `likeness`: phrases only.
    """
    settings = settings or default_settings()
    evidence = _evidence(signals, settings)
    if likeness and any(map(str.isalpha, signals.text)):
        evidence = _with_opinion(evidence, _opinion(signals.text, evidence, likeness, settings), settings)
    sums = {reason: _rows(reason, evidence, settings) for reason in SCORED}
    scores = {reason: round(sum(row.weight for row in rows), 6) for reason, rows in sums.items()}
    holding = [reason for reason in SCORED if scores[reason] >= settings.thresholds[reason]]
    if signals.unresolved_turns >= settings.unresolved_turns:
        holding.append("repeated_failure")
    if not holding:
        nearest = max(SCORED, key=lambda reason: scores[reason] / settings.thresholds[reason])
        return _assessment(False, nearest, sums[nearest], settings)
    # The highest priority; among equals what is furthest over its threshold, the first of equals there.
    reason = max(holding, key=lambda each: (_URGENCY[PRIORITY_OF[each]], scores.get(each, 0.0)))
    if reason == "repeated_failure":
        row = ("unresolved turns in a row", f"{signals.unresolved_turns} of {settings.unresolved_turns}")
        return Assessment(True, reason, PRIORITY_OF[reason], 0.5, (row,))
    return _assessment(True, reason, sums[reason], settings)


def _assessment(escalate: bool, reason: str, rows: list[_Row], settings: EscalationSettings) -> Assessment:
    total, threshold = round(sum(row.weight for row in rows), 6), settings.thresholds[reason]
    score = round(max(total, 0.0) / (max(total, 0.0) + threshold), 3)
    lines = [(row.what.replace("_", " "), f"{row.weight:+.2f} ({row.why})") for row in rows]
    sheet = (*lines, (f"score for {reason}", f"{total:.2f}, threshold {threshold:.2f}"))
    if not escalate:
        return Assessment(False, None, None, min(score, 0.499), sheet)
    return Assessment(True, reason, PRIORITY_OF[reason], score, sheet)


def _evidence(signals: Signals, settings: EscalationSettings) -> _Evidence:
    """Everything but the likeness."""
    shown = dict(read(signals.text, settings)) if signals.text else {}
    strength = {}
    if signals.intent:
        shown[INTENT + signals.intent] = (f"confidence {signals.confidence:.2f}",)
        strength[INTENT + signals.intent] = signals.confidence
    before = [read(text, settings) for text in signals.earlier]
    if any(name in reading for reading in before for name in _NEGATIVE):
        shown["still_negative"] = ("an earlier message",)
    if signals.order_problem_shown or any(_names_a_problem(reading, settings) for reading in before):
        shown["order_problem_before"] = ("earlier in the conversation",)
    return _Evidence({name: why for name, why in shown.items() if name in settings.signals}, strength)


def _names_a_problem(reading: Mapping[str, tuple[str, ...]], settings: EscalationSettings) -> bool:
    return any(settings.signals[name].family in PROBLEMS for name in reading if name in settings.signals)


def _opinion(text: str, evidence: _Evidence, likeness: Reader, settings: EscalationSettings) -> Opinion:
    """By words where these and the phrases agree; otherwise by meaning too, which costs a hundred times as much."""
    glance = likeness.glance(text)
    best = max(
        sum(row.weight for row in _rows(reason, evidence, settings)) / settings.thresholds[reason] for reason in SCORED
    )
    agreed = best >= 1 and glance.innocent <= _AGREED
    opposed = best <= _CLEAR and glance.innocent >= _OPPOSED
    return glance if agreed or opposed else likeness.read(text)


def _with_opinion(evidence: _Evidence, opinion: Opinion, settings: EscalationSettings) -> _Evidence:
    """How far the likelier of "innocent" and "some reason" stands above even odds, 0 to 1, for the likeliest reason.

    The likeness knows this message alone: that "not good" reads innocent says little after news of a lost order.
    """
    innocent = opinion.innocent > 1 - opinion.innocent
    name = READS_INNOCENT if innocent else READS_LIKE + opinion.reason
    if name not in settings.signals or (innocent and any(each in evidence.shown for each in OF_CONVERSATION)):
        return evidence
    probability = max(opinion.innocent, 1 - opinion.innocent)
    return _Evidence(
        {**evidence.shown, name: (f"probability {probability:.2f}",)}, {**evidence.strength, name: 2 * probability - 1}
    )


def _rows(reason: str, evidence: _Evidence, settings: EscalationSettings) -> list[_Row]:
    """The sheet of one reason: what each signal weighs, and where what belongs together weighs no more than allowed."""
    rows: list[_Row] = []
    phrases: list[_Row] = []
    families: dict[str, list[_Row]] = {}
    for name, why in evidence.shown.items():
        signal = settings.signals[name]
        if reason not in signal.weights:
            continue
        times = len(why) if signal.family else 1
        row = _Row(name, signal.weights[reason] * times * evidence.strength.get(name, 1.0), ", ".join(why))
        if name.startswith((INTENT, READS_LIKE, READS_INNOCENT)) or name in OF_CONVERSATION:
            rows.append(row)
        elif signal.family and row.weight > 0:
            families.setdefault(signal.family, []).append(row)
        else:
            phrases.append(row)
    for family, members in families.items():
        phrases += members + _limited(members, f"{family} together", 0.0, settings.most[family])
    single = max((row.weight for row in phrases), default=0.0)
    limits = -settings.most[AGAINST], max(settings.most[PHRASES], single)
    return phrases + _limited(phrases, "phrases together", *limits) + rows


def _limited(rows: list[_Row], what: str, least: float, most: float) -> list[_Row]:
    """The row that takes back what goes beyond the limits, if anything does."""
    total = sum(row.weight for row in rows)
    within = min(max(total, least), most)
    return [_Row(what, within - total, f"at most {within:+.2f}")] if abs(within - total) > 1e-9 else []


def _answer(line: str, settings: EscalationSettings, likeness: Reader | None) -> dict[str, Any]:
    """The decision for one line of the adapter; a line that is no object counts as an empty message."""
    try:
        record = json.loads(line)
    except ValueError:
        print(f"not JSON, counted as empty: line of {len(line)} characters", file=sys.stderr)
        record = {}
    record = record if isinstance(record, dict) else {}
    text, intent = record.get("text"), record.get("intent")
    intent = intent.get("name") if isinstance(intent, dict) else intent
    signals = Signals(text if isinstance(text, str) else "", intent if isinstance(intent, str) else None)
    assessed = assess(signals, settings, likeness)
    return {name: getattr(assessed, name) for name in ("escalate", "reason", "priority", "score")}


def answer_lines(lines: Iterable[str]) -> int:
    """Decide each line of JSON on standard output. Returns an exit status."""
    try:
        settings = default_settings()
    except EscalationConfigError as error:
        print(error, file=sys.stderr)
        return 1
    likeness = default_likeness()
    for line in lines:
        if line.strip():
            print(json.dumps(_answer(line, settings, likeness)), flush=True)
    return 0


if __name__ == "__main__":
    signals.restore()
    if sys.argv[1:] != ["--jsonl"]:
        sys.exit("usage: python -m components.escalation --jsonl < messages.jsonl")
    sys.stdin.reconfigure(encoding="utf-8", errors="replace")  # type: ignore[union-attr]
    sys.exit(answer_lines(sys.stdin))
