"""Account numbers and national ids, in the spellings that people use: together, in groups, with dashes and dots.

A shape that shop talk has too (nine digits, eight digits and a letter) counts only when its check digit is right, and
not right behind a word that says that it is an order's or a parcel's; the barest ones only beside a word for them.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from privacy import checks

_SEPARATORS = re.compile(r"[^0-9A-Za-zÑñ&]")
_REFERENCE_BEFORE = re.compile(
    r"(?:#|\b(?:orders?|tracking|track|awb|waybill|courier|docket|consignment|shipment|parcel|serial|model|sku|ref(?:erence)?|utr|txn|transaction|invoice|"
    r"pedidos?|encomendas?|compra|rastreio|rastreamento|fatura|nota\s+fiscal|orden|seguimiento|gu[ií]a|factura|"
    r"envío|referencia|referência)(?:\s+(?:n[oº°]|nos|number|numbers|num|id|ids|code|c[oó]digo|n[uú]mero))?"
    r"(?:\s+(?:de|do|da)\s+(?:pedido|rastreio|seguimiento|encomenda))?)\s*[.:#=ºo°-]*\s*(?:is|are|é|es|hai)?\s*$",
    re.I,
)
_BEFORE_CHARS = 48
_S = r"(?:\s?[./_\-]\s?|\s{0,2})"
_END = r"(?![0-9A-Za-z])"
_PAN_LETTERS = "[A-Z]{3}[ABCFGHJLPT][A-Z]"


@dataclass(frozen=True)
class _Rule:
    kind: str
    pattern: re.Pattern[str]
    check: Callable[[str], bool]
    sure: bool = False
    """Counts behind a word for an order too: nothing else looks like it."""


def _rule(kind: str, shape: str, check: Callable[[str], bool] | None = None, sure: bool = False) -> _Rule:
    return _Rule(kind, re.compile(f"{_edge(kind)}{shape}{_END}", re.I), check or (lambda _: True), sure)


def _edge(kind: str) -> str:
    """Where a number may begin: not inside a word, but behind its own name ("CPF38421670590")."""
    return rf"(?:(?<![0-9A-Za-z])|(?<=\b{kind}))"


_MONTH_DAY = r"(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])"
_RULES = (
    _rule("curp", rf"[A-Z]{{4}}{_S}\d{{2}}{_MONTH_DAY}{_S}[HMX][A-Z]{{2}}{_S}[A-Z]{{3}}{_S}[0-9A-Z]\d", sure=True),
    _rule("voter_id", r"[A-Z]{6}\d{8}[HM]\d{3}", sure=True),
    _rule(
        "licence",
        r"[A-Z](?:[A-Z]{4}|[A-Z]{3}9|[A-Z]{2}99|[A-Z]999)\d[0156]\d[0-3]\d\d[A-Z9]{2}[0-9A-Z][A-Z]{2}",
        sure=True,
    ),
    _rule("cnpj", rf"\w{{2}}{_S}\w{{3}}{_S}\w{{3}}\s?/\s?\w{{4}}{_S}\d{{2}}", checks.cnpj, sure=True),
    _rule("cnpj", rf"\d{{2}}{_S}\d{{3}}{_S}\d{{3}}{_S}\d{{4}}{_S}\d{{2}}", checks.cnpj),
    _rule("cpf", rf"\d{{3}}{_S}\d{{3}}{_S}\d{{3}}{_S}\d{{2}}", checks.cpf),
    _rule("aadhaar", r"\d{4}([\s._/-]{1,3})\d{4}\1\d{4}(?!\1\d)", checks.aadhaar),
    _rule(
        "ssn",
        r"(?<![A-Za-z]-)(?<!\d-)(?!000|666)\d{3}(\s?[-./_]\s?|\s)(?!00)\d{2}\s?\1\s?(?!0000)\d{4}(?!\s?[-./ ]\d)",
    ),
    _rule("rfc", r"[A-ZÑ&]{3,4}[ -]?\d{6}[ -]?[A-Z0-9]{2}[0-9A]", checks.rfc),
    _rule("dni", r"\d{8}[-./]?[A-Z]", checks.dni),
    _rule("dni", rf"\d{{1,2}}([ .-])\d{{3}}\1\d{{3}}{_S}[A-Z]", checks.dni),
    _rule("nie", r"[XYZ][ .-]?\d(?:\.?\d{3}){2}[ .-]?[A-Z]", checks.dni),
    _rule(
        "nino",
        rf"(?:QQ|(?!BG|GB|NK|KN|TN|NT|ZZ)[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z])(?:{_S}\d{{2}}){{3}}{_S}[A-D]",
    ),
    _rule("nif", r"(?:PT ?)?\d{3}[ .-]\d{3}[ .-]\d{3}", lambda number: checks.nif(number[-9:])),
    _rule("nif", r"\d{8} ?\d ?[A-Z]{2}\d"),
    _rule("cuit", r"(?:20|23|24|27|30|33|34)-\d{8}-\d", checks.cuit),
    _rule("rut", r"\d{1,2}\.\d{3}\.\d{3}-[\dK]", checks.rut),
)
# Capital letters only where blanks stand between: "parcl 1234 a" is talk.
_CAPITALS = (
    ("pan", re.compile(rf"{_edge('(?i:pan)')}{_PAN_LETTERS}[\s.-]?\d{{4}}[\s.-]?[A-Z](?![0-9A-Z])"), None),
    ("pan", re.compile(rf"(?i:{_edge('pan')}{_PAN_LETTERS}\d{{4}}[A-Z]{_END})"), None),
    ("dni", re.compile(rf"{_edge('DNI')}\d{{4}} ?\d{{4}} [A-Z]{_END}"), checks.dni),
)  # fmt: skip
_LITTLE = r"(?:[\s.:#=º°,(-]|\b(?:is|n[oº°]|nr|num|number|n[uú]mero|id|card|code|é|es|hai|my|meu|mi|de|del)\b){0,12}"
_LINK = rf"{_LITTLE}(?:(?<=\s)[^\W\d_]{{2,12}}[\s:]{_LITTLE}){{0,2}}"
_DIGITS = r"\d(?:[ ./\-]?\d)"
_NAMED = tuple(
    (
        kind,
        re.compile(
            rf"(?<![^\W_])(?:{words})(?![^\W\d_]){_LINK}"
            rf"((?:[A-Z]{{1,5}}[ -]?)?{_DIGITS}{{{least},{most}}}(?:[ -]?[A-Z\d]{{1,2}})?){_END}",
            re.I,
        ),
    )
    for kind, words, least, most in (
        ("ssn", r"ssn?|soc(?:ial)?(?:\s+sec(?:urity)?)?|seguro\s+social|itin|ein|tax\s+id", 8, 8),
        ("cpf", r"cpf|c\.p\.f\.?", 10, 10),
        ("cnpj", "cnpj", 13, 13),
        ("nif", r"nif|nipc|contribuinte", 7, 8),
        ("dni", r"dni|d\.n\.i\.?", 6, 7),
        ("nie", r"nie", 6, 7),
        ("cuit", r"cuit|cuil", 10, 10),
        ("rut", r"rut", 6, 8),
        ("nino", r"nino|national\s+insurance|(?-i:NI)|ni\s+number", 5, 5),
        ("national_id", r"c[eé]dula|rg|identi(?:dade|dad|ficaci[oó]n|fica[cç][aã]o)|documento|nhs|national\s+id|"
         r"id\s+card|social\s+insurance|tax\s+file|medicare|ppsn?|s(?:outh\s+)?a(?:frican)?\s+id|niss|nss|uan|uidai|vid|"
         r"ration\s+card|cnh|pis|pasep|t[ií]tulo\s+de\s+eleitor|(?-i:CI|CC|SIN|NIT|IRD|TFN|RUC|UID)", 5, 15),
        ("passport", r"passaporte|pasaporte|passport", 5, 9),
    )
)  # fmt: skip
_SAID_AFTER = re.compile(
    rf"(?<![0-9A-Za-z])({_DIGITS}{{6,13}}(?:[ -]?[A-Z])?)\s*(?:,|is|é|es|=)?\s*(?:my|mera|(?:o\s+)?meu|mi)\s+"
    r"(?:(ssn|social)|(cpf|cnpj|dni|nie|nif|rut|cuit|curp)|aa?dh?aa?r)\b",
    re.I,
)
_NAMED_LETTERS = (
    ("rfc", re.compile(rf"\brfc\b{_LITTLE}([A-ZÑ&]{{3,4}}[ -]?\d{{6}}[ -]?[A-Z0-9]{{3}}){_END}", re.I)),
    ("pan", re.compile(rf"\bpan(?:\s+card)?(?![^\W\d_]){_LITTLE}([A-Z]{{5}}[\s.-]?\d{{4}}[\s.-]?[A-Z]){_END}", re.I)),
    ("cnpj", re.compile(rf"\bcnpj\b{_LITTLE}([0-9A-Z]{{12}}\d\d){_END}", re.I)),
)
_IBAN_START = re.compile(
    r"(?:(?<![0-9A-Za-z])|(?<=iban))[A-Z] ?[A-Z][ .-]{0,2}\d[ .-]{0,2}\d(?=[^0-9A-Za-z]{0,3}[0-9A-Z])", re.I
)
_IBAN_REST = re.compile(r"[^0-9A-Za-z]{0,3}([0-9A-Za-z])")
_ANOTHER_WORD = re.compile(r"[A-Za-z]{3,}")


def spans(text: str) -> Iterator[tuple[int, int, str]]:
    """(start, end, kind) of account numbers and national ids in a text with ASCII digits."""
    yield from _ibans(text)
    for rule in _RULES:
        for match in rule.pattern.finditer(text):
            bare = _SEPARATORS.sub("", match.group()).upper()
            if rule.check(bare) and (rule.sure or not is_reference(text, match.start())):
                yield match.start(), match.end(), rule.kind
    for kind, pattern, check in _CAPITALS:
        for match in pattern.finditer(text):
            if (check is None or check(_SEPARATORS.sub("", match.group()))) and not is_reference(text, match.start()):
                yield match.start(), match.end(), kind
    for kind, pattern in (*_NAMED_LETTERS, *_NAMED):
        for match in pattern.finditer(text):
            if not is_reference(text, match.start(1), unless_signed="#"):
                yield match.start(1), match.end(1), kind
    for match in _SAID_AFTER.finditer(text):
        yield match.start(1), match.end(1), "ssn" if match[2] else (match[3] or "aadhaar").lower()


def is_reference(text: str, start: int, unless_signed: str = "") -> bool:
    """Whether what stands before (but for the sign `unless_signed`) says that a number is an order's or a payment's."""
    found = _REFERENCE_BEFORE.search(text[max(0, start - _BEFORE_CHARS) : start])
    return found is not None and (not unless_signed or not found.group().startswith(unless_signed))


def _ibans(text: str) -> Iterator[tuple[int, int, str]]:
    for match in _IBAN_START.finditer(text):
        found, end = _SEPARATORS.sub("", match.group()), match.end()
        wanted = checks.IBAN_CHARS.get(found[:2].upper())
        if wanted is None:
            continue
        while len(found) < wanted and (following := _IBAN_REST.match(text, end)):
            found, end = found + following.group(1), following.end()
        apart = not text[end : end + 1].isalnum() or _ANOTHER_WORD.match(text, end)
        if apart and checks.iban(found.upper()) and _is_one_number(text[match.start() : end]):
            yield match.start(), end, "iban"


def _is_one_number(written: str) -> bool:
    """Whether it is written as one account number, not as words that have the right letters ("is 1000 tracking …")."""
    groups = re.split(r"[^0-9A-Za-z]+", written)
    gaps = {gap.strip()[:1] for gap in re.findall(r"[^0-9A-Za-z]+", written)}
    if len(groups[0]) == 2 and not (groups[0].isupper() and len(groups[1]) == 2):
        return False
    return len(gaps) <= 1 and not any(len(group) > 4 and group.isalpha() for group in groups)
