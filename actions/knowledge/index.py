"""What a question is compared with: the entries of all sections, by their words and by their meaning."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from actions.knowledge.documents import PolicyPages
from actions.knowledge.embedding import Vectors
from actions.knowledge.wording import Wording, words_of

Scores = NDArray[np.float32]
# How an entry's kind is embedded: like a question, or like a text that answers one.
EMBED_AS = {"asked": "query", "text": "passage"}


@dataclass(frozen=True)
class Entry:
    """One text that stands for a section (by its place in `PolicyPages.sections`), or for no section: None.

    `kind` is "asked" for a way to ask and "text" for what the section says.
    """

    text: str
    section: int | None
    kind: str


def entries_of(pages: PolicyPages, wording: Wording) -> list[Entry]:
    """Every entry of the pages, in reading order; Hindi phrases stand in their own words and glossed."""
    entries: list[Entry] = []
    for place, section in enumerate(pages.sections):
        for phrase in (section.heading, *section.asked_as):
            entries += [Entry(text, place, "asked") for text in _readings(phrase, wording)]
        text = f"{section.page_title}: {section.heading}. {section.text}"
        entries.append(Entry(wording.clean(text), place, "text"))
    for phrase in pages.not_covered:
        entries += [Entry(text, None, "asked") for text in _readings(phrase, wording)]
    return entries


def _readings(phrase: str, wording: Wording) -> list[str]:
    cleaned = wording.clean(phrase)
    readable = wording.readable(cleaned)
    return [cleaned, readable] if wording.is_hinglish(cleaned) and readable != cleaned else [readable]


class VectorIndex(Protocol):
    """Where entries' vectors live. The embedded one keeps them in memory; pgvector or Pinecone fit here as well."""

    def replace(self, version: str, vectors: Vectors) -> None:
        """Hold these vectors (row n is entry n) instead of any earlier ones; `version` names the pages' content."""
        ...

    def nearest(self, vector: Vectors, count: int) -> Sequence[tuple[int, float]]:
        """Up to `count` (entry, cosine) pairs, nearest first."""
        ...


class EmbeddedVectorIndex:
    """All vectors in one matrix: exact, and under a millisecond up to tens of thousands of entries."""

    def __init__(self) -> None:
        self._vectors: Vectors = np.zeros((0, 0), np.float32)

    def replace(self, version: str, vectors: Vectors) -> None:
        """Hold these vectors instead of any earlier ones."""
        self._vectors = vectors

    def nearest(self, vector: Vectors, count: int) -> Sequence[tuple[int, float]]:
        """Up to `count` (entry, cosine) pairs, nearest first."""
        cosines = self._vectors @ vector
        order = np.argsort(-cosines)[:count]
        return [(int(entry), float(cosines[entry])) for entry in order]


class LexicalIndex:
    """TF-IDF cosine over terms: character n-grams forgive endings and slips, words and their pairs are exact."""

    def __init__(self, texts: Sequence[str], *, characters: bool) -> None:
        self._terms = _character_terms if characters else _word_terms
        counts = [Counter(self._terms(text)) for text in texts]
        seen_in = Counter(term for count in counts for term in count)
        self._idf = {term: math.log((1 + len(texts)) / (1 + n)) + 1 for term, n in seen_in.items()}
        self._size = len(texts)
        postings: dict[str, tuple[list[int], list[float]]] = {}
        for entry, count in enumerate(counts):
            for term, weight in self._weights(count).items():
                places, weights = postings.setdefault(term, ([], []))
                places.append(entry)
                weights.append(weight)
        self._postings = {
            term: (np.array(places), np.array(weights, np.float32)) for term, (places, weights) in postings.items()
        }

    def scores(self, text: str) -> Scores:
        """Cosine of `text` with every entry, in their order."""
        scores = np.zeros(self._size, np.float32)
        for term, weight in self._weights(Counter(self._terms(text))).items():
            places, weights = self._postings[term]
            scores[places] += weight * weights
        return scores

    def _weights(self, count: Counter[str]) -> dict[str, float]:
        raw = {term: (1 + math.log(n)) * self._idf[term] for term, n in count.items() if term in self._idf}
        length = math.sqrt(sum(weight * weight for weight in raw.values())) or 1.0
        return {term: weight / length for term, weight in raw.items()}


def _word_terms(text: str) -> list[str]:
    words = words_of(text)
    return words + [f"{left} {right}" for left, right in pairwise(words)]


def _character_terms(text: str) -> list[str]:
    terms: list[str] = []
    for word in re.split(r"\s+", text.strip()):
        padded = f" {word} "
        for size in (2, 3, 4, 5):
            terms += [padded[at : at + size] for at in range(max(1, len(padded) - size + 1))]
    return terms
