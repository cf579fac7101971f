"""Stretches of a message that may be order numbers, and what can be seen of each: the features that decide."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from components.order_numbers.shape import Shape
from components.order_numbers.syntax import COVER
from privacy.indic import END, SIGNS

_CLUSTER = re.compile(r"\d+(?:(?: {1,2}| ?[-–—_/.]\n| ?\n ?[-–—_/.]?| ?[-–—.,_/&+] ?)\d+)*")
_GLUED = r"(?:orders?|ordr|ord|odr|od|no|nr|n(?=[.:#])|num|number|nbr|id|ref|pedido|orden)"
_FRONT = re.compile(
    rf"(?:(?P<cue>\b{_GLUED}[-_.:#]{{0,2}})|(?P<letters>(?<![^\W_])[^\W\d_]{{1,20}}[-_/.#]?))\Z", re.IGNORECASE
)
_BEHIND = re.compile(
    rf"(?P<particle>(?:ka|ki|ke|ko|hai|h|wala|wali|se|का|की|के|को|है|वाला|वाली|वाले|से|में){END})|(?P<letters>[^\W\d_]\w*)",
    re.IGNORECASE,
)
_LETTER_APART = re.compile(r"\s[bcdfgjlpqstvwz](?![^\W_])", re.IGNORECASE)  # "2291 b"; not "2291 k" nor "2291 n 2292"
# Behind another shop's number, or a slip in one of this shop's: 7015-R, 4K82-D177X
_JOINED = re.compile(r"(?:[-–—_/.](?:[^\W\d_]{1,2}(?![^\W_])|(?=[^\W\d_]{0,20}\d)[^\W_]{1,20}(?![^\W_])))+")
_BEHIND_BLANK = re.compile(r" (?=[^\W\d_]{0,20}\d)[^\W_]{1,20}(?:[-–—_/.][^\W_]{1,20})*(?![^\W_])")
_WORD = re.compile(rf"(?:[^\W\d_]|[{SIGNS}])+|\d+|{COVER}+|[?]")
_JOINTS = frozenset("-–—_/.")  # between groups of one number; a list of several has blanks or commas
_MAX_GROUPS = 12
_FILLER = frozenset(re.findall(
    r"\w+", "it its is the my yes ok okay sure hi hello sir please pls plz hai ye yeh lo haan ji mera no here"
))


@dataclass(frozen=True)
class Candidate:
    """A stretch, and the number of the shop's shape that it is a spelling of (None: it is of no such shape)."""

    start: int
    end: int
    number: str | None
    run: str  # of digits, with what stands between its groups, that the stretch is part of
    whole: bool  # written with all that the shop's numbers have
    tail: str = ""  # letters glued behind


def candidates(text: str, shape: Shape) -> Iterator[Candidate]:
    """Every run of digits once: the parts of it that are of the shape, else the whole run, with letters glued to it."""
    read = 0
    for run in _CLUSTER.finditer(text):
        if run.start() < read:
            continue  # inside a code of letters and digits, AB12CD34
        for candidate in _of_run(text, run, shape):
            yield candidate
            read = candidate.end


def _of_run(text: str, run: re.Match[str], shape: Shape) -> Iterator[Candidate]:
    groups = [(m.start() + run.start(), m.end() + run.start()) for m in re.finditer(r"\d+", run.group())]
    front = _FRONT.search(text, max(0, run.start() - 22), run.start())
    behind = _BEHIND.match(text, run.end())
    foreign = bool(front and front["letters"])
    tail = (behind["letters"] or "") if behind else ""
    letter = None if foreign or behind else _LETTER_APART.match(text, run.end())
    if letter and (number := shape.written(text[run.start() : letter.end()])):
        yield Candidate(run.start(), letter.end(), number, run.group(), False)
        return
    fitting = [] if foreign else list(_fitting(text, groups, shape, bool(tail)))
    for start, end, number in fitting:
        spelt = text[start:end]
        as_written = shape.only_digits or (number.endswith(spelt) and not spelt.isdigit())
        yield Candidate(start, end, number, run.group(), as_written)
    if not fitting:
        named = foreign or (front is not None and front.group()[-1] in "-_/")  # ORD-2024-001
        apart = None if front else shape.front_apart.search(text, max(0, run.start() - 22), run.start())
        start = apart.start() if apart else front.start() if front and named else run.start()
        end = behind.end() if behind and tail else run.end()
        joined = _JOINED.match(text, end)
        end = joined.end() if joined else end
        behind_blank = _BEHIND_BLANK.match(text, end)
        if behind_blank and shape.resembles(text[start : behind_blank.end()]):
            end = behind_blank.end()  # 4k82 d177x
        yield Candidate(start, end, None, run.group(), False, tail)


def _fitting(
    text: str, groups: list[tuple[int, int]], shape: Shape, glued_behind: bool
) -> Iterator[tuple[int, int, str]]:
    """A group that is of the shape alone, else neighbours that are together."""
    at, pieces = 0, _pieces(text, groups, shape)
    while at < len(groups):
        step = 1
        for size in range(1, min(len(groups) - at, _MAX_GROUPS) + 1):
            start, end = groups[at][0], groups[at + size - 1][1]
            last = at + size == len(groups)
            (begins, _, one), (_, ends, other) = pieces[at], pieces[at + size - 1]
            cut = (begins, ends) != (start, end) and (one or other or not shape.only_digits)
            number = shape.written(_joined(text[start:end], shape)) if not (cut or (last and glued_behind)) else None
            if number and (size == 1 or at + size == len(groups) or size > 2):
                yield start, end, number
                step = size
                break
        at += step


def _pieces(text: str, groups: list[tuple[int, int]], shape: Shape) -> list[tuple[int, int, bool]]:
    """For each group what it is written in one piece with, 112 with 112-4567890-1234567: where, and if it is a code."""
    pieces: list[list[tuple[int, int]]] = []
    for group in groups:
        joined = pieces and text[pieces[-1][-1][1] : group[0]] in _JOINTS
        pieces[-1:] = [[*pieces[-1], group]] if joined else [*pieces[-1:], [group]]
    read = [(piece, (piece[0][0], piece[-1][1], _is_a_code(text, piece, shape))) for piece in pieces]
    return [seen for piece, seen in read for _ in piece]


def _is_a_code(text: str, piece: list[tuple[int, int]], shape: Shape) -> bool:
    """Whether a piece is one number of another shop (ORD-2024-001, 2026-118-4), of which no part is an order number."""
    lengths = [end - start for start, end in piece]
    many = len(piece) > 2 or (len(piece) > 1 and text[: piece[0][0]][-1:] in _JOINTS)
    return max(lengths) > shape.lengths[1] or (many and not all(shape.fits(text[start:end]) for start, end in piece))


def _joined(spelt: str, shape: Shape) -> str:
    """Groups of a shape that is one group of digits belong together whatever stands between them."""
    return re.sub(r"\D", "", spelt) if shape.only_digits else spelt.replace(",", "-").replace("&", "-")


def features(candidate: Candidate, text: str, shape: Shape) -> list[str]:
    """What can be seen of a candidate: its form, its neighbours, the words around it, what else the message has."""
    before = _words(text[max(0, candidate.start - 60) : candidate.start])[-5:]
    after = _words(text[candidate.end : candidate.end + 40])[:3]
    spelt = text[candidate.start : candidate.end]
    fit = "whole" if candidate.whole else "digits" if candidate.number else "no"
    others = [word for word in _words(text[: candidate.start] + " " + text[candidate.end :]) if word not in _FILLER]
    seen = [
        "bias",
        f"fit={fit}",
        f"room={min(len(others), 3)}",
        f"fit={fit} room={min(len(others), 2)}",
        f"left={text[candidate.start - 1 : candidate.start].strip() or '_'}",
        f"right={text[candidate.end : candidate.end + 1].strip() or '_'}",
        *_form(candidate, spelt, shape),
        *(f"{place}={word}" for place, word in zip(("w1", "w2"), reversed(before), strict=False)),
        *(f"fit={fit} w1={word}" for word in before[-1:]),
        *(f"near={word}" for word in before[-3:]),
        *(f"stem={word[:4]}" for word in before[-3:] if len(word) > 4),
        *(f"before={word}" for word in before),
        *(f"{place}={word}" for place, word in zip(("a1", "a2"), after, strict=False)),
        *(f"after={word}" for word in after),
    ]
    return list(dict.fromkeys(seen))


def _form(candidate: Candidate, spelt: str, shape: Shape) -> Iterator[str]:
    low, high = shape.lengths
    digits = sum(c.isdigit() for c in spelt)
    yield f"digits={min(digits, 14)}"
    groups = re.findall(r"\d+", candidate.run)
    total = sum(map(len, groups))
    yield f"total={min(total, 14)}"
    yield f"groups={min(len(groups), 4)}"
    yield "length=" + ("short" if digits < low else "long" if digits > high else "right")
    if len(groups) > 1:
        alike = len({group[:2] for group in groups}) == 1
        yield f"alike={alike} between={' '.join(sorted(set(re.sub('[0-9]', '', candidate.run))))}"
        yield f"alike={alike} more={total > high}"
    if re.fullmatch(r"\d{1,3}(?:,\d{2,3})*,\d{3}", candidate.run):
        yield "thousands"
    if total >= 10:
        yield f"phone={len(groups) > 1} {candidate.run[:1]}"
    if re.fullmatch(r"(?:19|20)\d\d", spelt):
        yield "year"
    if re.fullmatch(r"\d*(?:00|99|50)", spelt):
        yield "round"
    letters = re.match(r"[^\W\d_]+", spelt)
    if letters:
        yield "letters in front"
        yield f"front={letters.group().lower()}"
    if candidate.tail:
        yield "letters behind"


def _words(text: str) -> list[str]:
    return [_name(word) for word in _WORD.findall(text.lower())]


def _name(word: str) -> str:
    return "0" * min(len(word), 6) if word[0].isdigit() else "∎" if word[0] == COVER else word
