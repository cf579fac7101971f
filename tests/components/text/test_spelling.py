"""Typos are corrected, other words are not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.text.spelling import Speller

FREQUENT = {"order": 300, "refund": 90, "cancel": 80, "delivery": 70, "return": 60, "parcel": 50}


@pytest.fixture
def speller() -> Speller:
    known = {*FREQUENT, "where"}
    return Speller(known, FREQUENT, is_word=lambda word: word in {"cancer", "refuel"})


@pytest.mark.parametrize(
    ("slip", "meant"),
    [("delivrey", "delivery"), ("refnud", "refund"), ("paercel", "parcel"), ("retirn", "return"), ("ordeer", "order")],
)
def test_one_slip_from_a_frequent_word_is_mended(speller: Speller, slip: str, meant: str) -> None:
    assert speller.correct(f"where {slip}, please") == f"where {meant}, please"


@pytest.mark.parametrize("text", ["cancer treatment", "refuel my car", "odr", "where", "xxrefundxx", "मेरा order"])
def test_real_short_and_distant_words_stay(speller: Speller, text: str) -> None:
    assert speller.correct(text) == text


@given(st.text(max_size=100))
def test_any_text_can_be_mended(text: str) -> None:
    Speller(FREQUENT, FREQUENT, is_word=lambda word: False).correct(text)
