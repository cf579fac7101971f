"""Texts are formatted as WhatsApp shows them and cut where a reader would cut them."""

from __future__ import annotations

import re

import pytest
import regex
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.whatsapp.rendering.bodies import texts
from connectors.whatsapp.rendering.text import close_code, shorten, split_text, to_whatsapp, unique_titles
from tests.costs import is_within
from tests.examples import examples


@pytest.mark.parametrize(
    ("markdown", "shown"),
    [
        ("**bold** and __bold__", "*bold* and *bold*"),
        ("*bold* _italic_ ~gone~ stays", "*bold* _italic_ ~gone~ stays"),
        ("***both***", "*_both_*"),
        ("~~gone~~", "~gone~"),
        ("## Returns\ntext", "*Returns*\ntext"),
        ("# **Returns**", "*Returns*"),
        ("#10234 is on its way", "#10234 is on its way"),
        ("- one\n* two\n1. three", "- one\n* two\n1. three"),
        ("[the page](https://x.example/a_b__c__d)", "the page: https://x.example/a_b__c__d"),
        ("[https://x.example](https://x.example)", "https://x.example"),
        ("![Label](https://x.example/l.png)", "Label: https://x.example/l.png"),
        ("[call us](tel:+918000000000)", "call us: +918000000000"),
        ("`**kept**` ```\n# kept\n```", "`**kept**` ```\n# kept\n```"),
        ("2 ** 3 ** 4 and snake__case__name", "2 ** 3 ** 4 and snake__case__name"),
        ("₹1,299 [sic] (really)", "₹1,299 [sic] (really)"),
    ],
)
def test_markdown_becomes_whatsapps_notation(markdown: str, shown: str) -> None:
    assert to_whatsapp(markdown) == shown


@settings(deadline=None)
@given(st.text(alphabet="*_~`#[]() \nab", max_size=60))
def test_formatting_loses_no_words(text: str) -> None:
    assert re.sub(r"[^ab]", "", to_whatsapp(text)) == re.sub(r"[^ab]", "", text)


REPEATED = ["[", "![a](", "# ", "**", "*a**", "__", "~~a", "`", "```", "https://", " ", "👍"]
REPEATED += ["[a](https://x ", "[a](https://x"]


@pytest.mark.parametrize("piece", REPEATED)
def test_formatting_takes_little_time_whatever_a_text_repeats(piece: str) -> None:
    text = "# " + piece * (30_000 // len(piece)) + "x" * 400  # longer than a heading may be
    assert is_within(1500, lambda: split_text(to_whatsapp(text), 4096))


PIECES = ["a", "b", "word", ".", "! ", "? ", "\n", "\n\n", " ", " ", ", ", "। ", "é", "👍🏽", "👨‍👩‍👧", "क्षि"]
WORDS = st.lists(st.sampled_from(PIECES), max_size=150).map("".join)
LINKS = st.integers(1, 60).map(lambda length: " https://x.example/" + "p" * length + " ")
PROSE = st.lists(WORDS | LINKS, max_size=6).map("".join)


@settings(max_examples=examples(200), deadline=None)
@given(PROSE, st.integers(20, 200))
def test_parts_fit_are_not_blank_and_lose_only_blanks(text: str, limit: int) -> None:
    parts = split_text(text, limit)
    assert all(part.strip() and len(part) <= limit for part in parts)
    assert re.sub(r"\s", "", "".join(parts)) == re.sub(r"\s", "", text)
    assert len(parts) <= 1 + 3 * len(text) // limit + len(re.findall("http", text))


@settings(max_examples=examples(100), deadline=None)
@given(PROSE, st.integers(100, 200))
def test_no_address_and_no_combined_character_is_cut(text: str, limit: int) -> None:
    parts = split_text(text, limit)
    whole = [address for address in re.findall(r"https?://\S+", text) if len(address) <= limit]
    kept = [address for part in parts for address in re.findall(r"https?://\S+", part)]
    assert [address for address in whole if address not in kept] == []
    clusters = [cluster for cluster in regex.findall(r"\X", text) if not cluster.isspace()]
    assert [c for part in parts for c in regex.findall(r"\X", part) if not c.isspace()] == clusters


def test_a_text_is_cut_after_a_paragraph_before_a_sentence_before_a_word() -> None:
    assert split_text("First one. Second one.\n\nThird one.", 30) == ["First one. Second one.", "Third one."]
    assert split_text("First sentence here. Second one there.", 30) == ["First sentence here.", "Second one there."]
    assert split_text("one two three four five six seven", 20) == ["one two three four", "five six seven"]
    assert split_text('She said "no." Then she left again.', 25) == ['She said "no."', "Then she left again."]


def test_4096_characters_are_one_message_and_one_more_makes_two() -> None:
    assert len(split_text("x" * 4096, 4096)) == 1
    assert [len(part) for part in split_text("x" * 4097, 4096)] == [4096, 1]
    assert split_text(" \n ", 10) == []


@given(st.text(max_size=60), st.integers(5, 30))
def test_shortened_words_fit_on_one_line(text: str, limit: int) -> None:
    short = shorten(text, limit)
    assert len(short) <= limit
    assert "\n" not in short
    assert len(" ".join(text.split())) > limit or short == " ".join(text.split())


def test_shortening_never_cuts_a_combined_character() -> None:
    assert shorten("Family 👨‍👩‍👧 album", 9) == "Family…"


@given(st.lists(st.text(alphabet="aAb ", min_size=1, max_size=30).filter(str.strip), max_size=10))
def test_titles_become_different_within_the_limit(titles: list[str]) -> None:
    unique = unique_titles(titles, 20)
    assert len({title.casefold() for title in unique}) == len(titles)
    assert all(0 < len(title) <= 20 for title in unique)


def test_code_that_is_cut_is_code_in_every_part():
    code = "\n".join(f"line {number}" for number in range(1000))
    parts = [shaped.text for shaped in texts(f"See:\n\n```{code}```\n\nand *that*")]
    assert len(parts) > 2
    assert all(part.count("```") == 2 for part in parts)
    assert all(len(part) <= 4096 for part in parts)
    assert re.findall(r"line \d+", " ".join(parts)) == code.split("\n")
    assert list(close_code(["one ``` two", "three"])) == ["one ``` two", "three"]  # no code: nothing closes it
