"""How customers' words are read before the search."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actions.knowledge.documents import Lexicon
from actions.knowledge.wording import MAX_QUESTION_CHARS, Wording, edit_distance

LEXICON = Lexicon(
    {"wapas": "return", "kitne din": "how many days", "me": "in", "paisa": "money", "kab": "when", "bhai": "",
     "to": "then"},
    {"swap": "exchange", "send it back": "return it"},
    frozenset({"kurta", "lamp"}),
)
CORPUS = ["return the received parcel to us for a refund"] * 2 + ["the window for an exchange is size"] * 2
WORDING = Wording(LEXICON, CORPUS)


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("kitne din me wapas", "how many days in return"),
        ("bhai paisa kab", "money when"),
        ("retrun windw", "return window"),
        ("I recieved the parcl", "i received the parcel"),
        ("return the KURTA to me", "return the item to me"),
        ("pls exchnage", "please exchange"),
        ("refunddddd", "refund"),
        ("can I swap it or send it back", "can i exchange it or return it"),
        ("\u2060return\u200b the\u0000 lamp", "return the item"),
    ],
)
def test_words_are_glossed_mended_and_made_general(written: str, read: str) -> None:
    assert WORDING.readable(WORDING.clean(written)) == read


@pytest.mark.parametrize("word", ["window", "note", "nose", "best", "rental"])
def test_a_correct_word_is_not_mended(word: str) -> None:
    assert WORDING.readable(word) == word


def test_english_me_and_to_are_not_taken_for_hindi() -> None:
    assert WORDING.readable("send it to me") == "send it to me"


def test_another_script_is_left_alone() -> None:
    assert WORDING.readable("वापस करना है") == "वापस करना है"


@given(st.text(max_size=3000))
def test_any_text_can_be_read(text: str) -> None:
    cleaned = WORDING.clean(text)
    assert len(cleaned) <= MAX_QUESTION_CHARS
    assert WORDING.clean(cleaned) == cleaned
    assert isinstance(WORDING.readable(cleaned), str)


@given(st.text("abcdet", max_size=8), st.text("abcdet", max_size=8))
def test_distance_is_symmetric_and_zero_only_for_the_same_word(left: str, right: str) -> None:
    assert edit_distance(left, right, 20) == edit_distance(right, left, 20)
    assert (edit_distance(left, right, 20) == 0) == (left == right)
