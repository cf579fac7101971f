"""Which intent a message has: n-grams first, sentence embeddings where those are unsure.

Both models are kernel ridge regressions on one-hot labels. The first has a linear kernel over word and character
n-grams, so that it is one sparse product (about 1 ms). When it is sure, that is the answer; otherwise the second
adds a Gaussian kernel over the sentence embeddings. What lies far from every phrase scores low for every label, as
rejecting needs.

Ridge regression knows its leave-one-out predictions in closed form. They calibrate both models (one temperature
each), so that a confidence of 0.7 is right about seven times in ten on phrases like the training's, without
training on folds.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Protocol

import numpy as np
import scipy.linalg
import scipy.sparse

from components.message_text import folded, readable, words
from components.ngrams import Ngrams, Row
from components.spelling import SHORTEST, Speller

_BIAS = 0.05


class Embedder(Protocol):
    """What turns readable texts into vectors of one length."""

    def one(self, text: str) -> np.ndarray:
        """Shape (d,)."""

    def many(self, texts: Sequence[str]) -> np.ndarray:
        """Shape (n, d)."""

    def is_word(self, word: str) -> bool:
        """Whether a word is one in some language, rather than a slip."""


@dataclass(frozen=True)
class ModelOptions:
    """How to train, and when to ask for more."""

    order_number_pattern: str = r"\d{5}"
    sure: float = 0.9  # from this confidence on the n-gram model decides alone
    ngram_ridge: float = 0.3
    ridge: float = 0.1
    width: float = 1.0  # of the Gaussian kernel: exp(-width * squared distance)
    embedding_share: float = 2.0  # weight of the Gaussian kernel beside the linear one
    frequent: int = 4  # phrases that a word is in before slips are mended to it
    balance: float = 0.5  # 0: every phrase counts alike; 1: every intent counts alike


@dataclass(frozen=True)
class Prediction:
    """Labels with calibrated probabilities, best first, and whether the embedding was read."""

    ranking: tuple[tuple[str, float], ...]
    embedded: bool

    @property
    def label(self) -> str:
        return self.ranking[0][0]

    @property
    def confidence(self) -> float:
        return self.ranking[0][1]


@dataclass(frozen=True)
class IntentModel:
    """Fit once, predict many; `save` and `load` keep it as one npz file, which holds no pickled code.

    Shapes: `ngram_weights` and `weights` (features, labels), `support` (phrases, d), `support_weights` (phrases,
    labels).
    """

    options: ModelOptions
    labels: tuple[str, ...]
    ngrams: Ngrams
    frequent: dict[str, int]  # words that slips of the finger are mended to
    ngram_weights: np.ndarray
    ngram_bias: np.ndarray
    ngram_temperature: float
    weights: np.ndarray
    bias: np.ndarray
    temperature: float
    centre: np.ndarray
    support: np.ndarray
    support_weights: np.ndarray
    digest: str  # of the training pairs
    left_out: np.ndarray  # leave-one-out probabilities of the training pairs in their order, (phrases, labels)

    @classmethod
    def fit(cls, texts: Sequence[str], labels: Sequence[str], embedder: Embedder, options: ModelOptions) -> IntentModel:
        """Train on labelled phrases; neither their order nor repetitions matter."""
        pairs = training_pairs(texts, labels)
        texts = [text for text, _ in pairs]
        names, target = np.unique(np.asarray([label for _, label in pairs]), return_inverse=True)
        folds = [folded(text, options.order_number_pattern) for text in texts]
        ngrams = Ngrams.fit(folds)
        sparse = ngrams.matrix(folds)
        vectors = embedder.many([readable(text, options.order_number_pattern) for text in texts])
        centre = vectors.mean(axis=0)
        support = _centred(vectors, centre)
        linear = (sparse @ sparse.T).toarray()
        gaussian = options.embedding_share * _gaussian(support @ support.T, options.width)
        first = _ridge(linear, target, options.ngram_ridge, options.balance)
        second = _ridge(linear + gaussian, target, options.ridge, options.balance)
        return cls(
            options=options,
            labels=tuple(str(name) for name in names),
            ngrams=ngrams,
            frequent=_frequent(folds, options.frequent),
            ngram_weights=np.asarray(sparse.T @ first.dual, dtype=np.float32),
            ngram_bias=first.bias,
            ngram_temperature=first.temperature,
            weights=np.asarray(sparse.T @ second.dual, dtype=np.float32),
            bias=second.bias,
            temperature=second.temperature,
            centre=centre.astype(np.float32),
            support=support.astype(np.float32),
            support_weights=(options.embedding_share * second.dual).astype(np.float32),
            digest=pairs_digest(pairs),
            left_out=_softmax(second.left_out / second.temperature).astype(np.float32),
        )

    def predict(self, text: str, embedder: Embedder) -> Prediction:
        """The ranking for one message."""
        pattern = self.options.order_number_pattern
        speller = Speller(self.ngrams, self.frequent, embedder.is_word)
        row = self.ngrams.row(speller.mend(folded(text, pattern)))
        probabilities = self._by_ngrams(row)
        if probabilities.max() >= self.options.sure:
            return self._ranked(probabilities, embedded=False)
        vector = embedder.one(speller.mend(readable(text, pattern))).reshape(1, -1)
        gaussian = _gaussian(_centred(vector, self.centre) @ self.support.T, self.options.width)
        scores = row.dot(self.weights) + (gaussian @ self.support_weights)[0] + self.bias
        return self._ranked(_softmax(scores / self.temperature), embedded=True)

    def glance(self, text: str) -> Prediction:
        """The ranking by n-grams alone."""
        row = self.ngrams.row(folded(text, self.options.order_number_pattern))
        return self._ranked(self._by_ngrams(row), embedded=False)

    def _by_ngrams(self, row: Row) -> np.ndarray:
        return _softmax((row.dot(self.ngram_weights) + self.ngram_bias) / self.ngram_temperature)

    def _ranked(self, probabilities: np.ndarray, embedded: bool) -> Prediction:
        order = np.argsort(-probabilities, kind="stable")
        return Prediction(tuple((self.labels[i], float(probabilities[i])) for i in order), embedded)

    def save(self, path: Path) -> None:
        """Write everything to one file."""
        stored = {field.name: getattr(self, field.name) for field in fields(self) if field.name != "ngrams"}
        arrays = {name: value for name, value in stored.items() if isinstance(value, np.ndarray)}
        rest = {name: value for name, value in stored.items() if name not in arrays}
        rest |= {"options": asdict(self.options), "vocabulary": self.ngrams.vocabulary}
        text = np.frombuffer(json.dumps(rest, default=float).encode(), np.uint8)
        with path.open("wb") as file:
            np.savez(file, rest=text, rarity=self.ngrams.rarity, **arrays)

    @classmethod
    def load(cls, path: Path) -> IntentModel:
        """Read what `save` wrote."""
        with np.load(path, allow_pickle=False) as stored:
            arrays = dict(stored)
        rest = json.loads(arrays.pop("rest").tobytes())
        ngrams = Ngrams(rest.pop("vocabulary"), arrays.pop("rarity"))
        options, labels = ModelOptions(**rest.pop("options")), tuple(rest.pop("labels"))
        return cls(options=options, labels=labels, ngrams=ngrams, **rest, **arrays)


def training_pairs(texts: Sequence[str], labels: Sequence[str]) -> list[tuple[str, str]]:
    """Texts and labels as the model takes them: sorted, each once."""
    return sorted(set(zip(texts, labels, strict=True)))


def pairs_digest(pairs: Sequence[tuple[str, str]]) -> str:
    """By which a model is known to be of these phrases."""
    return hashlib.sha256("\n".join(f"{text}\t{label}" for text, label in pairs).encode()).hexdigest()


@dataclass(frozen=True)
class _Ridge:
    dual: np.ndarray  # (phrases, labels)
    bias: np.ndarray  # (labels,)
    left_out: np.ndarray  # leave-one-out scores, (phrases, labels)
    temperature: float


def _ridge(kernel: np.ndarray, target: np.ndarray, ridge: float, balance: float) -> _Ridge:
    """Kernel ridge regression on one-hot labels; rarer labels are fitted more closely the larger `balance` is."""
    counts = np.bincount(target)
    weight = (counts.mean() / counts[target]) ** balance
    wanted = np.eye(len(counts), dtype=np.float32)[target]
    system = kernel + np.float32(_BIAS)
    system[np.diag_indices(len(target))] += (ridge / weight).astype(np.float32)
    root = _inverse_root(system)
    dual = root.T @ (root @ wanted)
    left_out = wanted - dual / np.einsum("ij,ij->j", root, root)[:, None]
    return _Ridge(dual, _BIAS * dual.sum(axis=0), left_out, _temperature(left_out, target))


def _inverse_root(matrix: np.ndarray) -> np.ndarray:
    """The lower triangular R with R.T @ R = matrix⁻¹, which is positive definite, float32, and lost to it."""
    factor, _ = scipy.linalg.lapack.spotrf(matrix.T, lower=True, overwrite_a=True)
    root, _ = scipy.linalg.lapack.strtri(factor, lower=True, overwrite_c=True)
    return root


def _temperature(scores: np.ndarray, target: np.ndarray) -> float:
    """The divisor of the scores with the smallest log loss, from a fixed grid."""
    grid = np.geomspace(0.02, 1.0, 60)
    rows = np.arange(len(target))
    losses = [-np.log(np.maximum(_softmax(scores / t)[rows, target], 1e-9)).mean() for t in grid]
    return float(grid[int(np.argmin(losses))])


def _frequent(folds: Sequence[str], least: int) -> dict[str, int]:
    counts = Counter(word for text in folds for word in set(words(text)))
    return {word: count for word, count in sorted(counts.items()) if count >= least and len(word) >= SHORTEST - 1}


def _centred(vectors: np.ndarray, centre: np.ndarray) -> np.ndarray:
    """Directions from the centre: raw sentence embeddings of this model all point nearly the same way."""
    moved = vectors - centre
    return moved / np.maximum(np.linalg.norm(moved, axis=1, keepdims=True), 1e-9)


def _gaussian(cosine: np.ndarray, width: float) -> np.ndarray:
    return np.exp(-width * (2.0 - 2.0 * cosine))


def _softmax(scores: np.ndarray) -> np.ndarray:
    shifted = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return shifted / shifted.sum(axis=-1, keepdims=True)
