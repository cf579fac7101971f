"""Costs are judged alike on every machine."""

from __future__ import annotations

import re

from tests.costs import fixed_work, grows_with_length, is_within


def test_what_costs_the_square_of_the_length_is_told_from_what_does_not() -> None:
    assert grows_with_length(lambda text: re.sub(r"a+b", "", text), "ab", 40_000)
    assert not grows_with_length(lambda text: re.sub(r"a+b", "", text), "a", 8_000)


def test_what_costs_more_than_so_much_fixed_work_is_told() -> None:
    assert is_within(20, lambda: [fixed_work() for _ in range(10)])
    assert not is_within(5, lambda: [fixed_work() for _ in range(10)])
