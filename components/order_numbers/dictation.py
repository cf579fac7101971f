"""Numbers in words, as they are told on the phone or to a voice note: "one zero double two", "m h dash four slash k".

Digits, letters and signs are closed classes, so they stand here for each language that is spoken.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from privacy.indic import BEGIN, END

_SPOKEN_DIGITS = {
    word: str(digit)
    for digit, words in enumerate(
        (
            "zero oh shunya cero शून्य जीरो ज़ीरो",
            "one ek uno um एक वन",
            "two do dos dois दो टू",
            "three teen tres três तीन थ्री",
            "four char chaar cuatro quatro चार फोर",
            "five paanch panch cinco पाँच पांच फाइव",
            "six chhe seis छह छः छे सिक्स",
            "seven saat siete sete सात सेवन",
            "eight aath ocho oito आठ एट",
            "nine nau nueve nove नौ नाइन",
        )
    )
    for word in words.split()
}
_SAID_SIGNS = {
    word: sign
    for sign, words in {
        "-": "dash hyphen minus guion guión hifen hífen traço traco डैश",
        "/": "slash stroke barra स्लैश",
        ".": "dot point ponto punto डॉट",
    }.items()
    for word in words.split()
}
_TIMES = {"double": 2, "triple": 3, "डबल": 2, "ट्रिपल": 3}
_TIMES_WORD = "|".join(_TIMES)
_DIGIT_WORD = rf"(?:(?:{_TIMES_WORD})\s+)?(?:{'|'.join(_SPOKEN_DIGITS)})"
DIGITS = re.compile(rf"{BEGIN}{_DIGIT_WORD}(?:[\s,-]+{_DIGIT_WORD})+{END}", re.IGNORECASE)
_PART = re.compile(
    rf"{BEGIN}(?:(?P<times>{_TIMES_WORD})\s+)?"
    rf"(?:(?P<word>{'|'.join(_SPOKEN_DIGITS)}|{'|'.join(_SAID_SIGNS)})|(?P<typed>[^\W_]|[^\W_]*\d[^\W_]*)){END}",
    re.IGNORECASE,
)
_MAX_LETTERS = 8  # in front of a number's first digit or sign
_BETWEEN = re.compile(r"[\s,]*")


@dataclass
class Code:
    """What is spelt in a row, written; where in the message each of its characters begins and ends."""

    text: str
    starts: list[int]
    ends: list[int]


def digits(words: str) -> str:
    """'two double three' → '233'."""
    return "".join(_written(part) for part in _PART.finditer(words))


def codes(text: str) -> Iterator[Code]:
    """Every row of digits, letters and signs in words that has a word among them, and the same without the letters in
    front of it one after the other: of "is it a four k" the "a" belongs to the words before."""
    row: list[tuple[str, int, int]] = []
    in_words, reached = False, 0
    for part in [*_PART.finditer(text), None]:
        if part is None or (row and not _BETWEEN.fullmatch(text, reached, part.start())):
            yield from _from_each(row) if in_words else ()
            row, in_words = [], False
        if part is not None:
            written, reached = _written(part), part.end()
            row += [(sign, part.start(), part.end()) for sign in written]
            in_words = in_words or part["word"] is not None


def _from_each(row: list[tuple[str, int, int]]) -> Iterator[Code]:
    letters = next((n for n, (sign, _, _) in enumerate(row) if not sign.isalpha()), 0)
    for begin in range(max(0, letters - _MAX_LETTERS), letters + 1):
        signs, starts, ends = zip(*row[begin:], strict=True)
        yield Code("".join(signs), list(starts), list(ends))


def _written(part: re.Match[str]) -> str:
    word = (part["word"] or "").lower()
    sign = _SPOKEN_DIGITS.get(word) or _SAID_SIGNS.get(word) or part["typed"]
    return sign * _TIMES.get((part["times"] or "").lower(), 1)
