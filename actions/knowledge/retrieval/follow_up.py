"""A question read together with the one before it and with what was answered: "and for shoes?", "even if opened".

Learnt from the chats of the training shops. Of every section it is known how well it fits the question alone and the
question behind the one before, and how near it lies to the section that was quoted. A small network ranks by these,
each weighed by how much the question seems to lean on what was said; a linear model tells whether it is answered.
"""

from dataclasses import dataclass

import numpy as np

from actions.knowledge.retrieval.embedding import Vectors
from actions.knowledge.retrieval.experience import Numbers
from actions.knowledge.retrieval.ranking import Ranking

_UNSEEN = 1e-3  # probability of a section that was out of the question before


@dataclass(frozen=True)
class Reading:
    """One way to read a question: the sections' weights in the ranking, and the probability that they answer."""

    weights: Numbers  # (sections,)
    answered: float

    @property
    def shares(self) -> Numbers:
        """The logarithms of the sections' shares."""
        return log_shares(self.weights)

    @property
    def log_odds(self) -> float:
        """Of being answered."""
        return log_odds(self.answered)

    @property
    def chosen(self) -> Numbers:
        """Probabilities of the sections and, last, of none of them."""
        return chosen_by(self.shares, self.answered)


@dataclass(frozen=True)
class Before:
    """The question before: its vector, and how probably each section, and last none of them, answered it."""

    vector: Vectors  # (384,)
    chosen: Numbers  # (sections + 1,)


@dataclass(frozen=True)
class FollowUp:
    """What was fitted."""

    ranking: Ranking
    answerable: Numbers  # (3, numbers of a question + 1): mean, spread, weight; the last is the constant

    def choose(self, sections: Numbers, question: Numbers) -> Numbers:
        """Probabilities of the sections and, last, of none of them, from `numbers_of`."""
        shares = log_shares(self.ranking.weights(self.ranking.standard(sections)))
        return chosen_by(shares, float(answered_by(self.answerable, decided_by(shares, question)[None])[0]))


def numbers_of(
    alone: Reading, joined: Reading, before: Before, vector: Vectors, words: int, texts: Numbers, pages: Numbers
) -> tuple[Numbers, Numbers]:
    """The numbers of every section, shape (sections, n), and of the question.

    `joined` is the reading of the question before with this one, `texts` are the sections' vectors (sections, 384),
    `pages` the number of each one's page.
    """
    earlier, size = before.chosen[:-1], len(pages)
    best, quoted = int(earlier.argmax()), before.chosen[-1] < 0.5
    shown = (np.arange(size) == best) * float(quoted)
    same_page = (pages == pages[best]) * float(quoted)
    likeness, leaning = texts @ texts[best], float(vector @ before.vector)
    ours, theirs = alone.shares, joined.shares
    each = np.stack([ours, theirs, shown, np.log(earlier + _UNSEEN), same_page, likeness], axis=1)
    weighed_by = np.array([1.0, np.log1p(words), leaning, np.exp(ours.max()), alone.log_odds, joined.log_odds])
    question = np.array([
        alone.log_odds, joined.log_odds, log_odds(1 - float(before.chosen[-1])), float(quoted), np.log1p(words),
        leaning, np.exp(ours.max()), np.exp(theirs.max()), _lead(ours), _lead(theirs),
        float(ours.argmax() == theirs.argmax()), float(ours.argmax() == best), float(theirs.argmax() == best),
        ours[best], theirs[best],
    ])  # fmt: skip
    return (each[:, :, None] * weighed_by).reshape(size, -1), question


def log_shares(weights: Numbers) -> Numbers:
    """The logarithms of the shares of sections with these weights in the ranking."""
    above = weights - weights.max()
    return np.asarray(above - np.log(np.exp(above).sum()))


def chosen_by(shares: Numbers, answered: float) -> Numbers:
    """Probabilities of the sections and, last, of none of them, from the logarithms of their shares."""
    return np.append(np.exp(shares) * answered, 1 - answered)


def answered_by(fitted: Numbers, deciding: Numbers) -> Numbers:
    """How probably each of the questions is answered; `fitted` as `answerable`, `deciding` (questions, numbers)."""
    mean, spread, weights = fitted
    table = np.concatenate([deciding, np.ones((len(deciding), 1))], axis=1)
    return np.asarray(1 / (1 + np.exp(-((table - mean) / spread) @ weights)))


def decided_by(shares: Numbers, question: Numbers) -> Numbers:
    """What tells whether a question with these shares (logarithms) is answered."""
    return np.append(question, [np.exp(shares.max()), _lead(shares)])


def log_odds(probability: float) -> float:
    """The logarithm of the odds, within reason."""
    probability = min(max(probability, 1e-4), 1 - 1e-4)
    return float(np.log(probability / (1 - probability)))


def _lead(shares: Numbers) -> float:
    ordered = np.sort(shares)
    return float(ordered[-1] - ordered[-2]) if len(ordered) > 1 else 0.0
