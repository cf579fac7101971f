"""The learner of intents and of reasons for a person: n-grams first, sentence embeddings where those are unsure.

Both stages are ridge regressions on one-hot labels. The first is linear over word and character n-grams: one sparse
product (about 1 ms). When it is sure, that is the answer; otherwise the second decides, a kernel ridge regression that
adds a Gaussian kernel over the sentence embeddings. What lies far from every example scores low for every label, as
rejecting needs.

Kernel ridge regression knows its leave-one-out predictions in closed form. They calibrate both stages (one
temperature), so that a confidence of 0.7 is right about seven times in ten on examples like the training's, without
training on folds, and they tell which examples the others contradict.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import scipy.sparse

from components.order_numbers.shape import DEFAULT_PATTERN
from components.text.kernel_ridge import BIAS, balancing, centred, gaussian, kernel_of, kernel_ridge, softmax
from components.text.message_text import Forms, folded, readable, words
from components.text.ngrams import Ngrams, Row
from components.text.spelling import MIN_CHARS, Speller

_TOGETHER = 256  # texts whose likeness to every example is worked out at once


class Embedder(Protocol):
    """What turns readable texts into vectors of one length, and remembers them: a message is embedded once a turn."""

    def one(self, text: str) -> np.ndarray:
        """Shape (d,)."""

    def many(self, texts: Sequence[str]) -> np.ndarray:
        """Shape (n, d)."""

    def is_word(self, word: str) -> bool:
        """Whether a word is one in some language, rather than a slip."""


@dataclass(frozen=True)
class ClassifierOptions:
    """How to train, and when to ask for more."""

    sure: float = 0.9  # from this confidence on the n-grams decide alone
    ngram_ridge: float = 0.3
    ridge: float = 0.1
    width: float = 1.0  # of the Gaussian kernel: exp(-width * squared distance)
    embedding_share: float = 2.0  # weight of the Gaussian kernel beside the linear one
    frequent: int = 4  # examples that a word is in before slips are corrected to it
    balance: float = 0.5  # 0: every example counts alike; 1: every label counts alike


@dataclass(frozen=True, order=True)
class Example:
    """A labelled text; one with half the `weight` is fitted half as closely."""

    text: str
    label: str
    weight: float = 1.0


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

    def of(self, label: str) -> float:
        """The probability of one label; 0 for one that was not learnt."""
        return next((probability for name, probability in self.ranking if name == label), 0.0)


@dataclass(frozen=True)
class Classifier:
    """Fit once, predict many; `save` and `load` keep it as one npz file, which holds no pickled code.

    Shapes: `ngram_weights` and `weights` (features, labels), `support` (examples, d), `support_weights` (examples,
    labels).
    """

    options: ClassifierOptions
    labels: tuple[str, ...]
    ngrams: Ngrams
    frequent: dict[str, int]  # words that typos are corrected to
    ngram_weights: np.ndarray
    ngram_bias: np.ndarray
    weights: np.ndarray
    bias: np.ndarray
    temperature: float
    centre: np.ndarray
    support: np.ndarray
    support_weights: np.ndarray
    digest: str  # of the examples
    examples: tuple[tuple[str, str], ...]  # label and text, in their order
    left_out: np.ndarray  # leave-one-out probabilities of the examples in their order, (examples, labels)
    folds: tuple[str, ...]  # the examples as `folded` has them, in their order: folding them takes three seconds
    pattern: str = DEFAULT_PATTERN  # of the order numbers in what is predicted, a regular expression

    @classmethod
    def fit(cls, examples: Sequence[Example], embedder: Embedder, options: ClassifierOptions) -> Classifier:
        """Train on labelled examples; neither their order nor repetitions matter.

        They name order numbers as `DEFAULT_PATTERN` has them, whatever a shop's look like: the same examples teach the
        same in every shop, so that Rasa takes what they taught from its cache.
        """
        examples = in_order(examples)
        names, target = np.unique(np.asarray([example.label for example in examples]), return_inverse=True)
        folds, read = zip(*(Forms.of(example.text) for example in examples), strict=True)
        ngrams, sparse = Ngrams.fit(folds)
        vectors = embedder.many(read)
        centre = vectors.mean(axis=0)
        support = centred(vectors, centre)
        weight = np.array([example.weight for example in examples]) * balancing(target, options.balance)
        ngram_weights, ngram_bias = _sparse_ridge(sparse, target, weight, options.ngram_ridge)

        def likeness(rows: slice, columns: slice) -> np.ndarray:
            alike = gaussian(support[rows] @ support[columns].T, options.width)
            alike *= np.float32(options.embedding_share)
            alike += (sparse[rows] @ sparse[columns].T).toarray()
            return alike

        kernel = kernel_of(len(examples), likeness)
        whole = kernel_ridge(kernel, target, options.ridge / weight)
        return cls(
            options=options,
            labels=tuple(str(name) for name in names),
            ngrams=ngrams,
            frequent=_frequent(folds, options.frequent),
            ngram_weights=ngram_weights,
            ngram_bias=ngram_bias,
            weights=np.asarray(sparse.T @ whole.dual, dtype=np.float32),
            bias=whole.bias,
            temperature=whole.temperature,
            centre=centre.astype(np.float32),
            support=support.astype(np.float32),
            support_weights=(options.embedding_share * whole.dual).astype(np.float32),
            digest=digest(examples),
            examples=tuple((example.label, example.text) for example in examples),
            left_out=softmax(whole.left_out / whole.temperature).astype(np.float32),
            folds=folds,
        )

    def predict(self, text: str, embedder: Embedder) -> Prediction:
        """The ranking for one message."""
        row = self._row(text, embedder)
        probabilities = self._by_ngrams(row)
        if probabilities.max() >= self.options.sure:
            return self._ranked(probabilities, embedded=False)
        by_meaning = self._by_meaning(embedder.one(readable(text, self.pattern)).reshape(1, -1))[0]
        return self._ranked(self._by_both(row, by_meaning), embedded=True)

    def probabilities(self, texts: Sequence[Forms], embedder: Embedder) -> np.ndarray:
        """Of each label in the order of `labels`, shape (texts, labels); what is to be embedded is so in one go."""
        speller = Speller(self.ngrams, self.frequent, embedder.is_word)
        rows = {text: self.ngrams.row(speller.correct(text.folded)) for text in dict.fromkeys(texts)}
        found = {text: self._by_ngrams(row) for text, row in rows.items()}
        unsure = [text for text, probabilities in found.items() if probabilities.max() < self.options.sure]
        vectors = embedder.many([text.readable for text in unsure])
        for start in range(0, len(unsure), _TOGETHER):
            some = slice(start, start + _TOGETHER)
            for text, by_meaning in zip(unsure[some], self._by_meaning(vectors[some]), strict=True):
                found[text] = self._by_both(rows[text], by_meaning)
        return np.array([found[text] for text in texts])

    def predict_fast(self, text: str) -> Prediction:
        """The ranking by n-grams alone."""
        row = self.ngrams.row(folded(text, self.pattern))
        return self._ranked(self._by_ngrams(row), embedded=False)

    def nearest(self, text: str, embedder: Embedder, most: int) -> list[tuple[str, str]]:
        """Label and text of the examples that a message is most like in meaning, the nearest first."""
        near = self._nearness(embedder.one(readable(text, self.pattern)).reshape(1, -1))[0]
        return [self.examples[number] for number in np.argsort(-near, kind="stable")[:most]]

    def _row(self, text: str, embedder: Embedder) -> Row:
        speller = Speller(self.ngrams, self.frequent, embedder.is_word)
        return self.ngrams.row(speller.correct(folded(text, self.pattern)))

    def _nearness(self, vectors: np.ndarray) -> np.ndarray:
        """Similarity in meaning of each vector to each example, shape (vectors, examples)."""
        return gaussian(centred(vectors, self.centre) @ self.support.T, self.options.width)

    def _by_meaning(self, vectors: np.ndarray) -> np.ndarray:
        """What the embeddings say for each label, shape (vectors, labels)."""
        scores: np.ndarray = self._nearness(vectors) @ self.support_weights
        return scores

    def _by_ngrams(self, row: Row) -> np.ndarray:
        return softmax((row.dot(self.ngram_weights) + self.ngram_bias) / self.temperature)

    def _by_both(self, row: Row, by_meaning: np.ndarray) -> np.ndarray:
        return softmax((row.dot(self.weights) + by_meaning + self.bias) / self.temperature)

    def _ranked(self, probabilities: np.ndarray, embedded: bool) -> Prediction:
        order = np.argsort(-probabilities, kind="stable")
        return Prediction(tuple((self.labels[i], float(probabilities[i])) for i in order), embedded)

    def save(self, path: Path) -> None:
        """Write everything that was learnt to one file."""
        learnt = [field.name for field in fields(self) if field.name not in ("ngrams", "pattern")]
        stored = {name: getattr(self, name) for name in learnt}
        arrays = {name: value for name, value in stored.items() if isinstance(value, np.ndarray)}
        rest = {name: value for name, value in stored.items() if name not in arrays}
        rest |= {"options": asdict(self.options), "vocabulary": self.ngrams.vocabulary}
        text = np.frombuffer(json.dumps(rest, default=float).encode(), np.uint8)
        with path.open("wb") as file:
            np.savez(file, rest=text, rarity=self.ngrams.rarity, **arrays)

    @classmethod
    def load(cls, path: Path, pattern: str = DEFAULT_PATTERN) -> Classifier:
        """Read what `save` wrote, for a shop whose order numbers match `pattern`."""
        with np.load(path, allow_pickle=False) as stored:
            arrays = dict(stored)
        arrays["support"] = np.asfortranarray(arrays["support"])  # a product with one vector takes half as long
        rest = json.loads(arrays.pop("rest").tobytes())
        ngrams = Ngrams(rest.pop("vocabulary"), arrays.pop("rarity"))
        options, labels = ClassifierOptions(**rest.pop("options")), tuple(rest.pop("labels"))
        rest["examples"] = tuple((label, text) for label, text in rest["examples"])
        rest["folds"] = tuple(rest["folds"])
        return cls(options=options, labels=labels, ngrams=ngrams, pattern=pattern, **rest, **arrays)


def in_order(examples: Sequence[Example]) -> list[Example]:
    """Examples as a classifier takes them: sorted, each once."""
    return sorted(set(examples))


def digest(examples: Sequence[Example]) -> str:
    """By which a classifier is known to be of these examples, `in_order`."""
    return hashlib.sha256("\n".join(f"{e.text}\t{e.label}\t{e.weight}" for e in examples).encode()).hexdigest()


def _sparse_ridge(rows: Any, target: np.ndarray, weight: np.ndarray, ridge: float) -> tuple[np.ndarray, np.ndarray]:
    """Ridge regression over the n-grams alone: weights (features, labels) and bias (labels,)."""
    with_bias = scipy.sparse.hstack([rows, np.full((rows.shape[0], 1), BIAS**0.5, np.float32)], format="csr")
    wanted = np.eye(target.max() + 1, dtype=np.float32)[target]
    from sklearn.linear_model import Ridge  # 30 MB that only training needs

    regression = Ridge(ridge, fit_intercept=False, solver="sparse_cg", tol=1e-3)
    weights = regression.fit(with_bias, wanted, sample_weight=weight).coef_.T.astype(np.float32)
    return weights[:-1], BIAS**0.5 * weights[-1]


def _frequent(folds: Sequence[str], least: int) -> dict[str, int]:
    counts = Counter(word for text in folds for word in set(words(text)))
    return {word: count for word, count in sorted(counts.items()) if count >= least and len(word) >= MIN_CHARS - 1}
