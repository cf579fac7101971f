"""What the words of an answer name: an address, some of an order's items, a refund or an exchange.

Closed classes of words stand here for each language that is spoken; nothing that is found here acts before the customer
has seen it in the summary.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

from actions.self_service.acts import plain
from privacy import addresses
from privacy.indic import END, SIGNS

MAX_ADDRESS_CHARS = 300
MAX_REASON_CHARS = 300
REFUND, EXCHANGE = "refund", "exchange"
ADDRESS, OTHER, ALL = "address", "other", "all"
_ADDRESS = (
    r"\b(?:add?ress?e?|adress|addr|pata|pate|endere[cç]o|direcci[oó]n|domicilio|pin ?code|post ?code|postal code|zip"
    r"|cep|c[oó]digo postal)\b|पता(?! नहीं| नही| चल| लग)|पते|एड्रेस|पिन ?कोड"
)
_EXCHANGE = (
    r"\b(?:exchang\w*|swap\w*|replac\w*|badal\w*|badl\w*|troca\w*|cambi\w*|otra talla|outro tamanho)\b"
    r"|बदल|एक्सचेंज"
)
_MOVED = r"(?:\b(?:pata|address)|पता|एड्रेस) (?:ko |को )?(?:badal\w*|बदल)"  # no item is to be changed
_REFUND = (
    r"\b(?:refund\w*|money|paise|paisa|reembols\w*|estorn\w*|dinheiro|dinero|devoluci[oó]n del dinero)\b"
    r"|रिफंड|रिफ़ंड|पैसे|पैसा"
)
_DENIED_BEFORE = r"\b(?:not|no|don'?t|do not|without|instead of|n[aã]o|sem|sin|en vez de|em vez de) (?:[^\W\d]+ ){0,3}?"
_DENIED_BEHIND = rf"[^\s,.;]* (?:[^\s,.;]+ )?(?:nahi|nahin|nhi|mat|नहीं|नही|मत){END}"
# What begins a question and no answer; "when", "como" begin a reason as well ("when it came it was broken").
_ASKS = re.compile(
    r"^\W*(?:(?:and|aur|but|ok|okay|e|y)\s+)?"
    r"(?:how|where|wheres|where's|who|which|(?:can|do|will|should) (?:i|you|we|u)|is there"
    r"|(?:is|are|was|does|did|has) (?:it|that|this|they|these|those)\b"
    r"|kitn[aei]|kab|kaise|kahan?|kaun|qual|quais|quem|onde|cad[eê]|quant[oa]s?|d[oó]nde|qui[eé]n|cu[aá]l|cu[aá]nt[oa]s?)\b"
    rf"|^\W*(?:कितन[ाेी]|कब|कैसे|कहाँ|कहां|कौन){END}|\?\s*$",
    re.I,
)
_REQUESTS = re.compile(r"^\W*(?:(?:ok|okay|and|then|so)\s+)?(?:can|could|will|would) (?:you|u)\b", re.I)
_NO = rf"^(?:no|nope|nahi|nahin|n[aã]o|नहीं|नही|ना){END}[\s,.:!-]*"
_ALL = (
    r"\b(?:all|everything|both|whole|entire|sab|sabhi|pura|poora|dono|tudo|todos|todas|ambos|ambas|todo|toda)\b"
    rf"|(?:सब|सभी|सारे|सारा|पूरा|पूरे|दोनों|दोनो){END}"
)
_OF = frozenset(["of", "de", "dos", "das", "mein", "me", "में"])
_COUNTS = (
    "one ek um uma un una uno एक", "two do dois duas dos दो", "three teen tin três tres तीन",
    "four char chaar quatro cuatro चार", "five panch paanch cinco पांच पाँच", "six chhe chah seis छह",
)  # fmt: skip
_BUT = r"\b(?:except|but|menos|exceto|excepto|salvo|chhod\w*|chod\w*|siva\w*)\b|छोड़|सिवा"
_NOT_ALL = r"\b(?:not|no|don'?t|nahi|nahin|n[aã]o)\b|नहीं"


@dataclass(frozen=True)
class Item:
    """One line of an order, as it may be returned. `chosen`: how many of it are; 0 while that is not known."""

    item_id: str
    title: str
    quantity: int
    chosen: int | None = None

    @property
    def named(self) -> str:
        """'Lamp', '2 × Mug', and where only some are chosen '1/2 × Mug'."""
        some = f"{self.chosen}/" if self.chosen and self.chosen < self.quantity else ""
        return f"{some}{self.quantity} × {self.title}" if self.quantity > 1 else self.title


def asks(text: str) -> bool:
    """Whether the words have the form of a question."""
    return _ASKS.search(text) is not None


def only_asks(text: str) -> bool:
    """Whether the words ask, and do not ask to have something done: "is that ok", but not "can you do that"."""
    return asks(text) and _REQUESTS.search(text) is None


def names_address(text: str) -> bool:
    """Whether the words are about an address."""
    return re.search(_ADDRESS, text, re.I) is not None


def names_all(text: str) -> bool:
    """Whether the words say that all of several are meant."""
    return re.search(_ALL, text, re.I) is not None


def wish(text: str) -> str | None:
    """REFUND or EXCHANGE; None where the words say neither, or both. What they deny is not wished."""
    text = re.sub(_MOVED, " ", text, flags=re.I)
    ways = ((REFUND, _REFUND), (EXCHANGE, _EXCHANGE))
    for _, words in ways:  # "exchange it, i don't want a refund"
        text = re.sub(rf"{_DENIED_BEFORE}(?:{words})|(?:{words}){_DENIED_BEHIND}", " ", text, flags=re.I)
    found = [name for name, words in ways if re.search(words, text, re.I)]
    return found[0] if len(found) == 1 else None


def address(text: str, asked: bool) -> str | None:
    """The address that a message gives, on one line; None where it gives none that can be told from other words.

    `asked`: the message answers the question for it, so all of it counts, if it has the look of one: several words with
    a number, or lines. Else only what stands at its end counts, from where the privacy filter takes it for an address.
    """
    if not asked:
        start = next((start for start, _ in addresses.spans(text)), None)
        return None if start is None else _line(text[start:])
    text = re.sub(_NO, "", text.strip(), flags=re.I)
    words = text.split()
    parts = [part for part in re.split(r"[,\n]", text) if part.strip()]
    looks = len(words) >= 3 and (any(sign.isdigit() for sign in text) or len(parts) >= 3)
    return _line(text) if looks and not asks(text) else None


def _line(text: str) -> str | None:
    lines = [line.strip(" ,;") for line in text.splitlines()]
    return plain(", ".join(line for line in lines if line), MAX_ADDRESS_CHARS) or None


def items(text: str, offered: Sequence[Item]) -> list[Item]:
    """Those of the items that the words name: all, by a word of their titles, or by place; empty for none.

    How many of each stands in `chosen` where the words say it ("one of the mugs") or there is only one.
    """
    said = _title_words(text)
    shared = Counter(word for item in offered for word in _title_words(item.title))
    named = [item for item in offered if any(shared[word] == 1 for word in said & _title_words(item.title))]
    if names_all(text):
        if named and re.search(_BUT, text, re.I):
            return [replace(item, chosen=item.quantity) for item in offered if item not in named]
        if len(named) == 1 or not (named or re.search(_NOT_ALL, text, re.I)):
            return [replace(item, chosen=item.quantity) for item in named or offered]
    if len(named) == 1:
        return [replace(named[0], chosen=1 if named[0].quantity == 1 else count(text, named[0].quantity) or 0)]
    places = {int(number) for number in re.findall(r"(?<![\w.])\d{1,2}(?![\w.])", text)}
    if not named and all(1 <= place <= len(offered) for place in places):
        named = [offered[place - 1] for place in sorted(places)]
    return [replace(item, chosen=1 if item.quantity == 1 else 0) for item in named]


def count(text: str, most: int) -> int | None:
    """How many the words say, of so many; None where they say none, several, or more."""
    words = re.findall(rf"[\w{SIGNS}]+", text.casefold())
    said = {int(word) for word in words if word.isdecimal() and len(word) < 4}
    said |= {number for number, names in enumerate(_COUNTS, 1) if not {*words}.isdisjoint(names.split())}
    if names_all(text) and not said - {most}:
        return most
    if len(said) == 2 and max(said) == most and not _OF.isdisjoint(words):
        said.remove(most)  # "two of the three"
    return next(iter(said)) if len(said) == 1 and 1 <= min(said) <= most else None


def _title_words(text: str) -> set[str]:
    return {word.rstrip("s") for word in re.findall(rf"[\w{SIGNS}]{{3,}}", text.casefold())}  # mugs, kurtas
