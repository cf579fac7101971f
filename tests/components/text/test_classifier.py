"""The intent model on a toy shop: learns, calibrates, asks for embeddings only when unsure, survives saving."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from components.text.classifier import Classifier, ClassifierOptions, Example
from components.text.message_text import folded

ORDERS = [
    "where is my order",
    "order kaha hai",
    "track my parcel",
    "when will my order arrive",
    "order status",
    "parcel not received",
]
REFUNDS = [
    "refund my money",
    "i want my money back",
    "give me a refund",
    "paise wapas karo",
    "refund now",
    "return my money",
]
OTHER = ["what is the weather", "tell me a joke", "who won the match", "sing a song", "book a flight", "is it raining"]


def labelled(texts: list[str], labels: list[str]) -> list[Example]:
    return [Example(text, label) for text, label in zip(texts, labels, strict=True)]


class CountingEmbedder:
    """Embeds a text as the mean of one random direction a word, and counts single calls."""

    def __init__(self) -> None:
        self.calls = 0

    def one(self, text: str) -> np.ndarray:
        self.calls += 1
        return self._vector(text)

    def many(self, texts: Sequence[str]) -> np.ndarray:
        return np.array([self._vector(text) for text in texts])

    def is_word(self, word: str) -> bool:
        return word in ("weather", "banana")

    def _vector(self, text: str) -> np.ndarray:
        seeds = [sum(map(ord, word)) for word in text.split()] or [0]
        return np.mean([np.random.default_rng(seed).normal(size=16) for seed in seeds], axis=0)


@pytest.fixture(scope="module")
def model() -> Classifier:
    texts = ORDERS + REFUNDS + OTHER
    labels = ["check_order_status"] * 6 + ["request_refund"] * 6 + ["out_of_scope"] * 6
    return Classifier.fit(labelled(texts, labels), CountingEmbedder(), ClassifierOptions())


def test_phrases_like_the_training_phrases_get_their_label(model: Classifier) -> None:
    assert model.predict("where is my parcel", CountingEmbedder()).label == "check_order_status"
    assert model.predict("refund my money please", CountingEmbedder()).label == "request_refund"


def test_confidences_are_a_distribution_in_falling_order(model: Classifier) -> None:
    ranking = model.predict("sing about my refund", CountingEmbedder()).ranking
    confidences = [confidence for _, confidence in ranking]
    assert sum(confidences) == pytest.approx(1.0, abs=1e-5)
    assert confidences == sorted(confidences, reverse=True)
    assert {name for name, _ in ranking} == {"check_order_status", "request_refund", "out_of_scope"}


def test_the_embedding_is_read_only_when_the_ngrams_are_unsure(model: Classifier) -> None:
    unsure = CountingEmbedder()
    assert model.predict("zzz qqq", unsure).embedded
    assert unsure.calls == 1


def test_invented_words_are_not_taken_for_anything_with_confidence(model: Classifier) -> None:
    assert (
        model.predict_fast("flibber orjab wefund").confidence
        < model.predict_fast("where is my refund").confidence - 0.1
    )


@pytest.mark.parametrize("text", ["", " ", "\u2060", "😀" * 500, "a" * 65000, "\x00", "مرحبا"])
def test_any_text_gets_an_answer(model: Classifier, text: str) -> None:
    assert model.predict(text, CountingEmbedder()).label in model.labels


def test_a_saved_model_answers_as_before(model: Classifier, tmp_path: Path) -> None:
    model.save(tmp_path / "model.npz")
    again = Classifier.load(tmp_path / "model.npz")
    assert again.folds == tuple(folded(text) for _, text in model.examples)
    for text in ("where is my order", "money back", "weather"):
        assert again.predict(text, CountingEmbedder()) == model.predict(text, CountingEmbedder())


@pytest.mark.slow
def test_another_shops_order_numbers_mean_what_those_of_the_examples_mean(tmp_path: Path) -> None:
    texts = [*ORDERS, "where is 10234", "10240 status", "track 10256 please", *OTHER]
    labels = ["check_order_status"] * 9 + ["out_of_scope"] * 6
    Classifier.fit(labelled(texts, labels), CountingEmbedder(), ClassifierOptions()).save(tmp_path / "model.npz")
    ours, theirs = (Classifier.load(tmp_path / "model.npz", pattern) for pattern in (r"\d{5}", r"WC-\d{4,5}"))
    assert theirs.predict_fast("wc-20455") == ours.predict_fast("20455")
    assert theirs.predict_fast("wc-20455") != ours.predict_fast("wc-20455")


def test_training_twice_gives_the_same_model() -> None:
    texts, labels = ORDERS + OTHER, ["check_order_status"] * 6 + ["out_of_scope"] * 6
    first, second = (Classifier.fit(labelled(texts, labels), CountingEmbedder(), ClassifierOptions()) for _ in range(2))
    assert first.predict("order?", CountingEmbedder()) == second.predict("order?", CountingEmbedder())
