"""What a run of digits means, learnt from `data/order_numbers/examples.yml`: an order number, money, a phone, …

A ridge regression over the features of the candidates, fitted for the shape of a shop's numbers: the examples' order
numbers are rewritten in that shape, so a line teaches its words for every shop.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import scipy.sparse
import yaml

import yaml_files
from components.order_numbers.candidates import Candidate, candidates, features
from components.order_numbers.kept_weights import kept
from components.order_numbers.shape import Shape
from components.order_numbers.syntax import cover_addresses, cover_numbers

EXAMPLES = Path(__file__).parents[2] / "data" / "order_numbers" / "examples.yml"
KINDS = ("order_number", "money", "phone", "pin", "tracking", "date", "other")
_MARK = re.compile(r"\[([^\]]+)\]\((\w+)\)")
_MISSHAPED = "order_number_misshaped"
MARKS = (*KINDS, _MISSHAPED)
_RIDGE = 0.6
_EXACT, _TINY = 1e-6, 1e-30
_SAID_BEFORE = r"(?i)\b(?:order|number|no|id|pedido|ref)\b"
_USUAL_DIGITS = 7
_BARE = 0.5  # of other shops' short numbers, where this shop's have letters behind
_CODES = 0.4  # of other shops' numbers have several groups
_LETTER_TOO_MANY = 0.15  # of other shops' numbers are like this shop's but for a letter behind
_TELLING = 9  # signs of a number of a marketplace, which is read as it is once
_SPELLINGS = 3  # times that an example is written with numbers of the shop's shape; once more with those of others


@dataclass(frozen=True)
class Meaning:
    """What digits mean in a shop whose order numbers have this shape. What is of another shape for certain (letters,
    several groups, bare digits where the shop's numbers have more) is judged by weights of its own: there, whatever
    stands in an order number's place is one."""

    shape: Shape
    weights: Weights
    weights_of_others: Weights

    @classmethod
    @lru_cache(maxsize=8)
    def of(cls, pattern: str) -> Meaning:
        """The meaning of digits in a shop whose order numbers match `pattern`."""
        shape = Shape.of(pattern)
        own, others = kept(pattern, EXAMPLES, lambda: [(one.column, one.weights) for one in _learnt(shape)])
        return cls(shape, Weights(*own), Weights(*others))

    def kind(self, candidate: Candidate, text: str) -> str:
        """One of KINDS."""
        if candidate.whole and not self.shape.only_digits:
            return KINDS[0]  # with the shop's own signs
        weights = self.weights_of_others if _is_of_others(candidate, text, self.shape) else self.weights
        return KINDS[int(np.argmax(weights.scores(features(candidate, text, self.shape))))]


@dataclass(frozen=True)
class Weights:
    """Of the named features, shape (features, kinds)."""

    column: dict[str, int]
    weights: np.ndarray

    @classmethod
    def fit(cls, seen: Sequence[tuple[Sequence[str], str]]) -> Weights:
        """A ridge regression on one-hot kinds."""
        column = {name: at for at, name in enumerate(sorted({name for names, _ in seen for name in names}))}
        columns = [column[name] for names, _ in seen for name in names]
        ends = np.cumsum([0, *(len(names) for names, _ in seen)])
        lengths = np.diff(ends)
        values = np.repeat(lengths.astype(np.float64) ** -0.5, lengths)
        rows = scipy.sparse.csr_matrix((values, columns, ends), shape=(len(seen), len(column)))
        wanted = np.array([kind == one for _, kind in seen for one in KINDS], np.float64).reshape(-1, len(KINDS))
        return cls(column, _ridge(rows, 2 * wanted - 1).astype(np.float32))

    def scores(self, names: Sequence[str]) -> np.ndarray:
        """Shape (kinds,)."""
        known = [self.column[name] for name in names if name in self.column]
        scores: np.ndarray = self.weights[known].sum(axis=0) / np.sqrt(len(names))
        return scores


def _ridge(rows: scipy.sparse.csr_matrix, wanted: np.ndarray) -> np.ndarray:
    """Weights of a ridge regression, shape (columns of `rows`, columns of `wanted`), by conjugate gradients: some fifty
    products with the few features that each row has cost an eighth of what solving for all of them does."""
    turned = rows.T.tocsr()
    left = turned @ wanted
    weights, step, size = np.zeros_like(left), left.copy(), (left**2).sum(axis=0)
    enough = _EXACT**2 * size
    while (size > enough).any():
        felt = turned @ (rows @ step) + _RIDGE * step
        far = size / np.maximum((step * felt).sum(axis=0), _TINY)
        weights += far * step
        left -= far * felt
        before, size = size, (left**2).sum(axis=0)
        step = left + size / np.maximum(before, _TINY) * step
    return weights


def _learnt(shape: Shape) -> tuple[Weights, Weights]:
    """Of the examples in the shape of the shop's numbers, and of those in other shops'."""
    own = [(c, text, features(c, text, shape), kind) for c, text, kind in examples(shape, range(_SPELLINGS))]
    written = {text for _, text, _, _ in own}
    once_more = [(c, text, features(c, text, shape), kind) for c, text, kind in examples(shape, (_SPELLINGS,))
                 if text not in written and _is_of_others(c, text, shape)]  # fmt: skip
    others = [one for one in own if _is_of_others(*one[:2], shape)] + once_more
    return Weights.fit([one[2:] for one in own]), Weights.fit([one[2:] for one in others])


def _is_of_others(candidate: Candidate, text: str, shape: Shape) -> bool:
    """Whether a candidate can be none of the shop's numbers, and looks as other shops' do."""
    spelt = text[candidate.start : candidate.end]
    several = re.search(r"\d[-–—_/.]\d", spelt) or any(c.isalpha() for c in spelt)
    return candidate.number is None and bool(several or not shape.only_digits)


def examples(shape: Shape, spellings: Iterable[int]) -> Iterator[tuple[Candidate, str, str]]:
    """Every candidate in the example messages, written in the shape of the shop's numbers, with its text and kind."""
    dice = random.Random(0)  # noqa: S311 (the same model every time)
    for line in read_examples():
        for text, spans in dict.fromkeys(_written(line, shape, dice, spelling) for spelling in spellings):
            seen, _ = cover_numbers(cover_addresses(text)[0])
            for candidate in candidates(seen, shape):
                marks = (kind for start, end, kind in spans if start < candidate.end and candidate.start < end)
                kind = next(marks, "other")
                yield candidate, seen, "order_number" if kind == _MISSHAPED else kind


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
        if mark[2] == "order_number" and spelling < _SPELLINGS:
            value = _number(shape, dice, begins)
            bare = re.sub(r"[\W_]", "", value)
            value = bare if spelling == 1 and bare.isdigit() and shape.written(bare) else value
            value = _split(value, dice) if spelling == 2 and re.search(_SAID_BEFORE, text) else value
        elif mark[2] == _MISSHAPED and spelling == 0 and len(mark[1]) >= _TELLING and not shape.written(mark[1]):
            value = mark[1]
        elif mark[2] in ("order_number", _MISSHAPED):
            lettered = 2 if shape.only_digits else dice.randrange(3)
            value = _misshaped(shape, dice, spelling if spelling < _SPELLINGS else lettered)
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
    """10234 as 10 234, 10-234 or 1 0 2 3 4, 1023415 as 1,023,415, as people write a number that they have just named;
    numbers with signs as if they had blanks."""
    if not number.isdigit():
        return re.sub(r"[\W_]", " ", number)
    if len(number) < 4:
        return number
    gap, at = dice.choice(" -,"), dice.randint(1, len(number) - 1)
    spelt = [f"{number[:at]}{gap}{number[at:]}", " ".join(number)]
    if len(number) >= _USUAL_DIGITS:  # shorter ones with a comma are sums far more often
        spelt.append(re.sub(r"(?<=\d)(?=(?:\d{3})+\Z)", dice.choice(" ,."), number))
    return dice.choice(spelt)


def _misshaped(shape: Shape, dice: random.Random, spelling: int) -> str:
    """Too short, too long, or with the letters of another shop."""
    low, high = shape.lengths
    short = _digits(max(3, low - dice.randint(1, 2)), dice)
    long = _digits(high + dice.randint(1, 3), dice)
    letters, sign = "".join(dice.choices("ABCDEKMORSTWX", k=dice.randint(1, 3))), dice.choice("-/")
    foreign = letters + dice.choice(("", sign)) + _digits(dice.randint(4, 6), dice)
    if dice.random() < _CODES:
        foreign = dice.choice((
            f"{letters}{_digits(2, dice)}{letters}{_digits(2, dice)}",
            f"{letters}{sign}20{_digits(2, dice)}{sign}{_digits(dice.randint(3, 5), dice)}",
            f"{_digits(3, dice)}{sign}{_digits(dice.randint(2, 7), dice)}{sign}{_digits(dice.randint(1, 7), dice)}",
        ))
    if dice.random() < _LETTER_TOO_MANY:
        foreign = _digits(dice.randint(max(low, 5), max(high, 5)), dice) + dice.choice("ABCDEHJRSTVXYZ")
    if low > _USUAL_DIGITS:  # most other shops' numbers are far shorter than this one's
        short = _digits(dice.randint(4, 7), dice)
        foreign = dice.choice((foreign, f"{letters}/20{_digits(2, dice)}/{_digits(3, dice)}", _digits(low - 1, dice)))
        long = dice.choice((short, long))
    bare = _digits(dice.randint(low, high), dice)  # without the letters behind that a number may have
    short = short if shape.written(bare) or dice.random() < _BARE else bare
    return (short, long, foreign)[spelling % 3] if low > 3 else (long, foreign)[spelling % 2]


def _digits(length: int, dice: random.Random, begins: str = "") -> str:
    first = begins or str(dice.randint(1, 9))
    return (first + "".join(dice.choices("0123456789", k=length)))[:length]
