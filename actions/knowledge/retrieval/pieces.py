"""Likeness in letters: shared pieces of words, weighted by their rarity."""

from array import array
from collections import Counter
from collections.abc import Sequence
from functools import lru_cache
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from actions.knowledge.grounding.facts import plain
from actions.knowledge.retrieval.wording import COMMON, words_of

_STEM = 6


class Pieces:
    """TF-IDF over pieces of words, which forgive endings and slips. Pieces unknown to the texts shorten a question."""

    def __init__(self, texts: Sequence[str]) -> None:
        self._column: dict[str, int] = {}
        found, times, lengths = array("q"), array("d"), []
        for text in texts:
            count = _counted(text)
            found.extend([self._column.setdefault(piece, len(self._column)) for piece in count])
            times.extend(count.values())
            lengths.append(len(count))
        columns, damped = np.array(found), 1 + np.log(np.array(times))
        places = np.repeat(np.arange(len(texts)), lengths)
        seen = np.bincount(columns, minlength=len(self._column))
        rarity = np.log((1 + len(texts)) / (1 + seen)) + 1
        self._rarity = np.append(rarity, rarity.max(initial=1.0))  # the last is that of pieces that no text has
        weights = damped * rarity[columns]
        weights /= np.sqrt(np.bincount(places, weights**2, minlength=len(texts)))[places]
        by_piece = np.argsort(columns, kind="stable")
        self._places, self._weights = places[by_piece], weights[by_piece]
        self._ends = np.append(0, np.cumsum(seen))
        self._size = len(texts)

    def likeness(self, questions: Sequence[str]) -> NDArray[np.float64]:
        """Cosine of every question with every text, shape (questions, texts)."""
        scores = np.zeros((len(questions), self._size))
        for row, question in zip(scores, questions, strict=True):
            columns, weights = self._known(_pieces(question))
            starts, counts = self._ends[columns], self._ends[columns + 1] - self._ends[columns]
            own = np.repeat(starts - np.cumsum(counts) + counts, counts) + np.arange(counts.sum())
            shared = np.repeat(weights, counts) * self._weights[own]
            row += np.bincount(self._places[own], shared, minlength=self._size)
        return scores

    def _known(self, count: Counter[str]) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
        """The columns of a question's pieces with their weights."""
        columns = np.array([self._column.get(piece, -1) for piece in count], np.intp)
        weights = (1 + np.log([*count.values()])) * self._rarity[columns]
        weights /= np.linalg.norm(weights) or 1.0
        return columns[columns >= 0], weights[columns >= 0]


def _counted(text: str) -> Counter[str]:
    return Counter(chain.from_iterable(map(_of_word, folded_words(text))))


@lru_cache(maxsize=8192)
def _of_word(word: str) -> tuple[str, ...]:
    padded = f" {word} "
    return tuple(padded[at : at + size] for size in (3, 4, 5) for at in range(max(1, len(padded) - size + 1)))


_pieces = lru_cache(maxsize=1024)(_counted)  # of questions, which several compare with their texts


def stems(text: str) -> frozenset[str]:
    """The beginnings of the words that are not common ones, one and many alike: "shoes", "shoe"; "flores", "flor"."""
    return frozenset(_one(word)[:_STEM] for word in folded_words(text) if len(word) > 1 and word not in COMMON)


@lru_cache(maxsize=8192)
def _one(word: str) -> str:
    """Without a plural's s and the vowels that number and gender leave at the end, in any of the languages."""
    word = word.split("'")[0]
    if len(word) > 3 and word.endswith("s") and not word.endswith("ss"):
        word = word[:-1]
    shorter = word.rstrip("aeiouy")
    return shorter if len(shorter) > 2 else word


@lru_cache(maxsize=4096)
def folded_words(text: str) -> tuple[str, ...]:
    """The words of `text` in small letters, without accents."""
    return tuple(words_of(plain(text)))
