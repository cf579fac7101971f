"""The facts in a text that can be checked letter by letter: numbers with their units, dates, addresses of any kind."""

import re
import unicodedata
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

_UNITS = {
    word: unit
    for unit, words in {
        "day": "day days din dia dias दिन",
        "night": "night nights noche noches noite noites",
        "hour": "hour hours hr hrs h hora horas ghante घंटे",
        "minute": "minute minutes min mins minuto minutos",
        "week": "week weeks semana semanas hafte hafta हफ्ते",
        "month": "month months mes meses mahine mahina महीने",
        "year": "year years ano anos saal साल",
        "percent": "% percent percentage pc",
        "am": "am", "pm": "pm",
        "times": "time times vez veces vezes baar",
        "inr": "₹ rs inr rupee rupees re rupaye",
        "eur": "€ eur euro euros",
        "gbp": "£ gbp pound pounds quid",
        "usd": "us$ usd dollar dollars dolar dolares",
        "mxn": "mx$ mxn peso pesos",
        "brl": "r$ brl real reais",
        "chf": "chf franken francs francos",
        "$": "$", "ca$": "ca$ c$ cad", "au$": "au$ a$ aud", "jpy": "¥ jpy yen", "cents": "¢ cent cents centavos",
    }.items()
    for word in words.split()
}
_BEFORE = frozenset(("inr", "eur", "gbp", "usd", "mxn", "brl", "chf", "$", "ca$", "au$", "jpy"))
_MONTHS = {
    name: full
    for full, names in {
        "january": "jan enero janeiro", "february": "feb febrero fevereiro", "march": "mar marzo marco",
        "april": "apr abril", "may": "may mayo maio", "june": "jun junio junho", "july": "jul julio julho",
        "august": "aug agosto", "september": "sep sept septiembre setembro", "october": "oct octubre outubro",
        "november": "nov noviembre novembro", "december": "dec diciembre dezembro",
    }.items()
    for name in (full, *names.split())
}
_WEEKDAYS = {
    name: full
    for full, names in {
        "monday": "mon mondays lunes somvar", "tuesday": "tue tues tuesdays martes mangalvar",
        "wednesday": "wed wednesdays miercoles budhvar", "thursday": "thu thurs thursdays jueves guruvar",
        "friday": "fri fridays viernes shukravar", "saturday": "sat saturdays sabado sabados shanivar",
        "sunday": "sun sundays domingo domingos ravivar itvar",
    }.items()
    for name in (full, *names.split())
}
AT_MOST, AT_LEAST = "at most", "at least"
_ARTICLES = r"(?: (?:the|a|of|first|de|os|as|los|las))*$"
_BOUNDS_BEFORE = {
    AT_MOST: re.compile(
        r"\b(?:within|under|below|until|till|before|by|up to|at most|maximum|max|hasta|ate|dentro|antes|maximo|"
        r"(?:less|fewer|earlier) than|(?:no|not) (?:more|later|longer) than|(?<!al )(?<!pelo )menos)" + _ARTICLES
    ),
    AT_LEAST: re.compile(
        r"\b(?:after|from|over|above|beyond|exceeding|at least|minimum|desde|despues|depois|apos|partir|acima|encima|"
        r"mais|mas|minimo|(?:al|pelo) menos|(?<!no )(?<!not )(?:more|later|longer) than|(?:no|not) (?:less|fewer) than)"
        + _ARTICLES
    ),
}
_BOUNDS_BEHIND = {
    AT_MOST: re.compile(r"(?:or|and|ou|o|y|e) (?:less|fewer|under|menos)\b|(?:ke )?(?:andar|pehle)\b|tak\b|se kam\b"),
    AT_LEAST: re.compile(r"(?:or|and|ou|o|y|e) (?:more|above|over|mais|mas)\b|(?:ke )?baad\b|se (?:zyada|jyada)\b"),
}
_ONES = (
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve",
    "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen",
)
_ONES_ES = (
    "cero", "uno", "dos", "tres", "cuatro", "cinco", "seis", "siete", "ocho", "nueve", "diez", "once", "doce", "trece",
    "catorce", "quince",
)
_ONES_PT = (
    "zero", "um", "dois", "tres", "quatro", "cinco", "seis", "sete", "oito", "nove", "dez", "onze", "doze", "treze",
    "quatorze", "quinze",
)
_TENS = {"twenty": 20, "thirty": 30, "forty": 40, "fifty": 50, "sixty": 60, "seventy": 70, "eighty": 80, "ninety": 90}
_WORDS = {
    **{word: n for ones in (_ONES_PT, _ONES_ES, _ONES) for n, word in enumerate(ones)}, **_TENS,
    "una": 1, "un": 1, "uma": 1, "duas": 2, "veinte": 20, "vinte": 20, "treinta": 30, "trinta": 30, "cuarenta": 40,
    "quarenta": 40, "cincuenta": 50, "cinquenta": 50, "sesenta": 60, "sessenta": 60, "noventa": 90,
}
# More often an article, a contraction or another word than an amount: they count before a unit only.
_MAYBE = frozenset(("one", "uno", "una", "un", "um", "uma", "dos", "once"))
_SCALES = {
    "hundred": 100, "thousand": 1000, "lakh": 100_000, "lakhs": 100_000, "crore": 10_000_000, "million": 1_000_000,
    "mil": 1000,
}
NUMBER_WORDS = frozenset(_WORDS) | frozenset(_SCALES)
# Amounts that are words: they count as facts of their own.
_AMOUNT_WORDS = {
    **{word: word for word in ("double", "twice", "triple", "quarter", "dozen", "couple", "fortnight", "third")},
    **dict.fromkeys(("half", "halved", "mitad", "metade", "aadha"), "half"), "doble": "double", "dobro": "double",
}
_WORKING = frozenset(("working", "business", "habil", "habiles", "util", "uteis", "laborable", "laborables"))
_KINDS_OF_DAY = _WORKING | {"calendar", "natural", "naturales", "corridos"}
_BETWEEN = frozenset(("to", "-", "–", "or", "and", "full", "more", "of", "a", "o", "y", "e", "ou", "se", "por"))
_TOKEN = re.compile(r"\d+(?:[.,'’]\d+)*|(?:[A-Za-z]{1,2})?\$|[^\W\d_]+|[₹€£¥¢%–-]")
_THOUSANDS_SPACE = re.compile(r"(?<=\d)[\u00a0\u202f](?=\d{3}\b)")
_ADDRESS = re.compile(
    r"(?:https?://|www\.)\S+|[\w.+-]+@[\w-]+(?:\.[\w-]+)*|"
    r"\b[\w-]+(?:\.[\w-]+)*\.(?:com|in|org|net|io|co|example|shop|info|me|ly|br|mx|es|pt|uk|de)\b(?:/\S*)?|"
    r"\+?\d(?:[\s-]?\d){8,}",
    re.I,
)


@dataclass(frozen=True)
class Fact:
    """One checkable fact: a number as text with its unit ("" when it has none), or an address with unit "address"."""

    value: str
    unit: str


def facts_in(text: str) -> frozenset[Fact]:
    """Every fact of `text`. The same fact written otherwise ("thirty days", "30 days") comes out the same."""
    return frozenset(bounds_in(text))


def bounds_in(text: str) -> dict[Fact, set[str]]:
    """Every fact, with how it is bounded where it stands: AT_MOST ("within"), AT_LEAST ("after"), '' for neither."""
    text = unicodedata.normalize("NFKC", _THOUSANDS_SPACE.sub("", text))
    found = {Fact(address.group().rstrip(".,;:)").lower(), "address"): {""} for address in _ADDRESS.finditer(text)}
    text = _ADDRESS.sub(" ", text)
    words = [plain(word) for word in _TOKEN.findall(text)]
    at = 0
    while at < len(words):
        value, after = _number(words, at)
        if value is not None:
            found.setdefault(Fact(value, _unit(words, at, after)), set()).add(_bound(words, at, after))
        elif words[at] in _AMOUNT_WORDS:
            found.setdefault(Fact(_AMOUNT_WORDS[words[at]], ""), set()).add("")
        elif words[at] in _WEEKDAYS:
            found.setdefault(Fact(_WEEKDAYS[words[at]], "weekday"), set()).add("")
        at = max(after, at + 1)
    return found


def _bound(words: list[str], at: int, after: int) -> str:
    """What is said around a number of whether it is the most or the least; nothing of one that begins a range."""
    if after + 1 < len(words) and words[after] in _BETWEEN and _number(words, after + 1)[0] is not None:
        return ""
    before = words[max(0, at - 5) : at]
    before = before[:-1] if before and _UNITS.get(before[-1]) in _BEFORE else before
    behind = words[after : after + 6]
    while behind and (behind[0] in _UNITS or behind[0] in _KINDS_OF_DAY):
        behind = behind[1:]
    for bound, pattern in _BOUNDS_BEFORE.items():
        if pattern.search(" ".join(before)):
            return bound
    return next((bound for bound, pattern in _BOUNDS_BEHIND.items() if pattern.match(" ".join(behind))), "")


def plain(word: str) -> str:
    """A word in lower case without Latin accents."""
    return "".join(c for c in unicodedata.normalize("NFD", word.lower()) if not "\u0300" <= c <= "\u036f")


def amount(digits: str) -> Decimal:
    """A number as people write it: "1,299.00", "1.299,00", "25,90", "1,29,999", "1'299". InvalidOperation if none.

    Of two kinds of marks the last one is the decimal mark; a single mark is one unless three digits follow it.
    """
    digits = "".join(str(unicodedata.digit(c)) if c.isdigit() else c for c in digits).replace("’", "'")
    marks = [c for c in digits if not c.isdigit()]
    last = marks[-1] if marks else ""
    whole, _, rest = digits.rpartition(last) if last else (digits, "", "")
    decimal = bool(last) and last != "'" and marks.count(last) == 1 and (
        len(set(marks)) > 1 or len(rest) != 3 or whole == "0"
    )
    whole = re.sub(r"\D", "", whole if decimal else digits)
    return Decimal(f"{whole}.{rest}" if decimal else whole)


def _number(words: list[str], at: int) -> tuple[str | None, int]:
    """The number that starts at `at`, in digits, and where it ends; (None, at) when there is none."""
    word = words[at]
    if word[0].isdigit():
        try:
            value = amount(word)
        except (InvalidOperation, ValueError):
            return word, at + 1
        after = at + 1
    elif word in _WORDS:
        value, after = Decimal(_WORDS[word]), at + 1
        if word in _TENS:
            place = after + 1 if after < len(words) and words[after] == "-" else after
            if place < len(words) and 0 < _WORDS.get(words[place], 0) < 10:
                value, after = value + _WORDS[words[place]], place + 1
    elif word in _SCALES and word != "mil":
        value, after = Decimal(1), at
    else:
        return None, at
    while after < len(words) and words[after] in _SCALES:
        value, after = value * _SCALES[words[after]], after + 1
    if word in _MAYBE and after == at + 1 and not _unit(words, at, after):
        return None, at
    return f"{value.normalize():f}", after


def _unit(words: list[str], at: int, after: int) -> str:
    before = _UNITS.get(words[at - 1], "") if at else ""
    if before in _BEFORE:
        return before
    kind = ""
    for place, word in enumerate(words[after : after + 6], after):
        if word in ("st", "nd", "rd", "th", "de") or word in _BETWEEN or word[0].isdigit() or word in _WORDS:
            continue
        if word in _KINDS_OF_DAY:
            kind = "working " if word in _WORKING else ""
        elif word in _UNITS:
            follows = words[place + 1] if place + 1 < len(words) else ""
            return ("working " if follows in _WORKING and _UNITS[word] == "day" else kind) + _UNITS[word]
        elif word in ("ciento", "cento"):
            return "percent"
        elif word in _MONTHS:
            return _MONTHS[word]
        else:
            break
    return _MONTHS.get(words[at - 1], "") if at else ""
