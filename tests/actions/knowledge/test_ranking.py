"""How sections are weighed against one another, learnt from which of them were right."""

from __future__ import annotations

import numpy as np

from actions.knowledge.retrieval.ranking import fit


def shown(dice: np.random.Generator, questions: int) -> tuple[np.ndarray, np.ndarray]:
    """Six sections a question, with two numbers of each. The right one's first is neither high nor low, the second is
    chance."""
    numbers, right = np.zeros((questions, 6, 2)), np.zeros((questions, 7))
    for row, own, place in zip(numbers, right, dice.integers(6, size=questions), strict=True):
        row[:, 0], row[:, 1] = dice.permutation([0, 0, 0, 2, 2, 2]), dice.normal(size=6)
        row[place, 0] = own[place] = 1
    return numbers, right


def test_what_no_sum_of_the_numbers_tells_is_learnt() -> None:
    dice = np.random.default_rng(5)
    model = fit([shown(dice, 200) for _ in range(8)])
    numbers, right = shown(dice, 200)
    found = model.weights(model.standard(numbers)).argmax(axis=1)
    assert (right[np.arange(200), found] == 1).mean() > 0.95


def test_questions_that_no_section_answers_teach_no_ranking() -> None:
    dice = np.random.default_rng(6)
    numbers, right = shown(dice, 64)
    alone, beside = fit([(numbers, right)]), fit([(numbers, right), (numbers, np.eye(7)[np.full(64, 6)])])
    assert np.array_equal(alone.direct, beside.direct)


def test_the_same_questions_are_learnt_the_same() -> None:
    one, other = (fit([shown(np.random.default_rng(7), 100)]) for _ in range(2))
    assert np.array_equal(one.inward, other.inward)
