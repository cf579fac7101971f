"""The escalation settings of `config.yml`, checked: every mistake is reported with the place and the remedy."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

import yaml_files
from components.escalation.examples import REASONS

CONFIG = Path(__file__).resolve().parents[2] / "config.yml"
POLICY = "components.escalation.policy.EscalationPolicy"
MAX_COUNT = 20
_RASAS_KEYS = ("name", "priority")
_OURS = ("unresolved_turns", "thresholds", "always")


class EscalationConfigError(ValueError):
    """The escalation settings cannot be used; the message names the place in config.yml and the remedy."""


@dataclass(frozen=True)
class EscalationSettings:
    """Everything that `assess` needs besides the message."""

    thresholds: Mapping[str, float]  # by reason: the probability from which on a person is called
    unresolved_turns: int
    always: Mapping[str, tuple[str, ...]]  # by reason: words that call a person whatever else is said


@lru_cache(maxsize=1)
def default_settings() -> EscalationSettings:
    """The settings of the project's config.yml. Raises EscalationConfigError."""
    try:
        config = yaml_files.read(CONFIG)
    except (OSError, yaml.YAMLError) as error:
        raise EscalationConfigError(f"config.yml cannot be read: {error}") from error
    policies = config.get("policies") if isinstance(config, Mapping) else None
    for policy in policies or []:
        if isinstance(policy, Mapping) and policy.get("name") == POLICY:
            return parse(policy)
    raise EscalationConfigError(f"config.yml has no policy {POLICY}. Add it under policies.")


def parse(entry: Mapping[str, Any]) -> EscalationSettings:
    """The settings in a policy entry. Raises EscalationConfigError."""
    unknown = sorted(set(entry) - {*_RASAS_KEYS, *_OURS})
    if unknown:
        raise _wrong(unknown[0], "it is not known", f"correct or remove it; known are {', '.join(_OURS)}")
    thresholds = _by_reason(entry, "thresholds")
    for reason in REASONS:
        value = thresholds.get(reason)
        if not isinstance(value, int | float) or isinstance(value, bool) or not 0 < value < 1:
            raise _wrong(f"thresholds.{reason}", f"{value!r} is not between 0 and 1", "write a number such as 0.5")
    always = _by_reason(entry, "always") if entry.get("always") else {}
    for reason, phrases in always.items():
        if not isinstance(phrases, list) or not all(isinstance(each, str) and each.strip() for each in phrases):
            raise _wrong(f"always.{reason}", "no list of words", "write them between [ and ], with commas")
    turns = entry.get("unresolved_turns")
    if not isinstance(turns, int) or isinstance(turns, bool) or not 1 <= turns <= MAX_COUNT:
        what = f"{turns!r} is not a whole number from 1 to {MAX_COUNT}"
        raise _wrong("unresolved_turns", what, "write one, such as 3")
    return EscalationSettings(thresholds, turns, {reason: tuple(phrases) for reason, phrases in always.items()})


def _by_reason(entry: Mapping[str, Any], section: str) -> Mapping[str, Any]:
    values = entry.get(section)
    if not isinstance(values, Mapping) or not values:
        raise _wrong(section, "reasons with values are expected here", f"write one for each of {', '.join(REASONS)}")
    for reason in values:
        if reason not in REASONS:
            raise _wrong(f"{section}.{reason}", "it is not a reason", f"remove it, or take one of {', '.join(REASONS)}")
    return values


def _wrong(place: str, what: str, remedy: str) -> EscalationConfigError:
    return EscalationConfigError(f"config.yml, {POLICY}, {place}: {what}. Remedy: {remedy}.")
