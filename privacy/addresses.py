"""Where a text gives a postal address: a heuristic over the words that addresses are made of, in India above all.

An address needs a numbered beginning ("Flat 402", "12, MG Road") and, so that "flat 20% off" is none, either a second
address word or a PIN code, or the words "address is …" before it. Portuguese and Spanish ones begin with the street,
and its number follows ("Rua das Flores, 123").
"""

import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from itertools import islice, takewhile

from privacy.indic import BEGIN, END, SIGNS

_UNIT = (
    r"(?:flat|house|h\.?\s?no|door|d\.?\s?no|plot|shop|room|villa|apartment|apt|block|tower|bldg|building|quarter|qtr|"
    r"unit|site|bungalow|floor|makaa?n|kothi|gali|ward|"
    r"फ्लैट|मकान|घर(?= नं)|प्लॉट|दुकान|ब्लॉक|टावर|टॉवर|बिल्डिंग|गली|वार्ड|कोठी|मंज़?िल)"
)
# Words that only an address has, and words that shop talk has too ("main colour", "a block print").
_STRONG_WAY = (
    r"(?:street|road|marg|gali|nagar|colony|sector|apartments|residency|enclave|heights|towers|chowk|bazaar|"
    r"avenue|vihar|puram|niwas|bhavan|bhawan|taluk|tehsil|layout|rd|ave|boulevard|blvd|parkway|pkwy|crescent|"
    r"रोड|मार्ग|गली|नगर|कॉलोनी|सेक्टर|अपार्टमेंट|एन्क्लेव|चौक|बाज़?ार|मोहल्ला|विहार|पुरम|निवास|भवन|तहसील|लेआउट)"
)
_STREET_FIRST = (
    r"(?:rua|avenida|avda|av|travessa|alameda|praça|rodovia|estrada|calle|carrera|calzada|paseo|plaza)\b\.?\s?"
    r"(?:[^\W\d_][\w.'’-]{0,20}\s{1,3}){0,5}[^\W\d_][\w.'’-]{0,20}(?:,|\s)\s{0,3}"
    r"(?:n[oº°]?\.?\s{0,2}|n[uú]mero\s|#\s?)?\d{1,5}[a-z]?"
    r"(?=\s{0,3}(?:[,;\n–-]|\.(?!\d)|$|(?:ap|apto|apartamento|bloco|casa|piso|puerta|int|interior|depto|cep|cp|col)\b))"
)
_REST_OF_STREET_FIRST = re.compile(
    r"(?:[\s,–-]{1,3}(?:(?:ap|apto|apartamento|bloco|bl|casa|piso|puerta|int|interior|depto|sala|cep|cp|col|colonia|bairro)"
    r"[.:\s]{1,2})?(?:\w{0,8}[./-]?\d[\wºª/-]{0,8}|[A-ZÀ-Ý][\w'’-]+(?:\s(?:(?:d[aeo]s?|del)\s)?[A-ZÀ-Ý][\w'’-]+){0,3})){1,8}"
)
_WEAK_WAY = (
    r"(?:lane|phase|society|apartment|tower|market|extension|cross|main|floor|block|circle|wadi|pura|garden|gardens|"
    r"complex|building|bldg|villas?|dist|district|village|post|landmark|st)"
)
_SHOP_TALK = (
    r"(?:from|the|of|on|in|days?|hours?|items?|pieces?|to|for|an?|and|my|at|by|is|are|off|with|per|ml|kg|gm?|cm|mm|pcs|pairs?|sets?|packs?|"
    r"दिन|दिनों|घंटे|बजे|रुपये|से|के|का|की|को|में|पर|और|है)"
)
_BETWEEN = rf"(?!{_SHOP_TALK}{END})[a-z.'{SIGNS}]{{1,20}}"
_CITY = (
    r"(?:bengaluru|bangalore|mumbai|bombay|delhi|gurgaon|gurugram|noida|ghaziabad|chennai|hyderabad|secunderabad|pune|"
    r"kolkata|calcutta|ahmedabad|surat|vadodara|jaipur|jodhpur|udaipur|lucknow|kanpur|indore|bhopal|nagpur|nashik|thane|"
    r"patna|ranchi|bhubaneswar|guwahati|chandigarh|mohali|ludhiana|amritsar|dehradun|kochi|cochin|kozhikode|mysore|"
    r"mysuru|mangalore|coimbatore|madurai|visakhapatnam|vijayawada|raipur|goa|"
    r"दिल्ली|मुंबई|बेंगलुरु|बैंगलोर|चेन्नई|हैदराबाद|पुणे|कोलकाता|अहमदाबाद|सूरत|जयपुर|जोधपुर|उदयपुर|लखनऊ|कानपुर|वाराणसी|आगरा|मेरठ|"
    r"प्रयागराज|इंदौर|भोपाल|नागपुर|नासिक|ठाणे|पटना|रांची|चंडीगढ़|लुधियाना|अमृतसर|देहरादून|गाज़?ियाबाद|नोएडा|गुड़गांव|गुरुग्राम|रायपुर)"
)
_NUMBER = r"[#:\s-]*(?:no\.?|number|नंबर|नं\.?)?[#:\s-]*(?:[a-z]{1,2}\s?[-/]?\s?)?\d{1,5}(?:[-/]?[a-z0-9]{1,5}){0,3}"
_START = re.compile(
    rf"\b{_UNIT}\.?{_NUMBER}\b(?!\s*(?:%|percent|off\b|rs\b|₹|/-))"
    rf"|(?<![\w₹#.,])(?:[a-z]-)?\d{{1,4}}[a-z]?(?:[/-][a-z0-9]{{1,4}}){{0,2}}\s*(?:st|nd|rd|th)?,?\s+"
    rf"(?:{_BETWEEN}\s+){{0,3}}?{_STRONG_WAY}{END}"
    rf"|\b\d{{1,3}}\s?(?:st|nd|rd|th)\s+{_WEAK_WAY}\b"
    r"|(?-i:\b[A-Z]-\d{1,3}),?\s+(?-i:(?=[A-Z]))"
    r"|\b[cdsw]/o\.?\s+\w+|\b(?:village|vill|vpo|gram)\.?\s+(?!is\b|me\b|se\b)[a-z]\w+",
    re.I,
)
_HOUSE_BEFORE = re.compile(r"#\s?\d{1,4}\s?,\s*$")
_CUE = re.compile(
    rf"\b(?:{_STRONG_WAY}|{_CITY}(?:\s?-\s?\d{{1,3}}|\s\d{{2}}(?=\s*(?:$|[,.\n])))?|\w{{3,15}}(?:nagar|puram|pally|palli|abad|halli|wadi)"
    rf"|[{SIGNS}]{{3,15}}(?:नगर|पुरम|पुर|बाद|गंज)"
    rf"|\d{{1,3}}\s?(?:st|nd|rd|th)\s+{_WEAK_WAY}|{_WEAK_WAY}[\s-]{{1,2}}\d{{1,3}}|{_UNIT}{_NUMBER}){END}",
    re.I,
)
_PIN = re.compile(r"(?<![\d₹#])[1-9]\d{2}\s?\d{3}(?!\d)")
_CITY_PIN = re.compile(rf"\b{_CITY}\s{{0,2}}[-–,:]?\s{{0,2}}[1-9]\d{{2}}\s?\d{{3}}\b", re.I)
_STREET_FIRST_START = re.compile(rf"(?<![\w.]){_STREET_FIRST}", re.I)
_SAID = re.compile(r"(?:\baddress|पता|एड्रेस)(?:\s+(?:is|now|changed\s+to|to|है|अब|यह|ये))*\s*[:=-]?\s*", re.I)
_STOP = re.compile(r"[!?;]|\.\s+(?=[A-Z][a-z]+\s+[a-z])|\n\s*\n")
_TAIL_SEGMENT = re.compile(
    r"\s*[,\n]\s*([A-Z][\w.'-]*(?:\s+[A-Z][\w.'-]*){0,2}(?:\s+(?:\d[A-Z]{2}|\d{5}(?:-\d{4})?))?)(?=\s*(?:[,.\n]|$))"
)

REACH = 240  # characters that one address may span


def spans(text: str) -> Iterator[tuple[int, int]]:
    """(start, end) of address-like stretches, in order; what only commas and blanks stand between is one."""
    begun: tuple[int, int] | None = None
    cities = (match.span() for match in _CITY_PIN.finditer(text))
    for start, end in sorted([*_numbered(text), *cities, *_streets(text)]):
        if begun is not None and not text[begun[1] : start].strip(" ,\n"):
            begun = begun[0], max(begun[1], end)
            continue
        if begun is not None:
            yield begun
        begun = start, end
    if begun is not None:
        yield begun


def _streets(text: str) -> Iterator[tuple[int, int]]:
    """Those that begin with the street."""
    for match in _STREET_FIRST_START.finditer(text):
        rest = _REST_OF_STREET_FIRST.match(text, match.end(), match.start() + REACH)
        yield match.start(), rest.end() if rest else match.end()


def _numbered(text: str) -> Iterator[tuple[int, int]]:
    """Those that begin with a number or its word."""
    done = 0
    starts = _starts(text)
    cues = list(_CUE.finditer(text)) if starts else []
    places = [cue.start() for cue in cues]
    for start in starts:
        if start < done:
            continue
        end = _end(text, start, islice(cues, bisect_left(places, start), None))
        if end is not None:
            house = _HOUSE_BEFORE.search(text, max(done, start - 12), start)
            yield house.start() if house else start, end
            done = end


def _starts(text: str) -> list[int]:
    return sorted({match.start() for match in _START.finditer(text)})


def _end(text: str, start: int, later: Iterable[re.Match[str]]) -> int | None:
    """Where the address that may begin at `start` ends, or None when it is none. `later`: the cues from there on."""
    stop = _STOP.search(text, start, start + REACH)
    limit = stop.start() if stop else min(len(text), start + REACH)
    head = _START.match(text, start, limit)
    if head is None:
        return None
    cues = list(takewhile(lambda cue: cue.end() <= limit, later))
    pin = _PIN.search(text, head.end(), limit)
    said = _SAID.search(text[max(0, start - 40) : start])
    street = re.search(rf"{BEGIN}{_STRONG_WAY}{END}", head.group(), re.I)
    if pin is None and len(cues) < 2 and not said and not street:
        return None
    end = max([head.end(), *(cue.end() for cue in _near(cues, head.end()))])
    if pin is not None and pin.start() - end <= 60:
        return pin.end()
    return _with_proper_names(text, end, limit)


def _near(cues: list[re.Match[str]], end: int) -> Iterator[re.Match[str]]:
    """The cues that follow one another closely: a distant "market" belongs to another sentence."""
    for cue in cues:
        if cue.start() - end > 45:
            return
        end = max(end, cue.end())
        yield cue


def _with_proper_names(text: str, end: int, limit: int) -> int:
    """The end after trailing segments that are names: ", Koramangala, Karnataka"."""
    while match := _TAIL_SEGMENT.match(text, end, limit):
        end = match.end(1)
    return end
