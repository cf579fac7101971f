"""A small network that weighs a shop's sections against one another by numbers of each, and how it is fitted: the right
sections of each question against the shop's others."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from actions.knowledge.retrieval.embedding import Vectors
from actions.knowledge.retrieval.experience import Numbers

HIDDEN = 24
PULL = 0.01  # towards 0, of the weights
ROUNDS, AT_ONCE, STEP = 10, 64, 3e-3
STEPS = 500  # at least, however few the questions are
_SLOWLY, _STEADY = 0.9, 0.999  # how long Adam remembers slopes, and their squares
_FAR = 6.0  # standard deviations beyond which a number says no more


@dataclass(frozen=True)
class Ranking:
    """What was fitted. The numbers count by themselves, and by way of hidden units for what they mean together."""

    mean: Numbers  # (n,)
    spread: Numbers  # (n,)
    direct: Numbers  # (n,)
    inward: Numbers  # (n, hidden)
    offset: Numbers  # (hidden,)
    outward: Numbers  # (hidden,)

    def standard(self, numbers: Numbers) -> Numbers:
        """The numbers (…, n) in standard deviations from their mean."""
        return np.clip((numbers - self.mean) / self.spread, -_FAR, _FAR)

    def weights(self, standard: Numbers) -> Numbers:
        """The weights (…,) of sections with these standardised numbers."""
        hidden = np.maximum(standard @ self.inward + self.offset, 0)
        return np.asarray(standard @ self.direct + hidden @ self.outward)


def fit(shown: Sequence[tuple[Numbers, Numbers]], hidden: int = HIDDEN) -> Ranking:
    """Fit to the questions that are answered, of each shop: numbers (questions, sections, n), and the share of each
    section and last of none (questions, sections + 1)."""
    every = np.concatenate([numbers.reshape(-1, numbers.shape[-1]) for numbers, _ in shown])
    mean, spread = every.mean(axis=0), every.std(axis=0) + 1e-6
    chance, size = np.random.default_rng(0), len(mean)
    inward = chance.normal(size=(size, hidden)) / np.sqrt(size)
    model = Ranking(
        mean, spread, np.zeros(size), inward, np.zeros(hidden), chance.normal(size=hidden) * 0.1 / np.sqrt(hidden)
    )
    answered = [
        (model.standard(numbers[right[:, -1] == 0]).astype(np.float32), right[right[:, -1] == 0, :-1])
        for numbers, right in shown
    ]
    once = sum(len(right) // AT_ONCE + 1 for _, right in answered if len(right))
    rounds = max(ROUNDS, STEPS // max(1, once))
    batches = [
        (shop, rows)
        for shop, (_, right) in enumerate(answered)
        for rows in np.array_split(np.arange(len(right)), len(right) // AT_ONCE + 1) * rounds
        if len(rows)
    ]
    weights = [one.astype(np.float32) for one in (model.direct, model.inward, model.offset, model.outward)]
    slopes, squares = ([np.zeros_like(one) for one in weights] for _ in range(2))
    for n, place in enumerate(chance.permutation(len(batches)), start=1):
        shop, rows = batches[place]
        step = STEP * min(1.0, n / 100) * (1 + np.cos(np.pi * n / len(batches))) / 2
        downhill = _slopes(weights, answered[shop][0][rows], answered[shop][1][rows])
        for one, slope, remembered, square in zip(weights, downhill, slopes, squares, strict=True):
            remembered += (1 - _SLOWLY) * (slope - remembered)
            square += (1 - _STEADY) * (slope**2 - square)
            sure = np.sqrt(square / (1 - _STEADY**n)) + 1e-8
            one -= step * (remembered / (1 - _SLOWLY**n) / sure + PULL * one)
    return Ranking(mean, spread, *(one.astype(np.float64) for one in weights))


def _slopes(weights: Sequence[Vectors], numbers: Vectors, right: Numbers) -> tuple[Vectors, ...]:
    """How the loss of some questions of one shop, the logarithm of the right sections' shares, changes by weight."""
    direct, inward, offset, outward = weights
    flat = numbers.reshape(-1, numbers.shape[-1])
    hidden = np.maximum(flat @ inward + offset, 0)
    above = (flat @ direct + hidden @ outward).reshape(right.shape)
    shares = np.exp(above - above.max(axis=1, keepdims=True))
    shares /= shares.sum(axis=1, keepdims=True)
    wrong = ((shares - right) / len(right)).reshape(-1).astype(np.float32)
    through = np.outer(wrong, outward) * (hidden > 0)
    return flat.T @ wrong, flat.T @ through, through.sum(axis=0), hidden.T @ wrong
