"""The shipped embeddings spare the first training nearly all of its time, and are what the model would say."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from components.embeddings import shipped_embeddings
from components.embeddings.sentence_embeddings import DIMENSION, SentenceEmbeddings
from components.embeddings.ship import phrases
from components.text.message_text import readable


@pytest.fixture(scope="module")
def texts() -> list[str]:
    """What the model is given of the training phrases."""
    return sorted({readable(phrase) for phrase in phrases()})


@pytest.mark.slow
def test_nearly_every_phrase_is_shipped(texts: list[str]) -> None:
    keys = set(SentenceEmbeddings().keys(texts))
    missing = len(keys - shipped_embeddings.read().keys())
    assert missing <= 0.1 * len(keys), "Remedy: python -m components.embeddings.ship"


@pytest.mark.slow
def test_a_shipped_vector_is_nearly_the_models(texts: list[str]) -> None:
    some = texts[::400]
    embeddings = SentenceEmbeddings(shipped=None)
    shipped = shipped_embeddings.read()
    for key, vector in zip(embeddings.keys(some), embeddings.many(some), strict=True):
        if key in shipped:
            assert float(vector @ shipped[key].astype(np.float32)) > np.cos(np.radians(2))


def test_what_is_shipped_is_not_computed_and_the_rest_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "shipped.npz"
    embeddings = SentenceEmbeddings(tmp_path / "cache.npz", shipped=file)
    vector = np.full(DIMENSION, DIMENSION**-0.5, np.float32)
    shipped_embeddings.write({embeddings.keys(["kab aayega"])[0]: vector}, file)
    computed: list[str] = []
    monkeypatch.setattr(embeddings, "_in_batches", lambda texts: computed.extend(texts) or np.array([vector]))
    many = embeddings.many(["kab aayega", "where is it"])
    assert computed == ["where is it"]
    assert many == pytest.approx(np.array([vector, vector]), abs=1e-3)


def test_phrases_shipped_since_are_not_computed_beside_an_older_cache(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "shipped.npz"
    embeddings = SentenceEmbeddings(tmp_path / "cache.npz", shipped=file)
    vector = np.full(DIMENSION, DIMENSION**-0.5, np.float32)
    monkeypatch.setattr(embeddings, "_in_batches", lambda texts: np.array([vector] * len(texts)))
    embeddings.many(["where is it"])
    shipped_embeddings.write({embeddings.keys(["kab aayega"])[0]: vector}, file)
    monkeypatch.setattr(embeddings, "_in_batches", lambda _: pytest.fail("computed"))
    assert embeddings.many(["kab aayega", "where is it"]).shape == (2, DIMENSION)
