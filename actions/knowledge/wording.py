"""A customer's wording, brought closer to the pages' wording: Hindi in Latin script glossed, misspellings mended.

The result is only used to search. What the customer wrote is never changed for anyone to read.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from actions.knowledge.documents import Lexicon

MAX_QUESTION_CHARS = 2000
_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)?|₹|%")
_REPEATED = re.compile(r"([a-z])\1{2,}")
# Hindi words that are English words too: they alone do not make a message Hinglish.
_ALSO_ENGLISH = frozenset(
    ("kat", "kami", "ka", "ki", "ke", "se", "tut", "to", "me",
     "par", "main", "hum", "band", "mat", "hara", "kala", "fir", "ya", "pe", "ho", "na", "ji", "jute")
)
_SHORTHAND = {
    "u": "you", "ur": "your", "r": "are", "pls": "please", "plz": "please", "wat": "what", "wats": "what is",
    "hw": "how", "hav": "have", "hv": "have", "wen": "when", "wer": "where", "wher": "where", "thru": "through",
    "cant": "can not", "dont": "do not", "didnt": "did not", "doesnt": "does not", "wasnt": "was not",
    "isnt": "is not", "wont": "will not", "havent": "have not", "hasnt": "has not", "whats": "what is",
    "wheres": "where is", "hows": "how is", "im": "i am", "ive": "i have", "its": "it is", "recd": "received",
    "nd": "and", "abt": "about", "amt": "amount", "qty": "quantity", "ordr": "order", "mony": "money", "meny": "many",
    "rong": "wrong", "wrng": "wrong", "da": "the", "pic": "photo", "pics": "photos", "pkup": "pick-up",
    "gpay": "google pay upi", "cod": "cash on delivery cod",
}


_VOWELS = frozenset("aeiouy")
_SOUND_ALIKE = frozenset(
    ("ck", "kc", "cs", "sc", "sz", "zs", "gj", "jg", "vw", "wv", "bv", "vb", "fp", "pf", "nm", "mn")
)


class Wording:
    """How customers' words are read. `corpus` is all text of the pages and their phrases, cleaned."""

    def __init__(self, lexicon: Lexicon, corpus: Iterable[str]) -> None:
        hinglish = lexicon.hinglish
        self._wares = lexicon.wares
        self._words = {k: v for k, v in hinglish.items() if " " not in k}
        self._phrases = {k: v for k, v in hinglish.items() if " " in k}
        self._phrase = _any_of(self._phrases)
        self._same_as = lexicon.same_as
        self._other_word = _any_of(self._same_as)
        counts = Counter(
            word for text in corpus if not self.is_hinglish(text)
            for word in _WORD.findall(text) if word not in _SHORTHAND
        )
        self._vocabulary = frozenset(counts) | _correct_words()
        self._by_start: dict[str, list[str]] = {}
        for word, count in sorted(counts.items(), key=lambda item: (-item[1], item[0])):
            if len(word) >= 4 and word.isalpha() and count >= 2:
                self._by_start.setdefault(word[0], []).append(word)

    def clean(self, text: str) -> str:
        """Lower case, one space between words, invisible characters dropped, at most MAX_QUESTION_CHARS."""
        text = unicodedata.normalize("NFKC", text[: MAX_QUESTION_CHARS * 2])
        text = "".join(" " if unicodedata.category(c)[0] in "CZ" else c for c in text).lower()
        return " ".join(text.replace("’", "'").split())[:MAX_QUESTION_CHARS]

    def readable(self, text: str) -> str:
        """`text` in plain English words as far as the lexicon and the vocabulary reach. Takes cleaned text."""
        if not text.isascii() and sum(letter.isascii() for letter in text) < len(text) / 2:
            return text
        if self.is_hinglish(text):
            text = self._gloss(text)
        text = " ".join(filter(None, (self._mend(word) for word in _WORD.findall(text))))
        text = self._other_word.sub(lambda found: self._same_as[found.group()], text)
        return " ".join("item" if word in self._wares else word for word in text.split())

    def is_hinglish(self, text: str) -> bool:
        """Whether `text` (cleaned) is at least partly Hindi in Latin script."""
        words = _WORD.findall(text)
        hindi = [word for word in words if word in self._words and word not in _ALSO_ENGLISH]
        return len(hindi) >= 2 or (len(hindi) == 1 and len(words) <= 5)

    def _gloss(self, text: str) -> str:
        text = self._phrase.sub(lambda found: f" {self._phrases[found.group()]} ", text)
        return " ".join(self._words.get(word, word) for word in _WORD.findall(text))

    def _mend(self, word: str) -> str:
        if word in self._vocabulary or not word.isascii():
            return word
        if word in _SHORTHAND:
            return _SHORTHAND[word]
        word = _REPEATED.sub(r"\1\1", word)
        if len(word) < 4 or not word.isalpha() or word in self._vocabulary:
            return word
        return self._nearest(word) or word

    def _nearest(self, word: str) -> str | None:
        """The closest known word, commoner ones first: one slip in up to six letters, two in longer ones."""
        allowed = 1 if len(word) < 7 else 2
        best, fewest = None, allowed + 1
        for known in self._by_start.get(word[0], ()):
            if abs(len(known) - len(word)) > allowed:
                continue
            slips = edit_distance(word, known, allowed)
            if slips < fewest:
                best, fewest = known, slips
        return best


def _correct_words() -> frozenset[str]:
    lines = (Path(__file__).parent / "words.txt").read_text(encoding="utf-8").splitlines()
    return frozenset(word for line in lines if not line.startswith("#") for word in line.split())


def _any_of(phrases: Iterable[str]) -> re.Pattern[str]:
    """Matches any of the phrases as whole words, the longest first; nothing when there is none."""
    longest_first = sorted(phrases, key=len, reverse=True)
    return re.compile(rf"\b(?:{'|'.join(map(re.escape, longest_first))})\b" if longest_first else r"(?!)")


def words_of(text: str) -> list[str]:
    """The words of cleaned text, in order."""
    return _WORD.findall(text)


def edit_distance(left: str, right: str, limit: int) -> int:
    """Slips of a typist between two words; `limit + 1` when more than `limit`.

    A missing, extra or swapped letter counts 1, and so does a vowel or a like-sounding letter for another. Another
    consonant counts 2: "nose" is not a misspelt "note".
    """
    before: list[int] = []
    row = list(range(len(right) + 1))
    for i, a in enumerate(left, 1):
        previous, row = row, [i]
        for j, b in enumerate(right, 1):
            cost = min(previous[j] + 1, row[j - 1] + 1, previous[j - 1] + _slip(a, b))
            if i > 1 and j > 1 and a == right[j - 2] and left[i - 2] == b:
                cost = min(cost, before[j - 2] + 1)
            row.append(cost)
        if min(row) > limit:
            return limit + 1
        before = previous
    return min(row[-1], limit + 1)


def _slip(a: str, b: str) -> int:
    if a == b:
        return 0
    return 1 if (a in _VOWELS and b in _VOWELS) or a + b in _SOUND_ALIKE else 2
