"""The escalation settings of `config.yml`, checked: signals with their phrases and weights, thresholds, priorities.

Every mistake is reported with the file, the place and the remedy, because designers edit this, not engineers.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

from components.escalation_phrases import PhraseError, PhraseIndex, filled_in, split_phrases

_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
CONFIG = Path(__file__).resolve().parent.parent / "config.yml"
POLICY = "components.escalation_policy.EscalationPolicy"

# Highest priority first; among equals, a wish said outright comes before one inferred.
PRIORITY_OF = {
    "complaint": "CRITICAL",
    "refund_request": "HIGH",
    "human_requested": "HIGH",
    "frustration": "HIGH",
    "repeated_failure": "MEDIUM",
}
SCORED = ("complaint", "refund_request", "human_requested", "frustration")
# What code finds in a message or conversation rather than by a phrase.
OF_CONVERSATION = ("still_negative", "order_problem_before")
READS_LIKE, READS_INNOCENT = "reads_like_", "reads_innocent"
COMPUTED = (
    "shouting",
    "exclamation",
    "stretched_words",
    "few_words",
    "sarcasm",
    *OF_CONVERSATION,
    READS_INNOCENT,
    *(READS_LIKE + reason for reason in SCORED),
)
# Phrases that change what others mean instead of being weighed.
ROLES = ("negation", "not_a_negation")
# Signals that the reading of a message asks for by name, besides weighing them.
PRAISE, SOLVED = "praise", "solved"
# Families of what went wrong: a problem escalates together with displeasure, a grievance by itself.
PROBLEMS = ("problem", "grievance")
# Limits of `most` for all phrases together: for a person, and against one.
PHRASES, AGAINST = "phrases", "against"
INTENT = "intent_"
NOT = "not_"  # not_praise: praise denied
UNLESS = "unless "
RASAS_KEYS = ("name", "priority")


class EscalationConfigError(ValueError):
    """The escalation settings cannot be used; the message names the place in config.yml and the remedy."""


@dataclass(frozen=True)
class Signal:
    """One thing that a message can show, and what it weighs for each reason."""

    name: str
    weights: Mapping[str, float]
    family: str | None = None  # signals of a family together weigh `most` at the most
    negatable: bool = True


@dataclass(frozen=True)
class EscalationSettings:
    """Everything that `assess` needs besides the message."""

    signals: Mapping[str, Signal]
    phrases: PhraseIndex
    thresholds: Mapping[str, float]
    most: Mapping[str, float]
    unresolved_turns: int


@lru_cache(maxsize=1)
def default_settings() -> EscalationSettings:
    """The settings of the project's config.yml. Raises EscalationConfigError."""
    try:
        config = yaml.load(CONFIG.read_text(encoding="utf-8"), Loader=_Loader)  # noqa: S506 (safe, in C where built)
    except (OSError, yaml.YAMLError) as error:
        raise EscalationConfigError(f"config.yml cannot be read: {error}") from error
    for policy in config.get("policies") or []:
        if policy.get("name") == POLICY:
            return parse(policy)
    raise EscalationConfigError(f"config.yml has no policy {POLICY}. Add it under policies.")


def parse(entry: Mapping[str, Any]) -> EscalationSettings:
    """The settings in a policy entry. Raises EscalationConfigError."""
    unknown = set(entry) - {*RASAS_KEYS, *ROLES, "unresolved_turns", "thresholds", "most", "words", "signals"}
    if unknown:
        raise _wrong(sorted(unknown)[0], "it is not known", "correct or remove it")
    blocks = _mapping(entry.get("signals"), "signals")
    signals = {name: _signal(name, block) for name, block in blocks.items()}
    texts = {name: block.get("phrases") for name, block in blocks.items()}
    texts |= {UNLESS + name: block.get("unless") for name, block in blocks.items()}
    texts |= {role: entry.get(role) for role in ROLES}
    words = {str(name): str(options) for name, options in (entry.get("words") or {}).items()}
    try:
        index = PhraseIndex({owner: split_phrases(filled_in(str(text or ""), words)) for owner, text in texts.items()})
    except PhraseError as error:
        raise EscalationConfigError(f"config.yml, {POLICY}: {error}") from error
    limited = {PHRASES, AGAINST, *(signal.family for signal in signals.values() if signal.family)}
    return EscalationSettings(
        signals=signals,
        phrases=index,
        thresholds={reason: _positive(entry, "thresholds", reason) for reason in SCORED},
        most={name: _positive(entry, "most", name) for name in sorted(limited)},
        unresolved_turns=_count(entry, "unresolved_turns"),
    )


def _signal(name: str, block: Any) -> Signal:
    place = f"signals.{name}"
    block = _mapping(block, place)
    unknown = set(block) - {"weights", "phrases", "unless", "family", "negatable"}
    if unknown:
        raise _wrong(place, f"{sorted(unknown)[0]!r} is not known", "use weights, phrases, unless, family, negatable")
    computed = name in COMPUTED or name.startswith((INTENT, NOT))
    if computed == bool(block.get("phrases")):
        known = ", ".join((*COMPUTED, INTENT + "…", NOT + "…"))
        remedy = "remove its phrases" if computed else f"give it phrases, or take one of {known}"
        raise _wrong(place, "a signal is either computed or has phrases", remedy)
    weights = _mapping(block.get("weights"), f"{place}.weights")
    for reason, weight in weights.items():
        if reason not in SCORED or not isinstance(weight, int | float):
            raise _wrong(f"{place}.weights", f"{reason}: {weight!r}", f"write a number for {', '.join(SCORED)}")
    return Signal(name, dict(weights), block.get("family"), bool(block.get("negatable", True)))


def _positive(entry: Mapping[str, Any], section: str, name: str) -> float:
    value = _mapping(entry.get(section), section).get(name)
    if not isinstance(value, int | float) or value <= 0:
        raise _wrong(f"{section}.{name}", f"{value!r} is not a positive number", "write one, such as 1.0")
    return float(value)


def _count(entry: Mapping[str, Any], name: str) -> int:
    value = entry.get(name)
    if not isinstance(value, int) or value < 1:
        raise _wrong(name, f"{value!r} is not a whole number from 1 on", "write one, such as 3")
    return value


def _mapping(value: Any, place: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping) or not value:
        raise _wrong(place, "names with values are expected here", "see the comments of the shipped config.yml")
    return value


def _wrong(place: str, what: str, remedy: str) -> EscalationConfigError:
    return EscalationConfigError(f"config.yml, {POLICY}, {place}: {what}. Remedy: {remedy}.")
