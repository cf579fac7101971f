"""Fitting what shops' questions teach (experience.py)."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from actions.knowledge.retrieval.embedding import Vectors
from actions.knowledge.retrieval.experience import IN_LETTERS, Experience, Numbers, kernel, unit
from actions.knowledge.retrieval.pieces import Pieces

DIMENSIONS, SECTION_DIMENSIONS = 128, 192
RIDGE, ASKING_RIDGE = 1.0, 1.5
ENOUGH = 5  # questions of a section beyond which it counts no more
_AT_ONCE = 1000  # questions held against all, for less memory


@dataclass(frozen=True)
class Taught:
    """One shop's questions with their vectors, its sections' texts and texts beside headings, and who answers whom."""

    questions: Sequence[str]
    vectors: Vectors
    texts: Numbers  # (sections, 384)
    sections: Numbers  # (sections, 768)
    right: Numbers  # (questions, sections + 1): the share of each section, last of none

    def only(self, some: NDArray[np.intp]) -> Taught:
        """With some of the questions."""
        questions = [self.questions[n] for n in some]
        return replace(self, questions=questions, vectors=self.vectors[some], right=self.right[some])


class Lessons:
    """What these shops' questions teach; how near they are to one another is worked out once, whoever is left out."""

    def __init__(self, shops: Sequence[Taught]) -> None:
        self._shops = shops
        self._vectors = np.concatenate([shop.vectors for shop in shops]).astype(np.float64)
        self._middle = self._vectors.mean(axis=0)
        self._directions = main_directions(self._vectors - self._middle, DIMENSIONS)
        self._text_directions = main_directions(np.concatenate([shop.texts for shop in shops]), DIMENSIONS)
        sections = np.concatenate([shop.sections for shop in shops])
        self._section_directions = main_directions(sections, SECTION_DIMENSIONS)
        self._asked = unit((self._vectors - self._middle) @ self._directions).astype(np.float32)
        self._questions = np.array([question for shop in shops for question in shop.questions])
        self._owner = np.repeat(np.arange(len(shops)), [len(shop.questions) for shop in shops])
        answers = np.concatenate([shop.right[:, :-1] @ shop.texts for shop in shops]) @ self._text_directions
        answered = np.concatenate([1 - 2 * shop.right[:, -1] for shop in shops])
        self._targets = np.concatenate([answers, answered[:, None]], axis=1)
        self._near = (1 - IN_LETTERS) * self._asked @ self._asked.T
        letters = Pieces(self._questions.tolist())
        for start in range(0, len(self._near), _AT_ONCE):
            some = slice(start, start + _AT_ONCE)
            self._near[some] += IN_LETTERS * letters.likeness(self._questions[some].tolist())

    def learn(self, left_out: Collection[int] = ()) -> Experience:
        """Fit both regressions to all shops but those of these numbers."""
        rows = np.flatnonzero(~np.isin(self._owner, list(left_out)))
        shops = [shop for n, shop in enumerate(self._shops) if n not in left_out]
        ridge = np.full(len(rows), RIDGE)
        foretelling = _solved(kernel(self._near[np.ix_(rows, rows)]), ridge, self._targets[rows])
        sections, means, counts = _asked_of(shops, self._vectors[rows])
        sections = sections @ self._section_directions
        resistance = ASKING_RIDGE / np.minimum(counts, ENOUGH)
        asking = _solved(kernel(sections @ sections.T), resistance, (means - self._middle) @ self._directions)
        return Experience(
            self._middle, self._directions, self._questions[rows], self._asked[rows], foretelling,
            self._text_directions, self._section_directions, sections, np.asarray(asking, np.float64),
        )  # fmt: skip


def _solved(likeness: NDArray[Any], ridge: Numbers, targets: Numbers) -> Vectors:
    """The weights of a kernel ridge regression; in single precision, in a quarter of the time."""
    from scipy.linalg import cho_factor, cho_solve  # not in the action server's image

    matrix = likeness.astype(np.float32)
    matrix[np.diag_indices(len(matrix))] += ridge.astype(np.float32)
    factor = cho_factor(matrix, lower=True, overwrite_a=True, check_finite=False)
    return np.asarray(cho_solve(factor, targets.astype(np.float32), check_finite=False))


def _asked_of(shops: Sequence[Taught], vectors: Numbers) -> tuple[Numbers, Numbers, Numbers]:
    """Of the sections that answer something: their vectors, the means of their questions, and how many those are."""
    sections, means, counts, start = [], [], [], 0
    for shop in shops:
        answers = (shop.right[:, :-1] > 0).astype(float)
        many = answers.sum(axis=0)
        own = vectors[start : start + len(answers)]
        start += len(answers)
        sections.append(shop.sections[many > 0])
        means.append((answers.T @ own)[many > 0] / many[many > 0, None])
        counts.append(many[many > 0])
    return np.concatenate(sections), np.concatenate(means), np.concatenate(counts)


def main_directions(rows: Numbers, count: int) -> Numbers:
    """The `count` directions in which the rows spread most, as columns."""
    _, vectors = np.linalg.eigh(rows.T @ rows)
    return np.ascontiguousarray(vectors[:, ::-1][:, :count])
