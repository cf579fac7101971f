"""What a dialogue of the bench says. The words for orders and for right answers are those of `tests/dialogues`.

    - id: somebody-elses-order
      kind: other people's orders
      orders: [OPEN, DONE]                what the customer has (workbench/dialogues/shop.py); OTHERS is a stranger's
      turns:
      - say: "where is {OTHERS}?"         or, instead of `say`, one of
        burst: ["hi", "where is", "{OPEN}"]     several bubbles within a second, judged together
        tap: "Yes, do it"                       a button of that title
        pick: "#{OPEN}"                         a row of a list
        send: image                             image, voice, location, unsupported
        forge: "yes"                            a webhook with this message and a wrong signature
        right: ["refuses_order"]          any of these (workbench/dialogues/judge.py); without it, any answer is
        ticket: no                        a person may be called here: no (without it), yes, may
        never: ["delivered"]              what must not be in the answer, as regular expressions
        acts: ["cancel OPEN2"]            what the shop is asked to do now: cancel, address, returns; else nothing
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml_files
from workbench.dialogues.cases import Dialogue, DialogueFileError, DialogueTurn
from workbench.dialogues.judge import WORDS
from workbench.dialogues.shop import NAMES

FOLDER = Path(__file__).parent / "dialogues"
WAYS = ("say", "burst", "tap", "pick", "send", "forge")
ACTIONS = ("cancel", "address", "returns")
_KEYS = {*WAYS, "right", "ticket", "never", "acts"}
_TICKETS = {"no": "no", "yes": "yes", "may": "may", "False": "no", "True": "yes"}


@dataclass(frozen=True)
class Turn:
    """One turn: `way` of WAYS with its words, and what is judged of it. `acts`: "cancel OPEN2", done in this turn."""

    way: str
    words: tuple[str, ...]
    judged: DialogueTurn
    never: tuple[str, ...]
    acts: tuple[str, ...]

    @property
    def is_silent(self) -> bool:
        """Whether nothing is to be said."""
        return self.judged.right == ("silent",)


@dataclass(frozen=True)
class Argument:
    """One dialogue; `plain` is what the judge of the natural dialogues reads of it."""

    plain: Dialogue
    turns: tuple[Turn, ...]

    @property
    def id(self) -> str:
        return self.plain.id


def read_arguments(folder: Path = FOLDER) -> list[Argument]:
    """All dialogues of the folder's files. Raises DialogueFileError, which names file, dialogue and remedy."""
    found = [_argument(file, entry) for file in sorted(folder.glob("*.yml")) for entry in yaml_files.read(file) or ()]
    ids = [one.id for one in found]
    twice = sorted({one for one in ids if ids.count(one) > 1})
    if twice:
        raise DialogueFileError(f"{twice[0]} is the id of two dialogues. Remedy: name one of them otherwise.")
    return found


def _argument(file: Path, entry: Mapping[str, Any]) -> Argument:
    name = entry.get("id", "?") if isinstance(entry, Mapping) else "?"
    try:
        turns = tuple(map(_turn, entry["turns"]))
        orders = tuple(entry.get("orders") or ())
        _known(orders, NAMES, "order")
        plain = Dialogue(str(entry["id"]), str(entry["kind"]), orders, tuple(turn.judged for turn in turns))
        return Argument(plain, turns)
    except (KeyError, TypeError, AttributeError, ValueError, re.error) as error:
        raise DialogueFileError(
            f"{file.name}: dialogue {name} lacks or misspells {error}. Remedy: id, kind, orders and turns, "
            f"each turn one of {', '.join(WAYS)}, with right, ticket, never, acts (tests/bench_dialogues/cases.py)."
        ) from None


def _turn(turn: Mapping[str, Any]) -> Turn:
    _known(turn, _KEYS, "key")
    (way,) = [way for way in WAYS if way in turn]
    words = tuple(map(str, turn[way] if isinstance(turn[way], list) else [turn[way]]))
    right = tuple(map(str, turn.get("right") or ("silent" if way == "forge" else "any",)))
    _known([one.split()[0] for one in right], WORDS, "answer")
    acts = tuple(map(str, turn.get("acts") or ()))
    for act in acts:
        action, order = act.split()
        _known([action], ACTIONS, "act")
        _known([order], NAMES, "order")
    never = tuple(map(str, turn.get("never") or ()))
    for expression in never:
        re.compile(expression)
    judged = DialogueTurn("\n".join(words), right, _TICKETS[str(turn.get("ticket", "no"))])
    return Turn(way, words, judged, never, acts)


def _known(words: Any, known: Any, what: str) -> None:
    for word in words:
        if word not in known:
            raise ValueError(f"{what} '{word}' (known: {', '.join(sorted(map(str, known)))})")
