"""Pieces of sentences are the designers', and what is filled in stays what it is."""

from __future__ import annotations

import pytest

from actions.words import Pieces

DOMAIN = {"responses": {"utter_parcel_piece_due": [{"text": "It arrives {when} with {carrier}."}]}}


def test_a_piece_is_filled_with_facts() -> None:
    assert Pieces(DOMAIN, "parcel").fill("due", when="today", carrier="Ekart") == "It arrives today with Ekart."


def test_a_fact_that_looks_like_a_placeholder_is_not_filled_again() -> None:
    filled = Pieces(DOMAIN, "parcel").fill("due", when="{carrier}", carrier="{0[x]}")
    assert filled == "It arrives {carrier} with {0[x]}."


def test_a_missing_fact_or_piece_is_an_error_and_not_half_a_sentence() -> None:
    with pytest.raises(KeyError):
        Pieces(DOMAIN, "parcel").fill("due", when="today")
    with pytest.raises(KeyError):
        Pieces(DOMAIN, "parcel").fill("late")
