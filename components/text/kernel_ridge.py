"""Kernel ridge regression on one-hot labels; its leave-one-out predictions are known in closed form."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import scipy.linalg

BIAS = 0.05
_TOGETHER = 512  # rows of a kernel that are worked out at once


@dataclass(frozen=True)
class FittedRidge:
    """For n examples."""

    dual: np.ndarray  # (examples, labels)
    bias: np.ndarray  # (labels,)
    left_out: np.ndarray  # leave-one-out scores of the last examples that were asked for, (of them, labels)
    temperature: float


def balancing(target: np.ndarray, balance: float) -> np.ndarray:
    """Weights of the examples by which rarer labels are fitted more closely, the more so the larger `balance` is."""
    counts = np.bincount(target)
    weights: np.ndarray = (counts.mean() / counts[target]) ** balance
    return weights


def kernel_of(examples: int, likeness: Callable[[slice, slice], np.ndarray]) -> np.ndarray:
    """How alike each two examples are, as `kernel_ridge` reads it: what stands before the diagonal is not worked out.

    `likeness` of the examples of one slice (rows) to those of another (columns).
    """
    kernel = np.empty((examples, examples), dtype=np.float32)
    for start in range(0, examples, _TOGETHER):
        rows, columns = slice(start, start + _TOGETHER), slice(start, examples)
        np.add(likeness(rows, columns), np.float32(BIAS), out=kernel[rows, columns])
    return kernel


def kernel_ridge(
    kernel: np.ndarray, target: np.ndarray, ridge: np.ndarray, calibrated_by: int | None = None
) -> FittedRidge:
    """Kernel ridge regression on one-hot labels, with a ridge for each example. The kernel, float32, is lost to it.

    Only the last `calibrated_by` examples, else all, are predicted without them: of all, that costs as much as the fit.
    """
    wanted = np.eye(target.max() + 1, dtype=np.float32)[target]
    kernel[np.diag_indices(len(target))] += ridge.astype(np.float32)
    factor, _ = scipy.linalg.lapack.spotrf(kernel.T, lower=True, overwrite_a=True)
    dual, _ = scipy.linalg.lapack.spotrs(factor, wanted, lower=True)
    # The inverse of the last rows' triangle is the last triangle of the inverse.
    first = max(0, len(target) - (calibrated_by or len(target)))
    root, _ = scipy.linalg.lapack.strtri(factor[first:, first:], lower=True, overwrite_c=first == 0)
    left_out = wanted[first:] - dual[first:] / np.einsum("ij,ij->j", root, root)[:, None]
    return FittedRidge(dual, BIAS * dual.sum(axis=0), left_out, _temperature(left_out, target[first:]))


def _temperature(scores: np.ndarray, target: np.ndarray) -> float:
    """The divisor of the scores with the smallest log loss, from a fixed grid."""
    grid = np.geomspace(0.02, 1.0, 60)
    rows = np.arange(len(target))
    losses = [-np.log(np.maximum(softmax(scores / t)[rows, target], 1e-9)).mean() for t in grid]
    return float(grid[int(np.argmin(losses))])


def centred(vectors: np.ndarray, centre: np.ndarray) -> np.ndarray:
    """Directions from the centre: raw sentence embeddings of this model all point nearly the same way."""
    moved = vectors - centre
    return moved / np.maximum(np.linalg.norm(moved, axis=1, keepdims=True), 1e-9)


def gaussian(cosine: np.ndarray, width: float) -> np.ndarray:
    """exp(-width · squared distance) of vectors of length 1, from the cosines between them."""
    near: np.ndarray = cosine * np.float32(2 * width)  # of thousands by thousands: one array, not four
    near -= np.float32(2 * width)
    return np.exp(near, out=near)


def softmax(scores: np.ndarray) -> np.ndarray:
    """Probabilities over the last axis."""
    shifted = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return shifted / shifted.sum(axis=-1, keepdims=True)
