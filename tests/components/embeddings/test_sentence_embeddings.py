"""Sentence embeddings of the bundled model: the same alone or in batches, and computed once."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from components.embeddings.sentence_embeddings import SentenceEmbeddings

TEXTS = [f"where is my order number {number}" for number in range(40)] + ["refund kab aayega", "नमस्ते", ""]


@pytest.mark.slow
def test_a_text_has_the_same_vector_alone_and_among_many() -> None:
    embeddings = SentenceEmbeddings(shipped=None)
    many = embeddings.many(TEXTS)
    assert many.shape == (len(TEXTS), 384)
    for at in (0, 31, 32, 39, 40, 41, 42):
        assert embeddings.one(TEXTS[at]) == pytest.approx(many[at], abs=2e-3)


def test_vectors_once_computed_come_from_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "vectors.npz"
    first = SentenceEmbeddings(file, shipped=None).many(TEXTS[:3])
    again = SentenceEmbeddings(file)
    monkeypatch.setattr(again, "_engine", lambda: pytest.fail("computed again"))
    assert np.array_equal(again.many(TEXTS[:3]), first)


def test_what_one_user_of_the_model_embedded_the_next_does_not_compute(monkeypatch: pytest.MonkeyPatch) -> None:
    vector = SentenceEmbeddings().one("has it left the warehouse")
    other = SentenceEmbeddings()
    monkeypatch.setattr(other, "_engine", lambda: pytest.fail("computed again"))
    assert np.array_equal(other.one("has it left the warehouse"), vector)


def test_who_asks_the_same_of_another_order_is_not_embedded_again(monkeypatch: pytest.MonkeyPatch) -> None:
    embeddings = SentenceEmbeddings()
    vector = embeddings.one("has 10234 left the warehouse")
    monkeypatch.setattr(embeddings, "_engine", lambda: pytest.fail("computed again"))
    assert np.array_equal(embeddings.one("has 98765 left the warehouse"), vector)
