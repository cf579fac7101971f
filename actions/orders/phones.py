"""Phone numbers in E.164, and the ways in which shops write them."""

from __future__ import annotations

import re

import phonenumbers
from phonenumbers import PhoneNumberFormat

LONGEST_PHONE = 60
# The first run that looks like a phone number. What stands around it ("home", invisible direction marks) is not for
# phonenumbers, which would read letters as the digits of a keypad.
NUMBER = re.compile(r"\(?[+＋]?\(?\d[\d\s().‐-―-]*")


def e164(text: object, region: str) -> str | None:
    """'+919876543210' for '098765 43210' in region 'IN'; None when `text` is no phone number."""
    if not isinstance(text, (str, int)) or len(str(text)) > LONGEST_PHONE:
        return None
    run = NUMBER.search(str(text))
    for candidate in (run.group(), _with_plus(run.group())) if run else ():
        try:
            number = phonenumbers.parse(candidate, region)
        except phonenumbers.NumberParseException:
            continue
        if phonenumbers.is_possible_number(number):
            return phonenumbers.format_number(number, PhoneNumberFormat.E164)
    return None


def senders_phone(phone: object) -> str | None:
    """The phone of a signed webhook ('+919876543210', or without the plus) in E.164; None for anything else.

    Nothing is searched for in the text: an identifier that merely contains digits is not a phone.
    """
    written = re.fullmatch(r"\+?([0-9]{6,15})", phone) if isinstance(phone, str) else None
    return f"+{written.group(1)}" if written and e164(f"+{written.group(1)}", "ZZ") else None


def _with_plus(written: str) -> str:
    """'0044…' and '44…' as '+44…': shops write 00 even where the region dials another international prefix."""
    digits = written.lstrip("(").lstrip("+")
    return "+" + (digits[2:] if digits.startswith("00") else digits)


def written_forms(phone: str) -> list[str]:
    """The usual ways to write an E.164 number, the number itself first. For an indexed look-up.

    Some belong to several countries ('9876543210'), so what is found must be compared again with `e164`.
    """
    number = phonenumbers.parse(phone)
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
    forms = [phone, *international, *nationals, *(f"0{rest}" for rest in nationals), *formatted]
    return list(dict.fromkeys(forms))


def core_digits(phone: str) -> str:
    """The digits that every way of writing an E.164 number contains: those after country code and trunk prefix."""
    return phonenumbers.national_significant_number(phonenumbers.parse(phone))
