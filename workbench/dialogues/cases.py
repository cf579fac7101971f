"""What a dialogue file says: who writes what, and which answers a fair judge would accept.

    - id: v001
      kind: returns_followups
      orders: [OPEN, DONE]            which orders the customer has, see `shop.py`
      turns:
      - say: "where is {OPEN}"        {OPEN} is written #10234, {OPEN:bare} 10234
        right: ["status OPEN"]        any of these, see `judge.py`
        ticket: no                    no: a ticket here is wrong; yes: there must be one by now; may: either
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import yaml_files

_PLACE = re.compile(r"\{([A-Z]+\d?)(:bare)?\}")
_TICKETS = {"no": "no", "yes": "yes", "may": "may", "False": "no", "True": "yes"}


class DialogueFileError(Exception):
    """A dialogue file cannot be used; the message names file, dialogue and remedy."""


@dataclass(frozen=True)
class DialogueTurn:
    """One message of the customer, the answers that are right, and whether a ticket may, must or must not be there."""

    say: str
    right: tuple[str, ...]
    ticket: str  # no, yes, may


@dataclass(frozen=True)
class Dialogue:
    """A conversation of one customer, who has the orders named."""

    id: str
    kind: str
    orders: tuple[str, ...]
    turns: tuple[DialogueTurn, ...]


def read_dialogues(path: Path) -> list[Dialogue]:
    """All dialogues of a file, or of every file of a folder, by name. Raises DialogueFileError."""
    files = sorted(path.glob("*.yml")) if path.is_dir() else [path]
    return [_dialogue(file, entry) for file in files for entry in yaml_files.read(file)]


def _dialogue(file: Path, entry: Mapping[str, object]) -> Dialogue:
    try:
        turns = tuple(
            DialogueTurn(str(turn["say"]), tuple(map(str, turn["right"])), _TICKETS[str(turn["ticket"])])
            for turn in entry["turns"]  # type: ignore[attr-defined]
        )
        return Dialogue(str(entry["id"]), str(entry["kind"]), tuple(entry["orders"]), turns)  # type: ignore[arg-type]
    except (KeyError, TypeError, AttributeError) as error:
        raise DialogueFileError(
            f"{file.name}: dialogue {entry.get('id', '?')} lacks or misspells {error}. "
            "Give it id, kind, orders and turns; each turn say, right, ticket (no, yes, may)."
        ) from None


def filled(text: str, numbers: Mapping[str, str]) -> str:
    """The text with order numbers in place of {OPEN} and {OPEN:bare}."""
    return _PLACE.sub(lambda place: ("" if place[2] else "#") + numbers[place[1]], text)
