"""Which intent a message has after what was said before it: "and for shoes?", "so not today?", "the second one".

Kernel ridge regression on one-hot labels, like the intents' own model, whose opinion of the message standing alone it
reads as a feature. Two examples are alike when their words, their meaning and that opinion are, the more so when they
follow the same thing. It learns from the examples of `data/follow_ups/` and from a share of those of `data/nlu/`, which
stand alone and mean the same whatever was said before.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import scipy.sparse

from components.conversation.context_weights import ContextWeights
from components.conversation.examples import CONTEXTS
from components.order_numbers.shape import DEFAULT_PATTERN
from components.text.classifier import Embedder, Example, Prediction
from components.text.kernel_ridge import balancing, centred, gaussian, kernel_of, kernel_ridge, softmax
from components.text.message_text import Forms, folded, readable
from components.text.ngrams import Ngrams

_MEANING = 2.0  # weight of the sentence embedding beside the words
_OPINION = 0.5  # weight of what the message is thought to mean alone
_RIDGE, _BALANCE = 0.3, 0.3
_TOGETHER = 0.9  # share of the reading in context: of 1,600 turns held out it alone knows 0.87, the other 0.56
# ... unless it is unsure while the message is plain by itself ("mera parcel kab aayega bhai").
_UNSURE, _PLAIN, _TOGETHER_UNSURE = 0.5, 0.9, 0.4
_BOLD = 0.55  # in a conversation a guess costs less than asking back: 0.19 counts as 0.4
OUT_OF_SCOPE = "out_of_scope"
STANDING_ALONE = 500
UNFOLLOWED = 60  # more of an intent without follow-ups
CALIBRATED_BY = 5000  # examples, drawn by their digests


@dataclass(frozen=True)
class FollowUp:
    """An example: the message, what it follows, its intent."""

    text: str
    after: str
    intent: str


@dataclass(frozen=True)
class FollowUpModel:
    """Fit once, predict many.

    Shapes, for t texts: `centre` (d,), `vectors` (t, d), by column, since a product with one vector takes half as long.
    `features` weighs the n-grams, and behind them the square roots of what the message means alone; `likeness` weighs
    how alike it is to each text in meaning.
    """

    labels: tuple[str, ...]
    ngrams: Ngrams
    centre: np.ndarray
    vectors: np.ndarray
    features: ContextWeights
    likeness: ContextWeights
    bias: np.ndarray
    temperature: float
    pattern: str = DEFAULT_PATTERN  # of the order numbers in what is predicted, a regular expression

    @classmethod
    def fit(
        cls, examples: Sequence[FollowUp], forms: Mapping[str, Forms], opinions: np.ndarray, embedder: Embedder
    ) -> FollowUpModel:
        """Train; `forms` of each text; `opinions`, shape (n, labels): what the intents' model thinks of examples that
        it has not seen."""
        drawn = sorted(range(len(examples)), key=lambda place: _digest(examples[place].text))
        examples, opinions = [examples[place] for place in drawn], opinions[drawn]
        places = {text: place for place, text in enumerate(dict.fromkeys(example.text for example in examples))}
        texts = np.array([places[example.text] for example in examples])
        ngrams, rows = Ngrams.fit([forms[text].folded for text in places], np.bincount(texts))
        vectors = embedder.many([forms[text].readable for text in places])
        centre = vectors[texts].mean(axis=0)
        vectors = centred(vectors, centre).astype(np.float32)
        contexts = np.array([CONTEXTS.index(example.after) for example in examples])
        labels = tuple(sorted({example.intent for example in examples}))
        target = np.array([labels.index(example.intent) for example in examples])
        roots = _roots(opinions)

        def likeness(one: slice, other: slice) -> np.ndarray:
            (left, again), (right, too) = (np.unique(texts[part], return_inverse=True) for part in (one, other))
            alike = gaussian(vectors[left] @ vectors[right].T, 1.0)
            alike *= np.float32(_MEANING)
            alike += (rows[left] @ rows[right].T).toarray()
            alike = alike[np.ix_(again, too)]
            alike += roots[one] @ roots[other].T
            alike *= np.float32(1) + (contexts[one, None] == contexts[None, other])
            return alike

        kernel, ridge = kernel_of(len(texts), likeness), _RIDGE / balancing(target, _BALANCE)
        fitted = kernel_ridge(kernel, target, ridge, CALIBRATED_BY)
        features = scipy.sparse.hstack([rows[texts], roots], format="csr")
        each = scipy.sparse.csr_matrix((np.ones(len(texts), np.float32), (np.arange(len(texts)), texts)))
        counted = contexts, len(CONTEXTS)
        return cls(
            labels, ngrams, centre, np.asfortranarray(vectors),
            ContextWeights.of(features, fitted.dual, *counted),
            ContextWeights.of(each, np.float32(_MEANING) * fitted.dual, *counted),
            fitted.bias, fitted.temperature,
        )  # fmt: skip

    def predict(self, text: str, after: str, opinion: np.ndarray, embedder: Embedder) -> dict[str, float]:
        """The probability of each intent for a message that follows `after`, the likeliest first."""
        row, context = self.ngrams.row(folded(text, self.pattern)), CONTEXTS.index(after)
        behind = len(self.ngrams.vocabulary) + np.arange(len(opinion))
        columns, values = np.concatenate([row.columns, behind]), np.concatenate([row.values, _roots(opinion)])
        vector = centred(embedder.one(readable(text, self.pattern)).reshape(1, -1), self.centre)[0]
        scores = self.features.of_features(columns, values, context) + self.bias
        scores += self.likeness.of_all(gaussian(self.vectors @ vector, 1.0), context)
        probabilities = softmax(scores / self.temperature)
        order = np.argsort(-probabilities, kind="stable")
        return {self.labels[place]: float(probabilities[place]) for place in order}

    def save(self, path: Path) -> None:
        """Write everything to one file without pickled code."""
        text = {"labels": self.labels, "vocabulary": self.ngrams.vocabulary, "temperature": self.temperature}
        with path.open("wb") as file:
            np.savez(
                file, text=np.frombuffer(json.dumps(text).encode(), np.uint8), rarity=self.ngrams.rarity,
                centre=self.centre, vectors=self.vectors.astype(np.float16), bias=self.bias,
                **self.features.arrays("features", np.float16), **self.likeness.arrays("likeness", np.float32),
            )  # fmt: skip

    @classmethod
    def load(cls, path: Path, pattern: str) -> FollowUpModel:
        """Read what `save` wrote, for a shop whose order numbers match `pattern`."""
        with np.load(path, allow_pickle=False) as stored:
            kept = dict(stored)
        text = json.loads(kept["text"].tobytes())
        return cls(
            tuple(text["labels"]), Ngrams(text["vocabulary"], kept["rarity"]), kept["centre"],
            kept["vectors"].astype(np.float32, order="F"),
            ContextWeights.stored("features", kept), ContextWeights.stored("likeness", kept),
            kept["bias"], text["temperature"], pattern,
        )  # fmt: skip


def blended(alone: Prediction, together: Mapping[str, float]) -> Prediction:
    """Both readings weighed: the message by itself, and after what was said before.

    A message that means nothing by itself ("out_of_scope") does not speak against what it means there.
    """
    plain = alone.confidence >= _PLAIN and alone.label != OUT_OF_SCOPE
    together_share = _TOGETHER_UNSURE if plain and max(together.values()) < _UNSURE else _TOGETHER
    ranking = {intent: together_share * probability for intent, probability in together.items()}
    for intent, probability in alone.ranking:
        share = 0.0 if intent == OUT_OF_SCOPE else 1.0 - together_share
        ranking[intent] = ranking.get(intent, 0.0) + share * probability
    total = sum(ranking.values())
    best_first = sorted(ranking.items(), key=lambda item: -item[1])
    return Prediction(
        tuple((intent, (probability / total) ** _BOLD) for intent, probability in best_first), alone.embedded
    )


def _roots(opinions: np.ndarray) -> np.ndarray:
    """What messages mean alone, as features: two are as alike in them as they weigh in the kernel."""
    roots: np.ndarray = np.sqrt(_OPINION * opinions).astype(np.float32)
    return roots


def a_few(after: Sequence[str], text: str, most: int = 2) -> list[str]:
    """Of the many things that a message may follow, a few, drawn by its digest: training costs the cube of them all."""
    start = _digest(text)[0]
    return [after[(start + step) % len(after)] for step in range(min(most, len(after)))]


def standing_alone(examples: Sequence[Example], followed: Set[str]) -> list[tuple[int, str]]:
    """Which phrases without `after` to learn from too: their places, each with something it happens to follow.

    A few of all, and more of an intent that is not `followed`: without follow-ups of its own it is known by these only.
    Drawn by a digest of the text, so that the same phrases give the same model.
    """
    digests = [_digest(example.text) for example in examples]
    drawn = sorted(range(len(examples)), key=lambda place: digests[place])
    chosen, more = drawn[:STANDING_ALONE], Counter[str]()
    for place in drawn[STANDING_ALONE:]:
        label = examples[place].label
        if label not in followed and more[label] < UNFOLLOWED:
            more[label] += 1
            chosen.append(place)
    # Half of them where a conversation begins, which most messages do.
    return [
        (place, CONTEXTS[digests[place][8] % len(CONTEXTS)] if digests[place][9] % 2 else CONTEXTS[0])
        for place in chosen
    ]


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()
