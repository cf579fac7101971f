"""Personal data out of a text, typed placeholders in: `call 98765 43210` → `call [phone]`.

Used before a text leaves for the archive, the helpdesk's notifications or an LLM. Numbers are judged by checksum,
length and grouping, never by length alone, so that order numbers, prices and dates stay readable. What no rule can
tell apart (a bare six-digit number: PIN code, one-time password or price?) is redacted only beside a word that says so.
"""

import re
import unicodedata
from collections.abc import Collection, Iterator
from dataclasses import dataclass

from privacy import addresses, cards, identity_numbers, numbers
from privacy.indic import BEGIN, END, SIGNS


@dataclass(frozen=True)
class Finding:
    """One piece of personal data: `text[start:end]`, and its kind as in the placeholder."""

    start: int
    end: int
    kind: str


_MAIL_HOST = r"(?:gmail|yahoo|ymail|hotmail|outlook|live|rediffmail|rediff|icloud|proton(?:mail)?|uol|bol|terra)"
_SAID_DOT = r"(?:dot|ponto|punto)"
_DOT = r"[\s-]{0,3}(?:\.|[(\[{]?\b(?:dot|ponto|punto)\b[)\]}]?)[\s-]{0,3}"
_AT = r"[\s-]{0,3}[(\[{]?\b(?:at(?:\s+(?:the\s+)?rate(?:\s+of)?)?|arroba)\b[)\]}]?[\s-]{0,3}"
_TOP = r"(?:com|co|in|net|org|edu|gov|br|mx|es|pt|ar|uk|us|io)"
_SAID_DIGIT = (
    rf"(?:(?:double|triple|doble|dobro|dupla|डबल)\s+)?(?:zero|one|two|three|four|five|six|seven|eight|nine|oh|"
    r"shunya|ek|do|teen|ch?aa?r|paa?n?ch|chh?e|saat|aath|nau|"
    r"cero|uno|dos|tres|cuatro|cinco|seis|siete|ocho|nueve|uma?|dois|duas|três|quatro|meia|sete|oito|nove|"
    rf"शून्य|एक|दो|तीन|चार|पां?च|पाँच|छह|छः|छे|सात|आठ|नौ){END}"
)
# Digits that are not decimal ones: circled, raised, lowered.
_OTHER_DIGITS = (
    "\u00b2\u00b3\u00b9\u2070\u2074-\u2079\u2080-\u2089\u2460-\u2468\u24ea\u24f5-\u24fd\u2776-\u277e\u2780-\u2788\u278a-\u2792"
)
# Every rule needs a digit, an @, a mail host or a number that is spelled out; most messages have none of them.
_WORTH_A_LOOK = re.compile(
    rf"[\d@＠{_OTHER_DIGITS}]|\b(?:{_MAIL_HOST}|dot|ponto|punto|arroba)\b|[(\[{{]at[)\]}}]"
    rf"|(?:{BEGIN}{_SAID_DIGIT}[\s,-]+){{6}}",
    re.I,
)
_EMAIL = re.compile(
    rf"(?:\"[^\"\n@]{{1,64}}\"|[\w{SIGNS}.+%'-]{{1,64}})(?:@\s?|\s@\s)"
    rf"(?:(?:[\w{SIGNS}-]{{1,63}}\.){{1,8}}[^\W\d_][\w{SIGNS}]{{1,23}}|\[[\d.]{{7,15}}\])",
    re.I,
)
_SAID_EMAIL = re.compile(
    rf"(?:[\w.+'-]{{1,64}}\s{_SAID_DOT}\s){{0,3}}[\w.+'-]{{1,64}}(?:\s{{0,3}}@\s{{0,3}}{_MAIL_HOST}\b(?:{_DOT}{_TOP}\b)*|\s{{0,3}}@\s{{0,3}}[\w-]{{2,63}}(?:{_DOT}{_TOP}\b)+"
    rf"|{_AT}{_MAIL_HOST}\b(?:{_DOT}{_TOP}\b)+|(?:{_AT})(?:[\w-]{{2,30}}[\s([{{-]{{1,3}}(?:dot|ponto|punto)[\s)\]}}-]{{1,3}}){{1,3}}[a-z]{{2,10}}\b"
    rf"|\s{{0,2}}[(\[{{](?:at|arroba)[)\]}}]\s{{0,2}}(?:[\w-]{{2,63}}\.){{1,4}}[a-z]{{2,10}}\b|\s{_MAIL_HOST}\s?\.?\s?com\b)",
    re.I,
)
_SAID_NUMBER = re.compile(rf"{BEGIN}{_SAID_DIGIT}(?:[\s,-]{{1,3}}{_SAID_DIGIT}){{7,13}}", re.I)
_UPI = re.compile(r"(?<![\w.@-])[\w.-]{2,64}@[a-z][a-z0-9]{1,31}(?![\w@]|\.\w)", re.I)
# Names of things, digits or not; as keys of Pix they are somebody's.
_THINGS = re.compile(
    r"(?<!pix )(?<!pix: )\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b|(?<!\d )\b\d{4}(?: \d{4}){7,}\b", re.I
)
_GSTIN = re.compile(r"\b\d{2}[A-Z]{5}\d{4}[A-Z][1-9A-Z]Z[0-9A-Z]\b", re.I)
_IFSC = re.compile(r"\b[A-Z]{4}0[A-Z0-9]{6}\b|(?:(?<=\bifsc )|(?<=\bifsc code ))[a-z]{4}0[a-z0-9]{6}\b")
# Said one by one, "9 8 7 6 5 4 3 2 1 0": read again without what stands between.
_ONE_BY_ONE = re.compile(r"(?<![^\W_])[\dA-Z](?:[ .,-]{1,3}[\dA-Z]){7,33}(?![^\W_])")

_SHAPED = (
    ("email", _EMAIL), ("email", _SAID_EMAIL), ("phone", _SAID_NUMBER), ("upi", _UPI), ("gstin", _GSTIN),
    ("ifsc", _IFSC),
)  # fmt: skip
_LINK = r"(?:\s+(?:no|number|num|code|id|is|was|hai|नंबर|नं|कोड|है|था))*[\s.:#=\-]*"
# A word that says what the number is, then the number: group 1 is what goes.
_NAMED = (
    (
        "card",
        re.compile(
            r"\b(?:card|visa|rupay|mastercard|amex|maestro)\b[^\d\n]{0,20}(\d(?:[ -]?\d){14,18})(?![\d-])", re.I
        ),
    ),
    (
        "birth_date",
        re.compile(
            rf"{BEGIN}(?:d\.?o\.?b\.?|date\s+of\s+birth|birth\s?da(?:te|y)|born(?:\s+on)?|data\s+de\s+nascimento|nasci(?:d[oa])?"
            rf"|fecha\s+de\s+nacimiento|nac[ií](?:d[oa])?|जन्म\s?(?:तिथि|तारीख|दिन){END})(?:\s+(?:is|on|em|el|é|es|है))?[\s:=-]*"
            r"(\d{1,2}[\s./-]+(?:de\s+)?(?:\d{1,2}|[^\W\d_]{3,10})[\s./-]+(?:de\s+)?\d{2,4}|\d{4}-\d{2}-\d{2})\b",
            re.I,
        ),
    ),
    ("licence", re.compile(r"\b([A-Z]{2}[ -]?\d{2}[ -]?(?:19|20)\d{2}[ -]?\d{7})\b", re.I)),
    (
        "aadhaar",
        re.compile(
            rf"(?:\baa?dh?aa?r|आधार)(?:\s*(?:card|कार्ड))?{_LINK}(\d(?:[\s.-]?\d){{11}}(?:(?:[\s.-]?\d){{4}})?)\b", re.I
        ),
    ),
    (
        "bank_account",
        re.compile(
            rf"(?:\b(?:account|acct|acc|a/c|ac|clabe|cbu|cvu|(?:cuenta|conta)(?:\s+(?:bancaria|bancária|corrente|corriente|"
            rf"poupança))?)|खाता|खाते|अकाउंट)\s*(?:no|number|num)?{_LINK}(\d(?:[\s-]?\d){{7,21}}|\d{{3,8}}-[\dx])\b",
            re.I,
        ),
    ),
    (
        "otp",
        re.compile(
            rf"(?:\b(?:otp|one[\s-]time\s+(?:password|code)|verification\s+code|"
            rf"c[oó]digo\s+de\s+verifica[cç](?:ão|ión))|ओटीपी){_LINK}(\d{{4,8}})\b", re.I
        ),
    ),
    ("otp", re.compile(r"\b(\d{4,8})\s+(?:is|was)\s+(?:my|the|your|ur)\s+(?:otp|verification\s+code)\b", re.I)),
    ("cvv", re.compile(
        rf"(?:\b(?:cvv|cvc|security\s+code|c[oó]digo\s+de\s+segur(?:ança|idad))|सीवीवी){_LINK}(\d{{3,4}})\b", re.I
    )),
    (
        "pin_code",
        re.compile(rf"(?:\b(?:pin\s?code|pin|zip\s?code|postal\s?code|zip)|पिन){_LINK}(\d{{3}}\s?\d{{3}})\b", re.I),
    ),
    ("pin_code", re.compile(r"\b(?:deliver\w*|ship\w*|courier\w*)\s+(?:to|at|in)\s+([1-9]\d{2}\s?\d{3})\b", re.I)),
    ("password", re.compile(
        r"(?:\b(?:password|passcode|senha|contraseña)|पासवर्ड)\s*(?:(?:is|é|es|है)\s+|[:=]\s*)(?=\S*\d)(\S{4,40})", re.I
    )),
    ("pin_code", re.compile(rf"\bpost\s?code{_LINK}([A-Z]{{1,2}}\d[A-Z\d]? ?\d[A-Z]{{2}})\b", re.I)),
    ("pix", re.compile(r"\bpix\b\W{0,3}([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\b", re.I)),
    (
        "pin_code",
        re.compile(
            rf"\b(?:zip(?:\s?code)?|postal\s?code|c[oó]digo\s+postal|cep){_LINK}(\d{{5}}(?:-?\d{{3,4}})?)(?![\d-])",
            re.I,
        ),
    ),
    ("passport", re.compile(rf"\bpassport{_LINK}([a-z]\s?\d{{7}})\b", re.I)),
    ("voter_id", re.compile(rf"\b(?:voter|epic)(?:\s*card)?{_LINK}([a-z]{{3}}\s?\d{{7}})\b", re.I)),
)


def redact(text: str, keep: Collection[str] = ()) -> str:
    """`text` with personal data (but kinds to `keep`) replaced by `[phone] [email] [card] [aadhaar] [address] …`."""
    pieces: list[str] = []
    done = 0
    for finding in find(text):
        if finding.kind in keep:
            continue
        pieces += [text[done : finding.start], f"[{finding.kind}]"]
        done = finding.end
    return "".join([*pieces, text[done:]])


def find(text: str) -> list[Finding]:
    """The personal data in `text`, in order, without overlaps; where two rules meet, the earlier rule wins."""
    if not _WORTH_A_LOOK.search(text):
        return []
    plain = _with_ascii_digits(text)
    taken: list[Finding] = []
    covered = bytearray(len(plain))
    for start, end, kind in _candidates(plain):
        if start < end and not any(covered[start:end]):
            covered[start:end] = b"\x01" * (end - start)
            taken += [Finding(start, end, kind)] if kind else []
    return sorted(taken, key=lambda finding: finding.start)


def _candidates(text: str) -> Iterator[tuple[int, int, str]]:
    """(start, end, kind) of everything that some rule takes for personal data, the surest rules first."""
    for match in _THINGS.finditer(text):
        yield match.start(), match.end(), ""
    for start, end in addresses.spans(text):
        yield start, end, "address"
    for kind, pattern in _SHAPED:
        for match in pattern.finditer(text):
            yield match.start(), match.end(), kind
    cards_found = list(cards.spans(text))
    # A card may hold a shorter number that also checks; one as long or longer (an IBAN) is surer than the card.
    for start, end, kind in identity_numbers.spans(text):
        if not any(first <= start and end <= last and end - start < last - first for first, last, _ in cards_found):
            yield start, end, kind
    yield from cards_found
    for kind, pattern in _NAMED:
        for match in pattern.finditer(text):
            # "account 9876543210" is still a phone to whoever reads it; both kinds are redacted.
            yield match.start(1), match.end(1), kind
    yield from numbers.spans(text)
    for match in _ONE_BY_ONE.finditer(text):
        places = [at for at in range(*match.span()) if text[at].isalnum()]
        for finding in find("".join(text[at] for at in places)):
            yield places[finding.start], places[finding.end - 1] + 1, finding.kind


def _with_ascii_digits(text: str) -> str:
    """The text, one character for one, with every script's digits as 0–9 and invisible joiners as spaces."""
    if text.isascii():
        return text
    return "".join(_plain(character) for character in text)


def _plain(character: str) -> str:
    if character.isascii():
        return character
    digit = unicodedata.digit(character, None)
    if digit is not None:
        return str(digit)
    if character in "‐‑‒–—−":
        return "-"
    if unicodedata.category(character) in ("Zl", "Zp"):
        return "\n"
    if unicodedata.east_asian_width(character) == "F":  # ＧＢ２９, ＠, ＋, ．
        return unicodedata.normalize("NFKC", character)
    # What makes an emoji of a digit (4️⃣) is as invisible as a joiner.
    return " " if unicodedata.category(character) in ("Cf", "Zs") or character in "\ufe0f\u20e3" else character
