"""Messages grouped by wording: what customers said that the assistant failed at, most frequent first.

Two messages belong together when they share enough of their rarer words. Good enough to read a list of two thousand
messages in two minutes; no model, no dependency.
"""

import math
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from privacy.indic import SIGNS

ALIKE = 0.28
MAX_GROUPS_TRIED = 400
_WORD = re.compile(rf"(?:[^\W\d_]|[{SIGNS}]){{2,}}|\[\w+\]")
_NUMBER = re.compile(r"\d+")
_COMMON = frozenset(
    _WORD.findall(
        "the an and or of to in on at for is are am was were be been it its this that these those me my you your we "
        "our us do does did can could will would shall should may have has had not no yes please pls plz hi hello hey "
        "thanks thank ok okay sir madam mam maam so but if then with from by as about what when where how why who "
        "which there here just very still also any some get got want need mera meri mere mujhe kya hai ka ki ke ko se"
    )
)


@dataclass
class Group:
    """Messages that say about the same. `example` is the one that has most in common with the others."""

    count: int
    example: str
    words: frozenset[str]
    texts: list[str] = field(default_factory=list)


def group(texts: Iterable[str]) -> list[Group]:
    """The groups, the largest first; each message is in exactly one."""
    counted: Counter[str] = Counter()
    spelled: dict[str, str] = {}  # wording without its numbers → the first message that has it
    for text in texts:
        plain = " ".join(text.split())
        counted[spelled.setdefault(_NUMBER.sub("#", plain.lower()), plain)] += 1
    words = {text: _words(text) for text in counted}
    seen_in = Counter(word for found in words.values() for word in found)
    weight = {word: 1 / (1 + math.log(count)) for word, count in seen_in.items()}
    groups: list[Group] = []
    for text, count in sorted(counted.items(), key=lambda item: (-item[1], -len(words[item[0]]), item[0])):
        best, alike = None, ALIKE
        for candidate in groups[:MAX_GROUPS_TRIED]:
            score = _similarity(words[text], candidate.words, weight)
            if score >= alike:
                best, alike = candidate, score
        if best is None:
            groups.append(Group(count, text, words[text], [text]))
        else:
            best.count += count
            best.texts.append(text)
    return sorted(groups, key=lambda found: -found.count)


def _words(text: str) -> frozenset[str]:
    found = frozenset(word[:6] for word in _WORD.findall(text.lower()) if word not in _COMMON)
    return found or frozenset([text.lower()[:20]])


def _similarity(one: frozenset[str], other: frozenset[str], weight: dict[str, float]) -> float:
    shared = sum(weight[word] for word in one & other)
    return shared / sum(weight[word] for word in one | other) if shared else 0.0
