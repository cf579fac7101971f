"""Customers' words come nearer to the pages' words, only for searching."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actions.knowledge.pages.documents import Lexicon
from actions.knowledge.retrieval.wording import Wording, clean

WORDING = Wording(Lexicon({"jhola": "bag"}, {"swap": "exchange"}))


@pytest.mark.parametrize(("text", "readable"), [
    ("  How MANY\u200b days? ", "how many days?"),
    ("kitne din mein wapas kar sakte hain", "days"),
    ("jhola wapas hoga kya", "bag"),
    ("can I swap it", "can i exchange it"),
    ("¿cuánto cuesta el envío?", "¿cuánto cuesta el envío?"),
    ("quanto custa a entrega para Lisboa", "quanto custa a entrega para lisboa"),
])
def test_words_are_read(text: str, readable: str) -> None:
    assert readable in WORDING.readable(text)


@pytest.mark.parametrize("text", [
    "no me llegó el pedido", "a que hora abren", "como faço para trocar", "to me it looks par for the course",
    "quiero mas de la misma mesa", "vou na loja de tarde",
])
def test_other_languages_are_not_taken_for_hinglish(text: str) -> None:
    assert not WORDING.is_hinglish(clean(text))


@given(st.text(max_size=300))
def test_any_text_is_read(text: str) -> None:
    assert len(WORDING.readable(text)) < 40 * len(text) + 100
