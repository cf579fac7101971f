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
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from components.escalation_likeness import Likeness, default_likeness
from components.escalation_reading import read
from components.escalation_settings import (
    INTENT,
    LIKENESS,
    PRIORITY_OF,
    PROBLEMS,
    SCORED,
    EscalationConfigError,
    EscalationSettings,
    default_settings,
)

_URGENCY = {"MEDIUM": 1, "HIGH": 2, "CRITICAL": 3}
_INNOCENCE = 0.3  # below minus this, the phrases are sure
_SHORT, _LONG = 3, 6  # words
_NEGATIVE = ("displeasure", "contempt", "serious_accusation", "threat")


@dataclass(frozen=True)
class Signals:
    """What is known when the customer has spoken. `earlier`: their messages before this one, newest last."""

    text: str
    intent: str | None = None
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


def assess(
    signals: Signals,
    settings: EscalationSettings | None = None,
    likeness: Callable[[str], float] | None = None,
) -> Assessment:
    """Weigh the signals; where phrases leave a doubt, ask how much the text reads like those that needed a person.

    Without settings, those of config.yml (raises EscalationConfigError). Without `likeness`: phrases only.
    """
    settings = settings or default_settings()
    found = _found(signals, settings)
    strength = {name: signals.confidence for name in found if name.startswith(INTENT)}
    scores = _scores(found, strength, settings)
    if likeness and LIKENESS in settings.signals and _doubtful(signals.text, scores, settings):
        found[LIKENESS] = (f"probability {(probability := likeness(signals.text)):.2f}",)
        strength[LIKENESS] = max(0.0, 2 * probability - 1)
        scores = _scores(found, strength, settings)
    holding = [reason for reason in SCORED if scores[reason] >= settings.thresholds[reason]]
    if signals.unresolved_turns >= settings.unresolved_turns:
        holding.append("repeated_failure")
    if not holding:
        nearest = max(SCORED, key=lambda reason: scores[reason] / settings.thresholds[reason])
        return Assessment(False, None, None, _unit(nearest, scores, settings), _sheet(nearest, found, scores, settings))
    reason = max(holding, key=lambda each: _URGENCY[PRIORITY_OF[each]])  # the first of equals
    if reason == "repeated_failure":
        row = ("unresolved turns in a row", f"{signals.unresolved_turns} of {settings.unresolved_turns}")
        return Assessment(True, reason, PRIORITY_OF[reason], 0.5, (row,))
    sheet = _sheet(reason, found, scores, settings)
    return Assessment(True, reason, PRIORITY_OF[reason], _unit(reason, scores, settings), sheet)


def _doubtful(text: str, scores: Mapping[str, float], settings: EscalationSettings) -> bool:
    """Something speaks for a person but not enough, or a longer message says nothing that a phrase knows."""
    best = max(scores[reason] / settings.thresholds[reason] for reason in SCORED)
    words = len(text.split())
    return (0 < best < 1 and words >= _SHORT) or (-_INNOCENCE < best <= 0 and words >= _LONG)


def _found(signals: Signals, settings: EscalationSettings) -> dict[str, tuple[str, ...]]:
    """Names of all signals that hold, with what showed them."""
    found = dict(read(signals.text, settings)) if signals.text else {}
    if signals.intent:
        found[INTENT + signals.intent] = (f"times confidence {signals.confidence:.2f}",)
    before = [read(text, settings) for text in signals.earlier]
    if any(name in reading for reading in before for name in _NEGATIVE):
        found["still_negative"] = ("an earlier message",)
    if signals.order_problem_shown or any(_names_a_problem(reading, settings) for reading in before):
        found["order_problem_before"] = ("earlier in the conversation",)
    return {name: shown for name, shown in found.items() if name in settings.signals}


def _names_a_problem(reading: Mapping[str, tuple[str, ...]], settings: EscalationSettings) -> bool:
    return any(settings.signals[name].family in PROBLEMS for name in reading if name in settings.signals)


def _scores(
    found: Mapping[str, tuple[str, ...]], strength: Mapping[str, float], settings: EscalationSettings
) -> dict[str, float]:
    return {reason: _score(reason, found, strength, settings) for reason in SCORED}


def _score(
    reason: str,
    found: Mapping[str, tuple[str, ...]],
    strength: Mapping[str, float],
    settings: EscalationSettings,
) -> float:
    """The sum of the weights: each family's share capped, those of models by how sure they are."""
    total = 0.0
    families: dict[str, float] = {}
    for name, shown in found.items():
        signal = settings.signals[name]
        weight = signal.weights.get(reason, 0.0) * strength.get(name, 1.0)
        if signal.family and weight > 0:
            families[signal.family] = families.get(signal.family, 0.0) + weight * len(shown)
        else:
            total += weight
    total += sum(min(weight, settings.most[family]) for family, weight in families.items())
    return round(total, 6)


def _unit(reason: str, scores: Mapping[str, float], settings: EscalationSettings) -> float:
    score = max(scores[reason], 0.0)
    return round(score / (score + settings.thresholds[reason]), 3)


def _sheet(
    reason: str, found: Mapping[str, tuple[str, ...]], scores: Mapping[str, float], settings: EscalationSettings
) -> tuple[tuple[str, str], ...]:
    rows = [
        (name.replace("_", " "), f"{settings.signals[name].weights[reason]:+.2f} ({', '.join(shown)})")
        for name, shown in found.items()
        if reason in settings.signals[name].weights
    ]
    total = (f"score for {reason}", f"{scores[reason]:.2f}, threshold {settings.thresholds[reason]:.2f}")
    return (*rows, total)


def _answer(line: str, settings: EscalationSettings, likeness: Likeness | None) -> dict[str, Any]:
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
    if sys.argv[1:] != ["--jsonl"]:
        sys.exit("usage: python -m components.escalation --jsonl < messages.jsonl")
    sys.stdin.reconfigure(encoding="utf-8", errors="replace")  # type: ignore[union-attr]
    sys.exit(answer_lines(sys.stdin))
