"""Order numbers in customers' messages, as a pure function over text.

What only looks like one is covered first (`look_alikes`). What is left is read after a cue ("order no.", "#",
"ord-"), where digits may be split by blanks, dashes or commas, and then bare. Offsets are those of the original
text.
"""

from __future__ import annotations

import re
import unicodedata

from components.look_alikes import Span, cover

DEFAULT_PATTERN = r"\d{5}"

_LONGEST_TEXT = 4096  # characters read, WhatsApp's own limit

_NAMES = r"(?:nos?|numbers?|numbr|numbe?r|num|nmbr|nbr|ids?|code|ref(?:erence)?|नंबर|नम्बर|आईडी)"
_LINKS = (
    r"(?:is|was|are|h|hai|he|ye|yeh|yah|it'?s|-|–|_|:|=|#|\.|,|\(|\[|of|mine|ka|ki|hain|है|plz|please|pls|sir|does|for)"
)
_CUE = re.compile(
    r"#+\s*"
    rf"|(?<![a-z])(?:orders?|ordr|oder|odr|ord|od|ऑर्डर)(?:[\s_.:#-]*{_NAMES})*(?:\s*{_LINKS})*\s*"
    r"|(?<![a-z])(?:no|nos|number|num|nmbr|id|नंबर)\b[\s.:#=-]*(?:(?:is|was|hai|h|are|are these)\b)?[\s.:#=-]*",
    re.IGNORECASE,
)
_STRONG_CUE = re.compile(rf"#|\b{_NAMES}\b|ord(?:er)?[-_]?$|नंबर|नम्बर|आईडी", re.IGNORECASE)
_GROUPS = re.compile(r"\d+(?:(?:[ ]{1,2}|[ ]?[-–.,_/][ ]?)\d+)*")
_BARE = re.compile(
    r"(?<![\w.:@$₹€£+*-])(\d+)(?=(?:ka|ki|ke|ko|hai|h|wala|wali)\b|(?!\w))(?![.:-]\d|\s?[%+])", re.IGNORECASE
)
_FILLER = re.compile(
    r"[^\w]|\b(?:it|its|is|the|my|yes|ok|okay|sure|hi|hello|sir|please|pls|plz|hai|h|ye|yeh|lo|haan|ji|mera|and|this|one"
    r"|sorry|no|here)\b",
    re.IGNORECASE,
)
_SPOKEN_DIGITS = {
    word: str(digit)
    for digit, words in enumerate(
        (
            "zero oh shunya",
            "one ek",
            "two do",
            "three teen",
            "four char chaar",
            "five paanch panch",
            "six chhe",
            "seven saat",
            "eight aath",
            "nine nau",
        )
    )
    for word in words.split()
}
_DIGIT_WORD = rf"(?:(?:double|triple)\s+)?(?:{'|'.join(_SPOKEN_DIGITS)})"
_LONGEST_SPLIT = 12  # groups of digits that one order number may be written in
_SPOKEN = re.compile(rf"\b{_DIGIT_WORD}(?:[\s,-]+{_DIGIT_WORD})+\b", re.IGNORECASE)


def ascii_digits(text: str) -> str:
    """The text with every script's digits as 0–9; one character stays one character."""
    return "".join(str(unicodedata.decimal(c)) if c.isdecimal() and not c.isascii() else c for c in text)


def look_alikes(text: str) -> list[Span]:
    """Stretches that hold digits or addresses but no order number, in the order of the text."""
    return list(cover(ascii_digits(text))[1])


def find_order_numbers(text: str, pattern: str = DEFAULT_PATTERN) -> list[Span]:
    """Every order number of a message once, in the order of the text.

    `pattern` is the regular expression that the bare digits match as a whole. Values are digits only.
    """
    shape = re.compile(pattern)
    plain = ascii_digits(text[:_LONGEST_TEXT])
    if not any(character.isdigit() for character in plain):
        return _spoken(plain, shape)
    with_cue = _after_cues(_uncovered(plain, shape, thousands=True), shape)
    rest = _uncovered(_blank(plain, with_cue), shape, thousands=False)
    found = with_cue + _bare(rest, shape) or _spoken(plain, shape)
    unique: dict[str, Span] = {}
    for span in sorted(found, key=lambda s: s.start):
        unique.setdefault(span.value, span)
    return list(unique.values())


def _uncovered(text: str, shape: re.Pattern[str], thousands: bool) -> str:
    """The text covered, but for plain numbers of the shop's own shape and, after a cue, thousands ("10,234")."""
    covered, spans = cover(text)
    for span in spans:
        if span.kind == "number" and (shape.fullmatch(span.value) or (thousands and "," in span.value)):
            covered = covered[: span.start] + span.value + covered[span.end :]
    return covered


def _blank(text: str, spans: list[Span]) -> str:
    for span in spans:
        text = text[: span.start] + "\x01" * (span.end - span.start) + text[span.end :]
    return text


def _after_cues(covered: str, shape: re.Pattern[str]) -> list[Span]:
    """Numbers right after a cue; later ones of a list ("orders 10234 and 10235") are bare."""
    found: list[Span] = []
    for cue in _CUE.finditer(covered):
        groups = _GROUPS.match(covered, cue.end())
        if groups:
            found += _joined(covered, groups, shape, may_join=bool(_STRONG_CUE.search(cue.group().strip())))
    return found


def _joined(text: str, groups: re.Match[str], shape: re.Pattern[str], may_join: bool) -> list[Span]:
    """Order numbers in a run of digit groups: a group that fits alone, else neighbours that fit together."""
    parts = [(m.start() + groups.start(), m.group()) for m in re.finditer(r"\d+", groups.group())]
    found: list[Span] = []
    at = 0
    while at < len(parts):
        step = 1
        for size in range(1, min(len(parts) - at, _LONGEST_SPLIT) + 1 if may_join else 2):
            run = parts[at : at + size]
            digits = "".join(part for _, part in run)
            end = run[-1][0] + len(run[-1][1])
            if shape.fullmatch(digits) and not text[end : end + 1].isalpha():
                found.append(Span(run[0][0], end, "order_number", digits))
                step = size
                break
        at += step
    return found


def _bare(covered: str, shape: re.Pattern[str]) -> list[Span]:
    found = [
        Span(match.start(1), match.end(1), "order_number", match.group(1))
        for match in _BARE.finditer(covered)
        if shape.fullmatch(match.group(1))
    ]
    if not found:
        whole = _GROUPS.search(covered)
        if whole and not _FILLER.sub("", covered[: whole.start()] + covered[whole.end() :]):
            found = _joined(covered, whole, shape, may_join=True)
    return found


def _spoken(text: str, shape: re.Pattern[str]) -> list[Span]:
    """Digits in words ("one zero two double three"), where they make exactly one number."""
    for match in _SPOKEN.finditer(text):
        digits, times = "", 1
        for word in re.findall(r"\w+", match.group().lower()):
            if word in ("double", "triple"):
                times = 2 if word == "double" else 3
            else:
                digits, times = digits + _SPOKEN_DIGITS[word] * times, 1
        if shape.fullmatch(digits):
            return [Span(match.start(), match.end(), "order_number", digits)]
    return []
