"""Word and character n-grams of a message as one sparse row: damped counts times rarity, each kind of length 1/√2.

The numbers of scikit-learn's TfidfVectorizer at a fifth of its cost for a single message, but for one thing: n-grams
that training did not see have no column, yet they count in the length. So a message of strange words is a short row,
which scores low for every label, and not the two syllables that it happens to share with some complaint.
"""

from __future__ import annotations

import re
from array import array
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

import numpy as np
import scipy.sparse

from privacy.indic import SIGNS

_TOKEN = re.compile(rf"[\w'{SIGNS}]+|[?!]")
_MIN_CHARS, _MAX_CHARS = 2, 5  # characters of a character n-gram
_KINDS = 2


@dataclass(frozen=True)
class Row:
    """One message: columns and their values."""

    columns: np.ndarray
    values: np.ndarray

    def dot(self, weights: np.ndarray) -> np.ndarray:
        """The row times a matrix of shape (features, labels)."""
        product: np.ndarray = self.values @ weights[self.columns]
        return product


class Ngrams:
    """The n-grams of the training phrases with their weights (`rarity`, one a column)."""

    def __init__(self, vocabulary: Sequence[str], rarity: np.ndarray) -> None:
        self.vocabulary = list(vocabulary)
        self.rarity = rarity
        self._column = {gram: column for column, gram in enumerate(self.vocabulary)}
        self._rarest = float(rarity.max(initial=1.0))

    @classmethod
    def fit(cls, texts: Sequence[str], times: np.ndarray | None = None) -> tuple[Ngrams, scipy.sparse.csr_matrix]:
        """Of every word n-gram, and the character n-grams that two texts share; and the row of each text, shape (n,
        features), with the same numbers that `row` gives. `times`, shape (n,): how often each text counts, else once.
        """
        times = np.ones(len(texts)) if times is None else times
        numbers: dict[str, int] = {}
        found, counts, ends = array("i"), array("i"), [0]  # both kinds of each text, one after the other
        for text in texts:
            for counted in _grams(text):
                found.extend([numbers.setdefault(gram, len(numbers)) for gram in counted])
                counts.extend(counted.values())
                ends.append(len(found))
        grams, part = np.asarray(found), np.repeat(np.arange(len(ends) - 1), np.diff(ends))
        seen = np.bincount(grams, times[part // _KINDS], len(numbers))
        vocabulary = sorted(gram for gram, number in numbers.items() if seen[number] > 1 or gram[0] == "w")
        kept = np.array([numbers[gram] for gram in vocabulary], dtype=np.intp)
        ngrams = cls(vocabulary, (np.log((1 + times.sum()) / (1 + seen[kept])) + 1).astype(np.float32))

        column = np.full(len(numbers), -1)
        column[kept] = np.arange(len(kept))
        known = column[grams] >= 0
        columns = column[grams[known]]
        weight = np.full(len(grams), ngrams._rarest, dtype=np.float32)
        weight[known] = (np.log(np.asarray(counts, dtype=np.float32)[known]) + 1) * ngrams.rarity[columns]
        values = weight[known] / np.sqrt(_KINDS * np.bincount(part, weight**2)[part[known]])
        behind = np.cumsum([0, *np.bincount(part[known] // _KINDS, minlength=len(texts))])
        shape = len(texts), len(vocabulary)
        return ngrams, scipy.sparse.csr_matrix((values.astype(np.float32), columns, behind), shape=shape)

    def __contains__(self, word: object) -> bool:
        """Whether the training phrases have a word."""
        return f"w{word}" in self._column

    def row(self, text: str) -> Row:
        """The row of one text; n-grams that training did not see only make it shorter."""
        columns: list[int] = []
        values: list[np.ndarray] = []
        for counts in _grams(text):
            known = {self._column[gram]: count for gram, count in counts.items() if gram in self._column}
            if known:
                weight = np.log(np.fromiter(known.values(), dtype=np.float32)) + 1
                weight *= self.rarity[list(known)]
                strange = (len(counts) - len(known)) * self._rarest**2
                values.append(weight / np.sqrt(_KINDS * (weight @ weight + np.float32(strange))))
                columns += known
        joined = np.concatenate(values) if values else np.zeros(0, dtype=np.float32)
        return Row(np.array(columns, dtype=np.intp), joined)


@lru_cache(maxsize=64)  # three models read each message
def _grams(text: str) -> tuple[Counter[str], Counter[str]]:
    """How often it has each word and pair of words ("w…"), and each character n-gram inside words ("c…")."""
    tokens = _TOKEN.findall(text)
    words = [f"w{token}" for token in tokens]
    words += [f"w{first} {second}" for first, second in pairwise(tokens)]
    characters = []
    for word in text.split():
        padded = f" {word} "
        for size in range(_MIN_CHARS, min(_MAX_CHARS, len(padded)) + 1):
            characters += [f"c{padded[at : at + size]}" for at in range(len(padded) - size + 1)]
    return Counter(words), Counter(characters)
