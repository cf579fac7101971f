"""English, Hinglish or Hindi."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.language.detection import detect_language


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("where is my order", "en"),
        ("Do you have this in size M? So nice", "en"),
        ("hi, please tell me about order 10234", "en"),
        ("where is my kurta ji", "en"),
        ("WHERE IS IT???", "en"),
        ("mera order kab aayega", "hinglish"),
        ("order cancel kar do", "hinglish"),
        ("refund nhi aya abhi tk", "hinglish"),
        ("10234 ka status batao", "hinglish"),
        ("bhai please help, order nahi mila hai mujhe", "hinglish"),
        ("kaise ho", "hinglish"),
        ("मेरा ऑर्डर कहाँ है", "hi"),
        ("order कब आएगा मेरा", "hi"),
        ("10234", None),
        ("👍", None),
        ("", None),
    ],
)
def test_the_grammar_decides_the_language(text: str, language: str | None) -> None:
    assert detect_language(text) == language


@given(st.text(max_size=200))
def test_any_text_is_one_of_the_languages_or_undecided(text: str) -> None:
    assert detect_language(text) in {"en", "hinglish", "hi", None}
