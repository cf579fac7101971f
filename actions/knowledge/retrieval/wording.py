"""A customer's wording, brought closer to the pages' wording: Hindi in Latin script is read in English words.

The result is only used to search. What the customer wrote is never changed for anyone to read. The words are those of
data/hinglish_words.yml, for every shop, and of the shop's own lexicon.yml where it has one.
"""

import re
import unicodedata
from collections.abc import Iterable, Mapping
from functools import lru_cache
from pathlib import Path

import yaml_files
from actions.knowledge.pages.documents import Lexicon
from privacy.indic import SIGNS

SHARED = Path(__file__).resolve().parents[3] / "data" / "hinglish_words.yml"
MAX_QUESTION_CHARS = 2000
_WORD = re.compile(rf"(?:[^\W_]|[{SIGNS}])+(?:['’][^\W_]+)?|₹|%")
# Hindi words that are English, Spanish or Portuguese words too: they alone do not make a message Hinglish.
_ALSO_OTHERS = frozenset(re.findall(
    r"\w+",
    """
    kat kami ka ki ke se tut to me par main hum band mat hara kala fir ya pe ho na ji jute do de le la no nos mas como
    tem meu sala bata lena bar lag hue di mile tab ban log mil ja toda pura dono gira beta mana har sau bole bolo bol
    kam kate kata lu chal jab rok h""",
))
COMMON = frozenset(re.findall(
    r"[\w']+",
    """
    a an the i you we it is are was be been do does did can could will would my your our me us to of in on for with at
    by from and or if that this these those there have has had not no so as what when how which who where why much many
    get got want need please pls ur im ive am just still also any some its it's than then up out off about de la el los
    las un una y en que por para con mi tu su se lo le es al del como cuanto cuando donde si ya os um uma em na do da
    dos das com meu minha seu sua eu voces voce quanto quando onde qual hai kya ka ki ke ko mein mera meri mere aap ho
    kar karna kaise kitna kab ou ao ne""",
))


class Wording:
    """How customers' words are read."""

    def __init__(self, lexicon: Lexicon) -> None:
        readings = {**_shared(), **lexicon.hinglish}
        self._words = {words: reading for words, reading in readings.items() if " " not in words}
        self._phrases = {words: reading for words, reading in readings.items() if " " in words}
        self._phrase = _any_of(self._phrases)
        self._same_as = lexicon.same_as
        self._other_word = _any_of(self._same_as)

    def readable(self, text: str) -> str:
        """`text` cleaned, Hinglish in English words, the shop's own words for its customers'."""
        text = clean(text)
        if self.is_hinglish(text):
            text = self._phrase.sub(lambda found: f" {self._phrases[found.group()]} ", text)
            text = " ".join(self._words.get(word, word) for word in words_of(text))
        return self._other_word.sub(lambda found: self._same_as[found.group()], text)

    def is_hinglish(self, text: str) -> bool:
        """Whether `text` (cleaned) is at least partly Hindi in Latin script."""
        words = words_of(text)
        hindi = [word for word in words if word in self._words and word not in _ALSO_OTHERS]
        return len(hindi) >= 2 or (len(hindi) == 1 and len(words) <= 5)


def clean(text: str) -> str:
    """Lower case, one space between words, invisible characters dropped, at most MAX_QUESTION_CHARS."""
    text = unicodedata.normalize("NFKC", text[: MAX_QUESTION_CHARS * 2])
    text = "".join(" " if unicodedata.category(c)[0] in "CZ" else c for c in text).lower()
    return " ".join(text.replace("’", "'").split())[:MAX_QUESTION_CHARS]


def words_of(text: str) -> list[str]:
    """The words of cleaned text, in order."""
    return _WORD.findall(text)


@lru_cache(maxsize=1)
def _shared() -> Mapping[str, str]:
    words = yaml_files.words(SHARED)["hinglish_words"]
    return {str(word): str(reading) for word, reading in words.items()}


def _any_of(phrases: Iterable[str]) -> re.Pattern[str]:
    """Matches any of the phrases as whole words, the longest first; nothing when there is none."""
    longest_first = sorted(phrases, key=len, reverse=True)
    return re.compile(rf"\b(?:{'|'.join(map(re.escape, longest_first))})\b" if longest_first else r"(?!)")
