"""What a message shows: which signals, by phrases and by how it is written. Pure and about a tenth of a millisecond."""

from __future__ import annotations

import re
from dataclasses import dataclass

from components.escalation_phrases import SENTENCE_END, Found
from components.escalation_settings import PRAISE, PROBLEMS, SOLVED, UNLESS, EscalationSettings
from components.message_text import folded

_TOKEN = re.compile(r"[\w'\u0900-\u0963\u0966-\u097f]+|[.?!,;:।]")
_DOTS = re.compile(r"\.{2,}")
_SENTENCE_SIGNS = frozenset(".?!।")
_CLAUSE_MARKS = frozenset(",;:")
_CLAUSE_SIGNS = _CLAUSE_MARKS | {
    "but", "and", "because", "so", "then", "i", "we", "please", "just", "lekin", "par", "magar", "bas",
}
_NEGATION_REACH = 3
_FEW = 2
_SHOUTED = re.compile(r"\b[A-Z]{3,}\b")
_LETTERS = re.compile(r"[A-Za-z]")
_EXCLAIMED = re.compile(r"[!?]{2,}|!.*!", re.DOTALL)
_STRETCHED = re.compile(r"([a-z])\1{3,}", re.IGNORECASE)
_HANDLE = re.compile(r"[@#]\w+")


@dataclass(frozen=True)
class _Tokens:
    words: list[str]
    clause: list[int]  # number of the clause that the word of the same place stands in


def read(text: str, settings: EscalationSettings) -> dict[str, tuple[str, ...]]:
    """The signals that one message shows, each with the words (or the manner) that showed it."""
    tokens = _tokens(folded(text.replace("\n", " . ")))
    matches = list(settings.phrases.find(tokens.words))
    negators = _negators(matches)
    found: dict[str, list[str]] = {}
    for match in matches:
        signal = settings.signals.get(match.owner)
        if signal is None or any(other.owner == UNLESS + match.owner and other.overlaps(match) for other in matches):
            continue
        if signal.negatable and _negated(match, negators, tokens):
            continue
        found.setdefault(match.owner, []).append(match.shown(tokens.words))
    found |= _manner(text)
    if 0 < sum(word != SENTENCE_END for word in tokens.words) <= _FEW:
        found["few_words"] = [f"at most {_FEW}"]
    _praise(matches, negators, tokens, found, settings)
    return {name: tuple(dict.fromkeys(shown)) for name, shown in found.items()}


def _tokens(text: str) -> _Tokens:
    """Words with sentence ends between them; commas and conjunctions only begin a new clause."""
    words: list[str] = []
    clause: list[int] = []
    number = 0
    for sign in _TOKEN.findall(_DOTS.sub(" , ", text)):
        ends_sentence = sign in _SENTENCE_SIGNS
        if ends_sentence or sign in _CLAUSE_SIGNS:
            number += 1
        if sign not in _CLAUSE_MARKS:
            words.append(SENTENCE_END if ends_sentence else sign)
            clause.append(number)
    return _Tokens(words, clause)


def _negators(matches: list[Found]) -> list[Found]:
    spared = [match for match in matches if match.owner == "not_a_negation"]
    return [
        match for match in matches
        if match.owner == "negation" and not any(match.overlaps(other) for other in spared)
    ]


def _negated(match: Found, negators: list[Found], tokens: _Tokens) -> bool:
    """A negation up to three words before in the same clause, or right after ("fraud nahi hai")."""
    for negator in negators:
        if negator.start >= match.start and negator.end <= match.end:
            continue
        same_clause = tokens.clause[negator.start] == tokens.clause[match.start]
        before = 0 <= match.start - negator.end < _NEGATION_REACH
        after = tokens.words[negator.start] in ("nahi", "mat") and negator.start == match.end
        if same_clause and (before or after):
            return True
    return False


def _manner(text: str) -> dict[str, list[str]]:
    """How it is written: capitals, exclamation marks, stretched words."""
    plain = _HANDLE.sub(" ", text)
    found: dict[str, list[str]] = {}
    shouted = "".join(_SHOUTED.findall(plain))
    if len(shouted) >= 10 and 2 * len(shouted) >= len(_LETTERS.findall(plain)):
        found["shouting"] = ["CAPITALS"]
    if _EXCLAIMED.search(plain):
        found["exclamation"] = ["!!"]
    if _STRETCHED.search(plain):
        found["stretched_words"] = ["looong"]
    return found


def _praise(
    matches: list[Found],
    negators: list[Found],
    tokens: _Tokens,
    found: dict[str, list[str]],
    settings: EscalationSettings,
) -> None:
    """Praise denied is displeasure; praise beside a problem, with nothing solved, is sarcasm."""
    praise = [match for match in matches if match.owner == PRAISE]
    denied = ["not " + match.shown(tokens.words) for match in praise if _negated(match, negators, tokens)]
    if denied:
        found["not_pleased"] = denied
    problem = any(signal.family in PROBLEMS for name, signal in settings.signals.items() if name in found)
    if PRAISE in found and problem and SOLVED not in found:
        found["sarcasm"] = found.pop(PRAISE)
