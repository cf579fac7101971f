"""Which of the customer's own orders a message names otherwise than by its whole number.

By a tracking number; by the number cut apart ("BW 50\\n977"); by a part of it that no other order of theirs has, its
longest group ("50977" of HW/26/50977) or its end where the words speak of one ("ending 977"). What is written in one
piece counts as a whole: 14-40718-33562 is no part of 14-40718-3356, whatever its groups are.
"""

import re
from collections.abc import Sequence

from actions.orders.models import Order

_MIN_DIGITS = 5  # of a message that is compared with orders, groups alone aside
_MIN_TRACKING_DIGITS = 6
_MIN_CUT_SIGNS = 7  # letters and digits of a number that is found cut apart: fewer meet by chance
_MIN_PART_DIGITS = 3  # of a part that is written where an order number is meant, zeros in front not counted
_MIN_END_DIGITS = 4  # "the one ending in 0417"
_MIN_GROUP_DIGITS = 5  # of a group that stands for a number wherever it stands: four are a door's or a card's as well
_MIN_CODE_SIGNS = 4  # of such a group with letters, or without the zeros in front
_PIECE = re.compile(r"\d+(?:[^\w\s]+\d+)*")
_CODE = re.compile(r"(?=[^\W\d_]*\d)(?=\d*[^\W\d_])[^\W_]{3,}")
_SIGN = re.compile(r"[\W_]")
_AROUND = "#.,;:!?()*\"'"
_SUM_OR_TIME = re.compile(r"\d[.,:]\d")  # 1,289 and 12:30 are no part of a number
_OF_AN_END = re.compile(
    r"\b(?:end(?:s|ing)?|finish(?:es|ing)|last (?:few |three |four |3 |4 )?(?:digits|numbers)|termina\w*|acab\w+"
    r"|[uú]ltim[oa]s|aa?khri|aakhir|khatam)\b|आख़?िर|ख़?त्म",
    re.IGNORECASE,
)


def may_name_in_part(text: str) -> bool:
    """Whether it is worth comparing a message with the customer's orders: it has a group of digits, a code of letters
    and digits, or five digits."""
    return bool(_pieces(text) or _codes(text)) or sum(c.isdigit() for c in text) >= _MIN_DIGITS


def named_in_part(text: str, misshaped: str | None, orders: Sequence[Order]) -> list[Order]:
    """The orders that a message names; `misshaped` is what it has in an order number's place and in another shape."""
    return (
        tracked(text, orders)
        or [order for order in orders if _is_cut_apart(order.number, text)]
        or partly_named(misshaped or "", orders)
        or _by_group(text, misshaped, orders)
    )


def tracked(text: str, orders: Sequence[Order]) -> list[Order]:
    """The orders whose tracking numbers a message has, however it spells them."""
    said = _letters_and_digits(text)
    numbers = [(order, _letters_and_digits(order.tracking_number or "")) for order in orders]
    return [order for order, number in numbers if len(_digits(number)) >= _MIN_TRACKING_DIGITS and number in said]


def partly_named(said: str, orders: Sequence[Order]) -> list[Order]:
    """The order of whose number `said` is a part ("00417" or "417" of OS/2026/00417), all but zeros in front
    ("OS/2026/417") or letters between the digits ("HW-26-417" of HW-26B-417), the end ("0417") or all digits
    ("202600417"); none where several have it."""
    part = _groups(said)
    enough = sum(len(group) for group in part if group.isdigit()) >= _MIN_PART_DIGITS
    named = [order for order in orders
             if (enough and _is_part(part, _groups(order.number))) or _is_all_digits_of(said, order.number)]
    ends = said.isdigit() and len(said) >= _MIN_END_DIGITS
    named = named or [order for order in orders if ends and _is_end(said, _digits(order.number))]
    return named if len(named) == 1 else []


def _is_end(said: str, digits: str) -> bool:
    """Whether digits are the end of a number's; all but the first are a slip more likely than the end."""
    return digits.endswith(said) and len(digits) - len(said) != 1


def _by_group(text: str, misshaped: str | None, orders: Sequence[Order]) -> list[Order]:
    named = _with_group(text, misshaped, orders) or _with_end(text, misshaped, orders)
    return named if len(named) == 1 else []


def _with_group(text: str, misshaped: str | None, orders: Sequence[Order]) -> list[Order]:
    """Not by a group of what is written in a number's place: 83 20617 is no part of QB-84K-20617."""
    rest = text.replace(misshaped, " ") if misshaped else text
    said, codes = _pieces(rest), {code for code in _codes(rest) if len(code) >= _MIN_CODE_SIGNS}
    return [order for order in orders
            if any(_tells(piece, order.number) for piece in said) or codes & _codes(_SIGN.sub(" ", order.number))]


def _with_end(text: str, misshaped: str | None, orders: Sequence[Order]) -> list[Order]:
    """By what the words call an end. Four digits in a row are that of a card, but where they stand in a number's place.
    """
    if not _OF_AN_END.search(text):
        return []
    ends = ["".join(piece) for piece in _pieces(text) if len(piece) > 1 or len(piece[0]) < _MIN_END_DIGITS]
    ends = [end for one in [*ends, _digits(misshaped or "")] if (end := one.lstrip("0"))]
    codes = tuple(_codes(text))
    return [order for order in orders if _digits(order.number).endswith(tuple(ends))
            or _letters_and_digits(order.number).endswith(codes)]


def _codes(text: str) -> set[str]:
    """The words of letters and digits, as D17X is of 4K82-D17X."""
    words = (word.strip(_AROUND).casefold() for word in text.split())
    return {word for word in words if _CODE.fullmatch(word)}


def _pieces(text: str) -> list[list[str]]:
    """What is written in one piece of digits and signs, as groups of digits, in words without letters: WC-10442 is
    another shop's, whatever its digits are."""
    words = (word for word in text.split() if not any(c.isalpha() for c in word))
    found = (piece for word in words for piece in _PIECE.findall(word) if not _SUM_OR_TIME.search(piece))
    return [groups for piece in found if max(map(len, groups := re.findall(r"\d+", piece))) >= _MIN_PART_DIGITS]


def _tells(piece: Sequence[str], number: str) -> bool:
    """Whether a piece is a part of a number, and has a group of it that stands for the whole."""
    groups = [group.lstrip("0") for group in piece]
    return bool(_telling_groups(number) & set(groups)) and _is_part(groups, _groups(number))


def _telling_groups(number: str) -> set[str]:
    """The longest groups of a number's digits, if they are long; of one with many zeros in front too little is left."""
    groups = re.findall(r"\d+", number)
    longest = max(map(len, groups), default=0)
    telling = [group.lstrip("0") for group in groups if len(group) == longest >= _MIN_GROUP_DIGITS]
    return {group for group in telling if len(group) >= _MIN_CODE_SIGNS}


def _is_cut_apart(number: str, text: str) -> bool:
    signs = _letters_and_digits(number)
    if len(signs) < _MIN_CUT_SIGNS or signs not in _letters_and_digits(text):
        return False
    cut = r"[\W_]{0,2}".join(signs)
    return re.search(rf"(?<![^\W_])(?<!\d[-–—_/.]){cut}(?![^\W_]|[-–—_/.]\d)", text.casefold()) is not None


def _digits(text: str) -> str:
    return "".join(filter(str.isdigit, text))


def _is_all_digits_of(said: str, number: str) -> bool:
    """Whether it is all digits of a number in a row, behind letters of its own or none ("HW2600417")."""
    written = re.fullmatch(r"([^\W\d_]*)(\d+)", said.casefold())
    return written is not None and written[2] == _digits(number) and number.casefold().startswith(written[1])


def _is_part(part: Sequence[str], whole: Sequence[str]) -> bool:
    """Whether groups stand in a number in a row; letters between its digits may be left out."""
    said = [group for group in whole if group.isdigit() or group in part]
    starts = range(len(said) - len(part) + 1)
    return any(said[at : at + len(part)] == list(part) for at in starts)


def _groups(text: str) -> list[str]:
    """Letters and digits apart, zeros in front left out."""
    groups = re.findall(r"\d+|[^\W\d_]+", text.casefold())
    return [group.lstrip("0") if group.isdigit() else group for group in groups]


def _letters_and_digits(text: str) -> str:
    return "".join(c for c in text.casefold() if c.isalnum())
