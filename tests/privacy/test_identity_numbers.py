"""Account numbers and national ids go, in wild spellings; what only looks like one stays."""

from __future__ import annotations

import re
import string

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from privacy import checks
from privacy.redaction import redact

digit = st.sampled_from(string.digits)
WORDS = st.sampled_from(["refund to", "my id is", "pls", "aqui está", "es", "कृपया", "it's", "(", "hi,"])
SEPARATOR = st.sampled_from([" ", "-", ".", "\u00a0", "\u2009", "–", "  "])
SCRIPTS = [
    str.maketrans("0123456789", written)
    for written in ("0123456789", "०१२३४५६७८९", "٠١٢٣٤٥٦٧٨٩", "０１２３４５６７８９", "⓪①②③④⑤⑥⑦⑧⑨",
                    "𝟎𝟏𝟐𝟑𝟒𝟓𝟔𝟕𝟖𝟗")
]  # fmt: skip


def digits(count: int) -> st.SearchStrategy[str]:
    return st.text(string.digits, min_size=count, max_size=count)


def completed(body: str, is_right, endings: str = string.digits) -> str:
    """`body` with the ending that makes it right."""
    found = next((body + ending for ending in endings if is_right(body + ending)), None)
    assume(found is not None)
    return str(found)


def two_completed(body: str, is_right) -> str:
    found = next((f"{body}{end:02}" for end in range(100) if is_right(f"{body}{end:02}")), None)
    assume(found is not None)
    return str(found)


def in_groups(text: str, sizes: list[int], gap: str) -> str:
    pieces, at = [], 0
    for size in sizes:
        pieces.append(text[at : at + size])
        at += size
    return gap.join([*pieces, text[at:]] if at < len(text) else pieces)


cards = st.builds(
    lambda start, rest: completed((start + rest)[:15], checks.card),
    st.sampled_from(["4539", "5500", "6011", "6521", "2221", "5067"]), digits(11),
)
amex = st.builds(lambda rest: completed("37" + rest, checks.card), digits(12))


def ibans() -> st.SearchStrategy[str]:
    def build(country: str, account: str) -> str:
        body = account[: checks.IBAN_CHARS[country] - 4]
        return next(f"{country}{end:02}{body}" for end in range(2, 99) if checks.iban(f"{country}{end:02}{body}"))

    letters = st.text(string.digits + string.ascii_uppercase, min_size=30, max_size=30)
    return st.builds(build, st.sampled_from(sorted(checks.IBAN_CHARS)), letters)


@given(WORDS, ibans(), st.sampled_from(["", " ", "-", "\u00a0", "  "]), st.booleans(),
       st.sampled_from(["", ".", " ok", " thanks"]))  # fmt: skip
def test_account_numbers_go(before: str, number: str, gap: str, small: bool, after: str) -> None:
    written = in_groups(number, [4] * (len(number) // 4), gap)
    assert redact(f"{before} {written.lower() if small else written}{after}") == f"{before} [iban]{after}"


@given(ibans(), digit)
def test_an_account_number_that_does_not_check_is_none(number: str, other: str) -> None:
    assume(other != number[3])
    assert "[iban]" not in redact(f"{number[:3]}{other}{number[4:]}")


@given(st.one_of(cards, amex), SEPARATOR, st.sampled_from(SCRIPTS), st.integers(0, 4), WORDS)
@example("4539148803436467", " ", SCRIPTS[0], 1, "pls")
def test_cards_go_in_every_spelling(number: str, gap: str, script: dict, spelling: int, before: str) -> None:
    fours = [4] * (len(number) // 4)
    written = [
        number,
        in_groups(number, fours, gap),
        in_groups(number, [4, 6] if len(number) == 15 else [4, 4, 4, 4], gap),
        gap.join(number),
        in_groups(number, fours, "\n"),
    ][spelling].translate(script)
    assert redact(f"{before} {written} ok") == f"{before} [card] ok"


def test_a_card_whose_last_digits_are_a_cpf_too_goes_whole() -> None:
    assert redact("refund to 3716 5810 2630 205 ok") == "refund to [card] ok"


def test_cards_go_where_emoji_are_their_digits() -> None:
    assert redact("card " + "".join(f"{one}\ufe0f\u20e3" for one in "4539148803436467")).startswith("card [card]")


@pytest.mark.parametrize("text", [
    "4539 1488 0343 6467 12/27 cvv 123", "card:4539-1488-0343-6467", "4539.1488.0343.6467", "4539_1488_0343_6467",
    "4539,1488,0343,6467", "10234 4539148803436467", "4539 - 1488 - 0343 - 6467", "visa 4539 148803 436467",
])  # fmt: skip
def test_cards_go_beside_other_things(text: str) -> None:
    assert "6467" not in redact(text)
    assert "1488" not in redact(text)


@given(digits(9), WORDS)
def test_brazilian_taxpayers_go(body: str, before: str) -> None:
    number = two_completed(body, checks.cpf)
    for written in (number, f"{number[:3]}.{number[3:6]}.{number[6:9]}-{number[9:]}", f"cpf {number[:9]}-{number[9:]}",
                    f"{number[:3]} {number[3:6]} {number[6:9]} {number[9:]}"):  # fmt: skip
        shown = redact(f"{before} {written} ok")
        assert re.search(r"\[(cpf|phone)\] ok$", shown), shown


@given(digits(12))
def test_brazilian_companies_go(body: str) -> None:
    number = two_completed(body, checks.cnpj)
    written = f"{number[:2]}.{number[2:5]}.{number[5:8]}/{number[8:12]}-{number[12:]}"
    assert redact(f"CNPJ {written}, por favor") == "CNPJ [cnpj], por favor"


@given(digits(8), st.sampled_from(["", "-"]), st.booleans())
def test_spanish_ids_go(body: str, gap: str, small: bool) -> None:
    letter = completed(body, checks.dni, string.ascii_uppercase)[-1]
    written = f"{body}{gap}{letter.lower() if small else letter}"
    assert redact(f"mi dni es {written}.") == "mi dni es [dni]."
    assert redact(f"soy {written}") == "soy [dni]"
    dotted = f"{body[:2]}.{body[2:5]}.{body[5:]}-{letter}"
    assert redact(f"soy {dotted}") == "soy [dni]"


@given(st.sampled_from("XYZ"), digits(7), st.sampled_from(["", "-", " "]))
def test_spanish_ids_of_foreigners_go(first: str, body: str, gap: str) -> None:
    letter = completed(first + body, checks.dni, string.ascii_uppercase)[-1]
    assert redact(f"soy {first}{gap}{body}{gap}{letter}") == "soy [nie]"


@given(st.sampled_from("1235689"), digits(7))
def test_portuguese_taxpayers_go_beside_a_word_or_in_threes(first: str, body: str) -> None:
    number = completed(first + body, checks.nif)
    assert redact(f"o meu NIF é {number}") == "o meu NIF é [nif]"
    assert redact(f"contribuinte nº {number}") == "contribuinte nº [nif]"
    assert redact(f"fatura com {number[:3]} {number[3:6]} {number[6:]}") == "fatura com [nif]"


@pytest.mark.parametrize(("text", "expected"), [
    ("refund to IBAN GB28 WEST 2233 4455 6677 88", "refund to IBAN [iban]"),
    ("ibanGB28WEST22334455667788", "iban[iban]"),
    ("SSN 536-22-8714 if you need it", "SSN [ssn] if you need it"),
    ("my social is 536 22 8714", "my social is [ssn]"),
    ("ssn:536228714", "ssn:[ssn]"),
    ("PAN ABCPE 1234 F", "PAN [pan]"),
    ("pan is abcpe1234f", "pan is [pan]"),
    ("CURP GOMC850101HDFRRL09", "CURP [curp]"),
    ("mi curp: gomc 850101 hdf rrl 09", "mi curp: [curp]"),
    ("RFC GODE561231GR8", "RFC [rfc]"),
    ("factura a nombre de GODE561231GR8", "factura a nombre de [rfc]"),
    ("NI number AB 12 34 56 C", "NI number [nino]"),
    ("nino qq123456c", "nino [nino]"),
    ("national insurance JG103759A", "national insurance [nino]"),
    ("CUIT 20-12345678-6", "CUIT [cuit]"),
    ("rut 12.345.678-5", "rut [rut]"),
    ("cédula 1.020.304.050", "cédula [national_id]"),
    ("pasaporte AAB123456", "pasaporte [passport]"),
    ("aadhaar 2345-6789-0124", "aadhaar [aadhaar]"),
    ("ＧＢ２８ ＷＥＳＴ ２２３３ ４４５５ ６６７７ ８８", "[iban]"),
    ("GB28\nWEST\n2233\n4455\n6677\n88", "[iban]"),
    ("IBAN:GB28WEST22334455667788BIC:WESTGB2L", "IBAN:[iban]BIC:WESTGB2L"),
    ("536 - 22 - 8714", "[ssn]"),
    ("536_22_8714", "[ssn]"),
    ("soc sec 536228714", "soc sec [ssn]"),
    ("536228714 is my ssn", "[ssn] is my ssn"),
    ("SSN on file: 536228714", "SSN on file: [ssn]"),
    ("cpf do titular 52998224725", "cpf do titular [cpf]"),
    ("CPF52998224725", "CPF[cpf]"),
    ("5 2 9 9 8 2 2 4 7 2 5", "[cpf]"),
    ("CNPJ 12ABC34501DE35", "CNPJ [cnpj]"),
    ("DNI argentino 30.123.456", "DNI argentino [dni]"),
    ("pan is A B C P E 1 2 3 4 F", "pan is [pan]"),
    ("QQ 12 34 56 C", "[nino]"),
    ("VISA4539148803436467", "VISA[card]"),
    ("card #4539148803436467", "card #[card]"),
    ("4539148803436467exp 12/27", "[card]exp 12/27"),
    ("(4539) (1488) (0343) (6467)", "([card])"),
    ("sort code 60-16-13 account 31926819", "sort code 60-16-13 account [bank_account]"),
    ("clabe: 032180000118359719", "clabe: [bank_account]"),
    ("pix 123e4567-e89b-12d3-a456-426614174000", "pix [pix]"),
    ("NHS 943 476 5919", "NHS [national_id]"),
    ("SIN 046 454 286", "SIN [national_id]"),
    ("cédula de ciudadanía 1.020.304.050", "cédula de ciudadanía [national_id]"),
])  # fmt: skip
def test_examples(text: str, expected: str) -> None:
    assert redact(text) == expected


@pytest.mark.parametrize("text", [
    "order 112-4567890-1234567", "WC-1001 and WC-20455", "ORD/2024/001", "order ABC-123-45-6789 late",
    "tracking 1Z999AA10123456784", "AWB 536-22-8714", "rastreio AB123456785BR", "Tracking number: BK6200177",
    "pedido 12345678901", "my order is 12345678Z", "pedido nº 529.982.247-25", "seguimiento RR123456785ES",
    "tracking number 4539148803436467", "DL4402918", "sin 12345 no puedo", "order 10234 and 10235 a gift",
    "pedido 123 456 789", "size 42 A", "run 12345678 was late", "model XYZ1234 A", "₹4539148803436467",
    "IMEI 490154203237518", "it's order ABCPE1234F", "pan 1234 is scratched", "documento del pedido 123456",
])  # fmt: skip
def test_orders_and_tracking_numbers_stay(text: str) -> None:
    assert redact(text) == text


@example("1000", "DL000000990")  # the words around have an account number's check digits
@given(st.from_regex(r"(WC-|#|ORD/2024/|no )?[1-9][0-9]{3,6}", fullmatch=True),
       st.from_regex(r"(DL|BK|1Z999AA|RR|SF)[0-9]{7,9}(IN|GB|BR)?", fullmatch=True))  # fmt: skip
def test_shops_own_numbers_stay(order: str, tracking: str) -> None:
    asked = f"where is {order}? tracking {tracking} says nothing"
    assert redact(asked) == asked
