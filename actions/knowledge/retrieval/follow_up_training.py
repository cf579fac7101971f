"""Fitting how a question is read together with the one before (follow_up.py), from the shops' chats."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from actions.knowledge.retrieval import ranking as rankings
from actions.knowledge.retrieval.embedding import Vectors
from actions.knowledge.retrieval.experience import Numbers
from actions.knowledge.retrieval.follow_up import Before, FollowUp, Reading, decided_by, log_shares, numbers_of

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
    sizes: dict[int, list[Played]] = {}
    for turn in turns:
        sizes.setdefault(len(turn.sections), []).append(turn)
    ranking = rankings.fit(
        [(np.stack([one.sections for one in of]), np.stack([one.right for one in of])) for of in sizes.values()]
    )
    tables, labels, worth = [], [], []
    for turn in turns:
        shares, answered = log_shares(ranking.weights(ranking.standard(turn.sections))), turn.right[-1] == 0
        tables.append(decided_by(shares, turn.question))
        labels.append(answered)
        worth.append(WRONG_SECTION if answered and turn.right[shares.argmax()] == 0 else 1.0)
    return FollowUp(ranking, decide(np.array(tables), np.array(labels), np.array(worth)))
