"""Payment cards in every spelling: together, in fours, in an issuer's groups, digit by digit, over lines."""

import re
from collections.abc import Iterator

from privacy import checks
from privacy.indic import BEGIN, END

_GROUP = re.compile(r"\d+")
_JOINT = re.compile(r"[^\w₹$€£%#,]{1,4}|_|, ?")
_NOT_BEFORE = re.compile(
    r"(?:[₹$€£#]|\b(?:rs|inr|orders?|pedidos?|tracking|imei|awb|waybill|consignment|rastreio|seguimiento|utr|txn|ref)"
    r"(?:\s+(?:no|number|id|code))?)[.:#\s]*(?:is|é|es|hai)?\s*$",
    re.I,
)
_CODE_BEFORE = re.compile(r"(?<!CARD)(?<!VISA)(?<!AMEX)(?<!RUPAY)(?<!NO)(?<![A-Z]CC)(?<!\bCC)[A-Z]$")
_CODE_AFTER = re.compile(r"[A-Z]{1,4}(?![A-Za-z])")
_CARD_BEFORE = re.compile(
    rf"{BEGIN}(?:card|tarjeta|cart[aã]o|visa|master\s?card|rupay|amex|maestro|कार्ड){END}\W*(?:n\w*)?\W*$", re.I
)
_ISSUERS_GROUPS = ((4, 6, 5), (4, 6, 4), (4, 4, 5), (6, 10), (6, 13), (8, 8))
MAX_DIGITS = 19
MIN_DIGITS = 13


def spans(text: str) -> Iterator[tuple[int, int, str]]:
    """(start, end, "card") in a text with ASCII digits."""
    for run in _runs(text):
        index = 0
        while index < len(run):
            last = _longest_at(text, run, index)
            if last is not None:
                yield run[index][0], run[last][1], "card"
            index = index + 1 if last is None else last + 1


def _runs(text: str) -> Iterator[list[tuple[int, int]]]:
    """Digit groups, as (start, end), that nothing but a few separators stands between."""
    run: list[tuple[int, int]] = []
    for match in _GROUP.finditer(text):
        if run and not _JOINT.fullmatch(text, run[-1][1], match.start()):
            yield run
            run = []
        run.append(match.span())
    if run:
        yield run


def _longest_at(text: str, run: list[tuple[int, int]], first: int) -> int | None:
    digits, shape = "", []
    best: int | None = None
    for index in range(first, min(len(run), first + MAX_DIGITS)):
        start, end = run[index]
        digits += text[start:end]
        shape.append(end - start)
        if len(digits) > MAX_DIGITS:
            break
        whole = first == 0 and index == len(run) - 1
        if len(digits) >= MIN_DIGITS and _grouped(tuple(shape), whole) and checks.card(digits):
            best = index
    if best is None or _CODE_AFTER.match(text, run[best][1]):
        return None
    before = text[max(0, run[first][0] - 32) : run[first][0]]
    if _CARD_BEFORE.search(before):
        return best
    written = text[run[first][0] : run[best][1]]
    if ", " in written and not (first == 0 and best == len(run) - 1 and len(run) <= 4):
        return None  # prices, or orders: only a whole list may be one
    is_list = "," in written or best == first
    if _CODE_BEFORE.search(before) or (is_list and _NOT_BEFORE.search(before)):
        return None
    return best


def _grouped(shape: tuple[int, ...], whole: bool) -> bool:
    """Whether people write a card in such groups. Digit by digit only where nothing else stands in the run."""
    if len(shape) == 1 or shape in _ISSUERS_GROUPS:
        return True
    size, last = shape[0], shape[-1]
    if set(shape[:-1]) == {size} and last <= size and size < 6:
        return size in (4, 5) or whole
    return min(shape) >= 3 and max(shape[:-1]) <= 6
