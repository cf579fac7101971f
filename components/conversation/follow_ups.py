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

from components.conversation.examples import CONTEXTS
from components.order_numbers.shape import DEFAULT_PATTERN
from components.text.classifier import Embedder, Example, Prediction
from components.text.kernel_ridge import balancing, centred, gaussian, kernel_of, kernel_ridge, softmax
from components.text.message_text import folded, readable
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

    Shapes, for n examples of t texts: `rows` (t, features) sparse by column, `vectors` (t, d), `texts` (n,) which text,
    `opinions` (n, labels of the intents' model, square roots), `contexts` (n,) places in CONTEXTS, `dual` (n, labels).
    """

    labels: tuple[str, ...]
    ngrams: Ngrams
    rows: scipy.sparse.csc_matrix
    vectors: np.ndarray
    centre: np.ndarray
    texts: np.ndarray
    opinions: np.ndarray
    contexts: np.ndarray
    dual: np.ndarray
    bias: np.ndarray
    temperature: float
    pattern: str = DEFAULT_PATTERN  # of the order numbers in what is predicted, a regular expression

    @classmethod
    def fit(cls, examples: Sequence[FollowUp], opinions: np.ndarray, embedder: Embedder) -> FollowUpModel:
        """Train; `opinions`, shape (n, labels): what the intents' model thinks of examples that it has not seen."""
        drawn = sorted(range(len(examples)), key=lambda place: _digest(examples[place].text))
        examples, opinions = [examples[place] for place in drawn], opinions[drawn]
        places = {text: place for place, text in enumerate(dict.fromkeys(example.text for example in examples))}
        texts = np.array([places[example.text] for example in examples])
        # Each text once, and both forms while its numbers are remembered: reading them is a tenth of training.
        folds, read = zip(*((folded(text), readable(text)) for text in places), strict=True)
        ngrams = Ngrams.fit([folds[place] for place in texts])
        rows = ngrams.matrix(folds)
        vectors = embedder.many(read)
        centre = vectors[texts].mean(axis=0)
        vectors = centred(vectors, centre).astype(np.float32)
        contexts = np.array([CONTEXTS.index(example.after) for example in examples])
        labels = tuple(sorted({example.intent for example in examples}))
        target = np.array([labels.index(example.intent) for example in examples])
        roots = np.sqrt(opinions).astype(np.float32)

        def likeness(one: slice, other: slice) -> np.ndarray:
            (left, again), (right, too) = (np.unique(texts[part], return_inverse=True) for part in (one, other))
            alike = _alike((rows[left] @ rows[right].T).toarray(), vectors[left] @ vectors[right].T)
            same = contexts[one, None] == contexts[None, other]
            return _kernel(alike[np.ix_(again, too)], roots[one] @ roots[other].T, same)

        kernel, ridge = kernel_of(len(texts), likeness), _RIDGE / balancing(target, _BALANCE)
        fitted = kernel_ridge(kernel, target, ridge, CALIBRATED_BY)
        return cls(labels, ngrams, rows.tocsc(), vectors, centre, texts, roots, contexts,
                   fitted.dual, fitted.bias, fitted.temperature)  # fmt: skip

    def predict(self, text: str, after: str, opinion: np.ndarray, embedder: Embedder) -> dict[str, float]:
        """The probability of each intent for a message that follows `after`, the likeliest first."""
        row = self.ngrams.row(folded(text, self.pattern))
        vector = centred(embedder.one(readable(text, self.pattern)).reshape(1, -1), self.centre)[0]
        alike = _alike(self.rows[:, row.columns] @ row.values, self.vectors @ vector)[self.texts]
        opinions = self.opinions @ np.sqrt(opinion).astype(np.float32)
        kernel = _kernel(alike, opinions, (self.contexts == CONTEXTS.index(after)).astype(np.float32))
        probabilities = softmax((kernel @ self.dual + self.bias) / self.temperature)
        order = np.argsort(-probabilities, kind="stable")
        return {self.labels[place]: float(probabilities[place]) for place in order}

    def save(self, path: Path) -> None:
        """Write everything to one file without pickled code."""
        text = {"labels": self.labels, "vocabulary": self.ngrams.vocabulary, "temperature": self.temperature}
        rows = self.rows.tocsr()
        with path.open("wb") as file:
            np.savez(
                file, text=np.frombuffer(json.dumps(text).encode(), np.uint8), rarity=self.ngrams.rarity,
                data=rows.data, indices=rows.indices, indptr=rows.indptr,
                vectors=self.vectors.astype(np.float16), centre=self.centre, texts=self.texts,
                opinions=self.opinions, contexts=self.contexts, dual=self.dual, bias=self.bias,
            )  # fmt: skip

    @classmethod
    def load(cls, path: Path, pattern: str) -> FollowUpModel:
        """Read what `save` wrote, for a shop whose order numbers match `pattern`."""
        with np.load(path, allow_pickle=False) as stored:
            kept = dict(stored)
        text = json.loads(kept["text"].tobytes())
        ngrams = Ngrams(text["vocabulary"], kept["rarity"])
        shape = (len(kept["indptr"]) - 1, len(text["vocabulary"]))
        rows = scipy.sparse.csr_matrix((kept["data"], kept["indices"], kept["indptr"]), shape=shape).tocsc()
        # By column: as rows, a product with one vector takes twice as long.
        vectors, opinions = kept["vectors"].astype(np.float32, order="F"), np.asfortranarray(kept["opinions"])
        return cls(
            tuple(text["labels"]), ngrams, rows, vectors, kept["centre"], kept["texts"], opinions,
            kept["contexts"], kept["dual"], kept["bias"], text["temperature"], pattern,
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


def _alike(words: np.ndarray, cosine: np.ndarray) -> np.ndarray:
    """How alike texts are, in words and in meaning."""
    alike = gaussian(cosine, 1.0)
    alike *= np.float32(_MEANING)
    alike += words
    return alike


def _kernel(alike: np.ndarray, opinion: np.ndarray, same: np.ndarray) -> np.ndarray:
    """How alike examples are, in their texts and in what each means alone; twice where they follow the same."""
    alike += np.float32(_OPINION) * opinion
    alike *= np.float32(1) + same
    return alike


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
