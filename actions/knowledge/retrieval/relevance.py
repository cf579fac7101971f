"""Which section answers this question, and does any? Learnt across shops, from what no shop owns.

Of every pair of question and section numbers are taken: likeness in meaning to the section's whole, heading and
sentences; shared words by their rarity in these pages; whether both are about the same usual topic
(data/policy_topics/); and what other shops' questions foretell (experience.py). A small network ranks the sections
(ranking.py), a linear model tells from the best section's lead and from the question whether the pages answer at all.
Both were fitted by `relevance_training.py` on the shops in data/shops/.
"""

import math
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from actions.knowledge.pages.documents import Section
from actions.knowledge.pages.topics import load_topics
from actions.knowledge.retrieval.embedding import Vectors
from actions.knowledge.retrieval.experience import Experience, Numbers, unit
from actions.knowledge.retrieval.follow_up import FollowUp, Reading, answered_by
from actions.knowledge.retrieval.pieces import Pieces, folded_words, stems
from actions.knowledge.retrieval.ranking import Ranking
from actions.knowledge.retrieval.wording import COMMON

FITTED = Path(__file__).with_name("relevance.npz")
Embed = Callable[[Sequence[str], str], Vectors]
Scores = tuple[Numbers, Numbers]  # of every pair (questions, sections, n), and of every question (questions, m)
_LARGE = 20_000  # numbers of a part that is written in half precision
_LARGEST = ("experience.asked", "experience.foretelling")  # every question goes through all of them
_SHARPNESS = 14.0  # of the choice among topics
_IN_LETTERS = 0.4  # weight of shared letters beside the likeness in meaning
# Places of the scores that count for a section's whole page too: "how much is postage" is asked of deliveries, not of
# the postage of returns.
_OF_PAGES, _OF_PAGES_LEARNT = [0, 2, 5], [0, 2]


@dataclass(frozen=True)
class Fitted:
    """What was fitted: the space of topics, and the model's weights over standardised numbers."""

    middle: Numbers  # (384,) of all questions of the catalogue
    turn: Numbers  # (384, d): where phrasings of one topic fall together
    asked: Numbers  # (phrasings, d), unit rows
    topic_of: NDArray[np.intp]  # (phrasings,)
    said: Numbers  # (topics, d), unit rows: how pages speak of it
    area_of: NDArray[np.intp]  # (topics,)
    answerable: Numbers  # (3, numbers of a question + 1): mean, spread, weight; the last is the constant
    made_from: NDArray[np.str_]  # digest of the data
    ranking: Ranking
    experience: Experience
    follow_up: FollowUp

    def save(self, path: Path = FITTED) -> None:
        """Write the file that comes with the project, what is large in half precision."""
        whole = dict(_flat(self))
        large = [name for name, rows in whole.items() if rows.dtype.kind == "f" and rows.size > _LARGE]
        np.savez_compressed(path, **{**whole, **{name: whole[name].astype(np.float16) for name in large}})


@lru_cache(maxsize=1)
def fitted(file: Path = FITTED) -> Fitted:
    """The model that comes with the project, or one fitted to other embeddings."""
    with np.load(file, allow_pickle=False) as stored:
        whole = {name: rows if rows.dtype != np.float16 else rows.astype(np.float32 if name in _LARGEST else np.float64)
                 for name, rows in stored.items()}
    made: Fitted = _made(Fitted, whole)
    return made


def _flat(part: Any, above: str = "") -> Iterator[tuple[str, NDArray[Any]]]:
    """What was fitted and its parts as arrays, each by its name, behind those of what it is a part of."""
    for name, value in ((f.name, getattr(part, f.name)) for f in fields(part)):
        yield from _flat(value, f"{above}{name}.") if is_dataclass(value) else [(above + name, value)]


def _made(kind: Any, whole: Mapping[str, NDArray[Any]], above: str = "") -> Any:
    """The inverse of `_flat`."""
    made = {f.name: _made(f.type, whole, f"{above}{f.name}.") if is_dataclass(f.type) else whole[above + f.name]
            for f in fields(kind)}
    return kind(**made)


def topics_of_questions(model: Fitted, questions: Sequence[str], vectors: Vectors, unseen: bool = False) -> Numbers:
    """How probably each question is about each topic, shape (questions, topics).

    With `unseen` the catalogue's own phrasings are read as if they did not stand there, for fitting.
    """
    turned = unit((np.asarray(vectors, np.float64) - model.middle) @ model.turn)
    near = turned @ model.asked.T + _IN_LETTERS * _phrasings().likeness(questions)
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
def _phrasings() -> Pieces:
    return Pieces(_asked())


@lru_cache(maxsize=1)
def _asked() -> list[str]:
    return [phrase for topic in load_topics() for phrase in topic.asked]


def _places_of(question: str) -> list[int]:
    return _places().get(" ".join(folded_words(question)), [])


@lru_cache(maxsize=1)
def _places() -> dict[str, list[int]]:
    places: dict[str, list[int]] = {}
    for place, phrase in enumerate(_asked()):
        places.setdefault(" ".join(folded_words(phrase)), []).append(place)
    return places


def _shares(likeness: Numbers) -> Numbers:
    raised: Numbers = np.exp(_SHARPNESS * (likeness - likeness.max(axis=1, keepdims=True)))
    return raised / raised.sum(axis=1, keepdims=True)


def texts_of(section: Section) -> list[tuple[str, str]]:
    """(kind, text) of all that is embedded of a section, as the embedder is told it."""
    spoken = [("passage", text) for text in (_whole(section), *_spoken(section))]
    return spoken + [("query", text) for text in _asked_of(section)]


def _whole(section: Section) -> str:
    return f"{section.page_title}: {section.heading}. {section.text}"


def _spoken(section: Section) -> list[str]:
    return [f"{section.heading}: {sentence}" for sentence in section.sentences]


def _asked_of(section: Section) -> tuple[str, ...]:
    return (section.heading, *section.asked_as)


class Pages:
    """All that is taken from a shop's sections once: their vectors, words and topics."""

    def __init__(self, sections: Sequence[Section], embed: Embed, model: Fitted) -> None:
        self.sections, self._model = sections, model
        self._usual: tuple[Experience, Numbers] | None = None
        self.size = len(sections)
        texts = [_whole(section) for section in sections]
        spoken = [(sentence, n) for n, s in enumerate(sections) for sentence in _spoken(s)]
        asked = [(line, n) for n, s in enumerate(sections) for line in _asked_of(s)]
        rows = embed([*texts, *(text for text, _ in spoken)], "passage")
        self._whole, self._spoken = np.split(rows, [len(texts)])
        self._asked = embed([text for text, _ in asked], "query")
        self._speaker = np.array([n for _, n in spoken])
        self._asker = np.array([n for _, n in asked])
        middle = self._whole.mean(axis=0)
        headings = np.stack([self._asked[self._asker == n][0] for n in range(self.size)])
        self.texts = unit(self._whole - middle)
        pages = [s.page for s in sections]
        self.page_of = np.array([pages.index(page) for page in pages])
        beside = self.page_of[:, None] == np.unique(self.page_of)
        self._on_page, self._page = beside / beside.sum(axis=0), beside.argmax(axis=1)
        self.beside_headings = np.concatenate([self.texts, unit(headings - headings.mean(axis=0))], axis=1) / np.sqrt(2)
        self._spoken_texts = unit(self._spoken - middle)
        self._words = [stems(f"{s.heading} {s.text}") for s in sections]
        self._seen = Counter(stem for words in self._words for stem in words)
        self._spelt = frozenset(word for s in sections for word in folded_words(f"{s.heading} {s.text}"))
        self._pieces = Pieces([f"{s.page_title} {s.heading} {s.heading} {s.text}" for s in sections])
        own = topics_of_questions(model, [text for text, _ in asked], self._asked)
        headed = np.stack([own[self._asker == n].max(axis=0) for n in range(self.size)])
        turned = unit((np.asarray(self._whole, np.float64) - self._whole.mean(axis=0)) @ model.turn)
        self.topics = (_shares(turned @ model.said.T) + headed / headed.sum(axis=1, keepdims=True)) / 2

    def plain_scores(self, questions: Sequence[str], vectors: Vectors, unseen: bool = False) -> Scores:
        """What these pages, the questions and the usual topics say."""
        q = np.asarray(vectors, np.float64)
        topics = topics_of_questions(self._model, questions, vectors, unseen)
        words = [stems(question) for question in questions]
        pairs = np.stack([
            q @ self._whole.T, _best(q @ self._spoken.T, self._speaker, self.size),
            _best(q @ self._asked.T, self._asker, self.size), self._pieces.likeness(questions),
            np.stack([self._shared(own) for own in words]),
            np.sqrt(topics @ self.topics.T), np.sqrt(topics) @ np.sqrt(self.topics).T,
        ], axis=-1)
        areas = topics @ np.eye(self._model.area_of.max() + 1)[self._model.area_of]
        spelt = [folded_words(question) for question in questions]
        length = np.log1p([len(own) for own in spelt])
        # Where the pages have few of the common ones they are asked in another language; the others tell what is asked.
        common = [[word in self._spelt for word in own if word in COMMON] for own in spelt]
        known = [(1 + sum(own)) / (1 + len(own)) for own in common]
        each = np.stack([length, [len(own) for own in words], known], axis=1)
        each = np.concatenate([each, areas, np.sqrt(topics)], axis=1)
        return self._with_pages(pairs, _OF_PAGES), each

    def learnt_scores(self, questions: Sequence[str], vectors: Vectors, experience: Experience) -> Scores:
        """What other shops' questions say."""
        foretold, answered = experience.foretold(questions, vectors)
        expected = foretold @ experience.text_directions.T
        asked, usual = experience.turned(vectors), self._usual_questions(experience)
        pairs = [
            expected @ self.texts.T, _best(expected @ self._spoken_texts.T, self._speaker, self.size),
            asked @ unit(usual).T, asked @ (usual - usual.mean(axis=0)).T,
        ]
        of_questions = np.stack([answered, np.linalg.norm(foretold, axis=1)], axis=1)
        return self._with_pages(np.stack(pairs, axis=-1), _OF_PAGES_LEARNT), of_questions

    def _with_pages(self, pairs: Numbers, places: list[int]) -> Numbers:
        """Beside each section's scores the means of some of them over its page."""
        means = np.einsum("qsn,sp->qpn", pairs[..., places], self._on_page)
        return np.concatenate([pairs, means[:, self._page]], axis=-1)

    def _usual_questions(self, experience: Experience) -> Numbers:
        """What is asked of these sections: the same for every question, so it is worked out once."""
        if self._usual is None or self._usual[0] is not experience:
            self._usual = experience, experience.usual_questions(self.beside_headings)
        return self._usual[1]

    def probabilities(self, questions: Sequence[str], vectors: Vectors) -> Numbers:
        """Shape (questions, sections + 1): how probably each section, and last none of them, answers."""
        return choose(self._model, *self._numbers(questions, vectors))

    def readings(self, questions: Sequence[str], vectors: Vectors) -> list[Reading]:
        """The same, not yet decided, for a question that may be read in more than one way."""
        return read(self._model, *self._numbers(questions, vectors))

    def _numbers(self, questions: Sequence[str], vectors: Vectors) -> Scores:
        learnt = self.learnt_scores(questions, vectors, self._model.experience)
        return numbers(self.plain_scores(questions, vectors), learnt)

    def _shared(self, own: frozenset[str]) -> Numbers:
        """The share of a question's words, weighted by rarity, that stand in each section."""
        rarity = {stem: math.log((1 + self.size) / (0.5 + self._seen.get(stem, 0))) for stem in own}
        total = sum(rarity.values()) or 1.0
        return np.array([sum(rarity[stem] for stem in own & place) / total for place in self._words])


def numbers(*scores: Scores) -> Scores:
    """All numbers of every pair and of every question: a score counts by itself, against the next best section's, and
    among this shop's sections."""
    pairs = np.concatenate([pair for pair, _ in scores], axis=-1)
    ordered = np.sort(pairs, axis=1)
    best, second = ordered[:, -1:], ordered[:, -2:-1] if pairs.shape[1] > 1 else ordered[:, -1:]
    mean, spread = pairs.mean(axis=1, keepdims=True), pairs.std(axis=1, keepdims=True) + 1e-6
    compared = [pairs, pairs - np.where(pairs == best, second, best), (pairs - mean) / spread]
    each = [best[:, 0], (best - mean)[:, 0], *(own for _, own in scores)]
    return np.concatenate(compared, axis=-1), np.concatenate(each, axis=1)


def choose(model: Fitted, pairs: Numbers, each: Numbers) -> Numbers:
    """Probabilities of the sections and, last, of none of them."""
    return np.array([one.chosen for one in read(model, pairs, each)]).reshape(len(each), -1)


def read(model: Fitted, pairs: Numbers, each: Numbers) -> list[Reading]:
    """The sections' weights and whether one answers, of every question."""
    pairs = model.ranking.standard(pairs)
    weights = model.ranking.weights(pairs)
    answered = answered_by(model.answerable, decided_by(pairs, each, weights))
    return [Reading(own, float(share)) for own, share in zip(weights, answered, strict=True)]


def decided_by(pairs: Numbers, each: Numbers, weights: Numbers) -> Numbers:
    """What tells whether the best section answers: how far it leads, and its standardised numbers."""
    ordered = np.sort(weights, axis=1)
    shares = np.exp(weights - ordered[:, -1:])
    shares /= shares.sum(axis=1, keepdims=True)
    second = ordered[:, -2] if weights.shape[1] > 1 else ordered[:, -1]
    doubt = -(shares * np.log(shares + 1e-9)).sum(axis=1)
    lead = np.stack([ordered[:, -1], ordered[:, -1] - second, shares.max(axis=1), doubt], axis=1)
    best = np.take_along_axis(pairs, weights.argmax(axis=1)[:, None, None], axis=1)[:, 0]
    return np.concatenate([each, lead, best], axis=1)


def _best(likeness: Numbers, owners: NDArray[np.intp], size: int) -> Numbers:
    return np.stack([likeness[:, owners == n].max(axis=1) for n in range(size)], axis=1)
