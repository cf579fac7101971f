"""Customers are answered in their language through the real servers."""

from __future__ import annotations

import sqlite3
from datetime import timedelta

import pytest

from actions.orders.days import shop_today
from tests.journeys.shop import Customer, Shop, options, words

LUANA, DIEGO, GRETA = "+5511960000006", "+5215596000007", "+4915196000008"
KABIR, NANDINI, JOSEPH, UNKNOWN = "+919600000001", "+919600000002", "+919600000003", "IN.1349208655309601"


@pytest.fixture(scope="module", autouse=True)
def orders(shop: Shop) -> None:
    """Customers of this file alone, so that nobody else's language depends on it."""
    due = (shop_today() + timedelta(days=3)).isoformat()
    rows = [("10901", KABIR, "shipped"), ("10902", NANDINI, "packed"), ("10903", NANDINI, "delayed"),
            ("10904", JOSEPH, "shipped"), ("10905", "+919600000005", "shipped"),
            ("10906", LUANA, "shipped"), ("10907", DIEGO, "packed"), ("10908", DIEGO, "delivered")]  # fmt: skip
    with sqlite3.connect(shop.state_dir / "orders.db") as database:
        database.executemany(
            "INSERT INTO orders (order_id, customer_name, customer_phone, status, estimated_delivery, carrier)"
            " VALUES (?, 'A customer', ?, ?, ?, 'Delhivery')",
            [(number, phone, status, due) for number, phone, status in rows],
        )
    database.close()


def heard(customer: Customer, text: str) -> str:
    return words(customer.say(text))


def test_hinglish_customer_is_answered_in_hinglish_until_they_want_english(shop: Shop) -> None:
    kabir = shop.customer(KABIR)
    said = heard(kabir, "bhai mera order 10901 kahan hai")
    assert "#10901" in said
    assert "pahunchna chahiye" in said, "the parts of the answer are in the language of the whole"
    assert "pahunchna chahiye" in heard(kabir, "10901"), "a bare number is no other language"
    again = heard(kabir, "english please")
    assert again.startswith("Sure, English from now on.")
    assert "It should reach you" in again, "the answer comes again in English"
    assert "It should reach you" in heard(kabir, "mera parcel kab aayega bhai"), "a wish holds"
    assert "Zaroor" in heard(kabir, "hindi mein baat karo")
    assert "pahunchna chahiye" in heard(kabir, "where is my order")


def test_english_customer_stays_in_english_although_a_hindi_word_occurs(shop: Shop) -> None:
    joseph = shop.customer(JOSEPH)
    assert "It should reach you" in heard(joseph, "where is my order 10904")
    for message in ("10904", "where is my parcel ji", "when will my order reach yaar"):
        assert "It should reach you" in heard(joseph, message), message


def test_lists_forms_and_policy_answers_speak_hinglish(shop: Shop) -> None:
    nandini = shop.customer(NANDINI)
    shown = nandini.say("mere orders kahan hai, batao")
    assert "Kis order" in words(shown)
    assert "aayega" in words(shown), "the rows of the list"
    assert [row["title"] for row in options(shown[0])] == ["#10903", "#10902"]
    assert "deri" in words(nandini.pick("#10903"))
    assert "Hamari policy" in heard(nandini, "kurta wapas kaise kare")
    assert "abhi cancel kar dun?" in heard(nandini, "order 10902 cancel kar do")
    assert "waisa hi rahega" in words(nandini.tap("Nahi, rehne dijiye"))


def test_wish_in_a_form_gets_the_question_again(shop: Shop) -> None:
    nandini = shop.customer(NANDINI)
    nandini.say("order 10902 cancel karna hai")
    said = heard(nandini, "english please")
    assert said.startswith("Sure, English from now on.")
    assert "Shall I cancel order #10902 now?" in said
    assert "left order #10902" in heard(nandini, "no leave it")


def test_question_that_waited_for_the_contact_is_answered(shop: Shop) -> None:
    someone = shop.customer(UNKNOWN)
    assert "contact share" in heard(someone, "mera order 10905 kahan hai")
    said = words(someone.send("contacts", own=True, phone="+919600000005"))
    assert "#10905" in said
    assert "pahunchna chahiye" in said


def test_takeover_is_told_in_hinglish(shop: Shop) -> None:
    someone = shop.customer("+919600000004")
    someone.say("aap kya kya kar sakte ho mere liye")
    assert "Aapka ticket" in heard(someone, "kisi insaan se baat karao mujhe")
    assert "mere saath hain" in heard(someone, "back to the bot"), "said by the channel"
    assert "Bataiye" in heard(someone, "haan"), "the dialogue started over, the language is remembered"


def test_portuguese_customer_is_answered_in_portuguese_wherever_the_words_come_from(shop: Shop) -> None:
    luana = shop.customer(LUANA)
    assert "assistente automático" in heard(luana, "olá, bom dia")
    said = heard(luana, "cadê meu pedido 10906")
    assert "a caminho" in said or "já foi enviado" in said
    assert "Deve chegar em 3 dias" in said
    assert "Deve chegar" in heard(luana, "ok, 10906")
    assert "ver o dia" in heard(luana, "que dia chega?")
    assert "pedidos e devoluções" in heard(luana, "vai chover amanhã?").lower()


def test_spanish_customer_changes_an_order_in_spanish(shop: Shop) -> None:
    diego = shop.customer(DIEGO)
    assert "¿Cancelo ahora el pedido #10907?" in heard(diego, "quiero cancelar el pedido 10907")
    assert "se queda como está" in words(diego.tap("No, dejarlo así"))
    assert "*entregado*" in heard(diego, "quiero cambiar la dirección del pedido 10908")
    assert "se queda como está" in heard(diego, "no gracias")


def test_customer_of_a_language_that_is_not_answered_in_is_told_so_in_it(shop: Shop) -> None:
    greta = shop.customer(GRETA)
    said = heard(greta, "hallo, wo ist meine bestellung?")
    assert said.startswith("Leider spreche ich hier nur: English, Hinglish, हिन्दी, português, español.")
    assert "Ihre Ticketnummer" in words(greta.tap("Mit jemandem reden"))


def test_graph_never_had_to_refuse_a_body(shop: Shop) -> None:
    assert shop.refused() == []
