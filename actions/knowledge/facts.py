"""The facts in a text that can be checked letter by letter: numbers with their units, dates, addresses of any kind."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

_UNITS = {
    **dict.fromkeys(("day", "days", "din"), "day"),
    **dict.fromkeys(("hour", "hours", "hr", "hrs"), "hour"),
    **dict.fromkeys(("minute", "minutes", "min", "mins"), "minute"),
    **dict.fromkeys(("week", "weeks"), "week"),
    **dict.fromkeys(("month", "months"), "month"),
    **dict.fromkeys(("year", "years"), "year"),
    **dict.fromkeys(("%", "percent", "percentage", "pc"), "percent"),
    **dict.fromkeys(("₹", "rs", "inr", "rupee", "rupees", "re"), "money"),
    **dict.fromkeys(("am", "pm"), "clock"),
    **dict.fromkeys(("time", "times"), "times"),
}
_MONTHS = {
    name: full
    for full in ("january", "february", "march", "april", "may", "june", "july", "august", "september", "october",
                 "november", "december")
    for name in (full, full[:3])
}
_ONES = (
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve",
    "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen",
)
_TENS = {"twenty": 20, "thirty": 30, "forty": 40, "fifty": 50, "sixty": 60, "seventy": 70, "eighty": 80, "ninety": 90}
_WORDS = {**{word: n for n, word in enumerate(_ONES)}, **_TENS}
_SCALES = {
    "hundred": 100, "thousand": 1000, "lakh": 100_000, "lakhs": 100_000, "crore": 10_000_000, "million": 1_000_000
}
NUMBER_WORDS = frozenset(_WORDS) | frozenset(_SCALES)
# Amounts that are words: they count as facts of their own.
_AMOUNT_WORDS = frozenset(
    ("half", "double", "twice", "triple", "quarter", "dozen", "couple", "fortnight", "third", "halved")
)
_KINDS_OF_DAY = frozenset(("working", "business", "calendar"))
_BETWEEN = frozenset(("to", "-", "–", "or", "and", "full", "more", "of"))
_TOKEN = re.compile(r"\d[\d,]*(?:\.\d+)?|[^\W\d_]+|[₹%–-]")
_ADDRESS = re.compile(
    r"(?:https?://|www\.)\S+|[\w.+-]+@[\w-]+(?:\.[\w-]+)*|"
    r"\b[\w-]+(?:\.[\w-]+)*\.(?:com|in|org|net|io|co|example|shop|info|me|ly)\b(?:/\S*)?|"
    r"\+?\d(?:[\s-]?\d){8,}",
    re.I,
)


@dataclass(frozen=True)
class Fact:
    """One checkable fact: a number as text with its unit ("" when it has none), or an address with unit "address"."""

    value: str
    unit: str


def facts_in(text: str) -> frozenset[Fact]:
    """Every fact of `text`. The same fact written otherwise ("thirty days", "30 days") comes out the same."""
    text = unicodedata.normalize("NFKC", text)
    found = {Fact(address.group().rstrip(".,;:)").lower(), "address") for address in _ADDRESS.finditer(text)}
    text = _ADDRESS.sub(" ", text)
    words = [word.lower() for word in _TOKEN.findall(text)]
    at = 0
    while at < len(words):
        value, after = _number(words, at)
        if value is None:
            if words[at] in _AMOUNT_WORDS:
                found.add(Fact(words[at], ""))
            at += 1
            continue
        found.add(Fact(value, _unit(words, at, after)))
        at = after
    return frozenset(found)


def _number(words: list[str], at: int) -> tuple[str | None, int]:
    """The number that starts at `at`, in digits, and where it ends; (None, at) when there is none."""
    word = words[at]
    if word[0].isdigit():
        digits = "".join(str(unicodedata.digit(c)) if c.isdigit() else c for c in word.replace(",", "").rstrip("."))
        try:
            value = Decimal(digits)
        except InvalidOperation:
            return word, at + 1
        after = at + 1
    elif word in _WORDS:
        value, after = Decimal(_WORDS[word]), at + 1
        if word in _TENS:
            place = after + 1 if after < len(words) and words[after] == "-" else after
            if place < len(words) and 0 < _WORDS.get(words[place], 0) < 10:
                value, after = value + _WORDS[words[place]], place + 1
    elif word in _SCALES:
        value, after = Decimal(1), at
    else:
        return None, at
    while after < len(words) and words[after] in _SCALES:
        value, after = value * _SCALES[words[after]], after + 1
    # "one" is an article more often than an amount.
    if word == "one" and after == at + 1 and not _unit(words, at, after):
        return None, at
    return f"{value.normalize():f}", after


def _unit(words: list[str], at: int, after: int) -> str:
    if at and _UNITS.get(words[at - 1]) == "money":
        return "money"
    kind = ""
    for word in words[after : after + 6]:
        if word in ("st", "nd", "rd", "th") or word in _BETWEEN or word[0].isdigit() or word in _WORDS:
            continue
        if word in _KINDS_OF_DAY:
            kind = "working " if word != "calendar" else ""
        elif word in _UNITS:
            return kind + _UNITS[word]
        elif word in _MONTHS:
            return _MONTHS[word]
        else:
            break
    return _MONTHS.get(words[at - 1], "") if at else ""
