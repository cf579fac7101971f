"""What digits in a chat mostly are instead of order numbers: phones, prices, dates, PIN codes, times, quantities, ids.

Repetitions are bounded, so that no text takes long. `cover` blanks such stretches out and keeps every character's
place. The table is read from top to bottom and an earlier kind wins, so a cue ("awb", "otp", "flat no") goes before
the shape of what follows it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

COVER = "\x00"
_WORTH_A_LOOK = frozenset("0123456789@./")


@dataclass(frozen=True)
class Span:
    """A stretch of the text, end exclusive, with what it was taken for and its digits (or the covered text)."""

    start: int
    end: int
    kind: str
    value: str


@lru_cache(maxsize=256)
def cover(text: str) -> tuple[str, tuple[Span, ...]]:
    """The text with look-alikes blanked out, and what they were, in the order of the text.

    Several components ask about the same message.
    """
    spans: list[Span] = []
    if not any(character in text for character in _WORTH_A_LOOK):
        return text, ()
    for kind, pattern in _TABLE:
        spans += [Span(m.start(), m.end(), kind, m.group()) for m in pattern.finditer(text) if m.group()]
        text = pattern.sub(lambda m: COVER * len(m.group()), text)
    return text, tuple(sorted(spans, key=lambda span: span.start))


def _any(words: str) -> str:
    """An alternative of words; a blank inside a word is written as an underscore."""
    return "(?:" + "|".join(words.split()).replace("_", " ") + ")"


def _after(cues: str, between: str, value: str) -> str:
    """A value that follows one of the cues, with any of the small words and signs between."""
    return rf"\b{_any(cues)}\b(?:\s*(?:{_any(between)}|[:#=.-]))*\s*{value}"


_MONTH = r"(?:jan|feb|mar|apr|may|jun|jul|aug|sep|sept|oct|nov|dec)[a-z]*"
_CURRENCY = r"(?:₹|\brs\b\.?|\binr\b|\brupees?\b|\busd\b|\$|€|£|\brs\.?(?=\d))"
_AMOUNT = r"\d[\d,]{0,14}(?:\.\d{1,2})?"
_NO_ORDER = r"(?!\d{5}\s+(?:order|wala))"
_START = r"(?<![\d#])"
_IS = "no nos number num id code ref is was hai h"
_UNIT = _any(
    """
    pcs? pieces? units? items? nos packets? boxes sets? kgs? gms? grams? g ml l ltrs? litres? cms? mm m inch(?:es)?
    ft feet km kms gb mah watts? w points? followers people customers times hours? hrs? mins? minutes? secs? days?
    weeks? months? years? yrs? percent steps calories din ghante mahine baar log logon sq
    """
)
_PRICE_CUES = """
    paid pay paying price priced cost costs costing costed worth amount amt spent total deducted debited charged mrp
    budget under below upto above approx less_than more_than balance cashback salary refund(?:ed)?_of value bill
    points? coins rank score roll_no kharch kimat keemat daam
    """
_PRICE_WORDS = """
    of is was for me about around only an? hai h tha upto exactly nearly almost full the total kar_diye kiye
    """
_PRICE_ENDS = r"(?:/-|/=|₹|€|£|\$)|" + _any(
    r"""
    rs\b inr\b rup[ei]+[sy]?\b rupaye\b rupay\b rupiya\b bucks\b usd\b dollars?\b k\b lakhs?\b lacs?\b crores?\b
    hazaa?r\b thousand\b only\b paise\b
    """
)
_PAID = "paid deducted debited charged kat_gaye kat_gya kat_gaya kata kate diye_the ka_bill ka_payment"
_BOUGHT = "bought ordered purchased sold selling available liya kharida booked got_(?:it|this|them)"
_GOODS = """
    mobile phone laptop tv fridge saree kurta kurti dress shirt mattress sofa bed item product saman samaan samsung
    iphone watch cooler ac
    """
_CARD_CUES = r"""
    card a/c acc? account acct bank ifsc utr rrn arn txn transaction upi_ref gst(?:in)? aadhaar aadhar pan policy
    emi loan credit_card debit_card
    """
_ID_CUES = """
    ticket complaint complain case reference invoice bill sku model product item style article flight train pnr room
    flat house plot shop door sector gate floor employee emp customer cust user member(?:ship)? coupon voucher token
    batch serial imei barcode block apartment apt extension ext
    """
_PLAIN_ID_CUES = "flat house plot sector room door model sku invoice ticket complaint flight train pnr"
_PHONE_CUES = "call phone mobile mob contact cell whats_?app ph tel telephone helpline reach dial landline"


def _kinds() -> Iterator[tuple[str, str]]:
    yield "url", r"(?:https?://|www\.)\S+|\b[\w.-]{1,64}\.(?:com|in|net|org|ly)(?:/\S*)?\b(?!@)"
    yield "email", r"[\w.+-]{1,64}@[\w-]{1,64}(?:\.[\w-]{1,64}){1,5}"
    yield "upi", r"\b[\w.-]{1,64}@(?:ok\w+|ybl|upi|paytm|axl|ibl)\b"
    yield "handle", r"(?<![\w])@\w+"
    yield (
        "tracking",
        _after(
            "awb tracking track(?:ing)?_?(?:id|no|number) consignment docket waybill shipment courier lrn?",
            f"{_IS} ye",
            r"(?=[a-z]{0,4}[ -]?\d)[a-z]{0,4}[ -]?\d[\da-z]*(?:[ -]\d[\da-z]*)*",
        ),
    )
    yield (
        "pin",
        _after(
            "pin pin_?codes? pincodes? zip zip_?code postal_code area_code",
            "no number is was hai h ka to the wrong galat",
            r"\d{3}[ ]?\d{2,3}\b",
        ),
    )
    yield "pin", r"\b\d{6}\s*(?:pin|pin ?code|pincode|zip)\b|\b\d{5,6}\s*(?:pin ?code|pincode)\b"
    yield "pin", r"\b(?:live|lives|living|stay|staying|located|based|from|city|area)\s+(?:in|at|of)\s+\d{5,6}\b"
    yield "otp", _after("otp code cvv mpin verification_code passcode password", "is was hai h no", r"\d{3,8}\b")
    yield (
        "card",
        _after(
            _CARD_CUES,
            r"no number num id ref ends? ending in with is was of hai h x+ \*+",
            r"[x*]*\d[\dx*]*(?:[ -]\d+)*",
        ),
    )
    yield "card", r"\b(?:ending|ends) (?:in|with)\s*[x*]*\d+|[x*]{2,}[ -]?\d{3,6}\b"
    yield "other_id", rf"\b{_any(_ID_CUES)}\b(?:\s*(?:{_any(_IS)}|[:#=.-]))+\s*[a-z]{{0,3}}\d[\d]*\b"
    yield (
        "other_id",
        rf"\b{_any('flat house plot sector room door model sku invoice ticket complaint flight train pnr')}\s+\d+\b",
    )
    yield "date", rf"\b\d{{1,2}}(?:st|nd|rd|th)?[\s.,/-]*(?:of\s+)?{_MONTH}(?:[\s.,/'-]*\d{{2,4}})?\b"
    yield "date", rf"\b{_MONTH}\.?[\s-]*\d{{1,2}}(?:st|nd|rd|th)?(?:,?\s*\d{{4}})?\b"
    yield "date", rf"\b{_MONTH}\.?[\s,'-]*\d{{4}}\b"
    yield "date", rf"{_START}(?:\d{{1,2}}[/.-]\d{{1,2}}[/.-]\d{{2,4}}|\d{{4}}[/.-]\d{{1,2}}[/.-]\d{{1,2}})(?!\d)"
    yield "date", rf"{_START}\d{{1,2}}\s\d{{1,2}}\s(?:19|20)\d{{2}}(?!\d)"
    yield "date", r"\b\d{1,2}(?:st|nd|rd|th)\b|\b(?:19|20)\d{2}-\d{2}\b"
    yield "date", rf"{_START}\d{{1,2}}/\d{{1,2}}(?!\d)"
    yield "time", r"\b\d{1,2}[:.]\d{2}(?:[:.]\d{2})?\s*(?:am|pm|a\.m|p\.m|hrs|baje)?\b(?!\.\d)"
    yield "time", r"\b\d{1,2}\s*(?:am|pm|baje|o'?clock)\b"
    yield "money", rf"{_CURRENCY}\s*[-.:]?\s*{_AMOUNT}(?:\s*(?:k|lakhs?|lacs?|crores?|cr)\b)?(?:\s*/-)?"
    yield "money", rf"{_START}{_AMOUNT}\s*(?:{_PRICE_ENDS})"
    yield (
        "money",
        _after(_PRICE_CUES, _PRICE_WORDS, rf"{_NO_ORDER}{_AMOUNT}\b(?!\s*(?:is|was)? ?(?:my|the|not|nahi))"),
    )
    yield (
        "money",
        rf"\b{_AMOUNT}\s*{_any(_PAID)}\b",
    )
    yield "money", rf"\b{_any(_BOUGHT)}\s+(?:\w+\s+){{0,3}}?(?:for|at|@|worth)\s+{_NO_ORDER}{_AMOUNT}\b"
    yield "money", rf"\b{_AMOUNT}\s+(?:on|in|at)\s+(?:amazon|flipkart|myntra|meesho|ajio|other (?:site|app|shop)s?)\b"
    yield (
        "money",
        rf"\b{_AMOUNT}\s+(?:me|mein|main)\s+{_any('liya li mila mili kharida kharidi aaya aayi diya book')}\b",
    )
    yield "money", rf"\b{_AMOUNT}\s+(?:ka|ki|ke|wala|wali)\s+{_any(_GOODS)}\b"
    yield "quantity", rf"{_START}\d[\d,]{{0,14}}(?:\.\d{{1,3}})?\s*{_UNIT}\b"
    yield "quantity", r"\b\d+\s*[x×*]\s*\d+(?:\s*[x×*]\s*\d+)*\b|\b\d[\d,]{0,14}(?:\.\d{1,3})?\s*%"
    yield (
        "phone",
        _after(
            _PHONE_CUES,
            "me us no nos number num is was hai h on at my kar karo to pe par",
            r"\+?\d(?:[\d]|[ -](?=\d)|[()]){4,}",
        ),
    )
    yield "phone", r"\+\d(?:[\s().-]{0,2}\d){6,14}"
    yield "phone", rf"{_START}(?:91[\s-]?|0)?[6-9]\d{{4}}[\s-]?\d{{5}}(?!\d)"
    yield "phone", rf"{_START}(?:91[\s-]?|0)?[6-9]\d{{2}}[\s-]\d{{3}}[\s-]\d{{4}}(?!\d)"
    yield "phone", rf"{_START}(?:1800|1860)[\s-]?\d{{3}}[\s-]?\d{{3,4}}(?!\d)"
    yield "phone", rf"{_START}0\d{{2,4}}[\s-]\d{{3,4}}[\s-]?\d{{3,4}}(?!\d)"
    yield "number", r"(?<![\d,.])\d{1,3}(?:,\d{2,3}){0,5},\d{3}(?:\.\d{1,2})?(?![\d,])|(?<![\d.])\d+\.\d{1,2}(?![\d.])"
    yield "number", r"(?<!\w)\d{7,}(?!\w)|\b(?=\w*\d\w*[a-z]\w*\d)\w{6,}\b"


_TABLE = tuple((kind, re.compile(pattern, re.IGNORECASE)) for kind, pattern in _kinds())
