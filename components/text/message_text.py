"""A customer's message made comparable: one spelling for what people write in ten.

Two forms. `folded` is for n-grams: lower case, placeholders for numbers and links, emoji as words, Hinglish and the
commonest typos in one spelling (`spellings.txt`). `readable` is for the sentence embedding: the same, but without the
placeholders, which no language model has seen.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from components.order_numbers.finding import MISSHAPED, ORDER, read_numbers
from components.order_numbers.shape import DEFAULT_PATTERN
from components.order_numbers.syntax import ascii_digits, cover_addresses

_MAX_TEXT_CHARS = 1500  # characters read: the beginning and the end, where topic and question stand
_INVISIBLE = re.compile("[\u200b-\u200f\u2060-\u2064\ufe00-\ufe0f\ufeff]")
_QUOTES = str.maketrans({"’": "'", "‘": "'", "`": "'", "´": "'", "“": '"', "”": '"', "…": "...", "–": "-", "—": "-"})
# Hindi's optional signs: the dot below where few type it, and the nasal before a consonant, written in three ways.
_DOT = re.compile("(?<=[कखगजफ])\u093c")
_NASAL = re.compile("ँ|न्(?=[तथदधटठडढ])|म्(?=[पफबभ])|ण्(?=[टठडढ])|ङ्(?=[कखगघ])|ञ्(?=[चछजझ])")
_ELONGATED = re.compile(r"([^\W\d])\1{2,}")
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")
_WORD = re.compile(r"[a-zÀ-ɏऀ-ॣॱ-ॿ]+(?:'[a-z]+)?")

_EMOJI = {
    "angryemoji": "😡🤬😠👿😤🖕💢",
    "sademoji": "😢😭😞😔😟🙁☹😩😫💔😓😥",
    "laughemoji": "😂🤣😆😹",
    "yesemoji": "👍👌✅☑✔💯🆗",
    "noemoji": "👎❌🚫✖🙅",
    "prayemoji": "🙏",
    "happyemoji": "😊😀😃😄😁🙂😍🥰😘❤💕💖💐🌹😇☺🤗👏",
    "waveemoji": "👋",
    "parcelemoji": "📦🚚🛵",
    "phoneemoji": "📞☎📱🤙",
    "moneyemoji": "💰💵💸",
    "botemoji": "🤖",
}
_EMOJI_WORD = {symbol: word for word, symbols in _EMOJI.items() for symbol in symbols}


def _spellings() -> dict[str, str]:
    """Variant to common spelling, from `spellings.txt` beside this module."""
    rows = (Path(__file__).parent / "spellings.txt").read_text(encoding="utf-8").splitlines()
    pairs = (row.split(":", 1) for row in rows if row and not row.startswith("#"))
    return {variant: word.strip() for word, variants in pairs for variant in variants.split()}


_CANONICAL = _spellings()
_PLACEHOLDER = {
    ORDER: "ordernumber",
    "url": "linktoken",
    "email": "mailtoken",
    "upi": "mailtoken",
    "handle": "",
    "money": "moneytoken",
    "date": "datetoken",
    "time": "timetoken",
    "pin": "pintoken",
    "phone": "phonetoken",
    "tracking": "tracking idtoken",
    "number": "numtoken",
}
_GREETING = (
    r"(?:hi+|hello+|helo|hlo|hey+|hii+|dear|namaste|namaskar|greetings|good (?:morning|afternoon|evening|day)|gm)"
)
_ADDRESSED = r"(?:there|team|sir|madam|ma'?am|mam|ji|bhai|friends?|guys|(?:\w+ )?team|to you|all|everyone)"
_OPENING = re.compile(
    rf"^(?:{_GREETING}(?:[\s,.!:-]+{_ADDRESSED})*[\s,.!:-]+|(?:sir|madam|ma'?am|mam|dear|bhai)[\s,.!:-]+)+"
)
_CLOSING = re.compile(
    r"(?:[\s,.!-]+(?:sir|madam|ma'?am|mam|ji|please|asap|please reply|reply please|please help|kindly help"
    r"|please do the needful|do the needful|thanks in advance))+[.!]*$"
)
_NUMBER = re.compile(r"\d+")
_TAUGHT = "10234"  # an order number as the project's own phrases have them


@lru_cache(maxsize=256)
def folded(text: str, pattern: str = DEFAULT_PATTERN) -> str:
    """The n-gram form of a message; empty only for a message without any sign."""
    plain = _with_placeholders(as_taught(_plain(text), pattern, f" {_PLACEHOLDER[ORDER]} "))
    return _without_courtesies(_squeeze(_spell(_emoji(plain.lower()))))


@lru_cache(maxsize=256)
def readable(text: str, pattern: str = DEFAULT_PATTERN) -> str:
    """The sentence-embedding form: handles and links gone, spelling folded, numbers kept short."""
    plain = as_taught(_plain(text), pattern)
    for span in sorted(cover_addresses(plain)[1], key=lambda s: -s.start):
        plain = plain[: span.start] + " " + plain[span.end :]
    return _without_courtesies(_squeeze(_spell(plain.replace("#", " ").lower())))


class Forms(NamedTuple):
    """Both forms of a message."""

    folded: str
    readable: str

    @classmethod
    def of(cls, text: str) -> Forms:
        """Of a message that names order numbers as the project's phrases do; what its numbers are is read once."""
        return cls(folded(text), readable(text))


def words(text: str) -> list[str]:
    """The words of a folded or readable text."""
    return _WORD.findall(text)


def _plain(text: str) -> str:
    if len(text) > _MAX_TEXT_CHARS:
        text = f"{text[: _MAX_TEXT_CHARS // 3]} {text[-2 * _MAX_TEXT_CHARS // 3 :]}"
    text = unicodedata.normalize("NFKC", text.encode("utf-8", "ignore").decode()).translate(_QUOTES)  # halves of signs
    return _NASAL.sub("ं", _DOT.sub("", _INVISIBLE.sub("", ascii_digits(text))))


def as_taught(text: str, pattern: str, taught: str = _TAUGHT) -> str:
    """The shop's order numbers, and dictated parts of them, written as the phrases that all shops learn from have
    theirs."""
    for span in reversed(read_numbers(text, pattern)):
        dictated = span.kind == MISSHAPED and not any(c.isdigit() for c in text[span.start : span.end])
        if dictated or (span.kind == ORDER and pattern != DEFAULT_PATTERN):
            text = f"{text[: span.start]}{taught}{text[span.end :]}"
    return text


def _with_placeholders(text: str) -> str:
    tokens = ((span, _PLACEHOLDER.get(span.kind)) for span in read_numbers(text, DEFAULT_PATTERN))
    spans = [(span.start, span.end, token) for span, token in tokens if token is not None]
    for start, end, token in sorted(spans, reverse=True):
        text = f"{text[:start]} {token} {text[end:]}"
    return _CAMEL.sub(" ", _NUMBER.sub(" numtoken ", text)) if "#" in text else _NUMBER.sub(" numtoken ", text)


def _emoji(text: str) -> str:
    out = []
    for char in text:
        if char in _EMOJI_WORD:
            out.append(f" {_EMOJI_WORD[char]} ")
        elif unicodedata.category(char) == "So":
            out.append(" emojitoken ")
        else:
            out.append(char)
    return "".join(out)


def _spell(text: str) -> str:
    text = _ELONGATED.sub(r"\1\1", text)
    return _WORD.sub(lambda m: _CANONICAL.get(m.group(), m.group()), text)


def _without_courtesies(text: str) -> str:
    """The text without the greeting in front and the "sir please" behind, unless little else is left."""
    bare = _CLOSING.sub("", _OPENING.sub("", text))
    return bare if len(words(bare)) > 1 else text


def _squeeze(text: str) -> str:
    return " ".join(text.split())
