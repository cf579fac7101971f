"""Which intent a message has: n-grams first, sentence embeddings where those are unsure.

Two logistic regressions. The first reads word and character n-grams (about 1 ms); when it is sure, that is the answer. Otherwise the second
reads the sentence embedding as well, and the two are mixed. Both are calibrated by one temperature each, fitted on
cross-validated predictions, so that a confidence of 0.7 is right about seven times in ten on phrases like the training's.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import scipy.sparse
import skops.io
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold

from components.message_text import folded, readable


class Embedder(Protocol):
    """What turns readable texts into vectors of one length."""

    def one(self, text: str) -> np.ndarray: ...

    def many(self, texts: Sequence[str]) -> np.ndarray: ...


@dataclass(frozen=True)
class ModelOptions:
    """How to train and when to ask for more."""

    order_number_pattern: str = r"\d{5}"
    regularisation: float = 8.0
    embedding_regularisation: float = 12.0
    sure: float = 0.90  # the n-gram model alone decides from this confidence on
    embedding_weight: float = 0.65  # share of the second model in the mix
    folds: int = 4
    seed: int = 7


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


@dataclass
class IntentModel:
    """Fit once, predict many; `save` and `load` keep it as one skops file without pickled code."""

    options: ModelOptions
    vectorizers: list[Any] = field(default_factory=list)
    ngram: Any = None
    semantic: Any = None
    temperatures: tuple[float, float] = (1.0, 1.0)
    labels: tuple[str, ...] = ()

    @classmethod
    def fit(cls, texts: Sequence[str], labels: Sequence[str], embedder: Embedder, options: ModelOptions) -> IntentModel:
        """Train on labelled phrases, at least `options.folds` a label."""
        model = cls(options)
        folds = [folded(text, options.order_number_pattern) for text in texts]
        vectors = embedder.many([readable(text, options.order_number_pattern) for text in texts])
        target = np.asarray(labels)
        model.vectorizers = [vectorizer.fit(folds) for vectorizer in _vectorizers()]
        sparse = model._sparse(folds)
        model.temperatures = _temperatures(sparse, vectors, target, options)
        model.ngram = _regression(options.regularisation, options).fit(sparse, target)
        model.semantic = _regression(options.embedding_regularisation, options).fit(vectors, target)
        model.labels = tuple(model.ngram.classes_)
        return model

    def predict(self, text: str, embedder: Embedder) -> Prediction:
        """The ranking for one message."""
        pattern = self.options.order_number_pattern
        sparse = self._sparse([folded(text, pattern)])
        probabilities = _softmax(self.ngram.decision_function(sparse)[0] / self.temperatures[0])
        embedded = bool(probabilities.max() < self.options.sure)
        if embedded:
            vector = embedder.one(readable(text, pattern)).reshape(1, -1)
            second = _softmax(self.semantic.decision_function(vector)[0] / self.temperatures[1])
            probabilities = _mix(probabilities, second, self.options.embedding_weight)
        order = np.argsort(-probabilities, kind="stable")
        return Prediction(tuple((self.labels[i], float(probabilities[i])) for i in order), embedded)

    def save(self, path: Path) -> None:
        skops.io.dump(
            {
                "options": vars(self.options),
                "vectorizers": self.vectorizers,
                "ngram": self.ngram,
                "semantic": self.semantic,
                "temperatures": list(self.temperatures),
                "labels": list(self.labels),
            },
            path,
        )

    @classmethod
    def load(cls, path: Path) -> IntentModel:
        stored = skops.io.load(path)
        return cls(
            options=ModelOptions(**stored["options"]),
            vectorizers=stored["vectorizers"],
            ngram=stored["ngram"],
            semantic=stored["semantic"],
            temperatures=tuple(stored["temperatures"]),
            labels=tuple(stored["labels"]),
        )

    def _sparse(self, folds: Sequence[str]) -> scipy.sparse.csr_matrix:
        return scipy.sparse.hstack([vectorizer.transform(folds) for vectorizer in self.vectorizers], format="csr")


def _vectorizers() -> list[TfidfVectorizer]:
    shared = {"sublinear_tf": True, "lowercase": False, "dtype": np.float32}
    return [
        TfidfVectorizer(ngram_range=(1, 2), token_pattern=r"(?u)[\w']+|[?!]", **shared),
        TfidfVectorizer(ngram_range=(2, 5), analyzer="char_wb", min_df=2, **shared),
    ]


def _regression(strength: float, options: ModelOptions) -> LogisticRegression:
    return LogisticRegression(
        C=strength, class_weight="balanced", max_iter=300, tol=1e-3, random_state=options.seed, solver="lbfgs"
    )


def _temperatures(
    sparse: scipy.sparse.csr_matrix, vectors: np.ndarray, target: np.ndarray, options: ModelOptions
) -> tuple[float, float]:
    """The two temperatures that make cross-validated confidences honest."""
    scores: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = []
    splitter = StratifiedKFold(options.folds, shuffle=True, random_state=options.seed)
    for train, test in splitter.split(vectors, target):
        ngram = _regression(options.regularisation, options).fit(sparse[train], target[train])
        semantic = _regression(options.embedding_regularisation, options).fit(vectors[train], target[train])
        truth = np.searchsorted(ngram.classes_, target[test])
        scores.append((ngram.decision_function(sparse[test]), semantic.decision_function(vectors[test]), truth))
    truth = np.concatenate([fold[2] for fold in scores])
    first, second = (np.concatenate([fold[which] for fold in scores]) for which in (0, 1))
    return _temperature(first, truth), _temperature(second, truth)


def _temperature(scores: np.ndarray, truth: np.ndarray) -> float:
    """The divisor of the scores with the smallest log loss, from a fixed grid."""
    grid = np.geomspace(0.1, 3.0, 60)
    rows = np.arange(len(truth))
    losses = [-np.log(np.maximum(_softmax(scores / t)[rows, truth], 1e-9)).mean() for t in grid]
    return float(grid[int(np.argmin(losses))])


def _softmax(scores: np.ndarray) -> np.ndarray:
    shifted = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return shifted / shifted.sum(axis=-1, keepdims=True)


def _mix(first: np.ndarray, second: np.ndarray, weight: float) -> np.ndarray:
    """Geometric mean of two distributions, the second with `weight`."""
    mixed = np.exp((1 - weight) * np.log(first + 1e-9) + weight * np.log(second + 1e-9))
    return mixed / mixed.sum()
