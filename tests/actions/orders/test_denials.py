"""Which of several numbers a message denies, in five languages; what is denied of a number is no denial of it."""

from __future__ import annotations

import re

import pytest

from actions.orders.denials import all_denied, denied


@pytest.mark.parametrize(("text", "not_meant"), [
    ("10234 nahi 10235 wala", ["10234"]), ("10234 wala nahi, 10235 wala", ["10234"]),
    ("10235 cancel karna hai 10234 nahi", ["10234"]), ("10234 ki jagah 10235", ["10234"]),
    ("10234 नहीं 10235 वाला", ["10234"]), ("not 10234, 10235", ["10234"]), ("not #10234 but #10235", ["10234"]),
    ("sorry i meant 10235 not 10234", ["10234"]), ("cancel 10235 instead of 10234", ["10234"]),
    ("not order 10234, 10235 please", ["10234"]),
    ("é o 10235, não o 10234", ["10234"]), ("10234 não, 10235", ["10234"]),
    ("no el 10234, el 10235", ["10234"]), ("en vez del 10234 el 10235", ["10234"]),
    ("10234 nahi mila 10235 mila", []), ("10234 nahi aaya, 10235 kahan hai", []), ("has 10234 not come? and 10235", []),
    ("order no 10234 and order no 10235", []), ("10234 and 10235", []), ("10234 is not here, nor 10235", []),
    ("not 10234", []), ("not 10234 and not 10235", []), ("10234", []), ("", []),
])  # fmt: skip
def test_a_number_is_denied_where_the_denial_is_of_it_alone(text: str, not_meant: list[str]) -> None:
    found = list(re.finditer(r"\d{5}", text))
    assert [found[place].group() for place in sorted(denied(text, [one.span() for one in found]))] == not_meant


@pytest.mark.parametrize(("text", "all_of_them"), [
    ("not 10234, the other one", True), ("10234 no, el otro", True), ("not 10234 and not 10235", True),
    ("I don't mean 10234, I mean my other order", True), ("not asking about order 10234, the other one", True),
    ("no me refiero al 10234, el otro", True), ("não tô falando do 10234, é o outro", True),
    ("10234 ki baat nahi kar raha, dusra wala", True), ("10234 की बात नहीं, दूसरा वाला", True),
    ("10235, not 10234", False), ("10234 nahi mila", False), ("the other, 10234", False), ("", False),
    ("don't cancel 10234", False), ("I did not get 10234", False), ("no llegó el 10234 y el otro", False),
])  # fmt: skip
def test_a_message_may_deny_all_that_it_names(text: str, all_of_them: bool) -> None:
    assert all_denied(text, [one.span() for one in re.finditer(r"\d{5}", text)]) == all_of_them
