"""The shape of a shop's numbers: learnt from a few, and written in many ways."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import shop
from components.order_numbers.candidates import candidates
from components.order_numbers.shape import Shape, ShapeError
from components.order_numbers.shops import shop_pattern
from tests.components.order_numbers.found import misshaped, values

pytestmark = pytest.mark.usefixtures("shapes_learnt_once")

SHAPES = {
    r"WC\-\d{4,5}": ["WC-1001", "WC-20455"],
    r"\d{3}\-\d{7}\-\d{7}": ["112-4567890-1234567"],
    r"ORD/\d{4}/\d{3}": ["ORD/2024/001"],
    r"SK/\d{4}/\d{4}": ["SK/2025/0042", "SK/2026/1187"],
    r"\d{4}": [4127, 5810],
    r"\d{5}|A\-\d{3}": ["10234", "#A-101"],
    r"LT\-\d{3}\-[A-Z]{1}": ["LT-204-B", "LT-377-K"],
    r"\d{2}[A-Z]{1,2}\d{4}": ["25Q0411", "26QB0007"],
    r"tk\d{2}[a-z]{1}\d{5}": ["tk26a00731", "tk26b04419"],
}


@pytest.mark.parametrize(("pattern", "examples"), SHAPES.items())
def test_a_shape_is_learnt_from_a_few_numbers(pattern: str, examples: list[object]) -> None:
    shape = Shape.learnt(examples)
    assert shape.pattern == pattern
    assert all(shape.fits(str(example).lstrip("#")) for example in examples)


@pytest.mark.parametrize(("examples", "text", "number"), [
    (["BW-48213", "BW-50977"], "BW 50 977 where r u", "BW-50977"),
    (["BW-48213", "BW-50977"], "bw-509\n77 whens it coming", "BW-50977"),
    (["PT-2026-00417"], "nº PT-2026-11 853", "PT-2026-11853"),
    (["tk26a00731", "tk26b04419"], "tk 26b 04419 ka status", "tk26b04419"),
    (["tk26a00731", "tk26b04419"], "TK26B\n04419 ?", "tk26b04419"),
    (["tk26a00731", "tk26b04419"], "26b04419 kidhar hai", "tk26b04419"),
    (["WC-1001", "WC-20455"], "WC-2 0455", "WC-20455"),
    (["38512-E"], "el 38.512-E", "38512-E"),
    (["38512-E"], "38 512 - E", "38512-E"),
    (["MX-0038512"], "it is MX-0.038.512", "MX-0038512"),
    (["WC-1001", "WC-20455"], "WC-1001 2 pieces", "WC-1001"),  # where lengths differ, nothing is read on
])  # fmt: skip
def test_a_number_is_read_wherever_it_is_cut_and_said_as_the_shop_writes_it(
    examples: list[object], text: str, number: str
) -> None:
    shape = Shape.learnt(examples)
    found = shape.whole_numbers.search(text) or shape.cut_numbers.search(text)
    assert found is not None
    assert shape.written(found.group()) == number


@pytest.mark.parametrize(("example", "text", "number"), [
    ("30045871", "el 3005\n1204 cuando llega", "30051204"),
    ("113-4820193-7750418", "113-4820193\n-7750418 still nothing", "113-4820193-7750418"),
])  # fmt: skip
def test_a_line_break_inside_a_number_of_digits_is_none(example: str, text: str, number: str) -> None:
    assert [one.number for one in candidates(text, Shape.learnt([example]))] == [number]


@pytest.mark.parametrize("examples", [[], ["abc"], [""], ["1" * 60]])
def test_examples_without_a_shape_are_refused(examples: list[object]) -> None:
    with pytest.raises(ShapeError):
        Shape.learnt(examples)


@pytest.mark.parametrize("pattern", ["(", r"\w+", r"(\d{2}|x)*", "abc", r"(a?b?c?d?e?)\d", r"\d(?=5)"])
def test_expressions_that_are_no_shape_are_refused(pattern: str) -> None:
    with pytest.raises(ShapeError):
        Shape.of(pattern)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("examples", "text", "number"),
    [
        (["WC-1001"], "where is wc-1002", "WC-1002"),
        (["WC-1001"], "WC 1002 kab aayega", "WC-1002"),
        (["WC-1001"], "wc1002", "WC-1002"),
        (["WC-1001"], "#WC-1002", "WC-1002"),
        (["WC-1001"], "order 1002", "WC-1002"),
        (["WC-1001"], "WC-१००२", "WC-1002"),
        (["112-4567890-1234567"], "112 4567890 1234568", "112-4567890-1234568"),
        (["112-4567890-1234567"], "order 11245678901234568", "112-4567890-1234568"),
        (["ORD/2024/001"], "ord 2024 002 please", "ORD/2024/002"),
        (["ORD/2024/001"], "bill for ord-2024-002", "ORD/2024/002"),
        (["SK/2025/0042"], "sk/2026/0043 not here", "SK/2026/0043"),
        ([4127], "mi pedido 4128", "4128"),
        ([10234], "10235ka bill", "10235"),
        ([10234], "invoice number 10235", "10235"),
        ([10234], "bill for 10235 please", "10235"),
        (["ORD/2024/001"], "ORD\\2024\\002", "ORD/2024/002"),
        (["LT-204-B", "LT-377-K"], "lt 205 z arrived?", "LT-205-Z"),
        (["LT-204-B", "LT-377-K"], "its lt-205-\nz", "LT-205-Z"),
        (["LT-204-B", "LT-377-K"], "any news of 205-Z", "LT-205-Z"),
        (["25Q0411", "26Q0007"], "where is 25q0412", "25Q0412"),
        (["2024-ABC-001"], "2024-abc-002 please", "2024-ABC-002"),
        (["2026/000123"], "2026/000124", "2026/000124"),
        (["KT/2025/0042", "KT/2026/1187"], "order 2026/0611", "KT/2026/0611"),
    ],
)
def test_a_number_is_named_as_the_shop_writes_it(examples: list[object], text: str, number: str) -> None:
    pattern = Shape.learnt(examples).pattern
    assert values(text, pattern) == [number]
    assert misshaped(text, pattern) == []


@pytest.mark.slow
@settings(deadline=None)
@given(st.from_regex(r"WC-[0-9]{4}", fullmatch=True), st.sampled_from(["", " ", "-", " - ", "/", "#"]), st.booleans())
def test_capitals_and_signs_do_not_matter(number: str, gap: str, small: bool) -> None:
    spelt = number.replace("-", gap)
    assert values(f"where is {spelt.lower() if small else spelt}?", r"WC-\d{4}") == [number]


def test_the_demo_shops_shape_comes_from_its_examples(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shop, "load", lambda: shop.Shop("Oak", orders={"id_examples": ["OS-101"]}))
    assert shop_pattern() == r"OS\-\d{3}"
    monkeypatch.setattr(shop, "load", lambda: shop.Shop("Oak", orders={"id_pattern": r"OS-\d{3,4}"}))
    assert shop_pattern() == r"OS-\d{3,4}"
    monkeypatch.setattr(shop, "load", lambda: shop.Shop("Oak"))
    assert shop_pattern() == r"\d{5}"
    monkeypatch.setattr(shop, "load", lambda: shop.Shop("Oak", orders={"id_examples": ["none"]}))
    with pytest.raises(shop.ShopError, match="id_examples with a few"):
        shop_pattern()


@pytest.mark.slow
@pytest.mark.parametrize(("example", "text", "number"), [
    ("R-2024/113", "where is r-2024/\n7?", None), ("R-2024/113", "R2024/113", "R-2024/113"),
    ("R-2024/113", "r-2024/\n113", "R-2024/113"),
    ("112-4567890-1234567", "112-4567890-\n1234567", "112-4567890-1234567"),
    ("112-4567890-1234567", "order 11245678901234567", "112-4567890-1234567"),
    ("BJ.2026.0099", "bj 2026 0099 please", "BJ.2026.0099"), ("S00023", "s 00023?", "S00023"),
    ("000000123", "#000000456", "000000456"),
])
def test_numbers_of_several_parts_are_read_whole(example: str, text: str, number: str | None) -> None:
    assert values(text, Shape.learnt([example]).pattern) == ([number] if number else [])


@pytest.mark.parametrize(
    "text",
    ["where is orderWC-1O45", "wc-lO45 pls", "cadê o nº WC1045", "n°wc 1045", "pedidoWC1045", "№ WC-1045"],
)  # fmt: skip
def test_a_glued_word_a_sign_of_number_and_letters_for_digits_do_not_matter(text: str) -> None:
    assert values(text, r"WC\-\d{4,5}") == ["WC-1045"]


def test_letters_are_digits_only_where_nothing_else_is_a_number() -> None:
    assert values("WC-1045, and 20l of it, lo-1O99", r"WC\-\d{4,5}") == ["WC-1045"]


def test_digits_alone_are_a_number_whose_letters_and_signs_go_without_saying() -> None:
    for text in ("order 26110366 late kyun hai", "two six double one zero three double six kab aayega", "26110366?"):
        assert values(text, r"KC\d{4}\-\d{4}") == ["KC2611-0366"]
