"""Which rules and stories lead from an intent to an action, with their place: what a policy followed, by all we know.

Rasa forgets which rule it was (`make chat` finds out exactly, with the model in its process); the intent and the action
of the recorded turn nearly always leave one.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

from workbench.checks import yaml_lines
from workbench.checks.yaml_lines import Block
from workbench.nlu.phrases import PROJECT_ROOT, shown

MOST = 4


def sources(intent: str, action: str, data: Path = PROJECT_ROOT / "data") -> list[str]:
    """`name (file:line)` of each; empty when only a policy of ours or a form can have decided."""
    return _by_step(data, _stamp(data)).get((intent, action), [])[:MOST]


def _stamp(data: Path) -> float:
    """When a rule or story was last written; a saved file is read again."""
    return max((path.stat().st_mtime for path in _files(data)), default=0.0)


def _files(data: Path) -> Iterator[Path]:
    for folder in ("rules", "stories"):
        yield from sorted((data / folder).glob("*.yml"))


@lru_cache(maxsize=2)
def _by_step(data: Path, stamp: float) -> dict[tuple[str, str], list[str]]:
    found: dict[tuple[str, str], list[str]] = defaultdict(list)
    for path in _files(data):
        kind = path.parent.name
        try:
            content = yaml_lines.read(path)
        except yaml_lines.YamlMistake:
            continue
        for entry in (content.get(kind) if isinstance(content, Block) else None) or []:
            named = f"“{entry.get('rule') or entry.get('story')}” ({shown(path)}:{entry.line})"
            for step in _steps(entry.get("steps") or []):
                if named not in found[step]:
                    found[step].append(named)
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
