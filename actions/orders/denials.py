"""Which of several order numbers a message denies: "10235, not 10234", "10234 nahi 10235 wala".

Words of denial are a closed class, so they stand here for each language that is spoken. "10234 nahi mila" denies no
number: what is denied there stands behind.
"""

import re
from collections.abc import Sequence

from privacy.indic import BEGIN, END

_BEFORE = re.compile(
    rf"{BEGIN}(?:(?:not|n[aã]o|instead of|rather than|en vez del?|em vez d[eo]|en lugar del?|em lugar d[eo])"
    r"(?: (?:the|that|order|one|number|el|la|o|a|pedido|es|é))*|no (?:es )?(?:el|la|al|del)(?: pedido)?)\s+#?\s*$",
    re.I,
)
_OF_IT = r"\s*(?:(?:wa+l[aei]|वाल[ाीे]|order|ऑर्डर)\s+)?"
_BEHIND = re.compile(
    rf"{_OF_IT}(?:(?:nahi|nahin|nhi|mat|ki jagah|ke badle|नहीं|नही|मत|की जगह|के बदले){END}"
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
