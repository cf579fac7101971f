"""Which section answers this question, and does any? Learnt across shops, from what no shop owns.

Of every pair of question and section numbers are taken: likeness in meaning to the section's whole, heading and
sentences, as they are and through a bridge from how customers ask to how pages speak; shared words by their rarity in
these pages; and whether both are about the same usual topic (data/policy_topics/). One linear model ranks the
sections, a second one tells from the best section's lead and from the question's topics whether the pages answer at
all. Both were fitted by `relevance_training.py` on the shops in data/shops/.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from actions.knowledge.grounding.facts import plain
from actions.knowledge.pages.documents import Section
from actions.knowledge.pages.topics import load_topics
from actions.knowledge.retrieval.embedding import Vectors
from actions.knowledge.retrieval.wording import COMMON, words_of

FITTED = Path(__file__).with_name("relevance.npz")
Numbers = NDArray[np.float64]
Embed = Callable[[Sequence[str], str], Vectors]
_STEM = 5
_SHARPNESS = 14.0  # of the choice among topics
_IN_LETTERS = 0.4  # weight of shared letters beside the likeness in meaning


@dataclass(frozen=True)
class Fitted:
    """What was fitted: the space of topics, and the model's weights over standardised numbers."""

    middle: Numbers  # (384,) of all questions of the catalogue
    turn: Numbers  # (384, d): where phrasings of one topic fall together
    asked: Numbers  # (phrasings, d), unit rows
    topic_of: NDArray[np.intp]  # (phrasings,)
    said: Numbers  # (topics, d), unit rows: how pages speak of it
    area_of: NDArray[np.intp]  # (topics,)
    said_middle: Numbers  # (384,) of all lines of pages in the catalogue
    bridge: Numbers  # (384, 384): from a question to what a page says about it
    ranking: Numbers  # (3, numbers of a pair): mean, spread, weight
    answerable: Numbers  # (3, numbers of a question + 1): mean, spread, weight; the last is the constant
    made_from: NDArray[np.str_]  # digest of the data

    def save(self, path: Path = FITTED) -> None:
        """Write the file that comes with the project, in half precision."""
        halved = {f.name: getattr(self, f.name) for f in fields(self)}
        big = ("turn", "asked", "said", "bridge")
        np.savez_compressed(path, **{k: v.astype(np.float16) if k in big else v for k, v in halved.items()})


@lru_cache(maxsize=1)
def fitted() -> Fitted:
    """The model that comes with the project."""
    with np.load(FITTED, allow_pickle=False) as stored:
        return Fitted(**{name: stored[name].astype(np.float64) if stored[name].dtype == np.float16 else stored[name]
                         for name in stored.files})


def unit(rows: Numbers | Vectors) -> Numbers:
    """Rows of length 1."""
    rows = np.asarray(rows, np.float64)
    return rows / np.maximum(np.linalg.norm(rows, axis=-1, keepdims=True), 1e-9)


def topics_of_questions(model: Fitted, questions: Sequence[str], vectors: Vectors, unseen: bool = False) -> Numbers:
    """How probably each question is about each topic, shape (questions, topics).

    With `unseen` the catalogue's own phrasings are read as if they did not stand there, for fitting.
    """
    turned = unit((np.asarray(vectors, np.float64) - model.middle) @ model.turn)
    pieces = _phrasings()
    near = turned @ model.asked.T + _IN_LETTERS * np.stack([pieces.likeness(question) for question in questions])
    if unseen:
        for row, question in zip(near, questions, strict=True):
            row[_places_of(question)] = -1.0
    topics = len(model.said)
    best = np.full((len(near), topics), -1.0)
    for topic in range(topics):
        own = np.sort(near[:, model.topic_of == topic], axis=1)
        best[:, topic] = own[:, -1] * 0.6 + own[:, -3:].mean(axis=1) * 0.4
    return _shares(best)


@lru_cache(maxsize=1)
def _phrasings() -> _Pieces:
    return _Pieces(_asked())


@lru_cache(maxsize=1)
def _asked() -> list[str]:
    return [phrase for topic in load_topics() for phrase in topic.asked]


def _places_of(question: str) -> list[int]:
    wanted = words_of(_folded(question))
    return [place for place, phrase in enumerate(_asked()) if words_of(_folded(phrase)) == wanted]


def _shares(likeness: Numbers) -> Numbers:
    raised: Numbers = np.exp(_SHARPNESS * (likeness - likeness.max(axis=1, keepdims=True)))
    return raised / raised.sum(axis=1, keepdims=True)


class Pages:
    """All that is taken from a shop's sections once: their vectors, words and topics."""

    def __init__(self, sections: Sequence[Section], embed: Embed, model: Fitted) -> None:
        self.sections, self._model = sections, model
        self.size = len(sections)
        texts = [f"{s.page_title}: {s.heading}. {s.text}" for s in sections]
        spoken = [(f"{s.heading}: {sentence}", n) for n, s in enumerate(sections) for sentence in s.sentences]
        asked = [(line, n) for n, s in enumerate(sections) for line in (s.heading, *s.asked_as)]
        rows = embed([*texts, *(text for text, _ in spoken)], "passage")
        self._whole, self._spoken = np.split(rows, [len(texts)])
        self._asked = embed([text for text, _ in asked], "query")
        self._speaker = np.array([n for _, n in spoken])
        self._asker = np.array([n for _, n in asked])
        self._behind = [np.asarray(rows, np.float64) - model.said_middle for rows in (self._whole, self._spoken)]
        self._words = [_stems(f"{s.heading} {s.text}") for s in sections]
        self._seen = Counter(stem for stems in self._words for stem in stems)
        self._pieces = _Pieces([f"{s.page_title} {s.heading} {s.heading} {s.text}" for s in sections])
        own = topics_of_questions(model, [text for text, _ in asked], self._asked)
        headed = np.stack([own[self._asker == n].max(axis=0) for n in range(self.size)])
        turned = unit((np.asarray(self._whole, np.float64) - self._whole.mean(axis=0)) @ model.turn)
        self.topics = (_shares(turned @ model.said.T) + headed / headed.sum(axis=1, keepdims=True)) / 2

    def numbers(
        self, questions: Sequence[str], vectors: Vectors, unseen: bool = False
    ) -> tuple[Numbers, Numbers]:
        """Of every pair of question and section (questions, sections, n), and of every question (questions, m)."""
        q = np.asarray(vectors, np.float64)
        across = (q - self._model.middle) @ self._model.bridge
        topics = topics_of_questions(self._model, questions, vectors, unseen)
        words = [_stems(question) for question in questions]
        scores = np.stack([
            q @ self._whole.T, _best(q @ self._spoken.T, self._speaker, self.size),
            _best(q @ self._asked.T, self._asker, self.size),
            across @ self._behind[0].T, _best(across @ self._behind[1].T, self._speaker, self.size),
            np.stack([self._pieces.likeness(question) for question in questions]),
            np.stack([self._shared(stems) for stems in words]),
            np.sqrt(topics @ self.topics.T), np.sqrt(topics) @ np.sqrt(self.topics).T,
        ], axis=-1)
        ordered = np.sort(scores, axis=1)
        best, second = ordered[:, -1:], ordered[:, -2:-1] if self.size > 1 else ordered[:, -1:]
        mean, spread = scores.mean(axis=1, keepdims=True), scores.std(axis=1, keepdims=True) + 1e-6
        # A score counts by itself, against the next best section, and among this shop's sections.
        pair = np.concatenate([
            scores, scores - np.where(scores == best, second, best), (scores - mean) / spread
        ], axis=-1)
        areas = topics @ np.eye(self._model.area_of.max() + 1)[self._model.area_of]
        length = np.array([[math.log1p(len(words_of(question))) for question in questions], [len(w) for w in words]]).T
        return pair, np.concatenate([best[:, 0], (best - mean)[:, 0], length, areas, np.sqrt(topics)], axis=1)

    def probabilities(self, questions: Sequence[str], vectors: Vectors) -> Numbers:
        """Shape (questions, sections + 1): how probably each section, and last none of them, answers."""
        return choose(self._model, *self.numbers(questions, vectors))

    def _shared(self, stems: frozenset[str]) -> Numbers:
        """The share of a question's words, weighted by rarity, that stand in each section."""
        rarity = {stem: math.log((1 + self.size) / (0.5 + self._seen.get(stem, 0))) for stem in stems}
        total = sum(rarity.values()) or 1.0
        return np.array([sum(rarity[stem] for stem in stems & place) / total for place in self._words])


def choose(model: Fitted, pair: Numbers, asked: Numbers) -> Numbers:
    """Probabilities of the sections and, last, of none of them."""
    shares, lead = ranked(((pair - model.ranking[0]) / model.ranking[1]) @ model.ranking[2])
    asked = np.concatenate([asked, lead, np.ones((len(asked), 1))], axis=1)
    weights = ((asked - model.answerable[0]) / model.answerable[1]) @ model.answerable[2]
    answered = 1 / (1 + np.exp(-weights))[:, None]
    return np.concatenate([shares * answered, 1 - answered], axis=1)


def ranked(weights: Numbers) -> tuple[Numbers, Numbers]:
    """The sections' shares, and the numbers of how far the best one leads: shape (questions, 4)."""
    ordered = np.sort(weights, axis=1)
    shares = np.exp(weights - ordered[:, -1:])
    shares /= shares.sum(axis=1, keepdims=True)
    second = ordered[:, -2] if weights.shape[1] > 1 else ordered[:, -1]
    doubt = -(shares * np.log(shares + 1e-9)).sum(axis=1)
    return shares, np.stack([ordered[:, -1], ordered[:, -1] - second, shares.max(axis=1), doubt], axis=1)


class _Pieces:
    """TF-IDF over pieces of words, which forgive endings and slips. Pieces unknown to the pages shorten a question."""

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

    def likeness(self, text: str) -> Numbers:
        """Cosine with every text."""
        scores = np.zeros(self._size)
        for piece, weight in self._weights(_pieces(text)).items():
            if piece in self._places:
                places, weights = self._places[piece]
                scores[places] += weight * weights
        return scores

    def _weights(self, count: Counter[str]) -> dict[str, float]:
        raw = {piece: (1 + math.log(n)) * self._rarity.get(piece, self._rarest) for piece, n in count.items()}
        length = math.sqrt(sum(weight * weight for weight in raw.values())) or 1.0
        return {piece: weight / length for piece, weight in raw.items()}


def _pieces(text: str) -> Counter[str]:
    count: Counter[str] = Counter()
    for word in words_of(_folded(text)):
        padded = f" {word} "
        for size in (3, 4, 5):
            count.update(padded[at : at + size] for at in range(max(1, len(padded) - size + 1)))
    return count


def _stems(text: str) -> frozenset[str]:
    return frozenset(word[:_STEM] for word in words_of(_folded(text)) if len(word) > 1 and word not in COMMON)


@lru_cache(maxsize=4096)
def _folded(text: str) -> str:
    return plain(text)


def _best(likeness: Numbers, owners: NDArray[np.intp], size: int) -> Numbers:
    return np.stack([likeness[:, owners == n].max(axis=1) for n in range(size)], axis=1)
