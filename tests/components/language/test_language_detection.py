"""Which language a message is in: those that are answered in, and those of which a customer should be told so."""

from __future__ import annotations

import functools
import itertools
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.language.detection import detect_language
from tests.costs import is_within
from workbench.nlu.phrases import HELD_OUT, TRAINING, read_phrases

PLACES = {
    "en": (HELD_OUT, "retail_live.yml"), "hinglish": (HELD_OUT, "hinglish.yml"),
    "pt": (TRAINING, "pt"), "es": (TRAINING, "es"),
}  # fmt: skip


@functools.cache
def sentences_in(language: str) -> list[str]:
    """The project's phrases in it."""
    folder, part = PLACES[language]
    return [phrase.text for phrase in read_phrases(folder) if part in phrase.file.parts]


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("where is my order", "en"),
        ("Do you have this in size M? So nice", "en"),
        ("hi, please tell me about order 10234", "en"),
        ("where is my kurta ji", "en"),
        ("WHERE IS IT???", "en"),
        ("TK/24-00871", None),
        ("hi-2044 oi.3 DE12/77-es", None),
        ("mera order kab aayega", "hinglish"),
        ("order cancel kar do", "hinglish"),
        ("refund nhi aya abhi tk", "hinglish"),
        ("10234 ka status batao", "hinglish"),
        ("bhai please help, order nahi mila hai mujhe", "hinglish"),
        ("kaise ho", "hinglish"),
        ("मेरा ऑर्डर कहाँ है", "hi"),
        ("order कब आएगा मेरा", "hi"),
        ("olá, bom dia", "pt"),
        ("oi, cadê meu pedido?", "pt"),
        ("meu pedido nao chegou ainda, vc pode ver?", "pt"),
        ("queria trocar uma camiseta q comprei semana passada", "pt"),
        ("hola buenas, quiero devolver unos zapatos", "es"),
        ("xq no llega mi paquete", "es"),
        ("eres un bot", "es"),
        ("donde esta mi pedido 10234", "es"),
        ("wo ist meine bestellung", "de"),
        ("où est ma commande", "fr"),
        ("j'ai pas reçu mon colis", "fr"),
        ("merci", "fr"),
        ("dimana pesanan saya kak", "id"),
        ("vorrei parlare con una persona", "it"),
        ("siparişim nerede", "tr"),
        ("siparisim hala gelmedi", "tr"),
        ("waar is mijn bestelling", "nl"),
        ("где мой заказ", "ru"),
        ("де моє замовлення", "uk"),
        ("أين طلبي", "ar"),
        ("میرا آرڈر کہاں ہے", "ur"),
        ("注文はどこですか", "ja"),
        ("我的订单在哪里", "zh"),
        ("என் ஆர்டர் எங்கே", "ta"),
        ("ok", None),
        ("refund status", None),
        ("return policy", None),
        ("Priya Sharma", None),
        ("S", None),
        ("10234", None),
        ("👍", None),
        ("", None),
    ],
)
def test_the_grammar_decides_the_language(text: str, language: str | None) -> None:
    assert detect_language(text) == language


@given(st.text(max_size=200))
def test_any_text_is_a_language_or_undecided(text: str) -> None:
    assert detect_language(text) is None or isinstance(detect_language(text), str)


@pytest.mark.parametrize("language", PLACES)
def test_phrases_of_the_packs_are_read_as_their_language(language: str) -> None:
    """Whole sentences nearly always; and hardly ever as a language that nobody is answered in."""
    sentences = [phrase for phrase in sentences_in(language) if len(phrase.split()) >= 4]
    read = [detect_language(sentence) for sentence in sentences]
    right = sum(found in (language, None) for found in read)
    assert right >= 0.97 * len(read), Counter(read)
    assert read.count(language) >= 0.85 * len(read), Counter(read)


def test_messages_of_ten_languages_are_told_apart_and_hardly_ever_mistaken() -> None:
    rows = (Path(__file__).parent / "messages.tsv").read_text(encoding="utf-8").splitlines()
    messages = [tuple(row.split("\t")) for row in rows if not row.startswith("#")]
    read = [(language, detect_language(text)) for language, text in messages]
    assert sum(language == found for language, found in read) >= 0.90 * len(read)
    assert sum(found not in (language, None) for language, found in read) <= 0.02 * len(read)


def test_a_message_is_read_in_a_millisecond_or_two() -> None:
    sentences = [sentence for language in PLACES for sentence in sentences_in(language)][::20]
    for sentence in sentences:
        detect_language(sentence)  # what a language needs is read when it is met first
    fresh = (f"{sentence} {number}" for number in itertools.count() for sentence in sentences)
    assert is_within(len(sentences), lambda: [detect_language(next(fresh)) for _ in sentences])
