"""What is meant as an order number and has another shop's shape."""

from __future__ import annotations

import pytest

from components.order_numbers.finding import find_misshaped, find_order_numbers
from components.order_numbers.shape import Shape
from tests.components.order_numbers.found import misshaped, values

pytestmark = pytest.mark.usefixtures("shapes_learnt_once")

SHAPES = ("R-2024/7", "4301", "10234", "112-4567890-7654321", "000000123", "SK/2026/0801")
FOREIGN = ("112-4567890-1234567", "KX-90219", "ORD/2024/001", "AB12CD34")
ASKED = ("where is my order {}?", "order {}", "status of {}")


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("where is my order 1023", "1023"),
        ("order number 99999999", "99999999"),
        ("where is my order WC-9009?", "WC-9009"),
        ("order ORD-2024-001 please", "ORD-2024-001"),
        ("my order is 112-4567890-1234567", "112-4567890-1234567"),
        ("WC-9009 where", "WC-9009"),
        ("has PO/2024/07 shipped", "PO/2024/07"),
    ],
)
def test_what_is_meant_as_a_number_of_another_shape_is_told_apart(text: str, written: str) -> None:
    assert values(text) == []
    assert misshaped(text) == [written]


@pytest.mark.parametrize("text", ["qb-84k-2061 has it gone out", "where is QB-84K-206170", "QB-84K-2061?"])
def test_letters_that_elsewhere_mean_money_hide_no_slip_of_a_number(text: str) -> None:
    pattern = r"QB\-\d{2}[A-Z]\-\d{5}"
    assert values(text, pattern) == []
    assert misshaped(text, pattern)
    assert values(text.replace("206170", "20617").replace("2061 ", "20617 ").replace("2061?", "20617?"), pattern)


@pytest.mark.slow
@pytest.mark.parametrize("pattern", [r"\d{4}", r"\d{3}\-\d{7}\-\d{7}", r"LT\-\d{3}\-[A-Z]", r"HX/\d{4}/\d{5}"])
def test_a_part_of_another_shops_number_is_no_number(pattern: str) -> None:
    for written in ("ORD-2024-001", "QT-2024-B", "2024-118-4"):
        assert values(f"where is {written}", pattern) == []
        assert misshaped(f"where is {written}", pattern) or written[0].isdigit()


@pytest.mark.parametrize(
    "text",
    ["call 98765 43210", "+91 98765 43210", "₹1,299 paid", "ring (020) 7946 0018", "on 12/03/2026 at 10:30",
     "pincode 560001", "otp 4567", "awb 4402918833", "2 shirts, size 42", "https://shop.example/orders/1023",
     "card ending 1234", "since 2024", "paguei 1.289,90 no pix, qdo chega", "i paid 1,289.90, where is it",
     "el dni de mi mamá es 27.904.118, busque su pedido", "with aadhaar 6620 1183 9905 i ordered, parcel kidhar",
     "cpf da compradora 771.204.338-10, entrega?", "JM 60 71 32 B is my ni number, where's the parcel",
     "pan BQWPK3321M, delivery kab", "paid from iban FI21 1234 5600 0007 85, where is it"],
)
def test_look_alikes_are_not_misshaped_numbers(text: str) -> None:
    assert misshaped(text) == []


@pytest.mark.slow
@pytest.mark.parametrize(("example", "slip"), [
    ("SK/2026/1187", "SK/2026/1187-12"), ("38512-E", "7015-R"), ("38512-E", "37015-RK"), ("BK-77120-X", "BK-66011-AK"),
    ("14-40718-3356", "14-40718-33562"), ("14-40718-3356", "27-38820-0914X"), ("WM/48.0728", "WM/48.07193"),
])  # fmt: skip
def test_a_slip_in_a_number_makes_it_no_number_and_is_told_whole(example: str, slip: str) -> None:
    text, pattern = f"order number {slip} please", Shape.learnt([example]).pattern
    assert (values(text, pattern), misshaped(text, pattern)) == ([], [slip])


@pytest.mark.slow
@pytest.mark.parametrize("text", [
    "eircode is X35 K482, when will my parcel be here", "deliver to D17 X822", "my postcode is M13 9PL",
    "robe size 42-B20", "my model is T55-X90, is it waterproof", "flat 4B 12 pier road", "2x 10m of rope",
])  # fmt: skip
def test_codes_that_are_like_a_shops_mixed_numbers_are_none(text: str) -> None:
    pattern = Shape.learnt(["4K82-D17X", "2H19-B60R"]).pattern
    assert (values(text, pattern), misshaped(text, pattern)) == ([], [])


def test_two_numbers_with_a_sign_between_them_are_two() -> None:
    assert values("where are WC-1001/1002", r"WC\-\d{4}") == ["WC-1001", "WC-1002"]


@pytest.mark.slow
def test_two_letters_and_a_postal_code_are_no_number() -> None:
    assert values("deliver in 560001", r"[A-Z]{2}\d{6}") == []
    assert values("where is AB-560001", r"[A-Z]{2}\d{6}") == ["AB560001"]


@pytest.mark.slow
@pytest.mark.parametrize("pattern", [r"\d{5}", r"SK/\d{4}/\d{4}", r"\d{4}"])
@pytest.mark.parametrize(
    "text", ["where is 112-4567890-1234567", "112-4567890-1234567 donde esta", "249-7766554-1122334 pls"]
)
def test_what_is_longer_than_any_phone_may_be_another_shops_number(text: str, pattern: str) -> None:
    assert [span.value for span in find_misshaped(text, pattern)] == [next(w for w in text.split() if w[0].isdigit())]


@pytest.mark.slow
def test_a_number_of_another_shops_shape_is_told_from_this_shops() -> None:
    """Nothing of it is taken for one of ours, and it is known to be meant as a number, 0.95 of the time."""
    known: list[bool] = []
    for pattern in [Shape.learnt([example]).pattern for example in SHAPES]:
        for text, number in [(said.format(number), number) for said in ASKED for number in FOREIGN]:
            if not Shape.of(pattern).fits(number):
                assert values(text, pattern) == []
                known.append(misshaped(text, pattern) == [number])
    assert sum(known) / len(known) >= 0.95


@pytest.mark.slow
@pytest.mark.parametrize("example", ["R-2024/7", "112-4567890-1234567", "000000123", "SK/2026/0801"])
def test_a_short_number_is_known_to_be_meant_as_one_where_the_shops_are_long(example: str) -> None:
    pattern = Shape.learnt([example]).pattern
    assert [span.value for span in find_misshaped("where is my order 62001?", pattern)] == ["62001"]
    assert not find_order_numbers("where is my order 62001?", pattern)
    assert not find_misshaped("i paid 62001 rupees, call 98765 43210", pattern)


@pytest.mark.slow
@pytest.mark.parametrize(("example", "text", "numbers", "meant"), [
    ("TK/24-00871", "my order is two four zero zero eight seven one", [], ["2400871"]),
    ("TK/24-00871", "T K two four, zero zero eight seven one", ["TK/24-00871"], []),
    ("TK/24-00871", "two or one of them", [], []),
    ("TK/24-00871", "my delivery pin is four four seven one", [], []),
    ("BK/20417-C", "it's b k two oh four one seven c", ["BK/20417-C"], []),
    ("BK/20417-C", "order 20417 c please", ["BK/20417-C"], []),
    ("2026.00417", "pedido dois zero dois seis zero zero quatro um sete", ["2026.00417"], []),
    ("2026.00417", "pedido 2026.\n00417", ["2026.00417"], []),
    ("2026.00417", "comprei em agosto de 2026 e nada, paguei 1.380,50", [], []),
    ("112-4567890-1234567", "paid by card 4539 1488 0343 6467, where is it", [], []),
])  # fmt: skip
def test_dictated_and_spaced_digits_are_read_as_typed_ones_are(
    example: str, text: str, numbers: list[str], meant: list[str]
) -> None:
    pattern = Shape.learnt([example]).pattern
    assert (values(text, pattern), misshaped(text, pattern)) == (numbers, meant)
