"""A customer's message as a phrase that may stand in the project: nothing in it leads back to who wrote it.

Phones, addresses and their like are dropped, names become a name of ours, order numbers and other long numbers become
example values of the same shape. Order numbers stay unmarked, as everywhere in the training data: they are found by
pattern.
"""

import re
import unicodedata
from collections.abc import Mapping

from components.order_numbers.finding import find_order_numbers
from components.order_numbers.shape import DEFAULT_PATTERN
from privacy.redaction import redact

MAX_PHRASE_CHARS = 1000
OUR_NAME = "Asha"
_PASSES = 6
_DIGITS = "10234567891023456789"

_KINDS = (
    "phone|email|upi|card|aadhaar|address|gstin|pan|ifsc|bank_account|otp|cvv|pin_code|passport|voter_id"  # redact's
)
_PLACEHOLDER = re.compile(rf"(?:\b(?:at|on|to|is|no\.?|number)\s+|[:=(]\s*)?\[(?:{_KINDS})\]\)?", re.I)
_NAME = r"[A-Z][a-z]+(?:\s+[A-Z][a-z]*\.?){0,2}"
_NO_NAME = r"(?!(?i:not|wrong|hai|kya|in|on|still|spelt|spelled|the|misspelt|incorrect|a|an|of)\b)"
_SECOND = r"(?:\s+(?!(?i:and|aur|from|my|mera|meri|i|hai|h|order|here|ka|ki|se|is|but|the|where|please|pls)\b)\w+)?"
_NAMED = (
    re.compile(rf"(?P<before>\b(?i:my name is|my name's|mera naam)\s+){_NO_NAME}(?P<name>[^\W\d]+{_SECOND})"),
    re.compile(rf"(?P<before>\b(?i:name)\s*[:=-]\s*)(?P<name>{_NAME})"),
    re.compile(rf"(?P<before>\b(?i:this is|i am|i'm|myself|main)\s+)(?P<name>{_NAME})(?=\s+(?:here|from|speaking)\b)"),
    re.compile(rf"(?P<before>\b(?i:regards|yours truly|sincerely)\s*[,.:-]?\s*)(?P<name>{_NAME})\s*$"),
)
_HANDLE = re.compile(r"(?<!\w)@\w{2,}", re.I)
_LINK = re.compile(r"\b(?:https?://|www\.)\S+", re.I)
_LONG_NUMBER = re.compile(r"\d(?:[\s-]?\d){5,}")
_LOOSE_PUNCTUATION = re.compile(r"\s+([,.!?])")


def as_training_phrase(text: str, pattern: str = DEFAULT_PATTERN) -> str:
    """One line without personal data; empty when nothing is left. Applying it twice changes nothing."""
    # What one pass puts together (two numbers side by side) may look like personal data to the next.
    for _ in range(_PASSES):
        text, before = _once(text, pattern), text
        if text == before:
            return text
    return ""


def _once(text: str, pattern: str) -> str:
    plain = "".join(sign for sign in " ".join(text.split()) if unicodedata.category(sign) not in ("Cc", "Cs"))
    plain = _without_names(_LINK.sub("https://example.com", redact(plain)))
    # Bracket, round bracket is Rasa's mark of an entity; a customer's brackets mean nothing.
    plain = re.sub(r"[\[\]]", "", _HANDLE.sub("", _PLACEHOLDER.sub(" ", plain)))
    plain = _LOOSE_PUNCTUATION.sub(r"\1", " ".join(_with_example_numbers(plain, pattern).split()))
    return plain.strip().lstrip("/").strip(" ,;:-")


def _without_names(text: str) -> str:
    for pattern in _NAMED:
        text = pattern.sub(lambda match: match["before"] + OUR_NAME, text)
    return text


def _with_example_numbers(text: str, pattern: str) -> str:
    """10234 for the first order number, 10235 for the next; digits of any other long number run from 1 on."""
    spans = find_order_numbers(text, pattern)
    values = dict.fromkeys(span.value for span in spans)
    examples = {value: _example(sum(map(str.isdigit, value)), place) for place, value in enumerate(values)}
    pieces, done = [], 0
    for span in spans:
        written = _in_the_shape_of(text[span.start : span.end], examples[span.value])
        pieces += [_other_numbers(text[done : span.start], examples), written]
        done = span.end
    return "".join([*pieces, _other_numbers(text[done:], examples)])


def _example(length: int, number: int) -> str:
    digits = _DIGITS[:length] if length <= len(_DIGITS) else _DIGITS * (length // len(_DIGITS) + 1)
    return str(int(digits[:length]) + number)


def _in_the_shape_of(written: str, example: str) -> str:
    """`10 234` and `10-234` keep their gap, `#` its place; words for digits become digits."""
    if sum(sign.isdigit() for sign in written) != len(example):
        return example
    digits = iter(example)
    return "".join(next(digits) if sign.isdigit() else sign for sign in written)


def _other_numbers(text: str, examples: Mapping[str, str]) -> str:
    """An order number is found once in a message; said again, it is the same example."""
    if examples:
        known = "|".join(map(re.escape, examples))
        text = re.sub(rf"(?<!\d)(?:{known})(?!\d)", lambda match: examples[match.group()], text)
    return _LONG_NUMBER.sub(lambda match: _counting(match.group()), text)


def _counting(written: str) -> str:
    digits = iter("1234567890" * (len(written) // 10 + 1))
    return "".join(next(digits) if sign.isdigit() else sign for sign in written)
