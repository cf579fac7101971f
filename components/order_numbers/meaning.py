"""What a run of digits means, learnt from `data/order_numbers/examples.yml`: an order number, money, a phone, …

A ridge regression over the features of the candidates, fitted in milliseconds for the shape of a shop's numbers: the
examples' order numbers are rewritten in that shape, so a line teaches its words for every shop.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import scipy.linalg
import scipy.sparse
import yaml

import yaml_files
from components.order_numbers.candidates import Candidate, candidates, features
from components.order_numbers.shape import Shape
from components.order_numbers.syntax import cover_addresses, cover_numbers

EXAMPLES = Path(__file__).parents[2] / "data" / "order_numbers" / "examples.yml"
KINDS = ("order_number", "money", "phone", "pin", "tracking", "date", "other")
_MARK = re.compile(r"\[([^\]]+)\]\((\w+)\)")
_MISSHAPED = "order_number_misshaped"
MARKS = (*KINDS, _MISSHAPED)
_RIDGE = 0.6
_SAID_BEFORE = r"(?i)\b(?:order|number|no|id|pedido|ref)\b"
_USUAL_DIGITS = 7
_CODES = 0.25  # of other shops' numbers have letters inside
_SPELLINGS = 3  # times that an example is written with numbers of the shop's shape


@dataclass(frozen=True)
class Meaning:
    """Weights of shape (features, kinds) for one shape of order numbers."""

    shape: Shape
    column: dict[str, int]
    weights: np.ndarray

    @classmethod
    @lru_cache(maxsize=8)
    def of(cls, pattern: str) -> Meaning:
        """The meaning of digits in a shop whose order numbers match `pattern`."""
        shape = Shape.of(pattern)
        seen = list(examples(shape))
        column = {name: at for at, name in enumerate(sorted({name for names, _ in seen for name in names}))}
        columns = [column[name] for names, _ in seen for name in names]
        ends = np.cumsum([0, *(len(names) for names, _ in seen)])
        values = np.concatenate([np.full(len(names), len(names) ** -0.5, np.float32) for names, _ in seen])
        rows = scipy.sparse.csr_matrix((values, columns, ends), shape=(len(seen), len(column)))
        wanted = np.array([[kind == one for one in KINDS] for _, kind in seen], dtype=np.float32) * 2 - 1
        kernel = (rows @ rows.T).toarray()
        kernel[np.diag_indices(len(seen))] += _RIDGE
        dual = scipy.linalg.solve(kernel, wanted, assume_a="pos", overwrite_a=True)
        return cls(shape, column, np.asarray(rows.T @ dual, dtype=np.float32))

    def kind(self, candidate: Candidate, text: str) -> str:
        """One of KINDS."""
        return KINDS[int(np.argmax(self.scores(candidate, text)))]

    def scores(self, candidate: Candidate, text: str) -> np.ndarray:
        """Shape (kinds,)."""
        names = features(candidate, text, self.shape)
        known = [self.column[name] for name in names if name in self.column]
        scores: np.ndarray = self.weights[known].sum(axis=0) / np.sqrt(len(names))
        return scores


def examples(shape: Shape) -> Iterator[tuple[Sequence[str], str]]:
    """Features and kind of every candidate in the example messages, written in the shape of the shop's numbers."""
    dice = random.Random(0)  # noqa: S311 (the same model every time)
    for line in read_examples():
        for text, spans in dict.fromkeys(_written(line, shape, dice, spelling) for spelling in range(_SPELLINGS)):
            seen, _ = cover_numbers(cover_addresses(text)[0])
            for candidate in candidates(seen, shape):
                marks = (kind for start, end, kind in spans if start < candidate.end and candidate.start < end)
                kind = next(marks, "other")
                yield features(candidate, seen, shape), "order_number" if kind == _MISSHAPED else kind


def read_examples(path: Path = EXAMPLES) -> list[str]:
    """The example messages with their marks. Raises ExamplesError, which names the line and the remedy."""
    try:
        source = path.read_text(encoding="utf-8")
        listed = yaml_files.parsed(source)["examples"].splitlines()
    except (OSError, UnicodeDecodeError, yaml.YAMLError, TypeError, KeyError, AttributeError):
        remedy = "Remedy: 'examples: |' and lines of '  - message'."
        raise ExamplesError(f"it has no block of examples. {remedy}", 1) from None
    for number, line in enumerate(source.splitlines(), start=1):
        for mark in re.findall(r"\[[^\]]+\]\(([^)]*)\)", line):
            if mark not in MARKS:
                raise ExamplesError(f"({mark}) is not a mark. Remedy: one of {', '.join(MARKS)}.", number)
    return [line.strip().removeprefix("- ") for line in listed if line.strip()]


class ExamplesError(ValueError):
    """The examples cannot be read. `line` says where."""

    def __init__(self, problem: str, line: int) -> None:
        super().__init__(problem)
        self.line = line


def _written(
    line: str, shape: Shape, dice: random.Random, spelling: int
) -> tuple[str, tuple[tuple[int, int, str], ...]]:
    """The line without its marks, and where they were. Look-alikes keep their digits once, then take others."""
    text, spans, done = "", [], 0
    begins = _digits(2, dice)  # a shop's numbers of one time begin alike
    for mark in _MARK.finditer(line):
        text += line[done : mark.start()]
        if mark[2] == "order_number":
            value = _number(shape, dice, begins)
            value = _split(value, dice) if spelling == 2 and re.search(_SAID_BEFORE, text) else value
        elif mark[2] == _MISSHAPED:
            value = _misshaped(shape, dice, spelling)
        else:
            value = _look_alike(mark[1], mark[2], shape, dice) if spelling else mark[1]
        spans.append((len(text), len(text) + len(value), mark[2]))
        text, done = text + value, mark.end()
    return text + line[done:], tuple(spans)


def _look_alike(written: str, kind: str, shape: Shape, dice: random.Random) -> str:
    """As long as the shop's numbers are, where that is a length that such a number can have."""
    low, high = shape.lengths
    if not written.isdigit() or len(written) < 3 or kind in ("phone", "date") or high > 8:
        return written
    length = dice.randint(low, high)
    if kind != "money":
        return _digits(length, dice)
    amount = int(_digits(length, dice)) // dice.choice((1, 1, 100)) * 100
    return dice.choice((str(amount)[:length], f"{int(str(amount)[:length]):,}"))


def _number(shape: Shape, dice: random.Random, begins: str) -> str:
    """A number of the shape without the letters that it may begin with, as the digits alone are told apart."""
    form = dice.choice(shape.forms)
    parts = [
        part.text if part.kind == "text" else _digits(dice.randint(part.low, part.high), dice, begins) for part in form
    ]
    return re.sub(r"^\D+", "", "".join(parts))


def _split(number: str, dice: random.Random) -> str:
    """10234 as 10 234, 10-234 or 1 0 2 3 4, as people write a number that they have just named."""
    if not number.isdigit() or len(number) < 4:
        return number
    gap, at = dice.choice(" -,"), dice.randint(1, len(number) - 1)
    return dice.choice((f"{number[:at]}{gap}{number[at:]}", " ".join(number)))


def _misshaped(shape: Shape, dice: random.Random, spelling: int) -> str:
    """Too short, too long, or with the letters of another shop."""
    low, high = shape.lengths
    short = _digits(max(3, low - dice.randint(1, 2)), dice)
    long = _digits(high + dice.randint(1, 3), dice)
    letters = "".join(dice.choices("ABCDEKMSTWX", k=2))
    foreign = letters + dice.choice(("-", "", "/")) + _digits(dice.randint(4, 6), dice)
    if dice.random() < _CODES:
        foreign = f"{letters}{_digits(2, dice)}{letters}{_digits(2, dice)}"
    if low > _USUAL_DIGITS:  # most other shops' numbers are far shorter than this one's
        short = _digits(dice.randint(4, 7), dice)
        foreign = dice.choice((foreign, f"{letters}/20{_digits(2, dice)}/{_digits(3, dice)}", _digits(low - 1, dice)))
        long = dice.choice((short, long))
    return (short, long, foreign)[spelling % 3] if low > 3 else (long, foreign)[spelling % 2]


def _digits(length: int, dice: random.Random, begins: str = "") -> str:
    first = begins or str(dice.randint(1, 9))
    return (first + "".join(dice.choices("0123456789", k=length)))[:length]
