r"""The shape of a shop's order numbers, learnt from a few of them or read from a regular expression.

A shape is a row of parts: digits (four to five), letters ("WC"), signs ("-", "/"). Customers keep the digits and are
free with the rest: small letters, blanks or dashes for slashes, nothing at all between the parts.
"""

from __future__ import annotations

import re
import sre_parse
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache

from components.order_numbers.shape_parts import MAX_CHARS, Form, Part, ShapeError, forms, merged, sort_of, sort_of_sign

DEFAULT_PATTERN = r"\d{5}"
_GAP = r"[\s_./\\#–—-]{0,3}"
_GAP_WITHOUT_BLANKS = r"[_./\\#–—-]{0,3}"
_GAP_BEFORE_A_LETTER = rf"(?:{_GAP_WITHOUT_BLANKS}|(?:\s?[_./\\–—-])?\s(?![aeiouy]\b))"
_LETTERS_APART = "[ .]?"  # "b k 2291"
_SIGN = r"[_./\\#–—-]{1,3}"
_SIGN_OR_NOTHING = r"[_./\\#–—-]{0,3}"
_ANYWHERE = r"[\s_./\\#–—,-]{0,3}"  # "BW 50 977", "bw-509\n77"
_IN_THOUSANDS = r"\d{1,3}(?:[.,]\d{3}){1,3}"  # "38.512-E", "KX-20,418"
_MIN_THOUSANDS = 4  # digits
_MIN_FRONT_LETTERS = 2  # of a number that is read though it is cut anywhere
_MIN_TELLING_RUNS = 4  # of letters, digits and signs: fewer take turns so by chance
_MIN_UNCUT_DIGITS = 8  # of several groups that are told apart by their lengths when nothing stands between them


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
            rows = forms(sre_parse.parse(pattern))
        except (re.error, RecursionError, OverflowError) as error:
            raise ShapeError(f"{pattern!r} is not a regular expression ({error})") from None
        return cls(tuple(merged(row) for row in rows), pattern)

    @classmethod
    def learnt(cls, examples: Sequence[object]) -> Shape:
        """The shape of a few numbers: digits of the lengths seen, letters in front and signs as they are, other letters
        any where they differ. Raises ShapeError."""
        written = [str(example).strip().lstrip("#") for example in examples]
        if not written or not all(any(c.isdigit() for c in text) and len(text) <= MAX_CHARS for text in written):
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

        Where others stand behind them, those in front may be left out, as "77120-X" for BR-77120-X, "26b04419" for
        tk26b04419.
        """
        lettered = [form for form in self.forms if any(sort_of(part) == "letter" for part in form)]
        bare = [form for form in map(_without_letters_in_front, lettered)
                if form not in lettered and any(sort_of(part) == "letter" for part in form)]  # fmt: skip
        without = ((form, _SIGN if sort_of(form[-1]) == "letter" else _SIGN_OR_NOTHING) for form in bare)
        return _any([*map(_loose, lettered), *(rf"(?<![^\W_][_./\\#–—-]){_loose(form, gap)}" for form, gap in without)])

    @cached_property
    def cut_numbers(self) -> re.Pattern[str]:
        """Finds numbers with letters in front or behind, cut wherever people cut them: "BW 50 977"."""
        return _any([_loose(form, _ANYWHERE) for form in self.forms if _may_be_cut(form)])

    def written(self, spelt: str) -> str | None:
        """'wc 1043' as the shop writes it, 'WC-1043'; None for another shape. Letters in front may be left out."""
        for form in self.forms:
            ways = [(form, _GAP), (_without_letters_in_front(form), _GAP), *([(form, _ANYWHERE)] * _may_be_cut(form))]
            for spoken, gap in dict.fromkeys(ways):
                matched = re.fullmatch(_loose(spoken, gap), spelt, re.IGNORECASE)
                if matched and not (spelt.isdigit() and _could_be_cut_otherwise(spoken)):
                    values = iter(matched.groups())
                    found = [part.text if part.kind == "text" else _as_written(next(values), part) for part in spoken]
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

    def resembles(self, spelt: str) -> bool:
        """Whether a spelling is of this shape but for a slip: its letters, digits and signs take turns as a number's.

        Each run may be one longer or shorter, and one run at an end may be missing; with its sign where no other slip
        is. Never for shapes of few runs.
        """
        said = _runs(spelt)
        return any(
            all(sort == other and low - slip <= length <= high + slip
                for (sort, length), (other, low, high) in zip(said, row, strict=True))
            for row, slip in self._rows_of_runs if len(row) == len(said)
        )  # fmt: skip

    @cached_property
    def front_apart(self) -> re.Pattern[str]:
        """Finds this shape's own letters in front, apart from the digits before which a search ends: "qb 83 20617"."""
        fronts = {form[0].text for form in self.forms if form[0].kind == "text" and form[0].text.isalpha()}
        written = "|".join(re.escape(front) for front in sorted(fronts) if len(front) >= _MIN_FRONT_LETTERS)
        return re.compile(rf"(?<![^\W_])(?:{written or '(?!)'})[\s.:]{{1,2}}\Z", re.IGNORECASE)

    @cached_property
    def _rows_of_runs(self) -> list[tuple[list[tuple[str, int, int]], int]]:
        """Sort, fewest and most characters of each run of what resembles a form, and by how many each may be off."""
        fronts = dict.fromkeys(row for form in self.forms for row in (form, _without_letters_in_front(form)))
        wholes = [[(sort_of(part), len(part.text) or part.low, len(part.text) or part.high) for part in form]
                  for form in fronts if len(form) >= _MIN_TELLING_RUNS]  # fmt: skip
        rows = [(row, 1) for whole in wholes for row in (whole, whole[:-1], whole[1:])]
        return rows + [(whole[:-2], 0) for whole in wholes if whole[-2][0] == "sign"]

    @cached_property
    def _whole(self) -> re.Pattern[str]:
        return re.compile(self.pattern, re.IGNORECASE)


def _runs(spelt: str) -> list[tuple[str, int]]:
    """Sort and length of each run of letters, of digits and of signs."""
    return [(sort_of_sign(run[0]), len(run)) for run in re.findall(r"[0-9]+|[^\W\d_]+|[\W_]+", spelt)]


def _any(patterns: Sequence[str]) -> re.Pattern[str]:
    return re.compile("|".join(f"(?<![^\\W_]){pattern}(?![^\\W_])" for pattern in patterns) or r"(?!)", re.IGNORECASE)


def _as_written(group: str, part: Part) -> str:
    letters_and_digits = re.sub(r"[^0-9A-Za-z]", "", group)
    return letters_and_digits.lower() if part.small else letters_and_digits.upper()


def _may_be_cut(form: Form) -> bool:
    return (sort_of(form[0]) == "letter" and len(form[0].text) >= _MIN_FRONT_LETTERS) or sort_of(form[-1]) == "letter"


def _loose(form: Form, gap: str = _GAP) -> str:
    pieces: list[str] = []
    last = form[0]
    for part in form:
        if part.is_sign:
            continue
        if pieces:
            # "in 560001" is no number of two letters and six digits, and "1234 e 1235" are two numbers.
            before_letters = _GAP_BEFORE_A_LETTER if part.kind == "letters" else gap
            pieces.append(gap if gap != _GAP else _GAP_WITHOUT_BLANKS if last.kind == "letters" else before_letters)
        last = part
        pieces.append(_loose_part(part, gap == _ANYWHERE))
    return "".join(pieces)


def _loose_part(part: Part, cut: bool) -> str:
    if part.kind == "text":
        return _LETTERS_APART.join(map(re.escape, part.text))
    if cut and part.kind == "digits":
        return rf"(\d(?:[\s.–—-]{{0,2}}\d){{{part.low - 1},{part.high - 1}}})"
    if part.kind == "digits" and part.high >= _MIN_THOUSANDS:
        return f"({part.pattern}|{_IN_THOUSANDS})"
    return f"({part.pattern})"


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
        signs = tuple((sort_of(part), part.text if part.is_sign or not n else "") for n, part in enumerate(form))
        groups.setdefault(signs, []).append(form)
    return [_Form(tuple(_any_of(same) for same in zip(*group, strict=True))) for group in groups.values()]


def _any_of(same: Sequence[Part]) -> Part:
    """What holds of a part of several numbers."""
    low, high = min(part.low for part in same), max(part.high for part in same)
    if same[0].kind == "digits":
        return Part("digits", low, high)
    if len({part.text for part in same}) == 1:
        return same[0]
    few, many = min(len(part.text) for part in same), max(len(part.text) for part in same)
    return Part("letters", few, many, small=all(part.text.islower() for part in same))
