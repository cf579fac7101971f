"""For how long an order can go back is known only where a section says it in figures, and then by its longest."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from actions.knowledge.return_window import return_window


def finding(*sections: str, probability: float = 0.95) -> Any:
    texts = tuple(SimpleNamespace(text=text, page_title="Returns") for text in sections)
    passages = tuple(SimpleNamespace(section=text, probability=probability) for text in texts)
    return SimpleNamespace(find=lambda question: SimpleNamespace(passages=passages, sections=texts))


@pytest.mark.parametrize(("texts", "days"), [
    (["You have 30 days from delivery. Furniture has fourteen days."], 30),
    (["Fourteen days for furniture, 7 days for lamps."], 14), (["Within two weeks."], 14), (["Tienes un mes."], 31),
    (["Você tem 7 dias corridos."], 7), (["10 working days."], 16), (["A fortnight."], 14),
    (["7 days.", "Members have 60 days."], 60), (["You can return it."], None),
    (["You can return it.", "30 days."], None),
    (["Order before 5 pm, from £20."], None), (["99999 days"], None), ([], None),
])  # fmt: skip
def test_longest_window_counts(texts: list[str], days: int | None) -> None:
    window = return_window(finding(*texts))
    assert (window.days if window else None) == days


def test_unsure_section_says_nothing() -> None:
    assert return_window(finding("30 days", probability=0.6)) is None
