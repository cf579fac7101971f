"""Which of several order numbers a message denies: "10235, not 10234", "10234 nahi 10235 wala".

Words of denial are a closed class, so they stand here for each language that is spoken. "10234 nahi mila" denies no
number: what is denied there stands behind.
"""

import re
from collections.abc import Sequence

from privacy.indic import BEGIN, END

# "I don't mean 10234", "no hablo del 10234": what is not spoken of, whatever verb of speaking says so.
_NOT_SPOKEN_OF = (
    r"(?:(?:do|did|am|was)(?:n'?t| not)|dont|didnt|not) "
    r"(?:mean(?:ing)?|(?:talk|speak|ask)(?:ing)? (?:about|of)|asking for)"
    r"|(?:no|n[aã]o) (?:me |es |é |t[oô] |estou |estoy )*(?:refiero a|habl[oa]\w* de|pregunt[oa]\w* por"
    r"|quero dizer|fal[aoe]\w* (?:d[eo]?|sobre)|pergunt\w+ (?:d[eo]|sobre|pel[oa]))"
)
_INSTEAD_OF = r"(?:instead of|rather than|en (?:vez|lugar) de|em (?:vez|lugar) d[eo])"
_BEFORE = re.compile(
    rf"{BEGIN}(?:(?:{_NOT_SPOKEN_OF}|not|n[aã]o|{_INSTEAD_OF})l?"
    r"(?: (?:about|the|that|order|one|number|el|la|o|a|pedido|es|é))*"
    r"|no (?:es )?(?:el|la|al|del)(?: pedido)?)\s+#?\s*$",
    re.I,
)
_OF_IT = r"\s*(?:(?:wa+l[aei]|वाल[ाीे]|order|ऑर्डर)\s+)?"
_NAHI = rf"(?:nahi|nahin|nhi|mat|नहीं|नही|मत){END}"
_BEHIND = re.compile(
    rf"{_OF_IT}(?:(?:ki|की) (?:baat|बात) {_NAHI}.*|(?:{_NAHI}|(?:ki jagah|ke badle|की जगह|के बदले){END})"
    r"(?P<rest>\W*(?:balki|बल्कि|par|पर)?\W*$|\s*[,.;!–—-].*)|(?:no|n[aã]o)\s*[,.;!].*)",
    re.I | re.S,
)


def denied(text: str, spans: Sequence[tuple[int, int]]) -> set[int]:
    """The places, in `spans` (begin and end of each number of the message), of the numbers that are denied.

    Empty where that would leave none.
    """
    found = _denied(text, spans)
    return found if len(found) < len(spans) else set()


def all_denied(text: str, spans: Sequence[tuple[int, int]]) -> bool:
    """Whether a message names numbers only to deny them: "not 10234, the other one"."""
    return bool(spans) and len(_denied(text, spans)) == len(spans)


def _denied(text: str, spans: Sequence[tuple[int, int]]) -> set[int]:
    ends = [*(begin for begin, _ in spans[1:]), len(text)][: len(spans)]
    return {
        place
        for place, ((begin, end), until) in enumerate(zip(spans, ends, strict=True))
        if _BEFORE.search(text[:begin]) or _BEHIND.fullmatch(text[end:until])
    }
