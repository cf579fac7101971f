"""A customer's message becomes a phrase of the project: useful for training, and nobody is in it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from privacy.redaction import redact
from workbench.review.training_phrase import as_training_phrase

WORDS = (
    "order 45678 #45678 98765 43210 ravi@shop.in [phone] [address] my name is Ravi Kumar mera naam hai @ravi where - / "
    "awb 4987654321098 aadhaar 2345 6789 0124 https://t.co/x?u=1 [a](b) call me on pin 560001 ₹1,299 12/03/2024"
)


@pytest.mark.parametrize(
    ("written", "phrase"),
    [
        ("where is my order 45678, call me on 98765 43210", "where is my order 10234, call me"),
        ("order no 45 678 and 45679 not here", "order no 10 234 and 10235 not here"),
        ("it is #45678, 45678!", "it is #10234, 10234!"),
        ("my order number is four five six seven eight", "my order number is 10234"),
        ("my name is ravi kumar and my order is late", "my name is Asha and my order is late"),
        ("mera naam Ravi hai", "mera naam Asha hai"),
        ("aapka naam kya hai", "aapka naam kya hai"),
        ("Where is it?\nRegards, Ravi Kumar", "Where is it? Regards, Asha"),
        ("awb 4987654321098 is not moving", "awb 1234567890123 is not moving"),
        ("paid 1,299 on 12/03/2024", "paid 1,299 on 12/03/2024"),
        ("/restart", "restart"),
        ("- see [this](order_number)", "see this(order_number)"),
        ("[phone]", ""),
    ],
)
def test_a_message_becomes_a_phrase_without_its_writer(written: str, phrase: str) -> None:
    assert as_training_phrase(redact(written)) == phrase


@pytest.mark.slow
def test_the_shops_own_form_of_order_numbers_is_kept() -> None:
    assert as_training_phrase("order 7654321 is late", r"\d{7}") == "order 1023456 is late"


@given(st.lists(st.sampled_from([*WORDS.split(), "\u2028"]), max_size=12).map(" ".join))
def test_whatever_is_written_a_phrase_is_one_line_without_personal_data_and_stays_as_it_is(written: str) -> None:
    phrase = as_training_phrase(written)
    assert redact(phrase) == phrase
    assert phrase.splitlines() in ([phrase], [])
    assert as_training_phrase(phrase) == phrase
    assert "](" not in phrase


@given(st.text(max_size=200))
def test_any_text_becomes_one_line_or_nothing(written: str) -> None:
    phrase = as_training_phrase(written)
    assert phrase.splitlines() in ([phrase], [])
    assert phrase == phrase.strip()
