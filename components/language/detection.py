"""Which language a message is written in, told by its grammar and not by its nouns.

Customers mix: "order cancel kar do" is Hindi, "where is my kurta ji" English. Much of what they write belongs to no
language ("ok", "10234", "refund status"). Other writing systems than Latin tell by themselves, or by a letter.
"""

import re
import unicodedata
from collections import Counter
from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np

from components.language.answered import ENGLISH, HINDI, HINGLISH, answered
from components.language.vocabulary import KNOWN, vocabulary
from components.text.message_text import readable
from privacy.indic import SIGNS

_LETTERS = rf"(?:[^\W\d_]|[{SIGNS}])+"
_WORD = re.compile(rf"{_LETTERS}(?:'{_LETTERS})*")
# "TK/24-00871" is no word of any language, nor are the letters of a size or of a tracking number.
_CODE = re.compile(r"(?<![^\W_])[A-Za-z]{1,5}[-/_.#]?(?=\d)|(?<=\d)[-/_.#]?[A-Za-z]{1,5}(?![^\W_])")
_MAX_WORDS = 80
ONE_WORD = 2.0  # from this evidence on, ahead of the runner-up, a language is told
_LIKELY = 1.0  # customers write in what their shop answers in, more often than not
_SCRIPTS = {
    "DEVANAGARI": HINDI, "ARABIC": "ar", "BENGALI": "bn", "GURMUKHI": "pa", "GUJARATI": "gu", "ORIYA": "or",
    "TAMIL": "ta", "TELUGU": "te", "KANNADA": "kn", "MALAYALAM": "ml", "SINHALA": "si", "THAI": "th", "LAO": "lo",
    "MYANMAR": "my", "KHMER": "km", "GREEK": "el", "HEBREW": "he", "HANGUL": "ko", "HIRAGANA": "ja",
    "KATAKANA": "ja", "CJK": "zh", "ARMENIAN": "hy", "GEORGIAN": "ka", "ETHIOPIC": "am",
    "CYRILLIC": "ru",
}  # fmt: skip
# Letters that one language writes in another's script, the more particular first.
_OWN_LETTERS = {
    "ar": {"ur": frozenset("ٹڈڑںےھہ"), "fa": frozenset("پچژگ")},
    "ru": {"uk": frozenset("іїєґ")},
    "zh": {"ja": frozenset(map(chr, range(0x3041, 0x30FF)))},  # Kana beside Kanji
}


@dataclass(frozen=True)
class Detected:
    """What a text tells: its language or None, and the evidence (a known word of one language alone is 3)."""

    language: str | None = None
    evidence: dict[str, float] = field(default_factory=dict)

    @property
    def margin(self) -> float:
        """The evidence that the language has more than the runner-up."""
        first, second = ([*sorted(self.evidence.values(), reverse=True), 0.0, 0.0])[:2]
        return first - second


def detect_language(text: str) -> str | None:
    """A language's code (`en`, `hinglish`, `hi`, `pt`, `de` …); None when nothing tells (a number, a name)."""
    return detect(text).language


@lru_cache(maxsize=256)
def detect(text: str) -> Detected:
    """The language of a message and how plain it is."""
    found = _WORD.findall(_CODE.sub(" ", readable(text)))[:_MAX_WORDS]
    if not found:
        return Detected()
    own_script, count = _by_script(found)
    if count * 2 >= len(found) > 0:
        return Detected(own_script, {own_script: 2 * KNOWN})
    known = vocabulary()
    total = np.sum([known.weigh(word) for word in found], axis=0)
    evidence = {
        name: float(weight) + _LIKELY * (weight >= ONE_WORD and name in answered())
        for name, weight in zip(known.languages, total, strict=True)
        if weight > 0
    }
    if count:  # "मेरा refund status check करो": shop words in Latin letters, the grammar around them not
        evidence[own_script] = KNOWN * count
    if not evidence:
        return Detected()
    detected = Detected(max(evidence, key=lambda name: (evidence[name], name == ENGLISH)), evidence)
    if detected.margin >= ONE_WORD:
        return detected
    # Hindi and English go together in one sentence; its grammar is Hindi's as soon as there is some.
    close = {name for name, weight in evidence.items() if weight > evidence[detected.language or ""] - ONE_WORD}
    return Detected(HINGLISH if close == {ENGLISH, HINGLISH} else _of_siblings(close, evidence), evidence)


def _of_siblings(close: set[str], evidence: dict[str, float]) -> str | None:
    """Of languages that share the words ("cancelar pedido") one that is answered in, rather than English."""
    likely = [name for name in answered() if name in close and evidence[name] >= KNOWN]
    return max(likely, key=lambda name: evidence[name], default=None) if not close & {ENGLISH, HINGLISH} else None


def _by_script(found: list[str]) -> tuple[str, int]:
    """The language of the commonest writing system of its own in a text, and its words; ("", 0) for Latin alone."""
    counted = Counter(language for word in found if (language := _script(word[0])))
    if not counted:
        return "", 0
    (language, count), letters = counted.most_common(1)[0], set("".join(found))
    return next((name for name, own in _OWN_LETTERS.get(language, {}).items() if letters & own), language), count


def _script(char: str) -> str | None:
    return None if char.isascii() else _SCRIPTS.get(unicodedata.name(char, "").split(" ")[0].split("-")[0])
