"""N-grams as rows: lengths that say how much of a message is known."""

from __future__ import annotations

import numpy as np
import pytest

from components.text.ngrams import Ngrams

PHRASES = ["where is my order", "where is my refund", "cancel my order", "my order is late"]


@pytest.fixture(scope="module")
def ngrams() -> Ngrams:
    return Ngrams.fit(PHRASES)[0]


def _length(ngrams: Ngrams, text: str) -> float:
    return float(np.linalg.norm(ngrams.row(text).values))


def test_no_row_is_longer_than_one(ngrams: Ngrams) -> None:
    for text in [*PHRASES, "order order order", "where is my umbrella", "", "qwx"]:
        assert _length(ngrams, text) <= 1 + 1e-6


def test_strange_words_shorten_a_row(ngrams: Ngrams) -> None:
    assert _length(ngrams, "my order") > _length(ngrams, "my order flibber") > _length(ngrams, "wok order flibber jab")


def test_a_message_of_which_nothing_is_known_is_an_empty_row(ngrams: Ngrams) -> None:
    assert len(ngrams.row("ждх жщ").columns) == 0


def test_texts_that_are_learnt_from_have_the_rows_of_any_other() -> None:
    ngrams, rows = Ngrams.fit([*PHRASES, "", "order order order"])
    for line, text in zip(rows.toarray(), [*PHRASES, "", "order order order"], strict=True):
        row = ngrams.row(text)
        assert line[row.columns] == pytest.approx(row.values)
        assert np.count_nonzero(line) == len(row.columns)


def test_a_text_that_counts_twice_is_learnt_from_as_if_it_stood_there_twice() -> None:
    once, _ = Ngrams.fit(PHRASES, np.array([1, 2, 1, 1]))
    twice, _ = Ngrams.fit([*PHRASES, PHRASES[1]])
    assert once.vocabulary == twice.vocabulary
    assert once.rarity == pytest.approx(twice.rarity)
