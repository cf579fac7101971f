"""Bodies held against tables of what Graph accepts, and the refusal where one breaks a limit.

A shape is a check (value, path → None, or raises Broken) or a table of keys with a shape each. `"key?"` may be missing,
a key that the table does not name is refused unless the table has OTHERS.
"""

import re
from collections.abc import Callable, Collection, Mapping
from typing import Any

from twin.whatsapp.graph_errors import Refusal

OTHERS = "*"
Check = Callable[[Any, str], None]
Shape = Check | Mapping[str, Any]


class Broken(Exception):
    """The body breaks a limit; carries what Meta would answer. `refusal_of` catches it."""

    def __init__(self, code: int, details: str) -> None:
        super().__init__(details)
        self.refusal = Refusal(code, details)


def refusal_of(body: Any, shape: Shape) -> Refusal | None:
    """What Graph answers to a body that has not this shape; None to one that has."""
    try:
        check(body, shape, "")
    except Broken as broken:
        return broken.refusal
    return None


def check(value: Any, shape: Shape, path: str) -> None:
    """Raise Broken for what is wrong. `path` is written as Meta writes it: interactive['body']['text']."""
    if callable(shape):
        shape(value, path)
        return
    if not isinstance(value, dict):
        raise Broken(100, f"Param {path or 'body'} must be a JSON object.")
    parts = {key.removesuffix("?"): (part, key.endswith("?")) for key, part in shape.items() if key != OTHERS}
    unknown = sorted(set(value) - set(parts))
    if unknown and OTHERS not in shape:
        raise Broken(100, f'Unexpected key "{unknown[0]}" on param "{path or "body"}".')
    for key, (part, optional) in parts.items():
        place = f"{path}['{key}']" if path else key
        if key in value:
            check(value[key], part, place)
        elif not optional:
            raise Broken(131008, f"The parameter {place} is required.")


def anything(value: Any, path: str) -> None:
    """Not looked at."""


def text(
    longest: int | None = None, *, empty: bool = False, blank: bool = True, one_of: Collection[str] = (),
    matching: re.Pattern[str] | None = None, wrong: int = 131009, says: str = "is not valid", too_long: int = 100,
) -> Check:
    """A string of 1 (or 0 if `empty`) to `longest` characters; `blank=False` refuses whitespace alone as well.

    One that is none of `one_of`, or does not match, is refused with the code `wrong`, a long one with `too_long`.
    """

    def checked(value: Any, path: str) -> None:
        if not isinstance(value, str):
            raise Broken(100, f"Param {path} must be a string.")
        if (not value and not empty) or (not blank and not value.strip()):
            raise Broken(131008, f"The parameter {path} is required.")
        if longest is not None and len(value) > longest:
            raise Broken(too_long, f"Param {path} must be at most {longest} characters long.")
        if one_of and value not in one_of:
            raise Broken(wrong, f"Param {path} must be one of {{{', '.join(sorted(one_of))}}}.")
        if matching is not None and not matching.fullmatch(value):
            raise Broken(wrong, f"{path} {says}.")

    return checked


def flag(value: Any, path: str) -> None:
    if not isinstance(value, bool):
        raise Broken(100, f"Param {path} must be a boolean.")


def degrees(bound: float) -> Check:
    """A number or its decimal text, between -bound and bound."""

    def checked(value: Any, path: str) -> None:
        try:
            number = float(value) if isinstance(value, int | float | str) and not isinstance(value, bool) else None
        except ValueError:
            number = None
        if number is None or not -bound <= number <= bound:
            raise Broken(131009, f"{path} must be a number between -{bound} and {bound}.")

    return checked


def items(shape: Shape, most: int, least: int = 1) -> Check:
    """A list of `least` to `most` of one shape."""

    def checked(value: Any, path: str) -> None:
        if not isinstance(value, list):
            raise Broken(100, f"Param {path} must be an array.")
        if not least <= len(value) <= most:
            raise Broken(131009, f"Invalid {path} count. Min allowed: {least}, Max allowed: {most}.")
        for index, item in enumerate(value):
            check(item, shape, f"{path}[{index}]")

    return checked


def both(shape: Shape, then: Check) -> Check:
    """The shape, and then something that its parts must be together."""

    def checked(value: Any, path: str) -> None:
        check(value, shape, path)
        then(value, path)

    return checked


def by_type(shapes: Mapping[str, Shape], wrong: int = 131009, default: str | None = None) -> Check:
    """The shape that the key `type` names; without the key, that of `default`."""
    type_shape = {"type" if default is None else "type?": text(one_of=shapes, wrong=wrong), OTHERS: anything}

    def checked(value: Any, path: str) -> None:
        check(value, type_shape, path)
        check(value, shapes[value.get("type", default)], path)

    return checked
