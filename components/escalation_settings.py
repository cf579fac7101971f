"""The escalation settings of `config.yml`, checked: signals with their phrases and weights, thresholds, priorities.

Every mistake is reported with the file, the place and the remedy, because designers edit this, not engineers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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
HIGHEST = 5.0  # threshold, weight or limit; beyond it, a slip of the finger is likelier than a wish
HIGHEST_COUNT = 20
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
    policies = config.get("policies") if isinstance(config, Mapping) else None
    for policy in policies or []:
        if isinstance(policy, Mapping) and policy.get("name") == POLICY:
            return parse(policy)
    raise EscalationConfigError(f"config.yml has no policy {POLICY}. Add it under policies.")


def parse(entry: Mapping[str, Any]) -> EscalationSettings:
    """The settings in a policy entry. Raises EscalationConfigError."""
    unknown = set(entry) - {*RASAS_KEYS, *ROLES, "unresolved_turns", "thresholds", "most", "words", "signals"}
    if unknown:
        raise _wrong(sorted(unknown)[0], "it is not known", "correct or remove it")
    blocks = _mapping(entry.get("signals"), "signals")
    signals = {name: _signal(name, block) for name, block in blocks.items()}
    _check_denials(signals)
    texts = {name: block.get("phrases") for name, block in blocks.items()}
    texts |= {UNLESS + name: block.get("unless") for name, block in blocks.items()}
    texts |= {role: entry.get(role) for role in ROLES}
    words = _mapping(entry.get("words"), "words") if entry.get("words") else {}
    words = {str(name): str(options) for name, options in words.items()}
    try:
        index = PhraseIndex({owner: split_phrases(filled_in(str(text or ""), words)) for owner, text in texts.items()})
    except PhraseError as error:
        raise EscalationConfigError(f"config.yml, {POLICY}: {error}") from error
    limited = {PHRASES, AGAINST, *(signal.family for signal in signals.values() if signal.family)}
    return EscalationSettings(
        signals=signals,
        phrases=index,
        thresholds=_numbers(entry, "thresholds", SCORED),
        most=_numbers(entry, "most", sorted(limited)),
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
        if reason not in SCORED or not _is_number(weight) or abs(weight) > HIGHEST:
            remedy = f"write a number from -{HIGHEST:g} to {HIGHEST:g} for {', '.join(SCORED)}"
            raise _wrong(f"{place}.weights", f"{reason}: {weight!r}", remedy)
    family = block.get("family")
    if not isinstance(family, str | None):
        raise _wrong(f"{place}.family", f"{family!r} is not a name", "write one word, such as problem")
    return Signal(name, dict(weights), family, bool(block.get("negatable", True)))


def _check_denials(signals: Mapping[str, Signal]) -> None:
    for name in signals:
        if name.startswith(NOT) and name.removeprefix(NOT) not in signals:
            remedy = f"write {NOT} before the name of a signal with phrases"
            raise _wrong(f"signals.{name}", f"there is no signal {name.removeprefix(NOT)!r} that it denies", remedy)


def _numbers(entry: Mapping[str, Any], section: str, names: Sequence[str]) -> dict[str, float]:
    """The section's numbers, one for each name and no others."""
    values = _mapping(entry.get(section), section)
    for name in values:
        if name not in names:
            raise _wrong(f"{section}.{name}", "it is not known", f"remove it, or take one of {', '.join(names)}")
    for name in names:
        value: Any = values.get(name)
        if not _is_number(value) or not 0 < value <= HIGHEST:
            what = f"{value!r} is not a positive number up to {HIGHEST:g}"
            raise _wrong(f"{section}.{name}", what, "write one, such as 1.0")
    return {name: float(values[name]) for name in names}


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _count(entry: Mapping[str, Any], name: str) -> int:
    value = entry.get(name)
    if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= HIGHEST_COUNT:
        raise _wrong(name, f"{value!r} is not a whole number from 1 to {HIGHEST_COUNT}", "write one, such as 3")
    return value


def _mapping(value: Any, place: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping) or not value:
        raise _wrong(place, "names with values are expected here", "see the comments of the shipped config.yml")
    return value


def _wrong(place: str, what: str, remedy: str) -> EscalationConfigError:
    return EscalationConfigError(f"config.yml, {POLICY}, {place}: {what}. Remedy: {remedy}.")
