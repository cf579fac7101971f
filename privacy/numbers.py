"""Which runs of digits are a phone number or an Aadhaar number.

A run is read as groups ("98765 43210" has two). Windows of neighbouring groups are tried from the longest down, so
that "10234 9876543210" gives up its phone number and keeps its order number.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import phonenumbers

from privacy.checks import aadhaar
from privacy.identity_numbers import is_reference

_GROUP = re.compile(r"\d+")
_JOINT = re.compile(r"[ \t\u00a0]?[-.()/]?[ \t]?[(]?|\)[ -]?")
_MONEY_BEFORE = re.compile(r"(?:₹|\$|€|£|\brs\.?|\binr|\brupees|\bmrp)\s*$", re.I)
_REFERENCE_BEFORE = re.compile(r"#\s?$")
_ORDERS_BEFORE = re.compile(
    r"\b(?:orders?|pedidos?|orden|awb|tracking|rastreio|seguimiento|gu[ií]a|utr|txn|invoice|fatura|factura)"
    r"(?:\s+(?:no|nos|number|numbers|id|ids|ref|n[oº]|n[uú]mero))?\.?\s*(?:is|are|é|es|:)?\s*$",
    re.I,
)
_CODE_BEFORE = re.compile(r"(?<![A-Za-z])([A-Z]{1,4})$")
_PHONE_SAID_BEFORE = re.compile(
    r"(?:(?<![^\W_])(?:ph|phone|tlm|tlf|tel(?:efone|[eé]fono|ephone)?|cel(?:ular|l)?|m[oó]vil|mob(?:ile)?|whats ?app|"
    r"whats|wpp|zap|contato|contacto|contact|call|ligue|ligar|ll[aá]m\w+|mobail|phon|फ़ोन|फोन|मोबाइल)(?![^\W_])"
    r"|(?<![^\W_])(?:my|mera|meu|mi)\s(?:no|number|num|n[uú]mero|nambar|naya\snumber)(?![^\W_]))[\s.:#=-]*"
    r"(?:(?:me|us|is|no|number|num|at|on|my|é|es|al|a|o|em|en|para|meu|mi|mera|hai|है|n[oº]|n[uú]mero|नंबर)[\s.:]+){0,4}\(?$",
    re.I,
)
_PHONE_WORDS = {"PH", "NO", "MOB", "TEL", "CELL", "WA", "AT", "ON", "IS", "CALL"}
_CODE_AFTER = re.compile(r"[A-Z]{1,4}(?![A-Za-z])")

MAX_GROUPS = 7
_MOBILE_SHAPES = {
    (10,), (5, 5), (4, 6), (6, 4), (3, 7), (3, 3, 4), (4, 3, 3), (3, 4, 3), (2, 4, 4), (2, 8), (2, 3, 5), (3, 2, 5),
    (2, 2, 2, 2, 2), (4, 2, 4), (4, 4, 2), (1, 4, 5), (1, 3, 3, 3), (2, 1, 4, 3),
}  # fmt: skip
_MEXICOS_CITIES = ("55", "56", "33", "81")
_BEFORE_CHARS = 40
_DAY = re.compile(r"(?:19|20)\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])")  # 2026112409: a day and its hour

@dataclass(frozen=True)
class _Group:
    start: int
    end: int
    digits: str


def spans(text: str) -> Iterator[tuple[int, int, str]]:
    """(start, end, kind) of phone and Aadhaar numbers in a text with ASCII digits."""
    for run in _runs(text):
        index = 0
        while index < len(run):
            found = _longest_at(text, run, index)
            if found is None:
                index += 1
                continue
            last, kind = found
            yield _start_with_prefix(text, run[index].start, kind), run[last].end, kind
            index = last + 1


def _runs(text: str) -> Iterator[list[_Group]]:
    """Digit groups that nothing but light punctuation separates."""
    run: list[_Group] = []
    for match in _GROUP.finditer(text):
        group = _Group(match.start(), match.end(), match.group())
        if run and not _JOINT.fullmatch(text, run[-1].end, group.start):
            yield run
            run = []
        run.append(group)
    if run:
        yield run


def _longest_at(text: str, run: list[_Group], first: int) -> tuple[int, str] | None:
    """The last group and the kind of the longest number that starts at group `first`, or None."""
    before = text[max(0, run[first].start - _BEFORE_CHARS) : run[first].start]
    plus = before.rstrip(" (").endswith("+")
    reach = run[first : first + MAX_GROUPS]
    if sum(len(group.digits) for group in reach) < (7 if plus else 8):
        return None
    if _MONEY_BEFORE.search(before) or _REFERENCE_BEFORE.search(before) or _is_code(before):
        return None
    joints = [text[left.end : right.start] for left, right in pairwise(reach)]
    for size in range(len(reach), 0, -1):
        window = reach[:size]
        if _CODE_AFTER.match(text, window[-1].end):
            continue
        kind = _kind(tuple(group.digits for group in window), joints[: size - 1], plus, before)
        if kind:
            return first + size - 1, kind
    return None


def _is_code(before: str) -> bool:
    """Whether the digits go on an upper-case code such as a tracking number's BD…IN."""
    code = _CODE_BEFORE.search(before)
    return bool(code) and code is not None and code.group(1) not in _PHONE_WORDS


def _kind(groups: tuple[str, ...], joints: list[str], plus: bool, before: str) -> str | None:
    digits = "".join(groups)
    shape = tuple(len(group) for group in groups)
    if len(digits) > 19 or len(digits) < 7:
        return None
    if plus:
        return "phone" if _international(digits) else None
    if shape == (4, 4, 4) and aadhaar(digits):
        return "aadhaar"
    if _phone(digits, shape, joints, before):
        return "phone"
    if shape == (12,) and aadhaar(digits):
        return "aadhaar"
    is_day = shape in ((2, 2, 4), (1, 2, 4), (2, 1, 4), (4, 2, 2)) and joints in (["/"] * 2, ["-"] * 2, ["."] * 2)
    said = 8 <= len(digits) <= 13 and not is_day and _PHONE_SAID_BEFORE.search(before)
    elsewhere = _of_other_countries(digits, shape, joints) and not is_reference(before, len(before))
    return "phone" if said or elsewhere else None


def _international(digits: str) -> bool:
    if digits.startswith("91"):
        return len(digits) == 12 or len(digits) < 12
    return 7 <= len(digits) <= 15


def _phone(digits: str, shape: tuple[int, ...], joints: list[str], before: str) -> bool:
    if shape in ((10,), (12,), (5, 5)) and _ORDERS_BEFORE.search(before):
        return False
    if len(digits) == 10 and digits[0] in "6789" and shape in _MOBILE_SHAPES:
        return True
    if shape == (3, 3, 4) and digits[0] >= "2" and all(set(joint) & set("-.()") for joint in joints):
        return True
    if shape in ((10,), (3, 3, 4)) and not _DAY.match(digits) and _is_mobile(f"1{digits}"):
        return not is_reference(before, len(before))
    if len(digits) in (10, 11, 12) and digits[0] == "0" and digits[1] != "0":
        return shape[0] in (3, 4, 5, 6, 11) and all(len_ >= 3 for len_ in shape)
    if len(digits) == 12 and digits.startswith("91") and digits[2] in "6789":
        return shape[0] in (2, 7, 12, 5, 4) and (shape[0] != 4 or len(shape) <= 3)
    return digits.startswith("00") and 11 <= len(digits) <= 17 and digits[2] != "0"


def _of_other_countries(digits: str, shape: tuple[int, ...], joints: list[str]) -> bool:
    """As Brazil, Spain, Portugal, Mexico's cities and France write their own numbers."""
    if len(shape) == 1 and 11 <= len(digits) <= 13:
        return _is_mobile(digits)
    if "0" not in digits[:2] and digits[2:3] == "9" and shape in ((2, 9), (2, 5, 4), (2, 1, 4, 4)):
        return True
    if shape == (2, 4, 4):
        return digits[:2] in _MEXICOS_CITIES or ("0" not in digits[:2] and "-" in joints[1] and digits[2] in "2345")
    if len(digits) == 9 and digits[0] in "679":
        return shape in ((3, 3, 3), (3, 2, 2, 2)) and set(joints) in ({" "}, {"-"})
    return shape == (2, 2, 2, 2, 2) and digits[0] == "0" and digits[1] != "0"


def _is_mobile(digits: str) -> bool:
    """Whether they are a mobile number with its country's code, as WhatsApp writes it, or one of Brazil's without."""
    if len(digits) == 11 and "0" not in digits[:2] and digits[2] == "9":
        return True
    try:
        number = phonenumbers.parse(f"+{digits}", None)
    except phonenumbers.NumberParseException:
        return False
    return phonenumbers.number_type(number) in (
        phonenumbers.PhoneNumberType.MOBILE, phonenumbers.PhoneNumberType.FIXED_LINE_OR_MOBILE
    )  # fmt: skip


def _start_with_prefix(text: str, start: int, kind: str) -> int:
    """The start of a phone number with its `+` and opening bracket."""
    while kind == "phone" and start and text[start - 1] in "+(":
        start -= 1
    return start
