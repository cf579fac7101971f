"""Numbers that are spelt in words, with letters and signs, as a voice note or a telephone has them."""

from __future__ import annotations

import pytest

from components.order_numbers.dictation import codes
from components.order_numbers.finding import read_numbers
from components.order_numbers.shape import Shape


@pytest.mark.parametrize(("number", "text", "said"), [
    ("MH.4071/K", "{}, has it left you yet", "m h dot four oh seven one slash k"),
    ("4K82-D17X", "is it a {}", "four k eight two dash d one seven x"),
    ("4K82-D17X", "{} any news", "4k82 dash d17x"), ("4K82-D17X", "where is {}", "four k eight two d one seven x"),
    ("QB-84K-20617", "my order is {}", "q b dash eight four k dash two oh six one seven"),
    ("KC2611-0377", "{} kab aayega", "k c two six double one dash oh three double seven"),
    ("PD.93417-6", "{} chegou?", "p d ponto nove três quatro um sete traço seis"),
    ("TR/2026-18", "y el {}, ¿cuándo?", "T R barra dos cero dos seis guión uno ocho"),
    ("7041-338296-15", "hi {} status", "seven oh four one dash three three eight two nine six dash one five"),
])  # fmt: skip
def test_a_number_spelt_in_words_letters_and_signs_is_that_number(number: str, text: str, said: str) -> None:
    whole = text.format(said)
    found = read_numbers(whole, Shape.learnt([number]).pattern)
    assert [(one.kind, one.value, whole[one.start : one.end]) for one in found] == [("order_number", number, said)]


@pytest.mark.parametrize("text", [
    "i have one and want two more dot com", "a plan b, four k tv and d one", "one or two of them", "dash it", "k d j",
    "double", "four k eight two dash d one seven y five", "my code is four k eight two",
])  # fmt: skip
def test_words_and_letters_that_spell_no_whole_number_name_no_order(text: str) -> None:
    found = read_numbers(text, Shape.learnt(["4K82-D17X"]).pattern)
    assert not [one for one in found if one.kind == "order_number"]


@pytest.mark.parametrize("text", ["a b " * 1024, "one a " * 680, "a " * 1000 + "one", "dash " * 800])
def test_a_long_row_of_words_is_read_once_for_each_number_that_may_begin_there(text: str) -> None:
    assert read_numbers(text, Shape.learnt(["4K82-D17X"]).pattern) == ()
    assert sum(1 for _ in codes(text)) <= 10
