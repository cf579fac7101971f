"""What counts as a yes, and how words from outside are read and shown."""

from __future__ import annotations

import pytest

from actions.self_service.acts import Act, plain
from actions.self_service.answers import EXCHANGE, REFUND, Item, address, count, items, names_address, wish
from actions.self_service.consent import is_yes


@pytest.mark.parametrize("text", [
    "yes", "Yes.", "YES!!", "yesss", "yes please", "Yes, please 🙏", "yes, cancel it", "yes cancel order 10241",
    "yep do it", "go ahead",
    "haan", "haan ji", "Haan kar do", "haanji cancel kar dijiye",
    "हाँ", "जी हां", "हाँ, कर दीजिए", "जी हाँ, ऑर्डर 10241 कैंसल कर दीजिए", "हां रद्द कर दो 🙏",
    "sim", "Sim, por favor",
    "sim, pode cancelar",
    "sí", "Si, por favor", "sí, cancélalo", "👍 yes", "ok yes", "of course", "i am sure",
    "yes that's right", "yes, it’s correct",
])  # fmt: skip
def test_plain_yes_is_a_yes(text: str) -> None:
    assert is_yes(text, "cancel", "10241")


@pytest.mark.parametrize("text", [
    "", " ", "ok", "👍", "hmm", "maybe", "yes?", "yes but", "yes, but can I get a discount", "yes and no", "no",
    "not yes", "yes not now",
    "yes wait", "i said yes before", "yes 10248", "yes cancel 10248", "is it possible?",
    "yes, change the address", "yes return it",
    "say yes if you can", "haan lekin", "haan par pehle batao", "sim, mas depois", "sí pero mañana", "no sí",
    "don't say yes", "yes 😂",
    "nahi haan",
    "हाँ लेकिन", "मत करो", "हाँ दो", "हाँ ऑर्डर चाहिए", "ऑर्डर कन्फर्म करो", "हाँ ठीक करो", "नहीं", "हाँ 10248",
    "why not", "thank you", "cancel it", "yes " * 60, "/affirm", "{\"yes\": true}", "yes refund",
])  # fmt: skip
def test_anything_else_is_none(text: str) -> None:
    assert not is_yes(text, "cancel", "10241")


@pytest.mark.parametrize("text", [
    "confirm my order", "yes i want my orderrr",
    "mera order confirm kar do", "order confirm hai", "confirma mi pedido", "confirmo meu pedido",
    "is it confirmed", "is my order confirmed", "am i sure", "yes i want my order", "yes i want it", "order kar do",
    "haan order de do", "haan de do", "mera order theek kar do", "isko sahi kar do", "yes correct it",
])  # fmt: skip
@pytest.mark.parametrize("act", ["cancel", "address", "returns"])
def test_words_of_yes_that_want_the_order_itself_or_ask_are_no_yes_to_an_act(text: str, act: str) -> None:
    assert not is_yes(text, act, "10241")


@pytest.mark.parametrize("text", [
    "yes i want to", "haan mera order cancel kar do", "theek hai kar do", "yes that is right", "ok do it now",
    "yes please cancel my order", "sim pode cancelar meu pedido",
])  # fmt: skip
def test_a_yes_may_speak_of_the_order_where_it_names_the_act(text: str) -> None:
    assert is_yes(text, "cancel", "10241")


def test_a_yes_names_the_act_that_was_asked_for() -> None:
    assert is_yes("yes change it", "address", "7")
    assert not is_yes("yes cancel it", "address", "7")
    assert is_yes("sí, devolverlo", "returns", "WC-7")
    assert is_yes("yes wc-7", "returns", "WC-7")


@pytest.mark.parametrize(("said", "shown"), [
    ("It *left* at _noon_.", "It left at noon ."),
    ("See [this](https://evil.example/x) now", "See (this)( now"),
    ("pay at www.evil.example or evil.example", "pay at or evil. example"),
    ("line\none\x00\u202e", "line one"),
    ("{brand} 0[x] # `code`", "brand 0(x) code"),
    ("a" * 500, "a" * 199 + "…"),
    (None, ""), (["x"], ""), ("javascript:alert(1)", ""),
])  # fmt: skip
def test_reason_of_the_shop_is_one_plain_line(said: object, shown: str) -> None:
    assert plain(said) == shown


def test_key_is_the_same_for_one_confirmation_and_fits_a_header() -> None:
    act = Act("cancel", "ORD/ü", "+1", "wamid.yes", "wamid.A==")
    assert act.key == Act("cancel", "ORD/ü", "+1", "wamid.yes2", "wamid.A==").key == "ORD%2F%C3%BC:cancel:wamid.A=="
    wishes = [("cancel", "1", "w"), ("address", "1", "w"), ("address", "1", "v"), ("address", "2", "v")]
    assert len({Act(action, order, "+1", "y", wish).key for action, order, wish in wishes}) == 4
    assert len(Act("cancel", "1", "+1", "y", "w" * 500).key) == 64


LAMP, KURTA, SHIRT = Item("l", "Brass lamp", 1), Item("k", "Blue kurta", 2), Item("s", "Blue shirt", 1)
OFFERED = [LAMP, KURTA, SHIRT]


@pytest.mark.parametrize(("text", "chosen"), [
    ("the lamp", [LAMP]), ("lamp and the kurta please", [LAMP, KURTA]), ("1 and 3", [LAMP, SHIRT]), ("2", [KURTA]),
    ("everything", OFFERED), ("sab", OFFERED), ("tudo", OFFERED), ("all", OFFERED), ("the blue one", []),
    ("7", []), ("hm", []), ("everything except the lamp", [KURTA, SHIRT]), ("todo menos la lamp", [KURTA, SHIRT]),
    ("not all, only the lamp", [LAMP]), ("both the kurta and the lamp", [LAMP, KURTA]), ("not all", []),
    ("not all, 1 and 3", [LAMP, SHIRT]), ("sab nahi", []), ("सब", OFFERED), ("सबसे ऊपर वाला", []),
])  # fmt: skip
def test_items_are_picked_by_words_place_or_all(text: str, chosen: list[Item]) -> None:
    assert [item.item_id for item in items(text, OFFERED)] == [item.item_id for item in chosen]


@pytest.mark.parametrize(("text", "chosen"), [
    ("the kurta", [0]), ("one kurta", [1]), ("1 of the 2 kurtas", [1]), ("2 kurta", [2]), ("3 kurta", [0]),
    ("both of the kurta", [2]), ("lamp and kurta", [1, 0]), ("2", [0]), ("all of it", [1, 2, 1]),
])  # fmt: skip
def test_how_many_of_an_item_is_taken_from_the_words_where_they_say_it(text: str, chosen: list[int]) -> None:
    assert [item.chosen for item in items(text, OFFERED)] == chosen


@pytest.mark.parametrize(("text", "wished"), [
    ("i don't want a refund", None), ("exchange it, i don't want a refund", EXCHANGE), ("no, refund", REFUND),
    ("refund nahi chahiye, badal do", EXCHANGE), ("instead of an exchange, my money", REFUND),
    ("não quero reembolso, quero trocar", EXCHANGE), ("रिफंड नहीं चाहिए, बदल दो", EXCHANGE),
    ("either refund or exchange", None),
])  # fmt: skip
def test_what_is_denied_is_not_wished(text: str, wished: str | None) -> None:
    assert wish(text) == wished


@pytest.mark.parametrize(("text", "told"), [
    ("2", 2), ("two please", 2), ("do", 2), ("dois", 2), ("uno", 1), ("२", 2), ("2 of 3", 2), ("3 mein se 1", 1),
    ("all", 3), ("sab", 3), ("os dois", 2), ("0", None), ("4", None), ("1 or 2", None), ("1 or 3", None), ("hm", None),
    ("-", None), ("2.5 kg 7", None), ("9" * 400, None),
])  # fmt: skip
def test_number_of_pieces_is_one_number_that_is_possible(text: str, told: int | None) -> None:
    assert count(text, 3) == told


@pytest.mark.parametrize("text", [
    "12 Moor Lane, Leeds LS1 4DY", "Flat 402\nSunrise Apartments\nIndiranagar, Bengaluru 560038",
    "Rua das Flores, Centro, Olinda",
])  # fmt: skip
def test_what_looks_like_an_address_is_taken_whole_when_it_was_asked_for(text: str) -> None:
    assert address(text, asked=True) == ", ".join(text.splitlines())


@pytest.mark.parametrize("text", ["no", "the same", "can i pay 10 more for it?", "wait a moment please", ""])
def test_other_words_are_no_address(text: str) -> None:
    assert address(text, asked=True) is None


def test_address_within_the_wish_is_found_only_where_it_is_plain() -> None:
    wanted = "send it to flat 402, sunrise apartments, 12th main road, bengaluru 560038"
    assert address(f"please {wanted}", asked=False) == wanted.removeprefix("send it to ")
    assert address("please change the address of 10241", asked=False) is None
    street_first = "Rua das Flores, 123, apt 4, block 2"
    assert address(f"mude o endereço para {street_first}", asked=False) == street_first


def test_refund_or_exchange_is_told_apart() -> None:
    said = {"money back": "refund", "paise wapas chahiye": "refund", "quiero cambiarlo": "exchange",
            "trocar": "exchange",
            "badalna hai": "exchange",
            "पैसे वापस चाहिए": "refund",
            "बदलना है": "exchange", "पता बदल दो": None, "refund or exchange": None, "hm": None}  # fmt: skip
    assert {text: wish(text) for text in said} == said


def test_address_is_named_in_each_language() -> None:
    for text in ("change adress", "pata badalna hai", "mudar o endereço", "cambiar la dirección", "पता बदलना है"):
        assert names_address(text)
    assert not names_address("another size")
    assert not names_address("मुझे पता नहीं")
