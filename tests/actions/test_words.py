"""Pieces of sentences are the designers', and what is filled in stays what it is."""

from __future__ import annotations

from typing import Any

import pytest
from rasa.core.nlg.generator import ResponseVariationFilter

from actions.skill.texts import Pieces, for_customer

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


HINGLISH = [{"type": "slot", "name": "language", "value": "hinglish"}]
URGENT = [*HINGLISH, {"type": "slot", "name": "urgent", "value": True}]
SPOKEN: dict[str, Any] = {
    "responses": {
        "utter_parcel_piece_due": [
            {"condition": HINGLISH, "text": "{when} aayega"},
            {"condition": URGENT, "text": "{when} hi aayega"},
            {"text": "It arrives {when}"},
            {"text": "You get it {when}"},
        ],
        "utter_parcel_shipped": [{"text": "Shipped"}, {"condition": HINGLISH, "text": "Bheja"}],
    }
}
SLOTS: list[dict[str, Any]] = [
    {}, {"language": None}, {"language": "en"}, {"language": "hi"}, {"language": "hinglish"}, {"language": "Hinglish"},
    {"language": "hinglish", "urgent": True}, {"language": "hinglish", "urgent": False}, {"urgent": True},
]


@pytest.mark.parametrize("slots", SLOTS)
def test_pieces_are_chosen_as_rasa_chooses_responses(slots: dict[str, Any]) -> None:
    stock = ResponseVariationFilter(SPOKEN["responses"])
    expected = stock.responses_for_utter_action("utter_parcel_piece_due", "whatsapp", slots)
    assert for_customer(SPOKEN, slots)["responses"]["utter_parcel_piece_due"] == expected


def test_pieces_follow_the_customers_language() -> None:
    assert Pieces(for_customer(SPOKEN, {"language": "hinglish"}), "parcel").fill("due", when="kal") == "kal aayega"
    assert Pieces(for_customer(SPOKEN, {"language": "en"}), "parcel").fill("due", when="today") == "It arrives today"


def test_what_rasa_says_itself_is_left_to_rasa() -> None:
    whole = for_customer(SPOKEN, {"language": "hinglish"})["responses"]["utter_parcel_shipped"]
    assert whole == SPOKEN["responses"]["utter_parcel_shipped"]


def test_an_action_that_is_not_sent_the_domain_is_fine() -> None:
    assert for_customer({}, {"language": "hinglish"})["responses"] == {}
