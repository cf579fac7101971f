"""Digits that their own signs tell from order numbers: links, money, dates, times, international phones.

Only real syntax is here; what takes words to understand is learnt (`meaning.py`). Repetitions are bounded, so that no
text takes long.
"""

import re
import unicodedata
from dataclasses import dataclass

COVER = "\x00"

_MONTH = r"(?:jan|feb|mar|apr|may|jun|jul|aug|sept?|oct|nov|dec|ene|abr|ago|dic|fev|mai|set|out|dez)[a-z]{0,8}"
_DAY, _MONTHS = r"(?:0?[1-9]|[12]\d|3[01])", r"(?:0?[1-9]|1[0-2])"
_TH, _YEAR = "(?:st|nd|rd|th)", r"(?:19|20)\d\d"
_CURRENCY = r"(?:₹|\brs\.?(?![a-z])|\binr\b|\busd\b|r?\$|€|£|\beur\b|\bgbp\b|\bmxn\b|\bbrl\b)"
_AMOUNT = r"\d[\d.,]{0,14}(?<![.,])"
_START = r"(?<![\w#])"

ADDRESSES = (
    ("url", r"(?:https?://|www\.)\S+|\b[\w.-]{1,64}\.(?:com|in|net|org|ly|example)(?:/\S*)?\b(?!@)"),
    ("email", r"[\w.+-]{1,64}@[\w-]{1,64}(?:\.[\w-]{1,64}){1,5}"),
    ("upi", r"\b[\w.-]{1,64}@\w{2,20}\b"),
    ("handle", r"(?<!\w)@\w+"),
)
NUMBERS = (
    (
        "date",
        rf"{_START}\d{{1,2}}{_TH}?[\s.,/-]{{0,2}}(?:of\s|de\s)?{_MONTH}\b(?:[\s.,/'-]{{0,2}}(?:de\s)?\d{{2,4}}\b)?",
    ),
    # "maine 10234" begins like a month and is no date: a year is one, and stands apart from its day
    ("date", rf"\b{_MONTH}\.?[\s,'-]{{0,2}}(?:\d{{1,2}}{_TH}?(?:(?:,\s*|\s+){_YEAR})?|{_YEAR})(?!\w)"),
    ("date", rf"{_START}(?:{_DAY}([/.-]){_MONTHS}\1|{_MONTHS}([/.-]){_DAY}\2)(?:\d{{4}}|\d{{2}})(?!\w)"),
    ("date", rf"{_START}\d{{4}}([/.-])(?:0?\d|1[0-2])\1[0-3]?\d(?!\w)"),
    ("date", r"\b\d{1,2}(?:st|nd|rd|th)\b|(?<![\w/#])\d{1,2}/\d{1,2}(?![\w/])|(?<![\w/#])\d\d?/20\d\d(?![\w/])"),
    ("time", r"\b\d{1,2}[:.]\d{2}(?:[:.]\d{2})?\s?(?:am|pm|a\.m|p\.m|hrs|baje|h)?\b(?!\.\d)"),
    ("time", r"\b\d{1,2}\s?(?:am|pm|baje|o'?clock)\b"),
    ("money", rf"{_CURRENCY}\s?[-.:]?\s?{_AMOUNT}(?:\s?(?:k|lakhs?|crores?|cr)\b)?(?:\s?/-)?"),
    # 84k is no money in QB-84K-20617
    ("money", rf"{_START}{_AMOUNT}\s?(?:/-|/=|₹|€|£|\$|(?:rs|inr|usd|eur|gbp|mxn|brl)\b|k\b(?![-_/]\d{{3}}))"),
    ("money", r"(?<![\w#.,])\d{1,3}(?:(?:\.\d{3}){1,3},\d{2}|(?:,\d{3}){1,3}\.\d{2})(?![\w]|[.,]\d)"),  # 1.289,90
    ("other", r"\d[\d.,]{0,14}\s?%|\b\d+\s?[x×*]\s?\d+(?:\s?[x×*]\s?\d+)?\b"),
    ("phone", r"\+\d(?:[\s().-]{0,2}\d){6,14}|(?<!\w)\(\d{2,5}\)(?:[\s.-]{0,2}\d){6,10}(?!\w)"),
    ("other", r"(?<![\w.])\d{3}\.\d{3}\.\d{3}-\d{2}(?!\w)"),  # Brazil's CPF
    ("tracking", r"\b[a-z]{2}\d{9}[a-z]{2}\b|(?-i:\b[A-Z]{2} \d{3} ?\d{3} ?\d{3} [A-Z]{2}\b)"),  # of the postal union
    ("tracking", r"\b1z(?=[a-z\d]{16}\b)[a-z\d]{16}"),  # of UPS
    ("number", r"(?<![\w.#])\d+\.\d{1,2}(?![\w.])|(?<!\w)[x*]{2,}[ -]?\d{2,6}\b"),
)  # fmt: skip
_ADDRESSES = tuple((kind, re.compile(pattern, re.IGNORECASE)) for kind, pattern in ADDRESSES)
_NUMBERS = tuple((kind, re.compile(pattern, re.IGNORECASE)) for kind, pattern in NUMBERS)


@dataclass(frozen=True)
class Span:
    """A stretch of the text, end exclusive, with what it was taken for and its value."""

    start: int
    end: int
    kind: str
    value: str


def ascii_digits(text: str) -> str:
    """The text with every script's digits as 0–9; one character stays one character."""
    if text.isascii():
        return text
    return "".join(str(unicodedata.decimal(c)) if c.isdecimal() and not c.isascii() else c for c in text)


def cover_addresses(text: str) -> tuple[str, list[Span]]:
    """The text with links, mail addresses and handles blanked out, every character in its place, and what they were."""
    return _covered(text, _ADDRESSES) if "@" in text or "." in text or "/" in text else (text, [])


def cover_numbers(text: str) -> tuple[str, list[Span]]:
    """The same for money, dates, times and the other numbers that their signs give away."""
    return _covered(text, _NUMBERS)


def blank(text: str, spans: list[Span]) -> str:
    """The text with the spans blanked out."""
    for span in spans:
        text = text[: span.start] + COVER * (span.end - span.start) + text[span.end :]
    return text


def _covered(text: str, table: tuple[tuple[str, re.Pattern[str]], ...]) -> tuple[str, list[Span]]:
    """From top to bottom: an earlier kind wins."""
    spans: list[Span] = []
    for kind, pattern in table:
        found = [Span(m.start(), m.end(), kind, m.group()) for m in pattern.finditer(text) if m.group()]
        text = blank(text, found)
        spans += found
    return text, spans
