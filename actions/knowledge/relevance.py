"""Does this section answer this question? Learnt across shops, from what no shop owns.

Of every pair of question and section numbers are taken: likeness in meaning to the section's whole, heading and
sentences, shared words by their rarity in these pages, whether what is asked for stands there, and whether both are
about the same usual topic (data/policy_topics/). One linear model over them gives every section a weight and "none of
them" another (a conditional logit), so that the probabilities of all sections and of none add up to 1. It was fitted
by `relevance_training.py` on the shops in data/shops/.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from actions.knowledge.documents import Section
from actions.knowledge.embedding import Vectors
from actions.knowledge.facts import plain
from actions.knowledge.topics import load_topics
from actions.knowledge.wording import COMMON, words_of

FITTED = Path(__file__).with_name("relevance.npz")
Numbers = NDArray[np.float64]
Embed = Callable[[Sequence[str], str], Vectors]
_STEM = 5
_SHARPNESS = 14.0  # of the choice among topics
_IN_LETTERS = 0.4  # weight of shared letters beside the likeness in meaning
# What is asked for, and how it looks where it stands; accents are gone on both sides.
_KINDS = tuple(
    (re.compile(asked, re.X), re.compile(stands, re.X))
    for asked, stands in (
        (  # a duration
            r"""\b(?:how\ (?:long|soon|fast|many\ days)|when|deadline|days?|weeks?|tarda|cuantos\ dias|cuando|plazo|
            demora|quanto\ tempo|quantos\ dias|quando|prazo|kitne\ din|kab)\b""",
            r"""\d+\ ?(?:(?:business|working|calendar)\ )?(?:days?|hours?|weeks?|months?|years?|nights?|minutes?|dias?|
            horas?|semanas?|mes(?:es)?|anos?|noches|noites|minutos|din|h\b)|(?:same|next)\ day|tomorrow""",
        ),
        (  # a price
            r"""\b(?:how\ much|cost|price|fee|charged?|pay|cuesta|sale|precio|costo|cobran|gratis|free|quanto\ custa|
            preco|taxa|custa|cobram|kitna|paise)\b|[$£€₹]""",
            r"[$£€₹]\ ?\d|r\$|\d\ ?[€£%]|\bfree\b|gratis|gratuit|\brs\.?\ ?\d|mx\$|chf",
        ),
        (  # a time of day or of the week
            r"""\b(?:what\ time|open|opening|hours|close|sunday|saturday|weekend|horario|abren|abierto|domingo|sabado|
            que\ horas|abrem|aberto|fecha)\b""",
            r"""\b\d{1,2}(?::\d\d)?\ ?(?:am|pm|a\.m|p\.m|h)\b|\d{1,2}:\d\d|\bmon(?:day)?\b|sunday|lunes|domingo|
            segunda|sabado""",
        ),
        (  # a place
            r"\b(?:where|address|located|near|donde|direccion|onde|endereco|kahan|kaha|parking)\b",
            r"\b(?:street|st\.|road|avenue|av\.|calle|rua|unit|floor|yard|loja|tienda|store|shop)\b",
        ),
        (  # a way to do it
            r"\b(?:how\ (?:do|can|to)|como|kaise)\b",
            r"""\b(?:form|email|write|fill|click|account|send|call|link|page|order\ number|whatsapp|formulario|escribe|
            envia|mande|preencha)\b""",
        ),
    )
)


@dataclass(frozen=True)
class Fitted:
    """What was fitted: the space of topics, and the model's weights over standardised numbers."""

    middle: Numbers  # (384,) of all questions of the catalogue
    turn: Numbers  # (384, d): where phrasings of one topic fall together
    asked: Numbers  # (phrasings, d), unit rows
    topic_of: NDArray[np.intp]  # (phrasings,)
    said: Numbers  # (topics, d), unit rows: how pages speak of it
    area_of: NDArray[np.intp]  # (topics,)
    pair: Numbers  # (3, numbers of a pair): mean, spread, weight
    none: Numbers  # (3, numbers of a question + 1): mean, spread, weight; the last is the constant
    made_from: NDArray[np.str_]  # digest of the data

    def save(self, path: Path = FITTED) -> None:
        """Write the file that comes with the project, in half precision."""
        halved = {f.name: getattr(self, f.name) for f in fields(self)}
        big = ("turn", "asked", "said")
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
        named = [f"{s.page_title}: {s.heading}" for s in sections]
        whole = embed([*texts, *(text for text, _ in spoken), *named], "passage")
        self._whole, self._spoken, self._named = np.split(whole, [len(texts), len(texts) + len(spoken)])
        self._asked = embed([text for text, _ in asked], "query")
        self._speaker = np.array([n for _, n in spoken])
        self._asker = np.array([n for _, n in asked])
        self._turned = tuple(self._turn(rows, rows.mean(axis=0)) for rows in (self._whole, self._spoken, self._asked))
        self._words = [_stems(f"{s.heading} {s.text}") for s in sections]
        self._heading_words = [_stems(f"{s.page_title} {s.heading} {' '.join(s.above)}") for s in sections]
        self._seen = Counter(stem for stems in self._words for stem in stems)
        self._pieces = _Pieces([f"{s.page_title} {s.heading} {s.heading} {s.text}" for s in sections])
        folded = [_folded(s.text) for s in sections]
        self._kinds = np.array([[bool(stands.search(text)) for _, stands in _KINDS] for text in folded], float)
        own = topics_of_questions(model, [text for text, _ in asked], self._asked)
        headed = np.stack([own[self._asker == n].max(axis=0) for n in range(self.size)])
        self.topics = (_shares(self._turned[0] @ model.said.T) + headed / headed.sum(axis=1, keepdims=True)) / 2

    def _turn(self, rows: Vectors, middle: Vectors | Numbers) -> Numbers:
        return unit((np.asarray(rows, np.float64) - middle) @ self._model.turn)

    def numbers(
        self, questions: Sequence[str], vectors: Vectors, unseen: bool = False
    ) -> tuple[Numbers, Numbers]:
        """Of every pair of question and section (questions, sections, n), and of every question (questions, m)."""
        q = np.asarray(vectors, np.float64)
        turned = self._turn(vectors, self._model.middle)
        topics = topics_of_questions(self._model, questions, vectors, unseen)
        spoken, asked = q @ self._spoken.T, q @ self._asked.T
        words = [_stems(question) for question in questions]
        scores = np.stack([
            q @ self._whole.T, _best(spoken, self._speaker, self.size), _best_three(spoken, self._speaker, self.size),
            _best(asked, self._asker, self.size), q @ self._named.T,
            turned @ self._turned[0].T, _best(turned @ self._turned[1].T, self._speaker, self.size),
            _best(turned @ self._turned[2].T, self._asker, self.size),
            np.stack([self._pieces.likeness(question) for question in questions]),
            np.stack([self._shared(stems, self._words) for stems in words]),
            np.stack([self._shared(stems, self._heading_words) for stems in words]),
            np.sqrt(topics @ self.topics.T), np.sqrt(topics) @ np.sqrt(self.topics).T,
        ], axis=-1)
        ordered = np.sort(scores, axis=1)
        best, second = ordered[:, -1:], ordered[:, -2:-1] if self.size > 1 else ordered[:, -1:]
        mean, spread = scores.mean(axis=1, keepdims=True), scores.std(axis=1, keepdims=True) + 1e-6
        folded = [_folded(question) for question in questions]
        wanted = np.array([[bool(asks.search(text)) for asks, _ in _KINDS] for text in folded], float)
        kinds = wanted[:, None, :] * self._kinds[None]
        pair = np.concatenate([
            scores, scores - np.where(scores == best, second, best), (scores - mean) / spread, kinds,
            wanted[:, None, :] - kinds,
        ], axis=-1)
        areas = topics @ np.eye(self._model.area_of.max() + 1)[self._model.area_of]
        strange = [1 - self._shared(stems, [frozenset(self._seen)])[0] for stems in words]
        length = [math.log1p(len(words_of(question))) for question in questions]
        none = np.concatenate([
            best[:, 0], (best - second)[:, 0], (best - mean)[:, 0], areas, topics.max(axis=1, keepdims=True),
            np.array([strange, length, [len(stems) for stems in words]]).T,
        ], axis=1)
        return pair, none

    def probabilities(self, questions: Sequence[str], vectors: Vectors) -> Numbers:
        """Shape (questions, sections + 1): how probably each section, and last none of them, answers."""
        return choose(self._model, *self.numbers(questions, vectors))

    def _shared(self, stems: frozenset[str], places: Sequence[frozenset[str]]) -> Numbers:
        """The share of a question's words, weighted by rarity, that stand in each place."""
        rarity = {stem: math.log((1 + self.size) / (0.5 + self._seen.get(stem, 0))) for stem in stems}
        total = sum(rarity.values()) or 1.0
        return np.array([sum(rarity[stem] for stem in stems & place) / total for place in places])


def choose(model: Fitted, pair: Numbers, none: Numbers) -> Numbers:
    """The model over standardised numbers: probabilities of the sections and, last, of none of them."""
    weights = np.concatenate([
        ((pair - model.pair[0]) / model.pair[1]) @ model.pair[2],
        (((none - model.none[0, :-1]) / model.none[1, :-1]) @ model.none[2, :-1] + model.none[2, -1])[:, None],
    ], axis=1)
    raised = np.exp(weights - weights.max(axis=1, keepdims=True))
    return np.asarray(raised / raised.sum(axis=1, keepdims=True), np.float64)


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


def _best_three(likeness: Numbers, owners: NDArray[np.intp], size: int) -> Numbers:
    return np.stack([np.sort(likeness[:, owners == n], axis=1)[:, -3:].mean(axis=1) for n in range(size)], axis=1)
