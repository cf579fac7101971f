"""From a question's likeness to every entry to the section that answers it, and to how sure that is.

Two judges, because each is blind where the other sees. Entries vote, near ones much more than far ones: that knows the
odd phrase, but a customer who words a thing as nobody did before has only chance neighbours. A linear map learnt from
all entries' embeddings knows the topics as a whole and misses the odd phrase.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from actions.knowledge.embedding import Vectors
from actions.knowledge.index import Entry, Scores

Weights = NDArray[np.float64]
_NO_VOTE = 1e-12


@dataclass(frozen=True)
class Calibration:
    """Numbers chosen on calibration.tsv and heldout.tsv of tests/knowledge for few wrong pages and false refusals."""

    character_weight: float = 0.15
    word_weight: float = 0.10
    text_handicap: float = 0.05
    temperature: float = 0.05
    ridge: float = 1.0
    learnt_page_weight: float = 12.0
    learnt_score_weight: float = 4.0
    slope: float = 0.9
    intercept: float = -0.45
    answerable_from: float = 0.5


@dataclass(frozen=True)
class Ballot:
    """Places of all sections, best first, and the probability that they answer the question at all."""

    order: tuple[int, ...]
    score: float


def learn(rows: Vectors, entries: Sequence[Entry], sections: int, ridge: float) -> Vectors:
    """The linear map from an embedding to one number a section, about 1 for its own; the last is for no section."""
    wanted = np.zeros((len(entries), sections + 1), np.float32)
    for place, entry in enumerate(entries):
        wanted[place, sections if entry.section is None else entry.section] = 1.0
    square = rows.T @ rows + ridge * np.eye(rows.shape[1], dtype=np.float32)
    return np.asarray(np.linalg.solve(square, rows.T @ wanted), np.float32)


def count(
    likeness: Scores, learnt: Scores, owners: NDArray[np.intp], pages: Sequence[str], tuned: Calibration
) -> Ballot:
    """The result of both judges.

    `likeness` has a number for each entry and `owners` its section (len(pages): none); `learnt` has a number for each
    section and, last, for none; `pages` names each section's page.
    """
    votes = np.exp((likeness - likeness.max()) / tuned.temperature)
    cast: Weights = np.bincount(owners, votes, minlength=len(pages) + 1) + _NO_VOTE
    by_page: dict[str, list[int]] = {}
    for place, page in enumerate(pages):
        by_page.setdefault(page, []).append(place)

    def liking(places: Sequence[int]) -> float:
        own = list(places)
        return math.log(float(cast[own].sum())) + tuned.learnt_page_weight * float(learnt[own].max())

    best_page = max(by_page, key=lambda page: liking(by_page[page]))
    best, *rest = sorted(range(len(pages)), key=lambda place: (pages[place] != best_page, -liking([place])))
    rest.sort(key=lambda place: -liking([place]))
    balance = math.log(float(cast[:-1].sum())) - math.log(float(cast[-1]))
    balance += tuned.learnt_score_weight * float(learnt[by_page[best_page]].max() - learnt[-1])
    return Ballot((best, *rest), _sigmoid(tuned.slope * balance + tuned.intercept))


def _sigmoid(value: float) -> float:
    return 1 / (1 + math.exp(-max(-50.0, min(50.0, value))))
