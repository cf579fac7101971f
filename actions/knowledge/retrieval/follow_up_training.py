"""Fitting how a question is read together with the one before (follow_up.py), from the shops' chats."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from actions.knowledge.retrieval.embedding import Vectors
from actions.knowledge.retrieval.experience import Numbers
from actions.knowledge.retrieval.follow_up import Before, FollowUp, Reading, decided_by, log_shares, numbers_of

PULL = 0.003  # towards 0, of the weights
WRONG_SECTION = 0.1  # weight of a question whose section the ranking missed: refusing it loses little
Decide = Callable[[Numbers, Numbers, Numbers], Numbers]  # table, label, weight -> the model whether it is answered


@dataclass(frozen=True)
class Turn:
    """A question of a chat; `right` is the share of each section, last of none. `first` begins the chat."""

    question: str
    right: Numbers
    first: bool

    def after(self, before: Turn | None) -> str:
        """The question behind the one before it."""
        return self.question if before is None else f"{before.question} {self.question}"


def read_chats(path: Path, keys: Sequence[str]) -> list[Turn]:
    """The turns of a shop's chats.tsv: `question, tab, page#heading|… or refuse`, an empty line between chats.

    Raises ValueError for a section that the pages do not have.
    """
    places = {key: place for place, key in enumerate(keys)}
    turns, first = [], True
    for line in path.read_text(encoding="utf-8").splitlines() if path.exists() else ():
        question, tab, answer = line.partition("\t")
        if tab and not line.startswith("#"):
            right = np.zeros(len(keys) + 1)
            for key in answer.strip().split("|"):
                if key not in places and key != "refuse":
                    raise ValueError(f"{path}: there is no section {key!r}.")
                right[places.get(key, -1)] = 1.0
            turns.append(Turn(question.strip(), right / right.sum(), first))
            first = False
        first = first or not line.strip()
    return turns


def follow_ups(turns: Sequence[Turn]) -> list[tuple[Turn, Turn | None]]:
    """Every turn with the one before it in its chat."""
    return [(turn, None if turn.first else turns[n - 1]) for n, turn in enumerate(turns)]


@dataclass(frozen=True)
class Played:
    """A later turn of a chat as numbers, and what is right."""

    sections: Numbers
    question: Numbers
    right: Numbers


def play(
    turns: Sequence[Turn], alone: Sequence[Reading], joined: Sequence[Reading], vectors: Vectors, texts: Numbers,
    pages: Numbers, model: FollowUp | None = None,
) -> list[tuple[Played | None, Numbers]]:  # fmt: skip
    """Each turn's numbers (None for a first one) and what was chosen, each chat in its order.

    Without a model what was chosen mixes both readings, as a beginning.
    """
    played: list[tuple[Played | None, Numbers]] = []
    for n, turn in enumerate(turns):
        if turn.first:
            played.append((None, alone[n].chosen))
            continue
        before = Before(vectors[n - 1], played[-1][1])
        seen = numbers_of(alone[n], joined[n], before, vectors[n], len(turn.question.split()), texts, pages)
        chosen = 0.7 * alone[n].chosen + 0.3 * joined[n].chosen if model is None else model.choose(*seen)
        played.append((Played(*seen, turn.right), chosen))
    return played


def fit(turns: Sequence[Played], decide: Decide) -> FollowUp:
    """Fit the ranking to the turns that are answered, then to all whether they are."""
    ranking = _ranking([turn for turn in turns if turn.right[-1] == 0])
    tables, labels, worth = [], [], []
    for turn in turns:
        shares, answered = log_shares(turn.sections @ ranking), turn.right[-1] == 0
        tables.append(decided_by(shares, turn.question))
        labels.append(answered)
        worth.append(WRONG_SECTION if answered and turn.right[shares.argmax()] == 0 else 1.0)
    return FollowUp(ranking, decide(np.array(tables), np.array(labels), np.array(worth)))


def _ranking(turns: Sequence[Played]) -> Numbers:
    """The weights of a conditional logit over the sections, any of the right ones counting in full."""
    from scipy.optimize import minimize  # not in the action server's image, which imports this module too

    spread = np.concatenate([turn.sections for turn in turns]).std(axis=0) + 1e-6

    def loss(weights: Numbers) -> tuple[float, Numbers]:
        total, slope = 0.0, np.zeros_like(weights)
        for turn in turns:
            scaled = turn.sections / spread
            shares = np.exp(log_shares(scaled @ weights))
            inside = shares * (turn.right[:-1] > 0)
            total -= float(np.log(inside.sum() + 1e-12))
            slope += (shares - inside / (inside.sum() + 1e-12)) @ scaled
        return total / len(turns) + PULL * float((weights**2).sum()), slope / len(turns) + 2 * PULL * weights

    start = np.zeros(turns[0].sections.shape[-1])
    return np.asarray(minimize(loss, start, jac=True, method="L-BFGS-B", options={"maxiter": 150}).x / spread)
