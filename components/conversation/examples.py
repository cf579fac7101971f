"""The examples that follow-ups are taught by, as designers write them.

    follow_ups:                            in data/follow_ups/*.yml
    - intent: ask_delivery_date
      after: [order]                       what was talked about before, of CONTEXTS
      examples: |
        - so not today?

Not Rasa's `nlu:` form, whose check allows a message one intent only: what "ok" means depends on what it follows.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

import yaml_files
from skills import ABOUT

NONE = "none"
CONTEXTS = (NONE, *ABOUT)
ROOT = Path(__file__).resolve().parents[2]
FOLDER = Path("data") / "follow_ups"
_KEYS = ("intent", "after", "examples")


class FollowUpDataError(ValueError):
    """The examples cannot be used; the message names file, line and remedy."""


@dataclass(frozen=True)
class Following:
    """A message, what it may follow, its intent, and where it stands."""

    text: str
    after: tuple[str, ...]
    intent: str
    file: Path
    line: int


@dataclass(frozen=True)
class Mistake:
    """Something in a file that cannot be used."""

    file: Path
    line: int
    problem: str
    remedy: str


def read_follow_ups(root: Path = ROOT) -> tuple[list[Following], list[Mistake]]:
    """The examples in the order of files and lines, and what is wrong with the files."""
    found = [one for path in sorted((root / FOLDER).rglob("*.yml")) for one in _read(path)]
    mistakes = [one for one in found if isinstance(one, Mistake)]
    return [one for one in found if isinstance(one, Following)], mistakes


def _read(path: Path) -> Iterator[Following | Mistake]:
    source = path.read_text(encoding="utf-8")
    try:
        content = yaml_files.parsed(source)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        yield Mistake(path, mark.line + 1 if mark else 1, "this is not valid YAML", "indent it as its neighbours")
        return
    blocks = content.get("follow_ups") if isinstance(content, Mapping) else None
    if not isinstance(blocks, list):
        yield Mistake(path, 1, "there is no list `follow_ups`", "begin the file with `follow_ups:`")
        return
    rows = enumerate(source.splitlines(), start=1)
    for block in blocks:
        yield from _block(block, rows, path)


def _block(block: Any, rows: Iterator[tuple[int, str]], path: Path) -> Iterator[Following | Mistake]:
    line = next((number for number, row in rows if row.startswith("- ")), 1)
    if not isinstance(block, Mapping) or not set(block) <= set(_KEYS) or not block.get("intent"):
        yield Mistake(path, line, "a block is not understood", f"give it {', '.join(_KEYS)} and nothing else")
        return
    after = block.get("after")
    after = tuple([after] if isinstance(after, str) else after or ())
    unknown = [one for one in after if one not in CONTEXTS]
    if unknown or not after:
        problem = f"after: {unknown[0]!r} is not known" if unknown else "nothing says what these messages follow"
        yield Mistake(path, line, problem, f"write `after: [order]` or others of {', '.join(CONTEXTS)}")
        return
    for example in str(block.get("examples") or "").splitlines():
        if example.startswith("- "):
            line = next((number for number, row in rows if row.strip() == example.strip()), line)
            yield Following(example[2:].strip(), after, str(block["intent"]), path, line)
