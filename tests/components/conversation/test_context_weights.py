"""Added up, the examples say of a message what they say one by one, those of its context twice."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse

from components.conversation.context_weights import ContextWeights

CONTEXTS, FEATURES, LABELS, EXAMPLES = 3, 40, 4, 25
_random = np.random.default_rng(3)
ROWS = scipy.sparse.random(EXAMPLES, FEATURES, 0.2, "csr", np.float32, random_state=5)
DUAL = _random.normal(size=(EXAMPLES, LABELS)).astype(np.float32)
FOLLOWED = np.arange(EXAMPLES) % (CONTEXTS - 1)  # nothing follows the last context
SUMS = ContextWeights.of(ROWS, DUAL, FOLLOWED, CONTEXTS)


def one_by_one(message: np.ndarray, context: int) -> np.ndarray:
    likeness = np.asarray(ROWS @ message) * (1 + (context == FOLLOWED))
    scores: np.ndarray = likeness @ DUAL
    return scores


@pytest.mark.parametrize("context", range(CONTEXTS))
@pytest.mark.parametrize("columns", [[], [0], [FEATURES - 1], [3, 8, 21, 33, 7], list(range(FEATURES))])
def test_a_message_of_some_features_scores_as_example_by_example(context: int, columns: list[int]) -> None:
    message = np.zeros(FEATURES, np.float32)
    message[columns] = values = _random.random(len(columns)).astype(np.float32)
    scores = SUMS.of_features(np.array(columns, dtype=np.intp), values, context)
    assert scores == pytest.approx(one_by_one(message, context), abs=1e-5)


@pytest.mark.parametrize("context", range(CONTEXTS))
def test_a_message_of_all_features_scores_as_example_by_example(context: int) -> None:
    message = _random.random(FEATURES).astype(np.float32)
    assert SUMS.of_all(message, context) == pytest.approx(one_by_one(message, context), abs=1e-5)


def test_what_is_stored_says_the_same_in_half_the_bytes() -> None:
    again = ContextWeights.stored("of", SUMS.arrays("of", np.float16))
    message = _random.random(FEATURES).astype(np.float32)
    assert again.of_all(message, 1) == pytest.approx(SUMS.of_all(message, 1), abs=0.01)
    assert again.everywhere.nbytes * 2 == SUMS.everywhere.nbytes
