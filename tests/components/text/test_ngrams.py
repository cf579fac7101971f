"""N-grams as rows: lengths that say how much of a message is known."""

from __future__ import annotations

import numpy as np
import pytest

from components.text.ngrams import Ngrams

PHRASES = ["where is my order", "where is my refund", "cancel my order", "my order is late"]


@pytest.fixture(scope="module")
def ngrams() -> Ngrams:
    return Ngrams.fit(PHRASES)


def _length(ngrams: Ngrams, text: str) -> float:
    return float(np.linalg.norm(ngrams.row(text).values))


def test_no_row_is_longer_than_one(ngrams: Ngrams) -> None:
    for text in [*PHRASES, "order order order", "where is my umbrella", "", "qwx"]:
        assert _length(ngrams, text) <= 1 + 1e-6


def test_strange_words_shorten_a_row(ngrams: Ngrams) -> None:
    assert _length(ngrams, "my order") > _length(ngrams, "my order flibber") > _length(ngrams, "wok order flibber jab")


def test_a_message_of_which_nothing_is_known_is_an_empty_row(ngrams: Ngrams) -> None:
    assert len(ngrams.row("ждх жщ").columns) == 0


def test_rows_of_a_matrix_are_the_rows_of_its_texts(ngrams: Ngrams) -> None:
    dense = ngrams.matrix(PHRASES).toarray()
    for line, text in zip(dense, PHRASES, strict=True):
        row = ngrams.row(text)
        assert line[row.columns] == pytest.approx(row.values)
        assert np.count_nonzero(line) == len(row.columns)
