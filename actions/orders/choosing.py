"""Which of several orders some words pick: by place ("the second one"), day ("the later one"), status or item.

Ordinals and statuses are closed classes, so they stand here for each language that is spoken.
"""

import re
from collections.abc import Sequence

from actions.orders.models import MONEY_BACK, Order, OrderStatus
from privacy.indic import BEGIN, END, SIGNS

_WORD = rf"[\w{SIGNS}]"

_PLACES = {
    0: "1 1st first one pehla pehle pehli upar top पहला पहली पहले ऊपर uno primero primera primeiro primeira latest"
    " newest newer recent",
    1: "2 2nd second two dusra dusre dusri doosra doosre doosri दूसरा दूसरी दूसरे segundo segunda dos dois",
    2: "3 3rd third three teesra teesre tisra तीसरा तीसरी तीसरे tercero tercera tres terceiro terceira três",
    3: "4 4th fourth four chautha चौथा चौथी चौथे cuarto cuarta quarto quarta",
    4: "5 5th fifth five panchwa पाँचवाँ पांचवां पांचवा पाँचवी पांचवी quinto quinta",
    -1: "last bottom aakhri akhri aakhiri oldest older आखिरी आख़िरी अंतिम पुराना ultimo ultima último última purana",
}
_STATUSES: dict[OrderStatus, str] = {
    OrderStatus.PLACED: "placed|ordered",
    OrderStatus.CONFIRMED: "confirm|कन्फर्म|कन्फ़र्म",
    OrderStatus.PACKED: "pack|पैक|empacad|embalad|preparad",
    OrderStatus.SHIPPED: "ship|on (?:its|the) way|coming|raaste|raste|रास्ते|शिप|भेजा|enviad|camin",
    OrderStatus.OUT_FOR_DELIVERY: "out for|today|aaj|आज|डिलीवरी पर|hoy|hoje|reparto",
    OrderStatus.DELIVERED: "मिला|मिल गया|आ गया|पहुँच गया|पहुंच गया|डिलीवर हो|"
    r"de?li?v\w*d\b|arrived|received|got|came|mila|aa gaya|entreg|lleg|cheg",
    OrderStatus.DELAYED: "late|delay|deri|लेट|देरी|atras|retras",
    OrderStatus.CANCELLED: "cancel|कैंसल|कैंसिल|रद्द",
    OrderStatus.RETURNED: "return|sent back|gave back|wapas|वापस|रिटर्न|devuel|devol",
    OrderStatus.REFUNDED: "refund|रिफंड|reembols",
}
# "the one not yet come", "jo nahi mila": any that is still to come, whatever word of arriving is denied; and any that
# is still to leave: "the one that's not shipped yet".
_DENIED = r"(?:not|never|yet to|(?:has|have|did|is|does|was)n'?t)\s+(?:\w+\s+){0,2}?"
_TO_COME = re.compile(
    rf"\b(?:{_DENIED}(?:c[ao]me|arrived?|deliver\w*|received?|reached?|here|got)|still (?:coming|to come|open)|pending"
    r"|(?:nahi|nahin|nhi) (?:aaya|aayi|aaye|aya|mila|mili|mile|pahucha|pahuncha)|(?:aaya|aayi|mila|mili) nahi"
    r"|abhi (?:aana|aani) hai"
    r"|(?:n[aã]o|no) (?:me )?(?:ha |han )?(?:cheg|lleg|receb|recib|entreg)\w*|faltan? (?:por )?(?:cheg|lleg)ar)"
    r"|नहीं (?:आया|आई|आए|मिला|मिली|मिले|पहुँचा|पहुंचा)|(?:आना|आनी) बाकी",
    re.I,
)
_TO_LEAVE = re.compile(
    rf"\b(?:{_DENIED}(?:ship\w*|sent|send|left|leave|dispatch\w*|gone out)|still with (?:you|u)"
    r"|(?:nahi|nahin|nhi) (?:bheja|bheji|bheje|nikla|nikli|gaya)|(?:bheja|bheji|nikla|nikli) nahi"
    r"|(?:n[aã]o|no) (?:ha )?(?:sali|sai|envi|sal)\w*)"
    r"|नहीं (?:भेजा|भेजी|निकला|निकली)",
    re.I,
)
_WITH_THE_SHOP = (OrderStatus.PLACED, OrderStatus.CONFIRMED, OrderStatus.PACKED)
# "the one that comes first", "the later one": by the day on which they should arrive.
_ARRIVES = r"(?:com(?:es?|ing)|arriv\w+|reach\w*|aaye?ga|aayegi|aa raha|lleg\w+|cheg\w+|vem|viene)"
_SOONER = re.compile(
    rf"\b(?:sooner|soonest|earlier|earliest|{_ARRIVES} (?:first|before|primero|primeiro|antes)"
    rf"|jaldi (?:wal\w|{_ARRIVES})|pehle {_ARRIVES})\b|(?:पहले|जल्दी) (?:आने|आएगा|आएगी|पहुँचे)",
    re.I,
)
_LATER = re.compile(
    rf"\b(?:later|{_ARRIVES} (?:last|after|después|despues|por último|por ultimo|depois)|m[aá]s tarde|mais tarde"
    rf"|baad (?:me(?:in)? )?(?:wal\w|{_ARRIVES}))\b|बाद (?:में )?(?:आने|आएगा|आएगी|वाला|वाली|पहुँचे)",
    re.I,
)
# "when was it delivered", "kab mila tha": only what has come has such a day; "when was it to come" asks for another.
_WHEN = re.compile(
    r"\b(?:when|(?:what|which) (?:day|date|time)|kab|kis din|quando|que dia|cu[aá]ndo|qu[eé] d[ií]a)\b|कब|किस दिन", re.I
)
_CAME = re.compile(
    r"\b(?:(?:was|were|got|been) (?:\w+ ){0,3}?(?:delivered|received|dropped|handed)"
    r"|did (?:\w+ ){0,3}?(?:arrive|come|reach|get (?:here|there))|did (?:i|we) (?:\w+ )?(?:get|receive)"
    r"|(?:deliver|receive) (?:hua|hui|hue|kiya|ho gaya)|(?:mila|mili|aaya|aayi|pahu[n]?cha|pahu[n]?chi)(?: tha| thi)?"
    r"|(?:foi|foram|fue|fueron) (?:\w+ )?entreg\w*|chegou|chegaram|recebi|se entreg(?:ó|o|aron)"
    r"|lleg(?:ó|aron)|recib[ií])\b"
    r"|डिलीवर (?:हुआ|हुई|हो गया)|(?:मिला|मिली|आया|आई|पहुँचा|पहुंचा) (?:था|थी)",
    re.I,
)
_PLANNED = re.compile(
    r"\b(?:supposed|to be|meant|should|was due|devia|deb[ií]a|ten[ií]a que|wala tha)\b|वाला था", re.I
)
_OTHER = {"other", "another", "different", "dusra", "dusre", "dusri", "doosra", "दूसरा", "दूसरी", "दूसरे",
          "otro", "otra", "outro", "outra"}  # fmt: skip
_ANOTHER_ORDER = re.compile(
    rf"{BEGIN}(?:other|another|d(?:u|oo)sr[aei]|outr[oa]|otr[oa]|दूसर[ाेी])"
    rf"(?:\s+(?:one|orders?|parcels?|packages?|pedidos?|encomendas?|compras?|paquetes?|wal[aei]|ऑर्डर|पार्सल|वाल[ाेी]){END}"
    r"|\W*$|\s*[,.;:!?…])",
    re.I,
)
# "one" is a noun far more often than a number.
_ONE = re.compile(r"\b(?:one|uno)\b(?! *$)|(?<=\w )\b(?:one|uno)\b")
# "the other two": how many are left, not which.
_HOW_MANY = re.compile(
    r"\b(other|others|remaining|otr[oa]s|outr[oa]s|dem[aá]is|baaki|baki)\s+(?:two|three|four|2|3|4|dos|tres|cuatro|dois|duas"
    r"|três|quatro|do|teen|char)\b"
)


def chosen(text: str, orders: Sequence[Order]) -> list[Order]:
    """The orders that the words pick from a list that was shown; empty when they do not say."""
    fitting = described(text, orders)
    picked = _by_day(text, orders) or (counted(text, orders) if len(fitting) != 1 else None)
    return [picked] if picked else fitting


def counted(text: str, orders: Sequence[Order]) -> Order | None:
    """The order at the place that the words name in a list that was shown: "the second"."""
    place = _place(text.lower())
    return orders[place] if place is not None and -len(orders) <= place < len(orders) else None


def _by_day(text: str, orders: Sequence[Order]) -> Order | None:
    """The first or last to come of those that are still to come, where the words say so and the days differ."""
    sooner = _SOONER.search(text) is not None
    if sooner == (_LATER.search(text) is not None):
        return None
    days = [order.estimated_delivery for order in orders if order.open and order.estimated_delivery]
    if len(set(days)) < 2:
        return None
    day = min(days) if sooner else max(days)
    at_that_day = [order for order in orders if order.open and order.estimated_delivery == day]
    return at_that_day[0] if len(at_that_day) == 1 else None


def other_clause(text: str) -> str:
    """Where one order is told of and another asked for ("one came today. the other?"), the clause of the other."""
    clauses = [clause for clause in re.split(r"[.,;!?\n]+", text.lower()) if clause.strip()]
    return next((clause for clause in clauses if _OTHER & set(re.findall(f"{_WORD}+", clause))), text)


def points_at_one(text: str) -> bool:
    """Whether the words point at one of several: "the first one", "the other"."""
    return _place(text.lower()) is not None or bool(_OTHER & set(re.findall(f"{_WORD}+", text.lower())))


def means_another(text: str) -> bool:
    """Whether the words mean another order than the one talked about: "my other parcel", not "any other news"."""
    return _ANOTHER_ORDER.search(text) is not None


def asks_which(text: str) -> bool:
    """Whether the words ask for one of several: "which comes first?"."""
    return re.search(r"\b(?:which|kaun|qual|cu[aá]l)\b|कौन", text, re.I) is not None


def described(text: str, orders: Sequence[Order]) -> list[Order]:
    """The orders whose status or items the words name, also where no list was shown."""
    left = _TO_LEAVE.sub(" ", text.lower())
    words = _TO_COME.sub(" ", left)
    by_status = [order for order in orders if _names_status(words, order)]
    if not any(re.search(rf"{BEGIN}(?:{pattern})", words) for pattern in _STATUSES.values()):
        if left != text.lower():
            return [order for order in orders if order.status in _WITH_THE_SHOP]
        if words != left:
            return [order for order in orders if order.open]
        by_status = [order for order in orders if _says_shops_word(words, order)]  # "the one that is held"
    by_item = [order for order in orders if _names_item(words, order)]
    return by_item if len(by_item) == 1 and len(by_status) != 1 else by_status or by_item


def asks_when_it_came(text: str) -> bool:
    """Whether the words ask on which day something arrived: of what has arrived, whatever else is still to come."""
    asked = _WHEN.search(text) and _CAME.search(text)
    return bool(asked) and not (_PLANNED.search(text) or _TO_COME.search(text))


def speaks_of(status: OrderStatus, text: str) -> bool:
    """Whether the words name a status: "why was it cancelled?"."""
    return re.search(rf"{BEGIN}(?:{_STATUSES[status]})", text.lower()) is not None


def awaits_another(text: str, told: Sequence[Order]) -> bool:
    """Whether who still awaits something means none of the orders just told: they are cancelled or came back, and the
    words do not speak of that."""
    return bool(told) and all(order.status in MONEY_BACK for order in told) and not described(text, told)


def _place(words: str) -> int | None:
    said = re.findall(f"{_WORD}+", _ONE.sub(" ", _HOW_MANY.sub(r"\1", words)))
    found = [place for word in said for place, names in _PLACES.items() if word in names.split()]
    return found[-1] if found else None


def _names_status(words: str, order: Order) -> bool:
    return order.status is not None and bool(re.search(rf"{BEGIN}(?:{_STATUSES[order.status]})", words))


def _says_shops_word(words: str, order: Order) -> bool:
    said = " ".join(re.findall(rf"(?:[^\W_]|[{SIGNS}])+", (order.status_said or "").lower()))
    return bool(said) and bool(re.search(rf"{BEGIN}{re.escape(said)}{END}", words))


def _names_item(words: str, order: Order) -> bool:
    said = set(re.findall(f"{_WORD}{{3,}}", words))
    titles = (str(getattr(item, "title", "")) for item in getattr(order, "items", ()))
    return any(said & set(re.findall(f"{_WORD}{{3,}}", title.lower())) for title in titles)
