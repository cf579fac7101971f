r"""The shape of a shop's order numbers, learnt from a few of them or read from a regular expression.

A shape is a row of parts: digits (four to five), letters ("WC"), signs ("-", "/"). Customers keep the digits and are
free with the rest: small letters, blanks or dashes for slashes, nothing at all between the parts.
"""

from __future__ import annotations

import re
import sre_constants as sre
import sre_parse
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

DEFAULT_PATTERN = r"\d{5}"
_GAP = r"[\s_./\\#–—-]{0,3}"
_GAP_WITHOUT_BLANKS = r"[_./\\#–—-]{0,3}"
_GAP_BEFORE_A_LETTER = rf"(?:{_GAP_WITHOUT_BLANKS}|[_./\\–—-]?\s(?![aeiouy]\b))"
_LETTERS_APART = "[ .]?"  # "b k 2291"
_SIGN = r"[_./\\#–—-]{1,3}"
_MAX_FORMS = 16
_MIN_UNCUT_DIGITS = 8  # of several groups that are told apart by their lengths when nothing stands between them
_MAX_CHARS = 40
_SETS = {"digits": r"\d", "letters": "[A-Z]"}


class ShapeError(ValueError):
    """No shape can be made of this; the message says why."""


@dataclass(frozen=True)
class Part:
    """`kind` digits or letters: `low` to `high` of them, any. Otherwise exactly `text`."""

    kind: str
    low: int
    high: int
    text: str = ""

    @property
    def pattern(self) -> str:
        """The part as a regular expression."""
        if self.kind == "text":
            return re.escape(self.text)
        return _SETS[self.kind] + (f"{{{self.low}}}" if self.low == self.high else f"{{{self.low},{self.high}}}")

    @property
    def is_sign(self) -> bool:
        return self.kind == "text" and not self.text[0].isalnum()


Form = tuple[Part, ...]


@dataclass(frozen=True)
class Shape:
    """The forms that a shop's numbers have. `pattern` matches them as the shop writes them, and nothing else."""

    forms: tuple[Form, ...]
    pattern: str

    @classmethod
    @lru_cache(maxsize=64)
    def of(cls, pattern: str) -> Shape:
        r"""The shape of a regular expression such as 'WC-\d{4,6}'. Raises ShapeError."""
        try:
            forms = _forms(sre_parse.parse(pattern))
        except (re.error, RecursionError, OverflowError) as error:
            raise ShapeError(f"{pattern!r} is not a regular expression ({error})") from None
        return cls(tuple(_merged(form) for form in forms), pattern)

    @classmethod
    def learnt(cls, examples: Sequence[object]) -> Shape:
        """The shape of a few numbers: digits of the lengths seen, letters in front and signs as they are, other letters
        any where they differ. Raises ShapeError."""
        written = [str(example).strip().lstrip("#") for example in examples]
        if not written or not all(any(c.isdigit() for c in text) and len(text) <= _MAX_CHARS for text in written):
            raise ShapeError("an example of an order number has at least a digit and at most 40 signs")
        patterns = dict.fromkeys(form.pattern for form in _joined([_parts(text) for text in written]))
        return cls.of("|".join(patterns))

    def fits(self, text: str) -> bool:
        """Whether a text is a number of this shape as the shop writes it, capitals aside."""
        return bool(self._whole.fullmatch(text))

    @cached_property
    def only_digits(self) -> bool:
        """Whether all numbers are one group of digits."""
        return all(len(form) == 1 and form[0].kind == "digits" for form in self.forms)

    @cached_property
    def lengths(self) -> tuple[int, int]:
        """The fewest and the most digits of a number."""
        digits = [
            (sum(p.low for p in form if p.kind == "digits"), sum(p.high for p in form if p.kind == "digits"))
            for form in self.forms
        ]
        fixed = [sum(c.isdigit() for p in form for c in p.text) for form in self.forms]
        return (
            min(low + n for (low, _), n in zip(digits, fixed, strict=True)),
            max(high + n for (_, high), n in zip(digits, fixed, strict=True)),
        )

    @cached_property
    def whole_numbers(self) -> re.Pattern[str]:
        """Finds numbers that have letters, however they are spelt. Never matches where the shape has none.

        Where others stand behind them, those in front may be left out, as "77120-X" for BR-77120-X.
        """
        lettered = [form for form in self.forms if any(_sort_of(part) == "letter" for part in form)]
        bare = [form for form in map(_without_letters_in_front, lettered)
                if form not in lettered and any(_sort_of(part) == "letter" for part in form)]  # fmt: skip
        loose = [*map(_loose, lettered), *(rf"(?<![^\W_][_./\\#–—-]){_loose(form, _SIGN)}" for form in bare)]
        return re.compile("|".join(f"(?<![^\\W_]){pattern}(?![^\\W_])" for pattern in loose) or r"(?!)", re.IGNORECASE)

    def written(self, spelt: str) -> str | None:
        """'wc 1043' as the shop writes it, 'WC-1043'; None for another shape. Letters in front may be left out."""
        for form in self.forms:
            for spoken in dict.fromkeys((form, _without_letters_in_front(form))):
                matched = re.fullmatch(_loose(spoken), spelt, re.IGNORECASE)
                if matched and not (spelt.isdigit() and _could_be_cut_otherwise(spoken)):
                    values = iter(matched.groups())
                    found = [part.text if part.kind == "text" else _digits(next(values)) for part in spoken]
                    front = [part.text for part in form[: len(form) - len(spoken)]]
                    number = "".join([*front, *found])
                    if self.fits(number):
                        return number
        return None

    def starts_with_letters(self, spelt: str) -> bool:
        """Whether the letters in front of a spelling are this shape's own."""
        letters = re.match(r"[^\W\d_]*", spelt)[0].casefold()  # type: ignore[index]
        return bool(letters) and any(
            form[0].text.casefold() == letters
            or (form[0].kind == "letters" and form[0].low <= len(letters) <= form[0].high)
            for form in self.forms
        )

    @cached_property
    def _whole(self) -> re.Pattern[str]:
        return re.compile(self.pattern, re.IGNORECASE)


def _digits(group: str) -> str:
    return re.sub(r"[^0-9A-Za-z]", "", group).upper()


def _loose(form: Form, gap: str = _GAP) -> str:
    pieces: list[str] = []
    last = form[0]
    for part in form:
        if part.is_sign:
            continue
        if pieces:
            # "in 560001" is no number of two letters and six digits, and "1234 e 1235" are two numbers.
            before_letters = _GAP_BEFORE_A_LETTER if part.kind == "letters" else gap
            pieces.append(gap if gap == _SIGN else _GAP_WITHOUT_BLANKS if last.kind == "letters" else before_letters)
        last = part
        pieces.append(_LETTERS_APART.join(map(re.escape, part.text)) if part.kind == "text" else f"({part.pattern})")
    return "".join(pieces)


def _without_letters_in_front(form: Form) -> Form:
    """People leave out what all numbers begin with."""
    rest = list(form)
    while rest and rest[0].kind == "text" and not any(c.isdigit() for c in rest[0].text):
        rest.pop(0)
    return tuple(rest)


def _could_be_cut_otherwise(form: Form) -> bool:
    """Whether digits alone do not tell where one part ends: 62001 may be 6200/1, and is hardly meant so."""
    parts = [part for part in form if part.kind == "digits"]
    few = sum(part.low for part in parts) < _MIN_UNCUT_DIGITS
    return len(parts) > 1 and (few or any(part.low != part.high for part in parts))


def _parts(text: str) -> Form:
    """'WC-1001' → WC, -, four digits."""
    return tuple(
        Part("digits", len(run), len(run)) if run[0].isdigit() else Part("text", 1, 1, run)
        for run in re.findall(r"[0-9]+|[^\W\d_]+|[\W_]+", text)
    )


@dataclass(frozen=True)
class _Form:
    parts: Form

    @property
    def pattern(self) -> str:
        return "".join(part.pattern for part in self.parts)


def _joined(forms: Sequence[Form]) -> list[_Form]:
    """Forms that differ in nothing but how many digits they have, or in letters behind the front, are one."""
    groups: dict[tuple[tuple[str, str], ...], list[Form]] = {}
    for form in forms:
        signs = tuple((_sort_of(part), part.text if part.is_sign or not n else "") for n, part in enumerate(form))
        groups.setdefault(signs, []).append(form)
    return [_Form(tuple(_any_of(same) for same in zip(*group, strict=True))) for group in groups.values()]


def _any_of(same: Sequence[Part]) -> Part:
    """What holds of a part of several numbers."""
    low, high = min(part.low for part in same), max(part.high for part in same)
    if same[0].kind == "digits":
        return Part("digits", low, high)
    if len({part.text for part in same}) == 1:
        return same[0]
    return Part("letters", min(len(part.text) for part in same), max(len(part.text) for part in same))


def _sort_of(part: Part) -> str:
    return "digit" if part.kind == "digits" else "letter" if part.kind == "letters" else _sort(part.text[0])


def _merged(form: Form) -> Form:
    """Neighbouring parts of one kind as one; text is cut into letters, digits and signs."""
    merged: list[Part] = []
    for part in form:
        last = merged[-1] if merged else None
        if last and part.kind == last.kind == "text" and _sort(last.text[-1]) == _sort(part.text[0]):
            merged[-1] = Part("text", 1, 1, last.text + part.text)
        elif last and part.kind == last.kind and part.kind != "text":
            merged[-1] = Part(part.kind, last.low + part.low, last.high + part.high)
        else:
            merged.append(part)
    if not any(part.kind == "digits" for part in merged):
        raise ShapeError("an order number has digits")
    return tuple(merged)


def _sort(sign: str) -> str:
    return "digit" if sign.isdigit() else "letter" if sign.isalpha() else "sign"


def _forms(tree: Any) -> list[Form]:
    """Every row of parts that a parsed expression allows."""
    rows: list[Form] = [()]
    for code, value in tree:
        choices = _choices(code, value)
        rows = [row + choice for row in rows for choice in choices]
        if len(rows) > _MAX_FORMS:
            raise ShapeError(f"it has more than {_MAX_FORMS} forms")
    return rows


def _choices(code: Any, value: Any) -> list[Form]:
    if code is sre.LITERAL:
        return [(Part("text", 1, 1, chr(value)),)]
    if code is sre.IN and all(inner is sre.LITERAL and not chr(sign).isalnum() for inner, sign in value):
        return [(Part("text", 1, 1, chr(sign)),) for _, sign in value]
    if code is sre.IN:
        return [(Part(_kind_of_set(value), 1, 1),)]
    if code is sre.AT:
        return [()]
    if code is sre.SUBPATTERN:
        return _forms(value[-1])
    if code is sre.BRANCH:
        return [form for branch in value[1] for form in _forms(branch)]
    if code in (sre.MAX_REPEAT, sre.MIN_REPEAT):
        low, high, repeated = value
        inside = _forms(repeated)
        high = min(int(high), max(low, _MAX_CHARS))
        if len(inside) == 1 and len(inside[0]) == 1 and inside[0][0].kind != "text" and low:
            part = inside[0][0]
            return [(Part(part.kind, low * part.low, high * part.high),)]
        if (low, high) == (0, 1):
            return [(), *inside]
        if low == high and len(inside) == 1:
            return [inside[0] * low]
    raise ShapeError("use letters, digits, \\d, [A-Z], {m,n}, ? and | only")


def _kind_of_set(members: Any) -> str:
    if all(_is_digits(code, value) for code, value in members):
        return "digits"
    letters = [code is sre.RANGE and chr(value[0]).isalpha() for code, value in members]
    if all(letters):
        return "letters"
    raise ShapeError("a set is of digits or of letters")


def _is_digits(code: Any, value: Any) -> bool:
    if code is sre.RANGE:
        return chr(value[0]).isdigit() and chr(value[1]).isdigit()
    return (code is sre.CATEGORY and value is sre.CATEGORY_DIGIT) or (code is sre.LITERAL and chr(value).isdigit())
