"""A customer's phone is recognised however the shop wrote it down, and never taken for another's."""

from __future__ import annotations

import re

import phonenumbers
import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from actions.orders.phones import as_integers, core_digits, e164, senders_phone, written_forms
from tests.examples import examples

MOBILES = st.integers(6_000_000_000, 9_999_999_999).map(str)
GAPS = st.sampled_from(["", " ", "-", ".", "\u00a0"])


@pytest.mark.parametrize(
    "written",
    ["+919876543210", "9876543210", "98765 43210", "098765-43210", "+91-98765-43210", "+91 (98765) 43210",
     "0091 98765 43210", "919876543210", "91 9876543210", "  +91 9876543210 ",
     "\u202a+91 98765 43210\u202c", 919876543210,
     "919876543210.0", "9876543210.00", "9.19876543210E+11", "9,876543210e9",
     "98765/43210", "+91/98765/43210", "98765_43210", "98765 | 43210", "98765,43210", "(098765) / 43210",
     "tel:+91-98765-43210", "98765 43210 home", "Ph. (0)98765 43210", "98765 43210 / 98123 45670"],
)
def test_all_ways_to_write_a_number_mean_the_same(written: object) -> None:
    assert e164(written, "IN") == "+919876543210"


@pytest.mark.parametrize(
    "written", [None, "", "unknown", "12", "+", "00", "+9", "9.19877E+11", "9.2E+9", "x" * 5000, 3.5, float("nan"),
                ["+919876543210"]]
)
def test_what_is_no_phone_number_is_none(written: object) -> None:
    assert e164(written, "IN") is None


@pytest.mark.parametrize(
    ("written", "region", "phone"),
    [
        ("07911 123456", "GB", "+447911123456"),
        ("0044 7911 123456", "IN", "+447911123456"),
        ("+1 (202) 555-0123", "IN", "+12025550123"),
        ("2025550123", "US", "+12025550123"),
        ("0041446681800", "US", "+41446681800"),
        ("07700/900271", "GB", "+447700900271"),  # kept for films: nobody's, and still read whole
        ("928/555-0194", "US", "+19285550194"),
        ("11/98765-4321", "BR", "+5511987654321"),
        ("0660 / 12 34 567", "AT", "+436601234567"),
        ("0055 81 98877-0002", "BR", "+5581988770002"),  # 55 is also a Brazilian carrier's, and 81 Japan
    ],
)
def test_other_countries_work_as_well(written: str, region: str, phone: str) -> None:
    assert e164(written, region) == phone


@given(first=MOBILES, second=MOBILES, between=st.sampled_from(["/", " / ", ",", ", ", "|", " · ", "_"]))
@settings(max_examples=examples(200))
def test_of_two_numbers_in_one_cell_the_first_counts_and_never_a_mixture(first: str, second: str, between: str) -> None:
    assume(phonenumbers.is_valid_number(phonenumbers.parse(first, "IN")))
    assert e164(f"{first}{between}{second}", "IN") == f"+91{first}"
    assert e164(f"{first}{between}{second[-2:]}", "IN") == f"+91{first}"


@pytest.mark.parametrize("identity", ["+919876543210", "919876543210"])
def test_the_senders_phone_is_taken_as_the_webhook_has_it(identity: str) -> None:
    assert senders_phone(identity) == "+919876543210"


@pytest.mark.parametrize(
    "identity", [None, "", "+", "IN.4159876543210", "98765 43210", "+91 98765 43210", "٩٨٧٦٥٤٣٢١٠", "123", "1" * 40, 91]
)
def test_an_identifier_that_is_no_phone_is_nobodys_phone(identity: object) -> None:
    assert senders_phone(identity) is None


TWO_FORMS = {
    "BR": ("+5541991230000", ["+554191230000", "41 9123-0000", "(041) 99123-0000", "5541991230000"]),
    "AR": ("+5491123456789", ["+541123456789", "011 15 2345-6789", "+54 9 11 2345-6789", "11 2345 6789"]),
    "MX": ("+525512345678", ["+5215512345678", "55 1234 5678", "044 55 1234 5678", "5215512345678"]),
    "BJ": ("+2290197123456", ["+22997123456", "97 12 34 56", "01 97 12 34 56", "22997123456", "0022997123456"]),
}


@pytest.mark.parametrize("region", TWO_FORMS)
def test_both_numbers_of_one_telephone_are_one(region: str) -> None:
    phone, written = TWO_FORMS[region]
    assert {e164(form, region) for form in written} == {phone}
    assert senders_phone(written[0]) == phone


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("+551141230000", "+5511941230000"),  # a landline, and a mobile that had no number of eight digits
        ("+5541991230000", "+5542991230000"),
        ("+5491123456789", "+5491123456780"),
        ("+525512345678", "+5215512345679"),
        ("+2290197123456", "+2290197123457"),
        ("+2290297123456", "+2290197123456"),
        ("+5541991230000", "+5441991230000"),
    ],
)
def test_two_telephones_are_never_one(one: str, other: str) -> None:
    assert e164(one, "IN") != e164(other, "IN")
    assert senders_phone(one) != senders_phone(other)


NATIONAL = st.sampled_from(
    [("55", r"[1-9][1-9](9?[2-9][0-9]{7})"), ("54", r"9?[1-8][0-9]{9}"), ("52", r"1?[2-9][0-9]{9}"),
     ("229", r"(01)?[2-9][0-9]{7}"), ("44", r"7[0-9]{9}"), ("1", r"[2-9][0-9]{9}")]
).flatmap(lambda country: st.from_regex(country[1], fullmatch=True).map(lambda digits: f"+{country[0]}{digits}"))


@settings(max_examples=examples(60), deadline=None)
@given(NATIONAL)
def test_a_number_is_found_again_under_every_form_that_is_looked_up(phone: str) -> None:
    owner = e164(phone, "IN")
    assert owner is not None
    assert e164(owner, "IN") == owner
    for form in written_forms(owner):
        read = e164(form, phonenumbers.region_code_for_country_code(phonenumbers.parse(owner).country_code))
        assert read == owner or not form.startswith("+")
    assert int(phone[1:]) in as_integers(owner)
    digits = iter(phone[1:])
    assert all(digit in digits for digit in core_digits(owner))


@example("6000000000", "91", "", ".", 1)
@example("9876543210", "", "", ".", 9)
@example("9876543200", "91", "", ".", 8)
@given(MOBILES, st.sampled_from(["+91", "91", "0091", "0", ""]), GAPS, GAPS, st.integers(1, 9))
def test_prefixes_and_separators_do_not_matter(mobile: str, prefix: str, gap: str, inner: str, cut: int) -> None:
    written = f"{prefix}{gap if prefix else ''}{mobile[:cut]}{inner}{mobile[cut:]}"
    assume(not re.fullmatch(r"\d{10,}\.0+", written))  # a spreadsheet's number, not digits with a dot between
    assert e164(written, "IN") == f"+91{mobile}"


@given(st.text(max_size=100))
def test_any_text_is_a_number_in_e164_or_none(text: str) -> None:
    phone = e164(text, "IN")
    assert phone is None or phonenumbers.is_possible_number(phonenumbers.parse(phone))


@settings(max_examples=examples(25))
@given(MOBILES, MOBILES)
def test_written_forms_of_one_number_are_never_those_of_another_in_the_same_country(one: str, other: str) -> None:
    forms = written_forms(f"+91{one}")
    assert {e164(form, "IN") for form in forms} == {f"+91{one}"}
    if one != other:
        assert not set(forms) & set(written_forms(f"+91{other}"))


@given(MOBILES)
def test_every_written_form_contains_the_core_digits(mobile: str) -> None:
    assert all(core_digits(f"+91{mobile}") in "".join(filter(str.isdigit, f)) for f in written_forms(f"+91{mobile}"))
