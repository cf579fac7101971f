"""What a text's order numbers are read as."""

from __future__ import annotations

from components.order_numbers.finding import find_misshaped, find_order_numbers


def values(text: str, pattern: str = r"\d{5}") -> list[str]:
    return [span.value for span in find_order_numbers(text, pattern)]


def misshaped(text: str, pattern: str = r"\d{5}") -> list[str]:
    return [span.value for span in find_misshaped(text, pattern)]
