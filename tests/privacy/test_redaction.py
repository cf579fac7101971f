"""What is personal goes, what the assistant needs stays."""

from __future__ import annotations

import re
import string

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from privacy.checks import luhn, verhoeff
from privacy.redaction import redact
from tests.costs import grows_with_length
from tests.examples import examples

digits = st.sampled_from(string.digits)
SAFE_WORDS = st.sampled_from(
    ["please", "check", "my parcel", "kab aayega", "it is late 😡", "thanks,", "and", "(urgent)"]
)
WRITTEN = st.sampled_from(["{}", "+91{}", "+91 {}", "91{}", "0{}", "+91-{}"])


def with_check_digit(body: str, is_valid: object) -> str:
    """`body` with the digit that makes its checksum right."""
    return next(body + digit for digit in string.digits if is_valid(body + digit))  # type: ignore[operator]


mobiles = st.integers(6_000_000_000, 9_999_999_999).map(str)  # a regular expression would cost thrice as much
cards = st.from_regex(r"(4[0-9]{4}|5[1-5][0-9]{3}|6011[0-9]|6521[0-9])[0-9]{10}", fullmatch=True).map(
    lambda body: with_check_digit(body, luhn)
)
aadhaars = st.builds(
    lambda first, body: with_check_digit(first + body, verhoeff),
    st.sampled_from("23456789"),
    st.text(string.digits, min_size=10, max_size=10),
)


@given(SAFE_WORDS, mobiles, WRITTEN, SAFE_WORDS, st.booleans())
@example("please", "9097860113", "0{}", "please", False)  # eleven digits that are a Brazilian tax number too
def test_mobile_numbers_go_however_they_are_written(before, number, form, after, grouped):
    written = form.format(f"{number[:5]} {number[5:]}" if grouped else number)
    assert redact(f"{before} {written} {after}") in (f"{before} [phone] {after}", f"{before} [cpf] {after}")


@given(cards, st.sampled_from(["", " ", "-"]))
def test_cards_go_whatever_separates_their_digits(number, gap):
    written = gap.join(number[at : at + 4] for at in range(0, 16, 4))
    assert redact(f"charged twice on {written} today") == "charged twice on [card] today"


@given(aadhaars, st.sampled_from(["", " ", "-"]))
def test_aadhaar_numbers_go(number, gap):
    written = gap.join(number[at : at + 4] for at in range(0, 12, 4))
    found = redact(f"my id {written} ok")
    assert re.fullmatch(r"my id \[(aadhaar|phone)\] ok", found)


@given(st.from_regex(r"[a-z][a-z0-9._]{0,10}[a-z0-9]@[a-z]{2,8}\.(com|in|co\.in)", fullmatch=True))
def test_mail_addresses_go(address):
    assert redact(f"write to {address}, please") == "write to [email], please"


@given(st.from_regex(r"[a-z][a-z0-9.]{1,10}[a-z0-9]@(okaxis|ybl|paytm|oksbi|upi)", fullmatch=True))
def test_upi_addresses_go(address):
    assert redact(f"refund to {address}.") == "refund to [upi]."


orders = st.builds(
    lambda form, number: form.format(number),
    st.sampled_from(["#{}", "order {}", "order no. {}", "order #{}", "Order number is {}", "orders {} and 10235"]),
    st.integers(10000, 99999),
)
prices = st.sampled_from(["₹1,29,999", "Rs. 2499", "Rs 99/-", "₹ 12500.50", "INR 45000", "2,499 rupees", "₹9876543210"])
dates = st.dates().flatmap(
    lambda day: st.sampled_from(
        [f"{day:%d %B %Y}", f"{day:%d/%m/%Y}", f"{day:%Y-%m-%d}", f"{day:%d-%m-%y}", f"{day:%d.%m.%Y} at 10:30",
         f"{day:%Y-%m-%d %H:%M:%S}"]
    )
)  # fmt: skip
sizes = st.sampled_from(["size 42", "2 kurtas", "100% cotton", "flat 20% off", "qty 3", "90x100 cm", "3 to 5 days"])


@given(st.lists(st.one_of(orders, prices, dates, sizes, SAFE_WORDS), min_size=1, max_size=6).map(", ".join))
@example("order 10234, order 10235, 3 to 5 days")
@example("orders 70234 70235")
@example("AWB BD9876543210IN is stuck, ref #9876543210")
@example("I paid ₹1,499 on 2026-10-27 10:30 for order #10234")
def test_orders_prices_and_dates_stay(text):
    assert redact(text) == text


@settings(max_examples=examples(300))
@given(st.text(alphabet=st.characters(codec="utf-8"), max_size=80))
def test_texts_without_digits_and_signs_stay(text):
    plain = "".join(character for character in text if not character.isdigit() and character not in "@＠")
    plain = "".join(character for character in plain if not character.isnumeric())
    assert redact(plain) == plain


@settings(max_examples=examples(300))
@given(st.text(alphabet="0123456789 +-()./#@abcRs₹,\n", max_size=60))
def test_redacting_never_fails_and_keeps_everything_around(text):
    found = redact(text)
    rest = [re.escape(part) for part in re.split(r"\[[a-z_]+\]", found)]
    assert re.fullmatch(".+?".join(rest), text, re.DOTALL)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("number is ९८७६५४३२१०", "number is [phone]"),
        ("98765\u206043210", "[phone]"),
        ("+1 (415) 555-2671", "[phone]"),
        ("call 022-26771234", "call [phone]"),
        ("mob9876543210pls", "mob[phone]pls"),
        ("10234 9876543210", "10234 [phone]"),
        ("PAN ABCPE1234F", "PAN [pan]"),
        ("IFSC HDFC0001234 a/c no 123456789012", "IFSC [ifsc] a/c no [bank_account]"),
        ("otp is 482913", "otp is [otp]"),
        ("482913 is my otp", "[otp] is my otp"),
        ("ओटीपी है 482913", "ओटीपी है [otp]"),
        ("पिन कोड ५६००३८", "पिन कोड [pin_code]"),
        ("आधार नंबर १२३४ ५६७८ ९०१२", "आधार नंबर [aadhaar]"),
        ("मेरा पता है मकान नंबर 12, गली नंबर 5, लक्ष्मी नगर, दिल्ली 110092", "मेरा पता है [address]"),
        ("फ्लैट 402, सनराइज़ अपार्टमेंट, इंदिरानगर, बेंगलुरु 560038 पर भेज दो", "[address] पर भेज दो"),
        ("घर 2 दिन में आएगा, 12 दिन से नगर में नहीं आया", "घर 2 दिन में आएगा, 12 दिन से नगर में नहीं आया"),
        ("pincode 560001", "pincode [pin_code]"),
        ("deliver to 560 001", "deliver to [pin_code]"),
        ("cvv 123", "cvv [cvv]"),
        ("to Flat 402, Lotus Apartments, 12th Main, Indiranagar, Bengaluru 560038 today", "to [address] today"),
        ("address is 4/12 Gandhi Street, T Nagar, Chennai - 600017. Come soon", "address is [address]. Come soon"),
        ("flat 402 lotus apartments indiranagar bangalore", "[address]"),
        ("my address is wrong", "my address is wrong"),
        ("I want 2 block print kurtas and 1 floor lamp", "I want 2 block print kurtas and 1 floor lamp"),
        ("12 days on the road", "12 days on the road"),
        ("Delhi 110092", "[address]"),
        ("ghar ka pata: makan number 45, gali no 3, Laxmi Nagar, Delhi-92", "ghar ka pata: [address]"),
        ("C/o Ramesh Kumar, near Hanuman Mandir, Boring Road, Patna 800001", "[address]"),
        ("village Rampur, post Bilari, dist Moradabad, UP 244411", "[address]"),
        ("#24, 3rd Cross, 5th Main, Jayanagar 4th Block, Bangalore 560011", "[address]"),
        ("it is B-204 Green Park, near metro, Pune 411001", "it is [address]"),
        ("change A-12 Kurta to blue, size M-38 Slim", "change A-12 Kurta to blue, size M-38 Slim"),
        ("nasci em 12 de maio de 1990", "nasci em [birth_date]"),
        ("fecha de nacimiento: 12/05/1990", "fecha de nacimiento: [birth_date]"),
        ("जन्म तिथि 12/05/1990", "जन्म तिथि [birth_date]"),
        ("security code 904, código de verificação 482913", "security code [cvv], código de verificação [otp]"),
        ("my password is hunter22", "my password is [password]"),
        ("the password is not working", "the password is not working"),
        ("postcode NW1 6XE", "postcode [pin_code]"),
        ("4539, 1488, 0343, 6467", "[card]"),
        ("order 4539, 1488, 0343, 6467", "order 4539, 1488, 0343, 6467"),
        ("village print kurta and 2 dupatta", "village print kurta and 2 dupatta"),
        ("nine eight seven six five four three two one zero", "[phone]"),
        ("call double nine eight seven six five four three two one", "call [phone]"),
        ("order one zero two three four", "order one zero two three four"),
        ("asha at gmail dot com", "[email]"),
        ("asha @ gmail . com", "[email]"),
        ("look at the live tracking on gmail", "look at the live tracking on gmail"),
        ("rupay card 6521 5012 3456 7890 mistyped", "rupay card [card] mistyped"),
        ("dob 12 May 1990, ordered on 12 May 2026", "dob [birth_date], ordered on 12 May 2026"),
        ("DL KA05 20110012345", "DL [licence]"),
        ("txn id 412345678901 and UTR 412345678901 failed", "txn id 412345678901 and UTR 412345678901 failed"),
        ("mera order 10234 Rs 1299 ka 12-11-2026 ko aana tha", "mera order 10234 Rs 1299 ka 12-11-2026 ko aana tha"),
    ],
)  # fmt: skip
def test_examples(text, expected):
    assert redact(text) == expected


@pytest.mark.parametrize("number", [
    "11 98765-4321", "(11) 98765-4321", "11987654321", "(21) 2345-6789", "612 345 678", "612 34 56 78", "55 1234 5678",
    "06 12 34 56 78", "912 345 678",
])  # fmt: skip
def test_phones_go_as_the_countries_of_all_languages_write_them(number):
    for before in ("", "meu número é ", "mi cel: ", "call me on "):
        assert redact(f"{before}{number}, ok") == f"{before}[phone], ok"


@pytest.mark.parametrize("text", [
    "pedido 612 345 678", "rastreio 11987654321", "order no. 912 345 678", "são 3 x 120 000", "R$ 119 876 543",
    "phone case for 2 phones", "call 10234", "tel 12 dias", "chega dia 12 10 2026", "612 345 unidades",
])  # fmt: skip
def test_numbers_that_are_no_phones_there_stay(text):
    assert redact(text) == text


@pytest.mark.parametrize("word", ["telefone", "teléfono", "celular", "cel", "móvil", "whatsapp", "फोन", "call me at"])
def test_a_number_that_is_said_to_be_a_phone_goes_in_any_grouping(word):
    assert redact(f"meu {word} é 3322 1100") == f"meu {word} é [phone]"
    assert redact(f"{word} 61 23 45 678 por favor") == f"{word} [phone] por favor"


@pytest.mark.parametrize(("text", "shown"), [
    ("entregar na Rua das Flores, 123, apto 45, São Paulo 01310-100", "entregar na [address]"),
    ("moro na rua das acácias 40 ap 12", "moro na [address]"),
    ("mude para Rua das Flores, 123, apt 4, block 2, floor 3", "mude para [address]"),
    ("Av. Paulista 1578, Bela Vista. Pode ser hoje?", "[address]. Pode ser hoje?"),
    ("mi dirección: Calle Mayor 12, 3ºB, 28013 Madrid", "mi dirección: [address]"),
    ("Calle de la Jícara 218, colonia Americana, Guadalajara", "[address]"),
    ("221B Baker Street, London NW1 6XE", "[address]"),
    ("1600 Amphitheatre Pkwy, Mountain View, CA 94043", "[address]"),
    ("मकान नंबर 12, गली 5, दिल्ली 110001", "[address]"),
    ("minha rua tem 3 casas", "minha rua tem 3 casas"),
    ("va en camino desde el 12, pedido 10234", "va en camino desde el 12, pedido 10234"),
    ("a rua 12 e o pedido 10234", "a rua 12 e o pedido 10234"),
    ("avenida de 3 pistas", "avenida de 3 pistas"),
])  # fmt: skip
def test_addresses_go_in_all_languages(text, shown):
    assert redact(text) == shown


@pytest.mark.parametrize("written", [
    "asha @ shop.example", "asha(at)shop.example", "asha [at] shop [dot] example", "asha at shop dot example",
    "asha at the rate gmail dot com", "asha arroba hotmail punto com", "asha arroba gmail.com", "asha@उदाहरण.भारत",
    "आशा@उदाहरण.भारत", "asha@пример.рф", '"asha k"@shop.example', "ＡＳＨＡ＠ＧＭＡＩＬ．ＣＯＭ",
    "asha gmail com", "asha{at}gmail{dot}com", "asha dot k at gmail dot com",
])  # fmt: skip
def test_mail_addresses_go_as_people_say_them_and_in_every_script(written):
    assert redact(f"mail: {written} ok") == "mail: [email] ok"


@pytest.mark.parametrize("text", [
    "2 @ 499, price @ 899 each", "10@ each. thanks", "meet me at the shop", "look at dots on it", "follow @shop_name",
    "order 9876543210", "order id: 919876543210", "pedido 5512345678", "uuid 123e4567-e89b-12d3-a456-426614174000",
    "chave de acesso 3520 1112 3456 7800 0195 5500 1000 0000 0110 0000 0015", "1796000000", "ward 3 robe",
    "1999 2499 2999 3499", "um dois três", "sizes 36 38 40 42 44", "rated 4 5 4 5 5 5 4", "50 ml street perfume",
    "no es 123455 ni 123456", "order ref 9876543210", "2026112409",
    "courier number 4402918833", "order A-102 Blue Kurta for Pune",
])  # fmt: skip
def test_what_only_looks_personal_stays(text):
    assert redact(text) == text


@pytest.mark.parametrize("written", [
    "4155552671", "447911123456", "5511987654321", "01512 3456789", "0812-3456-7890", "11 9 8765 4321", "612-345-678",
    "9 8 7 6 5 4 3 2 1 0", "nove oito sete seis cinco quatro três dois um", "नौ आठ सात छह पांच चार तीन दो एक शून्य",
])  # fmt: skip
def test_phones_go_however_they_are_given(written):
    assert redact(f"hi {written} ok") == "hi [phone] ok"


@pytest.mark.slow
@pytest.mark.parametrize(
    "unit",
    ["1 ", "9", "flat 1 ", "a@", "12 a b c ", "+91 ", "address is 1 ", "account no no no ", "x_", "a.", "12, ", "a@a.",
     "1-", "(1) ", "order 1 ", "flat no ", "card 1 ", "nine ", "aa at gmail", "#1, 1st main ", "c/o a ", "aa     ",
     "GB28 ", "GB28", "cpf ", "cpf: no 1", "X1", "1.1", "4 5 3 9 1 4\n", "12345678A ", "rfc AAA",
     "123-45-", "PT 123 ", "rua ", "rua a", "rua a 1", "rua a 1, A ", "rua  a    ", "av a-", "tel ", "tel: no 1",
     "call me ", "गली 1 ", "1 क ख ग ", "नगर ", "a at b dot ", "at ", "0 ", "A 1 ", "ssn a b ", "cuenta no ", "457 55 ",
     "documento a ", '"a', "one ", "1234 ", "my my ", "dois-"],
)  # fmt: skip
def test_what_hostile_texts_cost_grows_with_their_length(unit):
    assert grows_with_length(redact, unit, 8_000, end="@1")
