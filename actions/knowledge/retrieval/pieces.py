"""Likeness in letters: shared pieces of words, weighted by their rarity."""

import math
from collections import Counter
from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from actions.knowledge.grounding.facts import plain
from actions.knowledge.retrieval.wording import COMMON, words_of

_STEM = 6


class Pieces:
    """TF-IDF over pieces of words, which forgive endings and slips. Pieces unknown to the texts shorten a question."""

    def __init__(self, texts: Sequence[str]) -> None:
        counts = [_pieces(text) for text in texts]
        seen = Counter(piece for count in counts for piece in count)
        self._rarity = {piece: math.log((1 + len(texts)) / (1 + n)) + 1 for piece, n in seen.items()}
        self._rarest = max(self._rarity.values(), default=1.0)
        found: dict[str, tuple[list[int], list[float]]] = {}
        for place, count in enumerate(counts):
            for piece, weight in self._weights(count).items():
                places, weights = found.setdefault(piece, ([], []))
                places.append(place)
                weights.append(weight)
        self._places = {piece: (np.array(places), np.array(weights)) for piece, (places, weights) in found.items()}
        self._size = len(texts)

    def likeness(self, questions: Sequence[str]) -> NDArray[np.float64]:
        """Cosine of every question with every text, shape (questions, texts)."""
        scores = np.zeros((len(questions), self._size))
        for row, question in zip(scores, questions, strict=True):
            for piece, weight in self._weights(_pieces(question)).items():
                if piece in self._places:
                    places, weights = self._places[piece]
                    row[places] += weight * weights
        return scores

    def _weights(self, count: Counter[str]) -> dict[str, float]:
        raw = {piece: (1 + math.log(n)) * self._rarity.get(piece, self._rarest) for piece, n in count.items()}
        length = math.sqrt(sum(weight * weight for weight in raw.values())) or 1.0
        return {piece: weight / length for piece, weight in raw.items()}


@lru_cache(maxsize=8192)
def _pieces(text: str) -> Counter[str]:
    count: Counter[str] = Counter()
    for word in folded_words(text):
        padded = f" {word} "
        for size in (3, 4, 5):
            count.update(padded[at : at + size] for at in range(max(1, len(padded) - size + 1)))
    return count


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
