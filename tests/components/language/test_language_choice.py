"""In which language a customer is answered, message by message."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.language.choice import Spoken, choose, read


def after(*messages: str, before: Spoken | None = None) -> str | None:
    """The language after these messages of one customer."""
    spoken = before or Spoken()
    earlier = None
    for message in messages:
        spoken, earlier = choose(spoken, read(message), earlier), read(message)
    return spoken.language


@pytest.mark.parametrize(("message", "language"), [
    ("where is my order", "en"),
    ("mera order kahan hai", "hinglish"),
    ("order cancel kar do", "hinglish"),
    ("mera order", "hinglish"),
    ("मेरा ऑर्डर कहाँ है", "hi"),
    ("order 10234 कहाँ है", "hi"),
    ("मेरा refund status check करो", "hi"),
    ("what does नमस्ते mean", "en"),
    ("mera ऑर्डर kahan hai", "hinglish"),
    ("order 10234", None),
    ("return policy", None),
    ("namaste", None),
    ("👍", None),
])
def test_first_message_decides_when_it_tells(message: str, language: str | None) -> None:
    assert after(message) == language


@pytest.mark.parametrize("message", [
    "ok", "yes", "10234", "#10234", "👍", "thanks", "ok thank you", "refund status", "order 10234", "", "hmm",
    "haan", "theek hai", "track order", "no", "DL4402918",
])
def test_what_belongs_to_no_language_changes_nothing(message: str) -> None:
    assert after("mera order kab aayega", message) == "hinglish"
    assert after("where is my order", message) == "en"
    assert after("मेरा ऑर्डर कहाँ है", message) == "hi"


@pytest.mark.parametrize("message", [
    "where is my kurta ji", "please send it jaldi", "haan ji", "accha ok", "refund jaldi please", "shukriya",
    "Do you have this in size M? So nice", "can you tell me about the lehenga i ordered for diwali puja",
])
def test_english_customer_stays_in_english_although_a_hindi_word_occurs(message: str) -> None:
    assert after("where is my order", message) == "en"


@pytest.mark.parametrize(("message", "language"), [
    ("fui cobrado duas vezes", "pt"),
    ("quanto custa o frete", "pt"),
    ("me cobraron dos veces el mismo pedido", "es"),
])
def test_words_that_sibling_languages_share_begin_in_one_and_change_no_english(message: str, language: str) -> None:
    assert after(message) == language
    assert after("where is my order", message) == "en"


@pytest.mark.parametrize(("first", "language"), [("cadê meu pedido", "pt"), ("dónde está mi pedido", "es")])
def test_words_that_sibling_languages_share_leave_either_of_them(first: str, language: str) -> None:
    assert after(first, "cancelar pedido") == language


def test_customer_who_changes_language_is_followed() -> None:
    assert after("where is my order", "bhai mera order kab aayega") == "hinglish"
    assert after("mera order kab aayega", "and what is your return policy for shoes") == "en"
    assert after("where is my order", "oi, cadê meu pedido?", "¿dónde está mi pedido?") == "es"
    assert after("where is my order", "wo ist meine bestellung geblieben", "ok where is it") == "en"


def test_customer_who_writes_hindi_is_answered_in_the_script_of_the_message() -> None:
    assert after("mera order kab aayega", "अच्छा, और रिफंड कब मिलेगा") == "hi"
    assert after("मेरा ऑर्डर कहाँ है", "accha aur mera refund kab tak aayega") == "hinglish"
    assert after("मेरा ऑर्डर कहाँ है", "english please", "मेरा रिफंड कब मिलेगा") == "en"
    assert after("can you reply in hindi", "मेरा रिफंड कब मिलेगा") == "hi", "that is the language they wished for"


def test_a_word_or_two_of_another_language_change_it_only_twice_in_a_row() -> None:
    assert after("mera order kab aayega", "when?") == "hinglish"
    assert after("mera order kab aayega", "when?", "not received") == "en"
    assert after("mera order kab aayega", "when?", "ok", "10234") == "hinglish"
    assert after("where is my order", "hola") == "en"
    assert after("where is my order", "hola", "tienes mi pedido") == "es"


@pytest.mark.parametrize(("message", "language"), [
    ("english please", "en"), ("in english pls", "en"), ("English", "en"), ("reply in english", "en"),
    ("speak in english", "en"), ("can you talk in English?", "en"), ("i don't understand hindi", "en"),
    ("why are you replying in hindi", "en"), ("english me bolo", "en"), ("hindi nahi english", "en"),
    ("english, not hindi", "en"), ("not hindi please, english", "en"), ("hindi nahi aati mujhe", "en"),
    ("hindi mein baat karo", "hinglish"), ("hindi please", "hinglish"), ("do you speak hindi?", "hinglish"),
    ("english nahi aati mujhe", "hinglish"), ("kya aap hindi me baat kar sakte ho", "hinglish"),
    ("हिंदी में बात करो", "hi"), ("क्या आप हिन्दी में बात कर सकते हैं?", "hi"), ("devanagari mein likhiye", "hi"),
    ("मुझे अंग्रेज़ी नहीं आती", "hi"), ("हिंदी नहीं, इंग्लिश", "en"), ("english में बोलो", "en"), ("मराठी में बोलिए", "other"),
    ("hinglish me likho", "hinglish"), ("change language to english", "en"), ("no english please", "en"),
    ("can you speak tamil", "other"), ("marathi mein bolo", "other"), ("change your language to german", "other"),
    ("em português por favor", "pt"), ("fala português?", "pt"), ("português", "pt"),
    ("can you speak portuguese", "pt"),
    ("en español porfa", "es"), ("¿hablas español?", "es"), ("spanish please", "es"), ("no hablo inglés", "es"),
    ("não falo inglês", "pt"), ("responde em português", "pt"), ("in german please", "other"),
    ("i don't know hindi", "en"), ("tamil nahi, english please", "en"),
])
def test_a_wish_is_understood_as_all_that_the_message_says(message: str, language: str) -> None:
    reading = read(message)
    assert (reading.wish, reading.only_a_wish) == (language, True)


@pytest.mark.parametrize(("message", "language"), [
    ("where is my order 10234? reply in english", "en"),
    ("10234 english please", "en"),
    ("mera order kahan hai, hindi mein batao", "hinglish"),
    ("मेरा ऑर्डर 10234 कहाँ है? हिंदी में बताइए", "hi"),
    ("cadê meu pedido 10234? responde em português", "pt"),
    ("where is my order 10234? en español por favor", "es"),
    ("my parcel is late and i am angry, please talk in hindi with me", "hinglish"),
])
def test_a_wish_beside_a_question_leaves_the_question_standing(message: str, language: str) -> None:
    reading = read(message)
    assert (reading.wish, reading.only_a_wish) == (language, False)


@pytest.mark.parametrize("message", [
    "i ordered an english novel", "the hindi book came torn", "is the manual in english or not there at all",
    "my english is not good. please let me talk to someone in hindi", "english willow bat kab aayega",
    "angrezi kaise seekhe", "hindi me ek kavita likho",
])
def test_a_language_that_is_only_spoken_of_is_no_wish(message: str) -> None:
    assert not read(message).only_a_wish
    assert read(message).wish is None


def test_a_wish_holds_until_the_customer_has_another() -> None:
    wished = choose(Spoken("hinglish"), read("english please"))
    for message in ("mera order kab aayega", "bhai kahan hai mera parcel", "haan bhej do"):
        wished = choose(wished, read(message))
    assert wished == Spoken("en", wished=True)
    assert choose(wished, read("can you speak tamil")) == wished, "nobody has written answers in Tamil"
    assert choose(wished, read("hindi mein baat karo")).language == "hinglish"


@given(st.text(max_size=300), st.sampled_from([None, "en", "hinglish", "hi"]))
def test_any_text_leaves_a_language_that_is_known(text: str, before: str | None) -> None:
    after = choose(Spoken(before), read(text)).language
    assert after is not None or before is None
