"""Check digits of numbers that name a person, an account or a payment card. Each takes the bare characters."""

import re

_VERHOEFF_D = (
    "0123456789", "1234067895", "2340178956", "3401289567", "4012395678",
    "5987604321", "6598710432", "7659821043", "8765932104", "9876543210",
)  # fmt: skip
_VERHOEFF_P = (
    "0123456789", "1576283094", "5803796142", "8916043527", "9453126870", "4286573901", "2793806415", "7046913258",
)  # fmt: skip
# ISO 13616: how long an account number of each country is.
_IBANS = (
    "AD24 AE23 AL28 AT20 AZ28 BA20 BE16 BG22 BH22 BI27 BR29 BY28 CH21 CR22 CY28 CZ24 DE22 DJ27 DK18 DO28 EE20 "
    "EG29 ES24 FI18 FK18 FO18 FR27 GB22 GE22 GI23 GL18 GR27 GT28 HN28 HR21 HU28 IE22 IL23 IQ23 IS26 IT27 JO30 "
    "KW30 KZ20 LB28 LC32 LI21 LT20 LU20 LV21 LY25 MC27 MD24 ME22 MK19 MN20 MR27 MT31 MU30 NI28 NL18 NO15 OM23 "
    "PK24 PL28 PS29 PT25 QA29 RO24 RS22 RU33 SA24 SC31 SD18 SE24 SI19 SK24 SM27 SO23 ST25 SV28 TL23 TN24 TR26 "
    "UA29 VA22 VG24 XK20 YE30"
)
IBAN_CHARS = {code[:2]: int(code[2:]) for code in _IBANS.split()}
_RFC_VALUES = "0123456789ABCDEFGHIJKLMN&OPQRSTUVWXYZ Ñ"
_DNI_LETTERS = "TRWAGMYFPDXBNJZSQVHLCKE"


def luhn(digits: str) -> bool:
    """A payment card's number."""
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = int(digit) * (2 if place % 2 else 1)
        total += value - 9 if value > 9 else value
    return total % 10 == 0


def card(digits: str) -> bool:
    """A payment card's number: its length, its issuer's first digits and its check digit."""
    if not 13 <= len(digits) <= 19:
        return False
    issuer = digits[0] in "3456" or digits[:2] in ("81", "82") or digits[:4] == "9792"
    issuer = issuer or 2200 <= int(digits[:4]) <= 2720
    return issuer and luhn(digits)


def verhoeff(digits: str) -> bool:
    """India's Aadhaar."""
    check = 0
    for place, digit in enumerate(reversed(digits)):
        check = int(_VERHOEFF_D[check][int(_VERHOEFF_P[place % 8][int(digit)])])
    return check == 0


def aadhaar(digits: str) -> bool:
    return len(digits) == 12 and digits[0] >= "2" and verhoeff(digits)


def iban(characters: str) -> bool:
    """ISO 7064 mod 97-10 over an account number of its country's length, capital letters."""
    if IBAN_CHARS.get(characters[:2]) != len(characters):
        return False
    return int("".join(str(int(one, 36)) for one in characters[4:] + characters[:4])) % 97 == 1


def cpf(digits: str) -> bool:
    """Brazil's taxpayers."""
    if len(digits) != 11 or len(set(digits)) == 1:
        return False
    return all(_mod11(digits[:size], range(size + 1, 1, -1)) == int(digits[size]) for size in (9, 10))


def cnpj(characters: str) -> bool:
    """Brazil's companies; letters count since 2026."""
    if not re.fullmatch(r"[0-9A-Z]{12}\d{2}", characters) or len(set(characters)) == 1:
        return False
    weights = [6, 5, 4, 3, 2, 9, 8, 7, 6, 5, 4, 3, 2]
    return all(_mod11(characters[:size], weights[-size:]) == int(characters[size]) for size in (12, 13))


def _mod11(characters: str, weights: range | list[int]) -> int:
    rest = sum((ord(one) - 48) * weight for one, weight in zip(characters, weights, strict=True)) % 11
    return 0 if rest < 2 else 11 - rest


def nif(digits: str) -> bool:
    """Portugal's taxpayers."""
    return len(digits) == 9 and digits[0] in "1235689" and _mod11(digits[:8], range(9, 1, -1)) == int(digits[8])


def dni(characters: str) -> bool:
    """Spain's citizens (eight digits, a letter) and foreigners (X, Y or Z, seven digits, a letter)."""
    number = re.sub("^[XYZ]", lambda first: str("XYZ".index(first.group())), characters[:-1])
    return len(number) == 8 and characters[-1] == _DNI_LETTERS[int(number) % 23]


def rfc(characters: str) -> bool:
    """Mexico's taxpayers: three or four letters, a date, three characters of which the last one checks."""
    padded = characters.rjust(13)
    rest = sum(_RFC_VALUES.index(one) * (13 - place) for place, one in enumerate(padded[:12])) % 11
    return date6(characters[-9:-3]) and padded[12] == {0: "0", 1: "A"}.get(rest, str(11 - rest))


def date6(digits: str) -> bool:
    """A day as YYMMDD."""
    return 1 <= int(digits[2:4]) <= 12 and 1 <= int(digits[4:6]) <= 31


def cuit(digits: str) -> bool:
    """Argentina's taxpayers."""
    rest = sum(int(one) * weight for one, weight in zip(digits[:10], (5, 4, 3, 2, 7, 6, 5, 4, 3, 2), strict=True)) % 11
    return len(digits) == 11 and int(digits[10]) == {0: 0, 1: 9}.get(rest, 11 - rest)


def rut(characters: str) -> bool:
    """Chile's citizens."""
    weights = (2, 3, 4, 5, 6, 7, 2, 3)
    rest = 11 - sum(int(one) * weight for one, weight in zip(reversed(characters[:-1]), weights, strict=False)) % 11
    return characters[-1] == {11: "0", 10: "K"}.get(rest, str(rest))
