"""Fitting what shops' questions teach (experience.py)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from actions.knowledge.retrieval.embedding import Vectors
from actions.knowledge.retrieval.experience import IN_LETTERS, Experience, Numbers, kernel, unit
from actions.knowledge.retrieval.pieces import Pieces

DIMENSIONS, SECTION_DIMENSIONS = 128, 192
RIDGE, ASKING_RIDGE = 1.0, 1.5
ENOUGH = 5  # questions of a section beyond which it counts no more


@dataclass(frozen=True)
class Taught:
    """One shop's questions with their vectors, its sections' texts and texts beside headings, and who answers whom."""

    questions: Sequence[str]
    vectors: Vectors
    texts: Numbers  # (sections, 384)
    sections: Numbers  # (sections, 768)
    right: Numbers  # (questions, sections + 1): the share of each section, last of none

    def only(self, kept: NDArray[np.bool_]) -> Taught:
        """With some of the questions."""
        questions = [question for question, one in zip(self.questions, kept, strict=True) if one]
        return replace(self, questions=questions, vectors=self.vectors[kept], right=self.right[kept])


def learn(shops: Sequence[Taught]) -> Experience:
    """Fit both regressions to these shops."""
    vectors = np.concatenate([shop.vectors for shop in shops]).astype(np.float64)
    middle = vectors.mean(axis=0)
    directions = main_directions(vectors - middle, DIMENSIONS)
    text_directions = main_directions(np.concatenate([shop.texts for shop in shops]), DIMENSIONS)
    section_directions = main_directions(np.concatenate([shop.sections for shop in shops]), SECTION_DIMENSIONS)
    asked = unit((vectors - middle) @ directions)
    questions = [question for shop in shops for question in shop.questions]
    near = (1 - IN_LETTERS) * asked @ asked.T + IN_LETTERS * Pieces(questions).likeness(questions)
    answers = np.concatenate([shop.right[:, :-1] @ shop.texts @ text_directions for shop in shops])
    answered = np.concatenate([1 - 2 * shop.right[:, -1] for shop in shops])
    targets = np.concatenate([answers, answered[:, None]], axis=1)
    foretelling = _solved(kernel(near), np.full(len(near), RIDGE), targets)
    sections, means, counts = _asked_of(shops, vectors)
    sections = sections @ section_directions
    resistance = ASKING_RIDGE / np.minimum(counts, ENOUGH)
    asking = _solved(kernel(sections @ sections.T), resistance, (means - middle) @ directions)
    return Experience(
        middle, directions, np.array(questions), asked, foretelling,
        text_directions, section_directions, sections, asking,
    )


def _solved(likeness: Numbers, ridge: Numbers, targets: Numbers) -> Numbers:
    """The weights of a kernel ridge regression; in single precision, in a quarter of the time."""
    from scipy.linalg import cho_factor, cho_solve  # not in the action server's image

    matrix = likeness.astype(np.float32)
    matrix[np.diag_indices(len(matrix))] += ridge.astype(np.float32)
    factor = cho_factor(matrix, lower=True, overwrite_a=True, check_finite=False)
    return np.asarray(cho_solve(factor, targets.astype(np.float32), check_finite=False), np.float64)


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
