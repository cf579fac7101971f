"""A customer's address told apart into the fields that shop systems keep, or not at all.

A part in the wrong field is a lost parcel. So an address is read from its end, by what the order's address of today and
the shop's system say of the country: how its postcodes look, which states it has. What is not sure is None.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import astuple, dataclass
from functools import lru_cache

from babel import Locale

MAX_LINE_CHARS = 60
MAX_CITY_CHARS = 60
NOT_TOLD_APART = "street, city, state and postcode of the new address cannot be told apart for sure"
_GB, _US = r"[A-Z]{1,2}\d[A-Z\d]? ?\d[A-Z]{2}", r"\d{5}(?:-\d{4})?"
_CODE_WORD = r"(?:(?:pin|zip|post(?:al)?)(?: ?code)?|cep|c\.?p\.?|c[oó]digo postal)\W*"
_CODE_BEFORE_CITY = (
    "AT", "BE", "CH", "CZ", "DE", "DK", "ES", "FI", "FR", "GR", "HR", "HU", "IT", "LU", "MX", "NL", "NO", "PL", "PT",
    "RO", "SE", "SI", "SK", "TR",
)  # fmt: skip
_ALSO_NAMED = {"uk": "GB", "u.k": "GB", "usa": "US", "u.s.a": "US", "bharat": "IN"}


@dataclass(frozen=True)
class Postal:
    """What a label says below the name. `state` is a code of the shop's system, or ''."""

    line1: str
    line2: str
    city: str
    state: str
    postcode: str

    def same_as(self, other: Postal) -> bool:
        """Whether they differ in nothing but capitals and blanks."""
        mine, theirs = (["".join(part.split()).casefold() for part in astuple(one)] for one in (self, other))
        return mine == theirs


def told_apart(text: str, today: Postal, country: str, states: Mapping[str, str]) -> Postal | None:
    """The fields of `text`, an address, for an order that goes to `today` in `country` (ISO 3166).

    `states`: name → code. Every word of the text is in a field, except the country's name. None where no postcode such
    as today's ends it, another country is named, or no city, number or, where today's address has one, state is found.
    """
    known = {name.casefold(): code for both in states.items() for name, code in (both, (both[1], both[1]))}
    parts = [part for part in (part.strip(" .-–") for part in re.split(r"[,;\n]", text)) if part]
    found: dict[str, str] = {}
    last_word = ""
    for _ in range(3):  # they come in any order: "LS1 4DY, UK", "560038, Karnataka, India"
        for field, read in (
            ("state", lambda part: _state(part, known)),
            ("country", lambda part: _country(part, country)),
            ("postcode", lambda part: _postcode(part, today.postcode, country)),
        ):
            if parts and field not in found and (taken := read(parts[-1])):
                rest, found[field] = taken
                last_word = parts[-1] if field == "state" and not rest else last_word
                parts[-1:] = [rest] if rest else []
    if last_word and not (parts and _is_city(parts[-1])):
        parts.append(last_word)  # a city that is called as its state
    if found.get("country", country) != country or "postcode" not in found or not parts:
        return None
    *street, city = parts
    state = found.get("state") or (today.state if city.casefold() == today.city.strip().casefold() else "")
    if not _is_city(city) or (today.state and not state) or not any(sign.isdigit() for sign in "".join(street)):
        return None
    line1 = street.pop(0)
    while street and len(f"{line1}, {street[0]}") <= MAX_LINE_CHARS:
        line1 = f"{line1}, {street.pop(0)}"
    return Postal(line1, ", ".join(street), city, state, found["postcode"])


def _is_city(part: str) -> bool:
    return len(part) <= MAX_CITY_CHARS and sum(map(str.isalpha, part)) > 1 and not any(map(str.isdigit, part))


def _state(part: str, known: Mapping[str, str]) -> tuple[str, str] | None:
    """(what is left of the part, code): the whole part, what follows a dash, or a code in capitals at its end."""
    if part.casefold() in known:
        return "", known[part.casefold()]
    after = re.fullmatch(r"(.+?)\s*[-–(/]\s*([^\W\d][\w .]*?)\)?", part) or re.fullmatch(r"(.+) ([A-Z]{2,3})", part)
    return (after[1], known[after[2].casefold()]) if after and after[2].casefold() in known else None


def _country(part: str, own: str) -> tuple[str, str] | None:
    """(what is left, ISO code): any country that is the whole part; the order's own at its end too."""
    names = _countries()
    if code := names.get(part.casefold()):
        return "", code
    words = part.split()
    rest = next((words[:at] for at in range(1, len(words)) if names.get(" ".join(words[at:]).casefold()) == own), None)
    return (" ".join(rest).strip(" .-–"), own) if rest else None


@lru_cache(maxsize=1)
def _countries() -> dict[str, str]:
    named = {
        name.casefold(): code
        for language in ("en", "hi", "pt", "es")
        for code, name in Locale(language).territories.items()
        if len(code) == 2 and code.isalpha()
    }
    return {**named, **_ALSO_NAMED}


def _postcode(part: str, today: str, country: str) -> tuple[str, str] | None:
    """(what is left, the postcode as today's is written), where it ends the part or, in some countries, begins it."""
    looks = {"GB": _GB, "US": _US}.get(country) or _looks_like(today)
    if not looks:
        return None
    match = re.fullmatch(rf"(?:(?P<rest>.*?\w)\W+)??(?:{_CODE_WORD})?(?P<code>{looks})", part, re.I)
    if match is None and country in _CODE_BEFORE_CITY:
        match = re.fullmatch(rf"(?:{_CODE_WORD})?(?P<code>{looks})\W+(?P<rest>\w.*)", part, re.I)
    return ((match["rest"] or "").strip(), _written(match["code"], today, country)) if match else None


def _looks_like(today: str) -> str:
    """A pattern of the country's postcodes, by one of them; '' where it is none."""
    signs = [r"\d" if sign.isdigit() else "[A-Z]" if sign.isalpha() else "[ -]?" for sign in today.strip()]
    if signs.count(r"\d") < 3 or len(signs) > 10:
        return ""
    return "".join([*signs[:3], " ?", *signs[3:]] if signs == [r"\d"] * 6 else signs)


def _written(code: str, today: str, country: str) -> str:
    signs = [sign.upper() for sign in code if sign.isalnum()]
    if country == "GB":
        return f"{''.join(signs[:-3])} {''.join(signs[-3:])}"
    if country == "US":
        return code
    left = iter(signs)
    return "".join(next(left) if sign.isalnum() else sign for sign in today.strip())
