"""Which rules and stories lead from an intent to an action, with their place: what a policy followed, by all we know.

Rasa forgets which rule it was; the intent, the action and the form that was open nearly always leave one.
"""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from workbench.checks import yaml_lines
from workbench.checks.yaml_lines import Block
from workbench.nlu.phrases import PROJECT_ROOT, shown

MAX_SOURCES = 4
_POLICY = {"rules": "RulePolicy", "stories": "MemoizationPolicy"}


@dataclass(frozen=True)
class Source:
    """A rule or story. `loop`: the form in which a rule holds alone ("" for none), None where it holds always."""

    name: str
    policy: str
    loop: str | None


def sources(intent: str, action: str, policy: str, loop: str, data: Path = PROJECT_ROOT / "data") -> list[str]:
    """`name (file:line)` of those that `policy` can have followed while the form `loop` ("" for none) was active."""
    found = _by_step(data, _stamp(data)).get((intent, action), [])
    return [one.name for one in found if one.policy == policy and one.loop in (None, loop)][:MAX_SOURCES]


def _stamp(data: Path) -> float:
    """When a rule or story was last written; a saved file is read again."""
    return max((path.stat().st_mtime for path in _files(data)), default=0.0)


def _files(data: Path) -> Iterator[Path]:
    for folder in ("rules", "stories"):
        yield from sorted((data / folder).glob("*.yml"))


@lru_cache(maxsize=2)
def _by_step(data: Path, stamp: float) -> dict[tuple[str, str], list[Source]]:
    found: dict[tuple[str, str], list[Source]] = defaultdict(list)
    for path in _files(data):
        kind = path.parent.name
        try:
            content = yaml_lines.read(path)
        except yaml_lines.YamlMistake:
            continue
        for entry in (content.get(kind) if isinstance(content, Block) else None) or []:
            name = f"“{entry.get('rule') or entry.get('story')}” ({shown(path)}:{entry.line})"
            loops = [str(one["active_loop"] or "") for one in entry.get("condition") or [] if "active_loop" in one]
            source = Source(name, _POLICY[kind], loops[0] if loops else None)
            for step in _steps(entry.get("steps") or []):
                if source not in found[step]:
                    found[step].append(source)
    return dict(found)


def _steps(steps: list[Any]) -> Iterator[tuple[str, str]]:
    """(intent, action) of each action before the customer speaks again."""
    intents: list[str] = []
    for step in steps:
        for part in step["or"] if isinstance(step, dict) and "or" in step else [step]:
            if isinstance(part, dict) and "intent" in part:
                intents = [*(intents if part is not step and "or" in step else []), str(part["intent"])]
        if isinstance(step, dict) and "action" in step:
            yield from ((intent, str(step["action"])) for intent in intents)
