"""Reading JSON that may hold anything anywhere.

Each reader gives a value of its type, or the neutral one, and never raises.
"""

import json
import math
import re
from collections.abc import Mapping
from typing import Any

MAX_TEXT_CHARS = 65_536
MAX_ID_CHARS = 500  # Meta carries 512 characters back to us: an id and the number of a reply
_LATEST_TIMESTAMP = 4_102_444_800  # 2100-01-01

# Redis, SQL and JSON refuse them: half a surrogate pair is no UTF-8, and PostgreSQL stores no NUL.
_LONE_SURROGATE = re.compile("[\ud800-\udfff]")
# An escape sequence in a customer's words would command the terminal of whoever reads them.
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_SPACE_OR_CONTROL = re.compile(r"[\s\x00-\x1f\x7f]")


def parsed(raw: str | bytes) -> Any:
    """What the JSON says; None for what is none, or is nested too deeply to be read."""
    try:
        return json.loads(raw)
    except (ValueError, RecursionError):
        return None


def as_mapping(value: Any) -> Mapping[str, Any]:
    """`value` if it is an object, else an empty one."""
    return value if isinstance(value, dict) else {}


def objects(value: Any) -> list[Mapping[str, Any]]:
    """The objects of an array; what is not an object is left out. A single object counts as an array of one."""
    if isinstance(value, dict):
        return [value]
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def clean(value: str) -> str:
    """`value` as every store can keep it and every terminal show it: no lone surrogates, no control characters but line
    breaks and tabs."""
    return value if value.isprintable() else _LONE_SURROGATE.sub("\ufffd", _CONTROL.sub("", value))


def text(value: Any, limit: int = MAX_TEXT_CHARS) -> str:
    """`value` if it is a string, cleaned and cut at `limit` characters; numbers as written; else ''."""
    if isinstance(value, str):
        return clean(value[:limit])
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return str(value)[:limit]
    return ""


def identifier(value: Any) -> str | None:
    """An id: a non-empty string (or whole number) without blanks, at most MAX_ID_CHARS long; else None."""
    if isinstance(value, bool) or not isinstance(value, (str, int)):
        return None
    found = str(value)
    if found.isprintable() and " " not in found:  # as nearly all are
        return found if 0 < len(found) <= MAX_ID_CHARS else None
    found = found.strip().replace("\x00", "")
    if not found or len(found) > MAX_ID_CHARS or _SPACE_OR_CONTROL.search(found):
        return None
    return clean(found) or None


def as_int(value: Any) -> int | None:
    """A whole number, also when sent as a string of digits; else None."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value
    if isinstance(value, str) and re.fullmatch(r"-?[0-9]{1,18}", value.strip()):
        return int(value)
    return None


def number(value: Any) -> float | None:
    """A finite number, also when sent as a string; else None."""
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return None
    try:
        found = float(value)
    except (ValueError, OverflowError):
        return None
    return found if math.isfinite(found) else None


def timestamp(value: Any) -> int | None:
    """Epoch seconds, or None when the value is not a plausible time (milliseconds are understood)."""
    seconds = as_int(value)
    if seconds is not None and seconds > _LATEST_TIMESTAMP:
        seconds //= 1000
    return seconds if seconds is not None and 0 < seconds <= _LATEST_TIMESTAMP else None


def drop_empty(fields: Mapping[str, Any]) -> dict[str, Any]:
    """`fields` less those that are None, '' or empty."""
    return {name: value for name, value in fields.items() if value not in (None, "", [], {})}
