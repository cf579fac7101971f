"""Fitting the likeness: on a handful of messages with made-up meanings, and that the shipped fit is of today's."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from components.escalation_fitting import INNOCENT, Example, digest, estimate, fit, labelled, own_examples
from components.escalation_likeness import LABELS, Likeness, LikenessWeights

SAID = {
    "innocent": ("where is parcel {}", "thank you for lamp {}", "what is the price of kurta {}", "policy for towel {}"),
    "complaint": ("you thieves stole lamp {}", "fraud with kurta {}"),
    "refund_request": ("refund my towel {}", "return my money for parcel {}"),
    "human_requested": ("let a person call about lamp {}", "talk to an agent about towel {}"),
    "frustration": ("kurta {} is torn again, pathetic", "late again, fed up with parcel {}"),
}
COLOURS = ("red", "blue", "green", "grey", "pink", "brown")
HANDFUL = [Example(t.format(c), label, True) for label, said in SAID.items() for t in said for c in COLOURS]


class MadeUpMeaning:
    """A direction of its own for each text."""

    def one(self, text: str) -> np.ndarray:
        seed = int.from_bytes(hashlib.sha256(text.encode()).digest()[:4], "big")
        vector = np.random.default_rng(seed).normal(size=16).astype(np.float32)
        return vector / np.linalg.norm(vector)

    def many(self, texts: Sequence[str]) -> np.ndarray:
        return np.array([self.one(text) for text in texts])


@pytest.fixture(scope="module")
def fitted() -> tuple[LikenessWeights, np.ndarray]:
    return fit(HANDFUL, MadeUpMeaning())


def test_fit_tells_new_messages_by_their_words(fitted: tuple[LikenessWeights, np.ndarray], tmp_path: Path) -> None:
    fitted[0].save(tmp_path / "likeness.npz")
    likeness = Likeness(LikenessWeights.load(tmp_path / "likeness.npz"), MadeUpMeaning())
    for label, said in SAID.items():
        for opinion in (likeness.glance(said[0].format("white")), likeness.read(said[1].format("white"))):
            assert max(LABELS, key=lambda each: opinion.probabilities[each]) == label
            assert sum(opinion.probabilities.values()) == pytest.approx(1)


def test_strange_words_speak_less_clearly(fitted: tuple[LikenessWeights, np.ndarray]) -> None:
    likeness = Likeness(fitted[0], None)
    known = likeness.glance("you thieves stole lamp red").innocent
    assert known < likeness.glance("you thieves stole quixotic zephyr bumblebees").innocent


def test_estimate_is_of_messages_left_out(fitted: tuple[LikenessWeights, np.ndarray]) -> None:
    assert fitted[1].shape == (len(HANDFUL), len(LABELS))
    assert estimate(HANDFUL, fitted[1]).startswith("left out, without phrases: precision")


def test_shipped_likeness_was_fitted_on_the_messages_as_they_are() -> None:
    """Remedy when this fails: .venv/bin/python -m components.escalation_fitting."""
    assert LikenessWeights.load().digest == digest(own_examples())


def test_labelled_messages_have_known_labels_and_stand_once() -> None:
    found = list(labelled())
    assert {label for label, _ in found} <= {*INNOCENT, *LABELS[1:]}
    assert len({text for _, text in found}) == len(found)
