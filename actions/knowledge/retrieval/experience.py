"""What other shops' questions teach about this one: what its answer looks like, and whether pages answer such a one.

A kernel ridge regression over the questions of the training shops foretells, from a question like theirs, the vector
of the section that answers it and whether one does; a second one foretells, from a section like theirs, what is asked
of it. Vectors of sections are taken against the middle of their own shop, so that no products are learnt.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from actions.knowledge.retrieval.embedding import Vectors
from actions.knowledge.retrieval.pieces import Pieces

Numbers = NDArray[np.float64]
IN_LETTERS = 0.25  # share of shared letters in the likeness of two questions, the rest is meaning


@dataclass(frozen=True)
class Experience:
    """The training shops' questions and sections, in a few main directions, with the weights of both regressions."""

    middle: Numbers  # (384,) of the questions
    directions: Numbers  # (384, d) of the questions
    questions: NDArray[np.str_]  # (n,)
    asked: Vectors  # (n, d), unit rows
    foretelling: Vectors  # (n, r + 1): the answering text's vector, and whether there is one
    text_directions: Numbers  # (384, r) of the sections' texts
    section_directions: Numbers  # (768, t) of the sections: text beside heading
    sections: Numbers  # (m, t)
    asking: Numbers  # (m, d): what is asked of a section like this

    def turned(self, vectors: Numbers | Vectors) -> Numbers:
        """Vectors of questions in the main directions, shape (questions, d), unit rows."""
        return unit((np.asarray(vectors, np.float64) - self.middle) @ self.directions)

    def foretold(self, questions: Sequence[str], vectors: Vectors) -> tuple[Numbers, Numbers]:
        """The vectors of the answering texts (questions, r), and how surely pages answer (questions,)."""
        near = (1 - IN_LETTERS) * self.turned(vectors).astype(np.float32) @ self.asked.T
        near += IN_LETTERS * self._pieces.likeness(questions)
        both = (kernel(near) @ self.foretelling).astype(np.float64)
        return both[:, :-1], both[:, -1]

    def usual_questions(self, sections: Numbers) -> Numbers:
        """What is asked of these sections (n, 768), shape (n, d)."""
        return kernel(sections @ self.section_directions @ self.sections.T) @ self.asking

    @cached_property
    def _pieces(self) -> Pieces:
        return Pieces(self.questions.tolist())


def kernel(likeness: NDArray[Any]) -> NDArray[Any]:
    """Of the likeness -1 to 1 of two vectors."""
    return np.asarray(np.exp(2 * (likeness - 1)))


def unit(rows: Numbers | Vectors) -> Numbers:
    """Rows of length 1."""
    rows = np.asarray(rows, np.float64)
    return rows / np.maximum(np.linalg.norm(rows, axis=-1, keepdims=True), 1e-9)
