"""Order numbers in customers' messages, as a pure function over text.

Digits in a chat are mostly not orders: phones, prices, dates, PIN codes, times, quantities, tracking numbers. So the text is
first covered where such a thing stands (`look_alikes`), and only what is left is read for numbers, first after a cue ("order
no.", "#", "ord-"), where digits may be split by blanks, dashes or commas, then bare. Covering keeps every character's place, so
offsets are those of the original text.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

DEFAULT_PATTERN = r"\d{5}"

_MONTH = r"(?:jan|feb|mar|apr|may|jun|jul|aug|sep|sept|oct|nov|dec)[a-z]*"
_MONEY = r"(?:₹|\brs\b\.?|\binr\b|\brupees?\b|\busd\b|\$|€|£|\brs\.?(?=\d))"
_AMOUNT = r"\d[\d,]*(?:\.\d{1,2})?"
_UNIT = (
    r"(?:pcs?|pieces?|units?|items?|nos|packets?|boxes|sets?|kgs?|gms?|grams?|g|ml|l|ltrs?|litres?|cms?|mm|m|inch(?:es)?|ft|feet|km|kms|"
    r"gb|mah|watts?|w|points?|followers|people|customers|times|hours?|hrs?|mins?|minutes?|secs?|days?|weeks?|months?|years?|yrs?|"
    r"percent|steps|calories|din|ghante|mahine|baar|log|logon|sq)"
)

# What a covered stretch is. The intent model reads the kinds; the order matters, earlier ones win.
LOOK_ALIKES: tuple[tuple[str, re.Pattern[str]], ...] = tuple(
    (kind, re.compile(pattern, re.IGNORECASE))
    for kind, pattern in (
        ("url", r"(?:https?://|www\.)\S+|\b[\w.-]+\.(?:com|in|net|org|ly)(?:/\S*)?\b(?!@)"),
        ("email", r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+"),
        ("upi", r"\b[\w.-]+@(?:ok\w+|ybl|upi|paytm|axl|ibl)\b"),
        ("handle", r"(?<![\w])@\w+"),
        # A cue in front that says what the number is; the identifier may be in groups.
        (
            "tracking",
            r"\b(?:awb|tracking|track(?:ing)? ?(?:id|no|number)|consignment|docket|waybill|shipment|courier|lrn?)\b"
            r"(?:\s*(?:id|no|nos|number|num|code|ref|is|hai|h|ye|:|#|=|-|\.))*\s*"
            r"(?=[a-z]{0,4}[ -]?\d)[a-z]{0,4}[ -]?\d[\da-z]*(?:[ -]\d[\da-z]*)*",
        ),
        (
            "pin",
            r"\b(?:pin|pin ?codes?|pincodes?|zip|zip ?code|postal code|area code)\b"
            r"(?:\s*(?:no|number|is|was|hai|h|ka|to|:|#|=|-|\.|the|wrong|galat))*\s*\d{3}[ ]?\d{2,3}\b",
        ),
        ("pin", r"\b\d{6}\s*(?:pin|pin ?code|pincode|zip)\b|\b\d{5,6}\s*(?:pin ?code|pincode)\b"),
        ("otp", r"\b(?:otp|code|cvv|mpin|verification code|passcode|password)\b(?:\s*(?:is|was|hai|h|no|:|#|=|-))*\s*\d{3,8}\b"),
        (
            "card",
            r"\b(?:card|a/c|acc?|account|acct|bank|ifsc|utr|rrn|arn|txn|transaction|upi ref|gst(?:in)?|aadhaar|aadhar|pan|policy|"
            r"emi|loan|credit card|debit card)\b"
            r"(?:\s*(?:no|number|num|id|ref|ends?|ending|in|with|is|was|of|hai|h|:|#|=|-|\.|x+|\*+))*\s*[x*]*\d[\dx*]*(?:[ -]\d+)*",
        ),
        ("card", r"\b(?:ending|ends) (?:in|with)\s*[x*]*\d+|[x*]{2,}[ -]?\d{3,6}\b"),
        (
            "other_id",
            r"\b(?:ticket|complaint|complain|case|reference|invoice|bill|sku|model|product|item|style|article|flight|train|pnr|room|"
            r"flat|house|plot|shop|door|sector|gate|floor|employee|emp|customer|cust|user|member(?:ship)?|coupon|voucher|token|batch|"
            r"serial|imei|barcode|block|apartment|apt|extension|ext)\b"
            r"(?:\s*(?:no|nos|number|num|id|code|ref|is|was|hai|h|:|#|=|-|\.))+\s*[a-z]{0,3}\d[\d]*\b",
        ),
        ("other_id", r"\b(?:flat|house|plot|sector|room|door|model|sku|invoice|ticket|complaint|flight|train|pnr)\s+\d+\b"),
        ("date", rf"\b\d{{1,2}}(?:st|nd|rd|th)?[\s.,/-]*(?:of\s+)?{_MONTH}(?:[\s.,/'-]*\d{{2,4}})?\b"),
        ("date", rf"\b{_MONTH}\.?[\s-]*\d{{1,2}}(?:st|nd|rd|th)?(?:,?\s*\d{{4}})?\b"),
        ("date", rf"\b{_MONTH}\.?[\s,'-]*\d{{4}}\b"),
        ("date", r"(?<![\d#])(?:\d{1,2}[/.-]\d{1,2}[/.-]\d{2,4}|\d{4}[/.-]\d{1,2}[/.-]\d{1,2})(?!\d)"),
        ("date", r"(?<![\d#])\d{1,2}\s\d{1,2}\s(?:19|20)\d{2}(?!\d)"),
        ("date", r"\b\d{1,2}(?:st|nd|rd|th)\b|\b(?:19|20)\d{2}-\d{2}\b"),
        ("date", r"(?<![\d#])\d{1,2}/\d{1,2}(?!\d)"),
        ("time", r"\b\d{1,2}[:.]\d{2}(?:[:.]\d{2})?\s*(?:am|pm|a\.m|p\.m|hrs|baje)?\b(?!\.\d)|\b\d{1,2}\s*(?:am|pm|baje|o'?clock)\b"),
        ("money", rf"{_MONEY}\s*[-.:]?\s*{_AMOUNT}(?:\s*(?:k|lakhs?|lacs?|crores?|cr)\b)?(?:\s*/-)?"),
        ("money", rf"(?<![\d#]){_AMOUNT}\s*(?:/-|/=|₹|€|£|\$|rs\b|inr\b|rup[ei]+[sy]?\b|rupaye\b|rupay\b|rupiya\b|bucks\b|usd\b|dollars?\b|k\b|"
                  r"lakhs?\b|lacs?\b|crores?\b|hazaa?r\b|thousand\b|only\b|paise\b)"),
        (
            "money",
            r"\b(?:paid|pay|paying|price|priced|cost|costs|costing|costed|worth|amount|amt|spent|total|deducted|debited|charged|"
            r"mrp|budget|under|below|upto|above|approx|less than|more than|balance|cashback|salary|refund(?:ed)? of|value|bill|points?|"
            r"coins|rank|score|roll no|kharch|kimat|keemat|daam)\b"
            rf"(?:\s*(?:of|is|was|for|me|about|around|only|an?|hai|h|tha|:|=|-|upto|exactly|nearly|almost|full|the|total|kar diye|kiye))*\s*(?!\d{{5}}\s+(?:order|wala))"
            rf"{_AMOUNT}\b(?!\s*(?:is|was)? ?(?:my|the|not|nahi))",
        ),
        ("money", rf"\b{_AMOUNT}\s*(?:paid|deducted|debited|charged|kat gaye|kat gya|kat gaya|kata|kate|diye the|ka bill|ka payment)\b"),
        (
            "money",
            r"\b(?:bought|ordered|purchased|sold|selling|available|liya|kharida|booked|got (?:it|this|them))\s+(?:\w+\s+){0,3}?"
            r"(?:for|at|@|worth)\s+(?!\d{5}\s+(?:order|wala))" rf"{_AMOUNT}\b",
        ),
        ("money", rf"\b{_AMOUNT}\s+(?:on|in|at)\s+(?:amazon|flipkart|myntra|meesho|ajio|other (?:site|app|shop)s?)\b"),
        ("money", rf"\b{_AMOUNT}\s+(?:me|mein|main)\s+(?:liya|li|mila|mili|kharida|kharidi|aaya|aayi|diya|book)\b"),
        (
            "money",
            rf"\b{_AMOUNT}\s+(?:ka|ki|ke|wala|wali)\s+(?:mobile|phone|laptop|tv|fridge|saree|kurta|kurti|dress|shirt|mattress|sofa|bed|"
            r"item|product|saman|samaan|samsung|iphone|watch|cooler|ac)\b",
        ),
        ("pin", r"\b(?:live|lives|living|stay|staying|located|based|from|city|area)\s+(?:in|at|of)\s+\d{5,6}\b"),
        ("quantity", rf"(?<![\d#])\d[\d,]*(?:\.\d+)?\s*{_UNIT}\b"),
        ("quantity", r"\b\d+\s*[x×*]\s*\d+(?:\s*[x×*]\s*\d+)*\b|\b\d[\d,]*(?:\.\d+)?\s*%"),
        (
            "phone",
            r"\b(?:call|phone|mobile|mob|contact|cell|whats ?app|ph|tel|telephone|helpline|reach|dial|landline)\b"
            r"(?:\s*(?:me|us|no|nos|number|num|is|was|hai|h|on|at|my|kar|karo|to|pe|par|:|#|=|-|\.))*\s*"
            r"\+?\d(?:[\d]|[ -](?=\d)|[()]){4,}",
        ),
        ("phone", r"\+\d(?:[\s().-]{0,2}\d){6,14}"),
        ("phone", r"(?<![\d#])(?:91[\s-]?|0)?[6-9]\d{4}[\s-]?\d{5}(?!\d)"),
        ("phone", r"(?<![\d#])(?:91[\s-]?|0)?[6-9]\d{2}[\s-]\d{3}[\s-]\d{4}(?!\d)"),
        ("phone", r"(?<![\d#])(?:1800|1860)[\s-]?\d{3}[\s-]?\d{3,4}(?!\d)|(?<![\d#])0\d{2,4}[\s-]\d{3,4}[\s-]?\d{3,4}(?!\d)"),
        ("number", r"(?<![\d,.])\d{1,3}(?:,\d{2,3})*,\d{3}(?:\.\d+)?(?![\d,])|(?<![\d.])\d+\.\d{1,2}(?![\d.])"),
        ("number", r"(?<!\w)\d{7,}(?!\w)|\b(?=\w*\d\w*[a-z]\w*\d)\w{6,}\b"),
    )
)

_WORTH_A_LOOK = frozenset("0123456789@./")
_CUE = re.compile(
    r"(?:#+\s*"
    r"|(?<![a-z])(?:orders?|ordr|oder|odr|ord|od|ऑर्डर)(?:[\s_.:#-]*(?:nos?|numbers?|numbr|numbe?r|num|nmbr|nbr|ids?|code|ref(?:erence)?|नंबर|नम्बर|आईडी))*"
    r"(?:\s*(?:is|was|are|h|hai|he|ye|yeh|yah|it'?s|-|–|_|:|=|#|\.|,|\(|\[|of|mine|ka|ki|hain|है|plz|please|pls|sir|does|for))*\s*"
    r"|(?<![a-z])(?:no|nos|number|num|nmbr|id|नंबर)\b[\s.:#=-]*(?:(?:is|was|hai|h|are|are these)\b)?[\s.:#=-]*)",
    re.IGNORECASE,
)
_STRONG_CUE = re.compile(
    r"#|\b(?:nos?|numbers?|numbr|num|nmbr|nbr|ids?|code|ref(?:erence)?)\b|ord(?:er)?[-_]?$|नंबर|नम्बर|आईडी", re.IGNORECASE
)
_GROUPS = re.compile(r"\d+(?:(?:[ ]{1,2}|[ ]?[-–.,_/][ ]?)\d+)*")
_BARE = re.compile(r"(?<![\w.:@$₹€£+*-])(\d+)(?=(?:ka|ki|ke|ko|hai|h|wala|wali)\b|(?!\w))(?![.:-]\d|\s?[%+])", re.IGNORECASE)
_FILLER = re.compile(
    r"[^\w]|\b(?:it|its|is|the|my|yes|ok|okay|sure|hi|hello|sir|please|pls|plz|hai|h|ye|yeh|lo|haan|ji|mera|and|this|one|sorry|no|here)\b",
    re.IGNORECASE,
)
_WORD_DIGITS = {
    "zero": "0", "oh": "0", "one": "1", "two": "2", "three": "3", "four": "4", "five": "5", "six": "6", "seven": "7", "eight": "8",
    "nine": "9", "shunya": "0", "ek": "1", "teen": "3", "char": "4", "chaar": "4", "paanch": "5", "panch": "5", "chhe": "6", "saat": "7",
    "aath": "8", "nau": "9", "do": "2",
}
_SPOKEN = re.compile(
    rf"\b(?:(?:double|triple)\s+)?(?:{'|'.join(_WORD_DIGITS)})(?:[\s,-]+(?:(?:double|triple)\s+)?(?:{'|'.join(_WORD_DIGITS)}))+\b",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Span:
    """A stretch of the text, end exclusive, with what it was taken for and its digits (or the covered text)."""

    start: int
    end: int
    kind: str
    value: str


def ascii_digits(text: str) -> str:
    """The text with every script's digits as 0–9; one character stays one character."""
    return "".join(str(unicodedata.decimal(c)) if c.isdecimal() and not c.isascii() else c for c in text)


def look_alikes(text: str) -> list[Span]:
    """Stretches that hold digits or addresses but no order number, in the order of the text."""
    return _cover(ascii_digits(text))[1]


def find_order_numbers(text: str, pattern: str = DEFAULT_PATTERN) -> list[Span]:
    """Every order number of a message once, in the order of the text.

    `pattern` is the regular expression that the bare digits match as a whole. Values are digits only.
    """
    shape = re.compile(pattern)
    plain = ascii_digits(text)
    if not any(character.isdigit() for character in plain):
        return _spoken(plain, shape)
    with_cue = _after_cues(_uncovered(plain, shape, thousands=True), shape)
    rest = _uncovered(_blank(plain, with_cue), shape, thousands=False)
    found = with_cue + _bare(rest, shape)
    if not found:
        found = _spoken(plain, shape)
    unique: dict[str, Span] = {}
    for span in sorted(found, key=lambda s: s.start):
        unique.setdefault(span.value, span)
    return list(unique.values())


def _uncovered(text: str, shape: re.Pattern[str], thousands: bool) -> str:
    """The text covered, but for plain numbers of the shop's own shape and, after a cue, thousands ("10,234")."""
    covered, spans = _cover(text)
    for span in spans:
        if span.kind == "number" and (shape.fullmatch(span.value) or (thousands and "," in span.value)):
            covered = covered[: span.start] + span.value + covered[span.end :]
    return covered


def _cover(text: str) -> tuple[str, list[Span]]:
    spans: list[Span] = []
    if not any(character in text for character in _WORTH_A_LOOK):
        return text, spans
    for kind, pattern in LOOK_ALIKES:
        for match in pattern.finditer(text):
            if match.end() > match.start():
                spans.append(Span(match.start(), match.end(), kind, match.group()))
        text = pattern.sub(lambda m: "\x00" * len(m.group()), text)
    return text, sorted(spans, key=lambda s: s.start)


def _blank(text: str, spans: list[Span]) -> str:
    for span in spans:
        text = text[: span.start] + "\x01" * (span.end - span.start) + text[span.end :]
    return text


def _after_cues(covered: str, shape: re.Pattern[str]) -> list[Span]:
    """Numbers right after "order no.", "#", "ord-" and their kin; later ones of a list ("10234 and 10235") are bare."""
    found: list[Span] = []
    for cue in _CUE.finditer(covered):
        groups = _GROUPS.match(covered, cue.end())
        if not groups or (cue.end() < len(covered) and not covered[cue.end()].isdigit()):
            continue
        found += _joined(covered, groups, shape, may_join=bool(_STRONG_CUE.search(cue.group().strip())))
    return found


def _joined(text: str, groups: re.Match[str], shape: re.Pattern[str], may_join: bool) -> list[Span]:
    """Order numbers in a run of digit groups: a group that fits alone, else neighbours that fit together."""
    parts = [(m.start() + groups.start(), m.group()) for m in re.finditer(r"\d+", groups.group())]
    found: list[Span] = []
    at = 0
    while at < len(parts):
        for size in range(1, len(parts) - at + 1 if may_join else 2):
            run = parts[at : at + size]
            digits = "".join(part for _, part in run)
            end = run[-1][0] + len(run[-1][1])
            if shape.fullmatch(digits) and not text[end : end + 1].isalpha():
                found.append(Span(run[0][0], end, "order_number", digits))
                at += size
                break
        else:
            at += 1
    return found


def _bare(covered: str, shape: re.Pattern[str]) -> list[Span]:
    found = [
        Span(match.start(1), match.end(1), "order_number", match.group(1))
        for match in _BARE.finditer(covered)
        if shape.fullmatch(match.group(1))
    ]
    if not found:
        whole = _GROUPS.search(covered)
        if whole and not _FILLER.sub("", covered[: whole.start()] + covered[whole.end() :]):
            found = _joined(covered, whole, shape, may_join=True)
    return found


def _spoken(text: str, shape: re.Pattern[str]) -> list[Span]:
    """Digits in words ("one zero two double three"), where they make exactly one number."""
    for match in _SPOKEN.finditer(text):
        digits, times = "", 1
        for word in re.findall(r"\w+", match.group().lower()):
            if word in ("double", "triple"):
                times = 2 if word == "double" else 3
            else:
                digits, times = digits + _WORD_DIGITS[word] * times, 1
        if shape.fullmatch(digits):
            return [Span(match.start(), match.end(), "order_number", digits)]
    return []
