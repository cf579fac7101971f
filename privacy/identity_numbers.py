"""Account numbers and national ids, in the spellings that people use: together, in groups, with dashes and dots.

A shape that shop talk has too (nine digits, eight digits and a letter) counts only when its check digit is right, and
not right behind a word that says that it is an order's or a parcel's; the barest ones only beside a word for them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from privacy import checks

_SEPARATORS = re.compile(r"[^0-9A-Za-zÑñ&]")
_REFERENCE_BEFORE = re.compile(
    r"(?:#|\b(?:orders?|tracking|track|awb|waybill|consignment|shipment|parcel|ref(?:erence)?|utr|txn|transaction|invoice|"
    r"pedidos?|encomendas?|compra|rastreio|rastreamento|fatura|nota\s+fiscal|orden|seguimiento|gu[ií]a|factura|"
    r"envío|referencia|referência)(?:\s+(?:n[oº°]|nos|number|numbers|num|id|ids|code|c[oó]digo|n[uú]mero))?"
    r"(?:\s+(?:de|do|da)\s+(?:pedido|rastreio|seguimiento|encomenda))?)\s*[.:#=ºo°-]*\s*(?:is|are|é|es|hai)?\s*$",
    re.I,
)
_BEFORE_CHARS = 48
_S = r"[ ./\-]{0,2}"
_EDGE, _END = r"(?<![0-9A-Za-z])", r"(?![0-9A-Za-z])"


@dataclass(frozen=True)
class _Rule:
    kind: str
    pattern: re.Pattern[str]
    check: Callable[[str], bool]
    sure: bool = False
    """Counts behind a word for an order too: nothing else looks like it."""


def _rule(kind: str, shape: str, check: Callable[[str], bool] | None = None, sure: bool = False) -> _Rule:
    return _Rule(kind, re.compile(f"{_EDGE}{shape}{_END}", re.I), check or (lambda _: True), sure)


_MONTH_DAY = r"(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])"
_RULES = (
    _rule("curp", rf"[A-Z]{{4}}{_S}\d{{2}}{_MONTH_DAY}{_S}[HMX][A-Z]{{2}}{_S}[A-Z]{{3}}{_S}[0-9A-Z]\d", sure=True),
    _rule("cnpj", r"[0-9A-Z]{2}\.?[0-9A-Z]{3}\.?[0-9A-Z]{3}/[0-9A-Z]{4}[- ]?\d{2}", checks.cnpj, sure=True),
    _rule("cnpj", r"\d{2}[ .]?\d{3}[ .]?\d{3}[ /.-]?\d{4}[ -]?\d{2}", checks.cnpj),
    _rule("cpf", r"\d{3}[ .-]?\d{3}[ .-]?\d{3}[ ./-]?\d{2}", checks.cpf),
    _rule("ssn", r"(?<![A-Za-z]-)(?<!\d-)(?!000|666)\d{3}([-. ])(?!00)\d{2}\1(?!0000)\d{4}(?!-\d)"),
    _rule("rfc", r"[A-ZÑ&]{3,4}[ -]?\d{6}[ -]?[A-Z0-9]{2}[0-9A]", checks.rfc),
    _rule("dni", r"\d{8}-?[A-Z]", checks.dni),
    _rule("dni", r"\d{1,2}\.\d{3}\.\d{3}[ -]?[A-Z]", checks.dni),
    _rule("nie", r"[XYZ][ .-]?\d(?:\.?\d{3}){2}[ .-]?[A-Z]", checks.dni),
    _rule("nino", rf"(?!BG|GB|NK|KN|TN|NT|ZZ)[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z](?:{_S}\d{{2}}){{3}}{_S}[A-D]"),
    _rule("nif", r"(?:PT ?)?\d{3}[ .-]\d{3}[ .-]\d{3}", lambda number: checks.nif(number[-9:])),
    _rule("cuit", r"(?:20|23|24|27|30|33|34)-\d{8}-\d", checks.cuit),
    _rule("rut", r"\d{1,2}\.\d{3}\.\d{3}-[\dK]", checks.rut),
)
# Capital letters only: "parcl 1234 a" is talk.
_PAN = re.compile(rf"{_EDGE}[A-Z]{{3}}[ABCFGHJLPT][A-Z][ -]?\d{{4}}[ -]?[A-Z]{_END}")
_SPACED_DNI = re.compile(rf"{_EDGE}\d{{8}} [A-Z]{_END}")
_LINK = r"(?:[\s.:#=º°-]|\b(?:is|n[oº°]|nr|num|number|n[uú]mero|id|card|code|é|es|hai|my|meu|mi|de|del)\b){0,12}"
_NAMED = tuple(
    (
        kind,
        re.compile(
            rf"\b(?:{words})\b{_LINK}"
            rf"((?:[A-Z]{{1,5}}[ -]?)?\d(?:[ ./\-]?\d){{{least},{most}}}(?:[ -]?[A-Z\d])?){_END}",
            re.I,
        ),
    )
    for kind, words, least, most in (
        ("ssn", r"ssn|social\s+security|itin", 8, 8),
        ("cpf", "cpf", 10, 10),
        ("cnpj", "cnpj", 13, 13),
        ("nif", r"nif|nipc|contribuinte", 7, 8),
        ("dni", r"dni", 6, 7),
        ("nie", r"nie", 6, 7),
        ("cuit", r"cuit|cuil", 10, 10),
        ("rut", r"rut", 6, 8),
        ("nino", r"nino|national\s+insurance", 5, 5),
        ("pan", r"pan(?:\s+card)?", 3, 3),
        ("national_id", r"c[eé]dula|rg|identidade|identidad|nhs|national\s+id|id\s+card", 5, 11),
        ("passport", r"passaporte|pasaporte|passport", 5, 9),
    )
)
_NAMED_RFC = re.compile(rf"\brfc\b{_LINK}([A-ZÑ&]{{3,4}}[ -]?\d{{6}}[ -]?[A-Z0-9]{{3}}){_END}", re.I)
_IBAN_START = re.compile(
    r"(?:(?<![0-9A-Za-z])|(?<=iban))[A-Z]{2}[ .-]{0,2}\d[ .-]{0,2}\d(?=[ .\-/]{0,3}[0-9A-Z])", re.I
)
_IBAN_REST = re.compile(r"[ .\-/\n]{0,3}([0-9A-Za-z])")


def spans(text: str) -> Iterator[tuple[int, int, str]]:
    """(start, end, kind) of account numbers and national ids in a text with ASCII digits."""
    yield from _ibans(text)
    for rule in _RULES:
        for match in rule.pattern.finditer(text):
            bare = _SEPARATORS.sub("", match.group()).upper()
            if rule.check(bare) and (rule.sure or not is_reference(text, match.start())):
                yield match.start(), match.end(), rule.kind
    for match in _SPACED_DNI.finditer(text):
        if checks.dni(match.group().replace(" ", "")) and not is_reference(text, match.start()):
            yield match.start(), match.end(), "dni"
    for match in _PAN.finditer(text):
        yield match.start(), match.end(), "pan"
    for kind, pattern in (*_NAMED, ("rfc", _NAMED_RFC)):
        for match in pattern.finditer(text):
            yield match.start(1), match.end(1), kind


def is_reference(text: str, start: int) -> bool:
    """Whether the words before say that a number is an order's, a parcel's or a payment's."""
    return _REFERENCE_BEFORE.search(text[max(0, start - _BEFORE_CHARS) : start]) is not None


def _ibans(text: str) -> Iterator[tuple[int, int, str]]:
    for match in _IBAN_START.finditer(text):
        wanted = checks.IBAN_CHARS.get(match.group()[:2].upper())
        if wanted is None:
            continue
        found, end = _SEPARATORS.sub("", match.group()), match.end()
        while len(found) < wanted and (following := _IBAN_REST.match(text, end)):
            found, end = found + following.group(1), following.end()
        if checks.iban(found.upper()) and not text[end : end + 1].isalnum():
            yield match.start(), end, "iban"
