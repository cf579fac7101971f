"""What does a message read like: innocent, or one of the reasons for a person? For what no phrase names.

Two models, fitted by `escalation_fitting.py` and kept in `escalation_likeness.npz`. The first knows words and pieces of
words and costs a fraction of a millisecond; the second also knows what a sentence means (its embedding, compared with
a few hundred typical messages, about 10 ms) and is asked only where the first and the phrases leave a doubt.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Protocol

import numpy as np

from components.text.message_text import folded, readable
from components.text.ngrams import Ngrams, Row, _grams

log = logging.getLogger(__name__)

WEIGHTS = Path(__file__).resolve().with_name("escalation_likeness.npz")
_STRANGE = 0.3  # share of a word or piece that does not tell in the length of the row, beside the rarest that does
LABELS = ("innocent", "complaint", "refund_request", "human_requested", "frustration")


@dataclass(frozen=True)
class Opinion:
    """Probability of each label; `innocent` is the probability that nobody is needed."""

    probabilities: Mapping[str, float]

    @property
    def innocent(self) -> float:
        return self.probabilities["innocent"]

    @property
    def reason(self) -> str:
        """The likeliest reason, if there is one."""
        return max(LABELS[1:], key=lambda label: self.probabilities[label])


class Reader(Protocol):
    """Who has opinions about messages."""

    def glance(self, text: str) -> Opinion:
        """By words alone."""

    def read(self, text: str) -> Opinion:
        """By words and meaning."""


class Embedder(Protocol):
    """What turns readable text into a vector of norm 1, shape (d,)."""

    def one(self, text: str) -> np.ndarray: ...


class TellingNgrams(Ngrams):
    """The few n-grams that tell. The others have no column, but a share in the length: strange words make it short."""

    def row(self, text: str) -> Row:
        """Damped counts times rarity; words and pieces of words weigh half each."""
        columns: list[int] = []
        values: list[np.ndarray] = [np.zeros(0, dtype=np.float32)]
        for grams in _grams(text):
            counts = Counter(grams)
            known = {self._column[gram]: count for gram, count in counts.items() if gram in self._column}
            if known:
                weight = (np.log(np.fromiter(known.values(), dtype=np.float32)) + 1) * self.rarity[list(known)]
                strange = _STRANGE * (len(counts) - len(known)) * self.rarity.max() ** 2
                values.append(weight / np.sqrt(2 * (weight @ weight + strange)))
                columns += known
        return Row(np.array(columns, dtype=np.intp), np.concatenate(values))


@dataclass(frozen=True)
class LikenessWeights:
    """What was fitted. Shapes, for f n-grams, m typical messages, d dimensions, and the labels in their order."""

    ngrams: TellingNgrams
    glance_weights: np.ndarray  # (f, labels)
    glance_bias: np.ndarray  # (labels,)
    glance_temperature: float
    read_weights: np.ndarray  # (f, labels)
    read_bias: np.ndarray
    read_temperature: float
    centre: np.ndarray  # (d,)
    typical: np.ndarray  # (m, d) in 127ths
    typical_weights: np.ndarray  # (m, labels)
    width: float
    digest: str  # of the messages that it was fitted on

    @classmethod
    def load(cls, path: Path = WEIGHTS) -> LikenessWeights:
        """Read what `save` wrote. Raises OSError, ValueError or KeyError."""
        with np.load(path, allow_pickle=False) as stored:
            named = {name: stored[name] for name in stored.files}
        ngrams = TellingNgrams(named.pop("vocabulary").tolist(), named.pop("rarity").astype(np.float32))
        digest = str(named.pop("digest"))
        scalars = {name: float(value) for name, value in named.items() if value.ndim == 0}
        return cls(
            ngrams=ngrams, digest=digest, **{name: value.astype(np.float32) for name, value in named.items()} | scalars
        )

    def save(self, path: Path = WEIGHTS) -> None:
        """Write one compressed file, the large arrays at half or quarter precision."""
        stored = {name: np.asarray(value) for name, value in vars(self).items() if name != "ngrams"}
        stored |= {"vocabulary": np.array(self.ngrams.vocabulary), "rarity": self.ngrams.rarity}
        smaller = {"typical": np.int8, **dict.fromkeys(("glance_weights", "read_weights", "rarity"), np.float16)}
        np.savez_compressed(
            path, **{name: value.astype(smaller.get(name, value.dtype)) for name, value in stored.items()}
        )


class Likeness:
    """The fitted models. Without an embedder, meaning is left out."""

    def __init__(self, weights: LikenessWeights, embedder: Embedder | None) -> None:
        self._weights, self._embedder = weights, embedder

    def glance(self, text: str) -> Opinion:
        w = self._weights
        scores = w.ngrams.row(folded(text)).dot(w.glance_weights) + w.glance_bias
        return _opinion(scores / w.glance_temperature)

    def read(self, text: str) -> Opinion:
        if self._embedder is None:
            return self.glance(text)
        w = self._weights
        whole = readable(text).encode("utf-8", "ignore").decode()  # without halves of characters
        near = nearness(self._embedder.one(whole).reshape(1, -1), w.centre, w.typical, w.width)[0]
        scores = w.ngrams.row(folded(text)).dot(w.read_weights) + near @ w.typical_weights + w.read_bias
        return _opinion(scores / w.read_temperature)


def nearness(vectors: np.ndarray, centre: np.ndarray, typical: np.ndarray, width: float) -> np.ndarray:
    """How near each message is in meaning to each typical one, 0 to 1: shape (messages, m)."""
    moved = vectors - centre
    moved /= np.maximum(np.linalg.norm(moved, axis=1, keepdims=True), 1e-9)
    near: np.ndarray = np.exp(-width * (2.0 - 2.0 * (moved @ (typical.T / 127.0))))
    return near


def _opinion(scores: np.ndarray) -> Opinion:
    shifted = np.exp(scores - scores.max())
    return Opinion(dict(zip(LABELS, (shifted / shifted.sum()).tolist(), strict=True)))


@lru_cache(maxsize=1)
def default_likeness() -> Likeness | None:
    """The shipped one, ready to answer; None, or one that only glances, when its files cannot be used here."""
    try:
        weights = LikenessWeights.load()
    except (OSError, ValueError, KeyError, TypeError):
        log.warning("escalation.likeness.unavailable", exc_info=True)
        return None
    try:
        from components.embeddings.sentence_embeddings import SentenceEmbeddings

        likeness = Likeness(weights, SentenceEmbeddings())
        likeness.read("hello")
    except Exception:  # whatever is wrong with the embedding model, words alone still tell most
        log.warning("escalation.embeddings.unavailable", exc_info=True)
        return Likeness(weights, None)
    return likeness
