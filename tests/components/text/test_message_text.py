"""One spelling for what people write in ten."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.text.message_text import folded, readable


@pytest.mark.parametrize(
    ("variants", "common"),
    [
        (["mera order kb ayega", "mra ordr kab aaega", "Mera ORDER kab aayega"], "mera order kab aayega"),
        (["ज़रूर हाँ आर्डर", "जरूर हां ऑर्डर"], "जरूर हां ऑर्डर"),
        (["हिन्दी सम्पर्क घण्टे", "हिंदी संपर्क घंटे"], "हिंदी संपर्क घंटे"),
        (["pls cancel", "plz cancle", "please cancel"], "please cancel"),
        (["helloooo", "hellooo"], "helloo"),
        (["order 10234", "order 55678"], "order ordernumber"),
        (["paid rs 500", "paid ₹1,299"], "paid moneytoken"),
    ],
)
def test_variants_of_a_message_fold_to_one_spelling(variants: list[str], common: str) -> None:
    assert {folded(variant) for variant in variants} == {common}


def test_handles_and_links_say_nothing_about_the_wish() -> None:
    assert readable("@marigold where is it https://example.com/x") == "where is it"


def test_emoji_speak() -> None:
    assert "angryemoji" in folded("where is my order 😡")


def test_the_guard_before_a_slash_is_invisible() -> None:
    assert folded("\u2060/greet") == "/greet"


@given(st.text(max_size=300))
def test_any_text_folds_to_lower_case_single_spaced_text(text: str) -> None:
    for form in (folded(text), readable(text)):
        assert form == " ".join(form.split())
        assert "@@" not in form or "@@" in text


@pytest.mark.parametrize(
    ("polite", "bare"),
    [
        ("Hi good morning, where is it", "where is it"),
        ("dear sir my order is late please help", "my order is late"),
        ("namaste ji mera order kaha hai sir", "mera order kaha hai"),
    ],
)
def test_courtesies_around_a_wish_are_left_out(polite: str, bare: str) -> None:
    assert folded(polite) == bare


@pytest.mark.parametrize("text", ["hi", "hello sir", "good morning", "refund please", "yes please", "hi hello"])
def test_courtesies_that_are_the_message_stay(text: str) -> None:
    assert folded(text) == text


@pytest.mark.slow
@pytest.mark.parametrize(("pattern", "number"), [(r"HX/\d{4}/\d{5}", "hx-2026-00412"), (r"\d{3}-\d{7}", "118-4410027")])
def test_a_message_reads_alike_in_every_shop_whatever_its_order_numbers_look_like(pattern: str, number: str) -> None:
    for said in ("where is {}?", "{} please", "cancel {} and refund me"):
        assert folded(said.format(number), pattern) == folded(said.format("10234"))
        assert readable(said.format(number), pattern) == readable(said.format("10234"))
