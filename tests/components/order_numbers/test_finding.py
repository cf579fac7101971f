"""Order numbers among the many other digits of a chat."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from components.order_numbers.finding import find_order_numbers, read_numbers
from components.order_numbers.meaning import ExamplesError, read_examples
from components.text.message_text import folded
from tests.components.order_numbers.found import values
from tests.costs import is_within

pytestmark = pytest.mark.usefixtures("shapes_learnt_once")

numbers = st.integers(min_value=10000, max_value=99999).map(str)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("10234", ["10234"]),
        ("#10234", ["10234"]),
        ("order number is 10 234", ["10234"]),
        ("order 1 0 2 3 4", ["10234"]),
        ("order no 102-34", ["10234"]),
        ("order number 10,234", ["10234"]),
        ("ord10234", ["10234"]),
        ("ORD-10234", ["10234"]),
        ("order_10234", ["10234"]),
        ("order no. 10234", ["10234"]),
        ("mera order number hai 10234", ["10234"]),
        ("10234ka status", ["10234"]),
        ("order no १०२३४", ["10234"]),
        ("ऑर्डर १०२३४ कहाँ है", ["10234"]),
        ("10234का स्टेटस", ["10234"]),
        ("मेरा ऑर्डर 10234, 10241 और १०२४८", ["10234", "10241", "10248"]),
        ("नंबर है एक शून्य दो डबल तीन", ["10233"]),
        ("10234 रुपये कट गए", []),
        ("order number is one zero two double three", ["10233"]),
        ("10234,10235", ["10234", "10235"]),
        ("orders 10234 10235 and #10236", ["10234", "10235", "10236"]),
        ("10234 and again 10234", ["10234"]),
        ("where is this\n10234", ["10234"]),
        ("yes\n10235\n10234", ["10235", "10234"]),
        ("order 10234, call 98765 43210", ["10234"]),
        ("order 10234 of Rs 12999 placed on 12/03/2024, pin 560001", ["10234"]),
        ("i want to know about 10234", ["10234"]),
        ("maine 10234 order kiya tha", ["10234"]),  # no day of a month
        ("my neighbour ordered 10234, where is it", ["10234"]),
        ("mi hermano pidió 10234, dónde está", ["10234"]),
        ("ordered on march 15, 2026", []),
        ("10234 ka bill bhej do", ["10234"]),
        ("10234 ki raseed mail kar do", ["10234"]),
        ("invoice 10234", ["10234"]),
        ("challan 10234 bhejo", ["10234"]),
        ("packing slip of 10234", ["10234"]),
        ("proof of purchase of 10234", ["10234"]),
        ("send the warranty card of 10234", ["10234"]),
    ],
)
def test_order_numbers_are_found_however_they_are_written(text: str, expected: list[str]) -> None:
    assert values(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "98765 43210",
        "+91 98765 43210",
        "call 080-12345678",
        "Rs 12999",
        "₹12,999",
        "12500 rupees",
        "12999/-",
        "i paid 12999",
        "my budget is 15000",
        "pincode 56001",
        "560001",
        "awb 12345",
        "tracking id 12345 67890",
        "card ending 12345",
        "otp is 45678",
        "12/03/2024",
        "5 march 2024",
        "10:30 am",
        "25000 pieces",
        "house no 12345",
        "ordered for 15000",
        "12999 me liya tha",
        "102345",
        "1023",
        "12345.67",
        "10234567890",
        "model 12345",
    ],
)
def test_look_alikes_are_not_order_numbers(text: str) -> None:
    assert values(text) == []


SENTENCES = ["order {}", "my order no. is {}", "#{} please", "where is {}?", "{} kab aayega", "ord{}"]


@given(numbers, st.sampled_from(SENTENCES))
def test_every_number_is_found_in_plain_sentences(number: str, sentence: str) -> None:
    assert values(sentence.format(number)) == [number]


NOT_ORDERS = [
    "₹{}",
    "Rs. {}",
    "{} rupees",
    "paid {} already",
    "otp {}",
    "pin code {}",
    "awb no {}",
    "{} pcs",
    "+91 {}43210",
]


@given(numbers, st.sampled_from(NOT_ORDERS))
def test_no_number_is_found_in_prices_codes_and_phones(number: str, sentence: str) -> None:
    assert values(sentence.format(number)) == []


@pytest.mark.slow
@settings(deadline=None)  # the first of a shape learns it
@given(st.text(max_size=200), st.sampled_from([r"\d{5}", r"\d{6,8}", r"[1-9]\d{3}"]))
def test_any_text_gives_digits_of_the_shape_at_their_place(text: str, pattern: str) -> None:
    import re

    for span in find_order_numbers(text, pattern):
        assert re.fullmatch(pattern, span.value)
        assert 0 <= span.start < span.end <= len(text)


@given(numbers)
def test_offsets_point_at_the_digits(number: str) -> None:
    text = f"hi, it's about order no. {number} from last week"
    (span,) = find_order_numbers(text)
    assert text[span.start : span.end] == number


@pytest.mark.slow
def test_another_shops_pattern_is_followed() -> None:
    assert values("order 1023456 not 10234", r"\d{7}") == ["1023456"]


def test_look_alikes_say_what_they_are() -> None:
    kinds = {span.kind for span in read_numbers("rs 500 on 12/03/2024 call 9876543210 pin 560001 @marigold")}
    assert kinds == {"money", "date", "phone", "pin", "handle"}


@pytest.mark.parametrize(
    "bit", ["order 1 2 3 4 5 ", "12,", "a.", "1-", "@", "paid for ", "call me 1 ", "card no x* ", "hi, "]
)
def test_no_text_takes_long_however_hostile(bit: str) -> None:
    texts = (bit * (65000 // len(bit) + longer_by) for longer_by in itertools.count())  # none twice: it is remembered

    def read() -> None:
        find_order_numbers(text := next(texts))
        folded(text)

    assert is_within(500, read)


def test_a_mark_that_nobody_knows_is_named_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "examples.yml"
    path.write_text("examples: |\n  - order [10234](order_number)\n  - paid [500](monney)\n", encoding="utf-8")
    with pytest.raises(ExamplesError, match=r"monney.*Remedy: one of order_number, money") as caught:
        read_examples(path)
    assert caught.value.line == 3


@pytest.mark.parametrize("code", ["RM119024471GB", "rm119024471gb", "QX 123 450 016 BR", "1Z999AA10123456784"])
def test_tracking_numbers_of_the_post_and_of_ups_are_known_by_their_form(code: str) -> None:
    assert [(span.kind, span.value) for span in read_numbers(f"{code} stuck?")] == [("tracking", code)]
    assert "tracking" not in [span.kind for span in read_numbers("is 123456789 ok, in 123 456 789 to")]
