"""Order numbers in customers' messages, as a pure function over text.

Links, dates, prices with their signs and the like are told by their syntax; numbers with the shop's own letters in
front, or in the shop's shape behind a #, are what they are; about every other run of digits a small learnt model
decides (`meaning.py`). Offsets are those of the original text.
"""

import re
from functools import lru_cache
from itertools import islice

from components.order_numbers import dictation
from components.order_numbers.candidates import Candidate, candidates
from components.order_numbers.meaning import Meaning
from components.order_numbers.shape import DEFAULT_PATTERN, Shape
from components.order_numbers.syntax import Span, ascii_digits, blank, cover_addresses, cover_numbers

ORDER, MISSHAPED = "order_number", "order_number_misshaped"
_MAX_TEXT_CHARS = 4096  # characters read, WhatsApp's own limit
_MAX_CANDIDATES = 60
_MAX_DIGITS = 16  # of phones (E.164: 15); what is longer may be another shop's order number
_MIN_LETTERED_DIGITS = 5  # of a number with a letter too many: "1500g" is none
_LETTERS_APART = re.compile(r"[^\W\d_]+[\s.:]")  # "to 5" is none where numbers begin with TO
_GROUP_MORE = re.compile(r"[-–—_/.](\d+)(?![^\W_])")  # behind a number: SK/2026/1187-12
_ONE_CODE = re.compile(r"^\S*\d[-/]\d\S*$")
_MIN_DIGITS = 3  # of what may be meant as an order number
_MAX_HALF = 4  # letters and digits of a half of a postal code
_MIN_SPOKEN = 4  # "order two, one for me"
_SIGNS = str.maketrans("º°№", "..#")  # "nº 1043", "N°1043"
_SLIPS = str.maketrans("OoIl", "0011")
_SLIPPED = re.compile(r"[OoIl]*\d[\dOoIl]*")
_GLUED = re.compile(r"\b(?:orders?|pedido|orden|n[ro]|id)(?=[^\W\d_]{0,6}[-_./]?\d)", re.IGNORECASE)  # "orderHX-1043"


def find_order_numbers(text: str, pattern: str = DEFAULT_PATTERN) -> list[Span]:
    """Every order number of a message once, in the order of the text, as the shop writes it ('wc 1001' → 'WC-1001').

    `pattern` is the regular expression of the shop's numbers. Raises ShapeError for one that cannot be read.
    """
    return _unique(ORDER, text, pattern)


def find_misshaped(text: str, pattern: str = DEFAULT_PATTERN) -> list[Span]:
    """What a message means as an order number though none of the shop's looks so, as it is written."""
    return _unique(MISSHAPED, text, pattern)


def taken_for(number: str, pattern: str) -> str | None:
    """What the signs of an order number give it away as before anybody asks for one, 'date' for 2026-01-15; None for
    nothing else. Raises ShapeError."""
    seen, told = cover_addresses(number)
    if Shape.of(pattern).whole_numbers.search(seen):
        return None
    told += cover_numbers(seen)[1]
    return told[0].kind if told else None


def _unique(kind: str, text: str, pattern: str) -> list[Span]:
    unique: dict[str, Span] = {}
    for span in read_numbers(text, pattern):
        if span.kind == kind:
            unique.setdefault(span.value, span)
    return list(unique.values())


@lru_cache(maxsize=256)
def read_numbers(text: str, pattern: str = DEFAULT_PATTERN) -> tuple[Span, ...]:
    """Everything in a message that is made of digits, or of an address, in the order of the text."""
    text = ascii_digits(text[:_MAX_TEXT_CHARS]).translate(_SIGNS)
    seen, spans = cover_addresses(text)
    shape = Shape.of(pattern)
    if not any(character.isdigit() for character in seen):
        return (*spans, *(_spelt(seen, shape) or _spoken(seen, pattern)))
    whole = _written(shape.whole_numbers, seen, shape)
    seen = blank(seen, whole)
    cut = _written(shape.cut_numbers, seen, shape)
    seen, told = cover_numbers(blank(seen, cut))
    found = [*spans, *whole, *cut, *told, *_meant(seen, pattern)]
    if not any(span.kind == ORDER for span in found):
        read = _mended(text)
        again = read_numbers(read, pattern) if read != text else ()
        meant = [span for span in again if span.kind == ORDER] or _spelt(text, shape)
        found = [*meant, *(one for one in found if not any(_overlap(one, span) for span in meant))]
    return tuple(sorted(found, key=lambda span: span.start))


def _mended(text: str) -> str:
    """"orderHX-1O43" without the word and with the digits that its letters are meant for, each character in place."""
    text = _GLUED.sub(lambda word: " " * len(word.group()), text)
    return _SLIPPED.sub(lambda run: run.group().translate(_SLIPS), text)


def _overlap(one: Span, other: Span) -> bool:
    return one.start < other.end and other.start < one.end


def _written(pattern: re.Pattern[str], seen: str, shape: Shape) -> list[Span]:
    """Numbers with the shop's letters; with a group too many they are none of its own, as WC-1001-12."""
    found: list[Span] = []
    for match in pattern.finditer(seen):
        number, more = shape.written(match.group()), _GROUP_MORE.match(seen, match.end())
        if more and not shape.written(more[1]):
            found.append(Span(match.start(), more.end(), MISSHAPED, seen[match.start() : more.end()]))
        elif number:
            found.append(Span(match.start(), match.end(), ORDER, number))
    return found


def _meant(seen: str, pattern: str) -> list[Span]:
    """What the learnt model takes each run of digits for."""
    meaning = Meaning.of(pattern)
    found: list[Span] = []
    for candidate in islice(candidates(seen, meaning.shape), _MAX_CANDIDATES):
        signed = candidate.number is not None and seen[candidate.start - 1 : candidate.start] == "#"
        kind = ORDER if signed else meaning.kind(candidate, seen)
        spelt = seen[candidate.start : candidate.end]
        one_code = kind == "phone" or (kind == "other" and _ONE_CODE.search(spelt))  # and no bank account in groups
        too_long = one_code and sum(map(str.isdigit, spelt.removeprefix("00"))) > _MAX_DIGITS
        like_ours = meaning.shape.starts_with_letters(spelt) or (kind == "other" and meaning.shape.resembles(spelt))
        if candidate.number is None and (kind == ORDER or too_long or like_ours):
            kind = MISSHAPED if _may_be_a_number(candidate, spelt, meaning.shape) else "other"
            kind = "pin" if found and _ends_a_postal_code(found[-1], candidate, spelt) else kind
        found.append(Span(candidate.start, candidate.end, kind, candidate.number or spelt))
    return found


def _ends_a_postal_code(before: Span, candidate: Candidate, spelt: str) -> bool:
    """Whether it is the second half of a code in two, SW1A 1AA, X35 K482."""
    halves = len(before.value) <= _MAX_HALF and not before.value.isdigit() and len(spelt) <= _MAX_HALF
    return halves and before.kind == "pin" and candidate.start - before.end == 1


def _may_be_a_number(candidate: Candidate, spelt: str, shape: Shape) -> bool:
    digits, (low, high) = sum(c.isdigit() for c in spelt), shape.lengths
    enough = digits >= _MIN_DIGITS or (shape.starts_with_letters(spelt) and not _LETTERS_APART.match(spelt))
    slip = len(candidate.tail) == 1 and max(low, _MIN_LETTERED_DIGITS) <= digits <= high
    # "500gm" and "12pcs" are none.
    return enough and (not candidate.tail or spelt[0].isalpha() or any(c.isdigit() for c in candidate.tail) or slip)


def _spelt(text: str, shape: Shape) -> list[Span]:
    """A number with the shop's letters or signs, spelt as on the phone: "m h dot four oh seven one slash k"."""
    for said in dictation.codes(text):
        lettered = [found.span() for found in shape.whole_numbers.finditer(said.text)]
        for begin, end in lettered or [(0, len(said.text))]:
            number = shape.written(said.text[begin:end])
            if number and not said.text[begin:end].isdigit():
                return [Span(said.starts[begin], said.ends[end - 1], ORDER, number)]
    return []


def _spoken(text: str, pattern: str) -> list[Span]:
    """Digits in words ("one zero two double three"), read as if they were typed."""
    for match in dictation.DIGITS.finditer(text):
        digits = dictation.digits(match.group())
        if len(digits) < min(_MIN_SPOKEN, Shape.of(pattern).lengths[0]):
            continue
        begin, end = match.start(), match.start() + len(digits)
        for span in read_numbers(f"{text[:begin]}{digits}{text[match.end() :]}", pattern):
            if span.kind in (ORDER, MISSHAPED) and _overlap(span, Span(begin, end, "", "")):
                behind = match.end() + max(0, span.end - end)
                return [Span(min(span.start, begin), behind, span.kind, span.value)]
    return []
