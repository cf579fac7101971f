r"""What order numbers are made of: digits, letters, signs; read from a regular expression."""

from __future__ import annotations

import re
import sre_constants as sre
from dataclasses import dataclass, replace
from typing import Any

MAX_CHARS = 40
_MAX_FORMS = 16
_SETS = {"digits": r"\d", "letters": "[A-Z]", "small": "[a-z]"}


class ShapeError(ValueError):
    """No shape can be made of this; the message says why."""


@dataclass(frozen=True)
class Part:
    """`kind` digits or letters: `low` to `high` of them, any. Otherwise exactly `text`."""

    kind: str
    low: int
    high: int
    text: str = ""
    small: bool = False  # letters that the shop writes small

    @property
    def pattern(self) -> str:
        """The part as a regular expression."""
        if self.kind == "text":
            return re.escape(self.text)
        times = f"{{{self.low}}}" if self.low == self.high else f"{{{self.low},{self.high}}}"
        return _SETS["small" if self.small else self.kind] + times

    @property
    def is_sign(self) -> bool:
        return self.kind == "text" and not self.text[0].isalnum()


Form = tuple[Part, ...]


def merged(form: Form) -> Form:
    """Neighbouring parts of one kind as one; text is cut into letters, digits and signs."""
    joined: list[Part] = []
    for part in form:
        last = joined[-1] if joined else None
        if last and part.kind == last.kind == "text" and sort_of_sign(last.text[-1]) == sort_of_sign(part.text[0]):
            joined[-1] = Part("text", 1, 1, last.text + part.text)
        elif last and part.kind == last.kind and part.kind != "text":
            joined[-1] = replace(last, low=last.low + part.low, high=last.high + part.high)
        else:
            joined.append(part)
    if not any(part.kind == "digits" for part in joined):
        raise ShapeError("an order number has digits")
    return tuple(joined)


def sort_of(part: Part) -> str:
    """One of digit, letter, sign."""
    return "digit" if part.kind == "digits" else "letter" if part.kind == "letters" else sort_of_sign(part.text[0])


def sort_of_sign(sign: str) -> str:
    """The same of one character."""
    return "digit" if sign.isdigit() else "letter" if sign.isalpha() else "sign"


def forms(tree: Any) -> list[Form]:
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
        return [(Part(_kind_of_set(value), 1, 1, small=_is_small(value)),)]
    if code is sre.AT:
        return [()]
    if code is sre.SUBPATTERN:
        return forms(value[-1])
    if code is sre.BRANCH:
        return [form for branch in value[1] for form in forms(branch)]
    if code in (sre.MAX_REPEAT, sre.MIN_REPEAT):
        low, high, repeated = value
        inside = forms(repeated)
        high = min(int(high), max(low, MAX_CHARS))
        if len(inside) == 1 and len(inside[0]) == 1 and inside[0][0].kind != "text" and low:
            part = inside[0][0]
            return [(replace(part, low=low * part.low, high=high * part.high),)]
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


def _is_small(members: Any) -> bool:
    return all(code is sre.RANGE and chr(value[0]).islower() for code, value in members)


def _is_digits(code: Any, value: Any) -> bool:
    if code is sre.RANGE:
        return chr(value[0]).isdigit() and chr(value[1]).isdigit()
    return (code is sre.CATEGORY and value is sre.CATEGORY_DIGIT) or (code is sre.LITERAL and chr(value).isdigit())
