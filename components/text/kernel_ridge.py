"""Kernel ridge regression on one-hot labels; its leave-one-out predictions are known in closed form."""

from dataclasses import dataclass

import numpy as np
import scipy.linalg

BIAS = 0.05


@dataclass(frozen=True)
class FittedRidge:
    """For n examples."""

    dual: np.ndarray  # (examples, labels)
    bias: np.ndarray  # (labels,)
    left_out: np.ndarray  # leave-one-out scores, (examples, labels)
    temperature: float


def balancing(target: np.ndarray, balance: float) -> np.ndarray:
    """Weights of the examples by which rarer labels are fitted more closely, the more so the larger `balance` is."""
    counts = np.bincount(target)
    weights: np.ndarray = (counts.mean() / counts[target]) ** balance
    return weights


def kernel_ridge(kernel: np.ndarray, target: np.ndarray, ridge: np.ndarray) -> FittedRidge:
    """Kernel ridge regression on one-hot labels, with a ridge for each example. The kernel, float32, is lost to it."""
    wanted = np.eye(target.max() + 1, dtype=np.float32)[target]
    kernel += np.float32(BIAS)
    kernel[np.diag_indices(len(target))] += ridge.astype(np.float32)
    root = _inverse_root(kernel)
    dual = root.T @ (root @ wanted)
    left_out = wanted - dual / np.einsum("ij,ij->j", root, root)[:, None]
    return FittedRidge(dual, BIAS * dual.sum(axis=0), left_out, _temperature(left_out, target))


def _inverse_root(matrix: np.ndarray) -> np.ndarray:
    """The lower triangular R with R.T @ R = matrix⁻¹, which is positive definite, float32, and lost to it."""
    factor, _ = scipy.linalg.lapack.spotrf(matrix.T, lower=True, overwrite_a=True)
    root, _ = scipy.linalg.lapack.strtri(factor, lower=True, overwrite_c=True)
    return root


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
