"""Order numbers as the shop writes them, and how two writings of one are recognised."""

import re
import unicodedata
from decimal import Decimal

MAX_NUMBER_CHARS = 40
_MAX_INTEGER_DIGITS = 18  # digits that every database takes for a whole number
_INSIDE = re.compile(r"[^\w/.+:#-]")
_AROUND = "#/.+:- "


def normal_number(value: object) -> str:
    """An order number as the shop writes it, without '#': 'ORD/2024/001', 'WC-1001'; 84021.0 and '#84 021' → '84021'.

    At most 40 signs; empty for what is not a number.
    """
    written = "".join(str(unicodedata.digit(c, c)) for c in _string(value))
    written = " ".join(_INSIDE.sub(" ", written[: 4 * MAX_NUMBER_CHARS]).split()).strip(_AROUND)
    whole = re.fullmatch(r"(\d+)\.0+", written)
    return (whole.group(1) if whole else _joined(written))[:MAX_NUMBER_CHARS].strip(_AROUND)


def named(number: str) -> str:
    """How an order is named to a customer: '#10234', but 'WC-1001' as it is."""
    return f"#{number}" if number.isdigit() else number


def same_number(one: str, other: str) -> bool:
    """Whether two normalised numbers are one: capitals do not matter, nor zeros before a number of digits only."""
    if one.isdigit() and other.isdigit():
        return one.lstrip("0") == other.lstrip("0")
    return one.casefold() == other.casefold()


def spellings(number: str) -> list[str]:
    """The ways in which a text column may hold a normalised number, for an indexed look-up."""
    cases = dict.fromkeys((number, number.upper(), number.lower()))
    decimal = [f"{number}.0"] if number.isdigit() else []
    return [*cases, *(f"#{case}" for case in cases), *decimal]


def as_integer(number: str) -> int | None:
    """The number as a column of whole numbers holds it; None when it holds no such thing."""
    return int(number) if number.isdigit() and len(number) <= _MAX_INTEGER_DIGITS else None


def in_order(number: str) -> tuple[tuple[int, int, str], ...]:
    """Sort key by which WC-999 comes before WC-1001."""
    parts = re.findall(r"\d+|\D+", number)
    return tuple((0, int(part), "") if part.isdigit() else (1, 0, part) for part in parts)


def _joined(written: str) -> str:
    """Blanks between digits are nothing but a way to write; elsewhere they belong to the number."""
    return written.replace(" ", "") if re.fullmatch(r"[\d ]+", written) else written


def _string(value: object) -> str:
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() else str(value)
    if isinstance(value, Decimal) and value.is_finite():
        return format(value, "f")
    return "" if value is None else str(value)
