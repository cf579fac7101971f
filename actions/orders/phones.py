"""Phone numbers in E.164, and the ways in which shops write them.

Some countries have two numbers for one telephone: a ninth digit that came later (Brazil), a mobile prefix that only
callers from abroad dial (Argentina, Mexico), two digits in front (Benin). Shops and WhatsApp keep either, so `e164`
gives one of them for both, and two numbers are one person's exactly when it gives the same.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache

import phonenumbers
from phonenumbers import PhoneNumber, PhoneNumberFormat

MAX_PHONE_CHARS = 60
# The first run that looks like a phone number. What stands around it ("home", invisible direction marks) is not for
# phonenumbers, which would read letters as the digits of a keypad.
NUMBER = re.compile(r"\(?[+＋]?\(?\d[\d\s().‐-―-]*")
_BETWEEN_DIGITS = re.compile(r"(?<=[\d)])\s*[/_,|·•~]\s*(?=[\d(])")
# A spreadsheet's '919876543210.0', '9.19876543210E+11'; in '9.19877E+11' the last digits are lost.
_DECIMAL = re.compile(r"\s*(\d+)\.0+\s*")
_SCIENTIFIC = re.compile(r"\s*(\d)[.,]?(\d*)[eE]\+?(\d{1,2})\s*")


@dataclass(frozen=True)
class _TwoForms:
    """A country's national numbers in their other, older or shorter, form and as they are today; and how to change."""

    other: re.Pattern[str]
    to_today: str
    today: re.Pattern[str]
    to_other: str


_TWO_FORMS = {
    # Mobiles were the numbers that began with 6 to 9. What begins with 91 to 95 today was given out since, and without
    # its first 9 it would be somebody's landline.
    55: _TwoForms(re.compile(r"(\d\d)([6-9]\d{7})"), r"\g<1>9\2", re.compile(r"(\d\d)9([6-9]\d{7})"), r"\1\2"),
    54: _TwoForms(re.compile(r"([1-8]\d{9})"), r"9\1", re.compile(r"9([1-8]\d{9})"), r"\1"),
    52: _TwoForms(re.compile(r"(?:1|01|044|045)(\d{10})"), r"\1", re.compile(r"(\d{10})"), r"1\1"),
    229: _TwoForms(re.compile(r"(\d{8})"), r"01\1", re.compile(r"01(\d{8})"), r"\1"),
}


def e164(text: object, region: str) -> str | None:
    """'+919876543210' for '098765 43210' in region 'IN'; None when `text` is not a phone number.

    Of two forms of one telephone's number always the same: '+5541991230000' for '+55 41 9123-0000'.
    """
    if isinstance(text, (float, Decimal)):
        text = format(text, ".0f")  # a number column's; nan and the infinite have no digits
    if not isinstance(text, (str, int)) or len(str(text)) > MAX_PHONE_CHARS:
        return None
    return _read(str(text), region)


@lru_cache(maxsize=256)  # a turn reads its customer's several times
def _read(text: str, region: str) -> str | None:
    possible = [number for reading in _readings(text) for number in _possible_numbers(reading, region)]
    # '987654321.0' is a spreadsheet's decimal or ten digits with a dot, '0660/123' one number or the first of two: the
    # one that somebody can have.
    number = next(filter(phonenumbers.is_valid_number, possible), max(possible, key=_length, default=None))
    return phonenumbers.format_number(number, PhoneNumberFormat.E164) if number else None


def _possible_numbers(text: str, region: str) -> Iterator[PhoneNumber]:
    run = NUMBER.search(text)
    written = run.group() if run else ""
    # Brazil's 00 takes a carrier's two digits behind it, of which 55 is one: "0055 81" would be Japan.
    home = re.match(rf"\(?00[\s().-]*{phonenumbers.country_code_for_region(region)}", written)
    for candidate in [*([_with_plus(written)] if home else []), written, _with_plus(written)] if run else ():
        try:
            number = _todays_form(phonenumbers.parse(candidate, region))
        except phonenumbers.NumberParseException:
            continue
        if phonenumbers.is_possible_number(number):
            yield number
            return


def _length(number: PhoneNumber) -> int:
    return len(phonenumbers.national_significant_number(number))


def senders_phone(phone: object) -> str | None:
    """The phone of a signed webhook ('+919876543210', or without the plus) in E.164; None for anything else.

    Nothing is searched for in the text: an identifier that merely contains digits is not a phone.
    """
    written = re.fullmatch(r"\+?([0-9]{6,15})", phone) if isinstance(phone, str) else None
    return e164(f"+{written.group(1)}", "ZZ") if written else None


def _todays_form(number: PhoneNumber) -> PhoneNumber:
    forms = _TWO_FORMS.get(number.country_code or 0)
    return (_changed(number, forms.other, forms.to_today) if forms else None) or number


def _both_forms(phone: str) -> list[PhoneNumber]:
    """A number as `e164` gives it, and as the same telephone's is written as well."""
    number = phonenumbers.parse(phone)
    forms = _TWO_FORMS.get(number.country_code or 0)
    other = _changed(number, forms.today, forms.to_other) if forms else None
    return [number, other] if other else [number]


def _changed(number: PhoneNumber, form: re.Pattern[str], to: str) -> PhoneNumber | None:
    """The number with its national part, where that is of the form, rewritten."""
    matched = form.fullmatch(phonenumbers.national_significant_number(number))
    if not matched:
        return None
    national = matched.expand(to)
    changed = PhoneNumber(country_code=number.country_code, national_number=int(national))
    if national.startswith("0"):
        changed.italian_leading_zero, changed.number_of_leading_zeros = True, 1
    return changed


def _readings(text: str) -> list[str]:
    """The text as a spreadsheet wrote a number, as it stands, and last with other signs between its digits than
    phonenumbers knows ("928/555-0194"), since a slash may also stand between two numbers; none where a spreadsheet cut
    digits off."""
    if scientific := _SCIENTIFIC.fullmatch(text):
        digits = scientific[1] + scientific[2]
        return [digits] if len(digits) > int(scientific[3]) else []
    decimal = _DECIMAL.fullmatch(text)
    joined = _BETWEEN_DIGITS.sub(" ", text)
    return [*([decimal[1]] if decimal else []), text, *([joined] if joined != text else [])]


def _with_plus(written: str) -> str:
    """'0044…' and '44…' as '+44…': shops write 00 even where the region dials another international prefix."""
    digits = written.lstrip("(").lstrip("+")
    return "+" + (digits[2:] if digits.startswith("00") else digits)


def written_forms(phone: str) -> list[str]:
    """The usual ways to write an E.164 number, the number itself first. For an indexed look-up.

    Some belong to several countries ('9876543210'), so what is found must be compared again with `e164`.
    """
    return list(dict.fromkeys(form for number in _both_forms(phone) for form in _forms(number)))


def _forms(number: PhoneNumber) -> list[str]:
    code, national = str(number.country_code), phonenumbers.national_significant_number(number)
    half = len(national) // 2
    nationals = [
        national,
        *(f"{national[:half]}{gap}{national[half:]}" for gap in " -"),
        *(f"{national[:3]}{gap}{national[3:6]}{gap}{national[6:]}" for gap in " -"),
    ]
    international = [
        f"{plus}{code}{gap}{rest}"
        for plus in ("+", "", "00")
        for gap in ("", " ", "-")
        for rest in nationals
    ]
    formatted = [
        phonenumbers.format_number(number, style)
        for style in (PhoneNumberFormat.INTERNATIONAL, PhoneNumberFormat.NATIONAL, PhoneNumberFormat.RFC3966)
    ]
    plain = phonenumbers.format_number(number, PhoneNumberFormat.E164)
    decimal = [f"{digits}.0" for digits in (code + national, national)]
    return [plain, *international, *nationals, *(f"0{rest}" for rest in nationals), *formatted, *decimal]


def as_integers(phone: str) -> list[int]:
    """What a column of whole numbers may hold for an E.164 number, with and without its country code."""
    numbers = _both_forms(phone)
    nationals = [phonenumbers.national_significant_number(number) for number in numbers]
    written = [f"{number.country_code}{national}" for number, national in zip(numbers, nationals, strict=True)]
    return sorted({int(digits) for digits in (*nationals, *written)})


def core_digits(phone: str) -> str:
    """The digits that every way of writing an E.164 number contains in this order: those of its shortest form."""
    return min(map(phonenumbers.national_significant_number, _both_forms(phone)), key=len).lstrip("0")
