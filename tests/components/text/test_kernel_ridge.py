"""Kernel ridge regression: what it predicts without an example is what a fit without it predicts."""

from __future__ import annotations

import numpy as np
import pytest

from components.text.kernel_ridge import BIAS, FittedRidge, gaussian, kernel_of, kernel_ridge

EXAMPLES, LABELS = 700, 3  # more than are worked out at once
_random = np.random.default_rng(7)
POINTS = _random.normal(size=(EXAMPLES, 4))
POINTS /= np.linalg.norm(POINTS, axis=1, keepdims=True)
TARGET = np.array([0, 1, 2, *_random.integers(LABELS, size=EXAMPLES - LABELS)])


def fit(kept: np.ndarray, calibrated_by: int | None = None) -> FittedRidge:
    points = POINTS[kept]
    kernel = kernel_of(len(points), lambda rows, columns: gaussian(points[rows] @ points[columns].T, 1.0))
    return kernel_ridge(kernel, TARGET[kept], np.full(len(points), 0.1), calibrated_by)


@pytest.mark.parametrize("place", [3, EXAMPLES - 1])
def test_an_example_left_out_is_predicted_as_by_a_fit_without_it(place: int) -> None:
    rest = fit(np.delete(np.arange(EXAMPLES), place))
    others = np.delete(POINTS, place, axis=0)
    alike = gaussian((others @ POINTS[place]).astype(np.float32), 1.0) + np.float32(BIAS)
    assert fit(np.arange(EXAMPLES)).left_out[place] == pytest.approx(alike @ rest.dual, abs=1e-3)


def test_a_few_calibrate_a_fit_that_is_the_same() -> None:
    whole, few = fit(np.arange(EXAMPLES)), fit(np.arange(EXAMPLES), 100)
    assert few.dual == pytest.approx(whole.dual, abs=1e-3)
    assert few.left_out == pytest.approx(whole.left_out[-100:], abs=1e-3)
