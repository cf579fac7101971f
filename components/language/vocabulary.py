"""What tells one language from another: lists of common words, and the pieces of words that are learnt from them.

A list is `words/<language>.txt`, words between blanks, lines that begin with # left out; adding a language is adding a
list. `borrowed.txt` holds the words that customers of many languages share: they tell nothing.
"""

import math
import unicodedata
from collections import Counter
from functools import lru_cache
from pathlib import Path

import numpy as np

_FOLDER = Path(__file__).parent / "words"
_BORROWED = "borrowed"
KNOWN = 3.0  # what a word of one language alone weighs; of two languages log 2 less, and so on
_UNKNOWN = 0.9  # what a word of no list weighs at the most, by its pieces
_MAX_PIECE_CHARS = 4
_SMOOTHING = 0.1


class Vocabulary:
    """Evidence of words for `languages`, in natural logarithms of odds, roughly."""

    def __init__(self, lists: dict[str, list[str]], borrowed: list[str]) -> None:
        self.languages = tuple(sorted(lists))
        self._borrowed = frozenset(borrowed)
        spoken: dict[str, set[int]] = {}
        for at, language in enumerate(self.languages):
            for word in lists[language]:
                for form in _forms(word):
                    spoken.setdefault(form, set()).add(at)
        self._known = {word: self._weights(ats, len(word)) for word, ats in spoken.items()}
        self._pieces = self._learn(lists)
        self.weigh = lru_cache(maxsize=20_000)(self._weigh)

    def _weigh(self, word: str) -> np.ndarray:
        """Shape (languages,): what a word in lower case tells, at least 0; all 0 when it is borrowed everywhere."""
        if word in self._borrowed:
            return np.zeros(len(self.languages))
        for form in _forms(word):
            if form in self._known:
                return self._known[form]
        left, apostrophe, right = word.partition("'")
        if apostrophe and left and right:  # j'attends, dov'è
            return np.asarray(np.maximum(self.weigh(left), self.weigh(right)))
        return self._by_pieces(word)

    def _by_pieces(self, word: str) -> np.ndarray:
        pieces = [piece for piece in _pieces(word) if piece in self._pieces]
        if len(word) < 4 or len(pieces) < len(word):
            return np.zeros(len(self.languages))
        scores = np.sum([self._pieces[piece] for piece in pieces], axis=0) / _MAX_PIECE_CHARS
        odds = np.exp(scores - scores.max())
        share = odds / odds.sum()
        return np.asarray(_UNKNOWN * np.clip(share - 1 / len(share), 0, None))

    def _weights(self, ats: set[int], letters: int) -> np.ndarray:
        row = np.zeros(len(self.languages))
        row[sorted(ats)] = max(0.0, KNOWN - math.log(len(ats)))
        return row if letters > 1 else row / KNOWN

    def _learn(self, lists: dict[str, list[str]]) -> dict[str, np.ndarray]:
        """Logarithm of each piece's share in each language (naive Bayes over pieces of words)."""
        counted = [Counter(piece for word in lists[name] for piece in _pieces(word)) for name in self.languages]
        pieces = sorted(set().union(*counted))
        table = np.array([[count[piece] for count in counted] for piece in pieces], dtype=float) + _SMOOTHING
        return dict(zip(pieces, np.log(table / table.sum(axis=0)), strict=True))


@lru_cache(maxsize=1)
def vocabulary() -> Vocabulary:
    """The lists that stand in `words/`."""
    lists = {path.stem: _read(path) for path in sorted(_FOLDER.glob("*.txt"))}
    return Vocabulary({name: words for name, words in lists.items() if name != _BORROWED}, lists[_BORROWED])


def _read(path: Path) -> list[str]:
    lines = path.read_text(encoding="utf-8").splitlines()
    return [word for line in lines if not line.startswith("#") for word in line.split()]


def _pieces(word: str) -> list[str]:
    padded = f"^{word}$"
    return [
        padded[at : at + size] for size in range(1, _MAX_PIECE_CHARS + 1) for at in range(len(padded) - size + 1)
    ]


def _forms(word: str) -> tuple[str, ...]:
    plain = _plain(word)
    return (word,) if plain == word else (word, plain)


def _plain(word: str) -> str:
    """Without accents, as many people type."""
    return "".join(char for char in unicodedata.normalize("NFKD", word) if not unicodedata.combining(char))
