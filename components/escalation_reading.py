"""What a message shows: which signals, by phrases and by how it is written. Pure and about a tenth of a millisecond."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass

from components.escalation_phrases import SENTENCE_END, Found
from components.escalation_settings import NOT, PRAISE, PROBLEMS, SOLVED, UNLESS, EscalationSettings
from components.text.message_text import folded

_TOKEN = re.compile(r"[\w'\u0900-\u0963\u0966-\u097f]+|[.?!,;:।]")
_DOTS = re.compile(r"\.{2,}")
_SENTENCE_SIGNS = frozenset(".?!।")
_CLAUSE_MARKS = frozenset(",;:")
_CLAUSE_SIGNS = _CLAUSE_MARKS | {
    "but",
    "and",
    "because",
    "so",
    "then",
    "i",
    "we",
    "please",
    "just",
    "lekin",
    "par",
    "magar",
    "bas",
}
_NEGATION_REACH = 3
_FEW = 2
_SHOUT = 10  # letters
_LONGEST = 4096  # characters, as WhatsApp allows
_APPLAUSE = 4  # words, with the full stop
_SHOUTED = re.compile(r"\b[A-Z]{3,}\b")
_LETTERS = re.compile(r"[A-Za-z]")
_EXCLAIMED = re.compile(r"[!?]{2,}|![^!]*!")
_STRETCHED = re.compile(r"([a-z])\1{3,}", re.IGNORECASE)
_HANDLE = re.compile(r"[@#]\w+")


@dataclass(frozen=True)
class _Tokens:
    words: list[str]
    clause: list[int]  # number of the clause that the word of the same place stands in
    sentence: list[int]


def read(text: str, settings: EscalationSettings) -> dict[str, tuple[str, ...]]:
    """The signals that one message shows, each with the words (or the manner) that showed it."""
    text = text[:_LONGEST]
    tokens = _tokens(folded(text.replace("\n", " . ")))
    matches: dict[str, list[Found]] = {}
    for match in settings.phrases.find(tokens.words):
        matches.setdefault(match.owner, []).append(match)
    meant, denied = _weighed(matches, tokens, settings)
    found = {name: _shown(signs, tokens) for name, signs in meant.items()}
    found |= {NOT + name: _shown(signs, tokens) for name, signs in denied.items() if name not in meant}
    if PRAISE in found and _sarcastic(meant, tokens, settings):
        found["sarcasm"] = found.pop(PRAISE)
    return found | _manner(text, tokens)


def _weighed(
    matches: dict[str, list[Found]], tokens: _Tokens, settings: EscalationSettings
) -> tuple[dict[str, list[Found]], dict[str, list[Found]]]:
    """What the phrases of signals say, and what they say with a negation; without those that `unless` takes back."""
    spared = matches.get("not_a_negation", [])
    negators = [match for match in matches.get("negation", []) if not any(map(match.overlaps, spared))]
    meant: dict[str, list[Found]] = {}
    denied: dict[str, list[Found]] = {}
    for name, signs in matches.items():
        signal = settings.signals.get(name)
        exceptions = matches.get(UNLESS + name, [])
        for match in signs if signal else ():
            if any(map(match.overlaps, exceptions)):
                continue
            negated = signal is not None and signal.negatable and _negated(match, negators, tokens)
            (denied if negated else meant).setdefault(name, []).append(match)
    return meant, denied


def _shown(signs: list[Found], tokens: _Tokens) -> tuple[str, ...]:
    return tuple(dict.fromkeys(match.shown(tokens.words) for match in signs))


def _tokens(text: str) -> _Tokens:
    """Words with sentence ends between them; commas and conjunctions only begin a new clause."""
    words: list[str] = []
    clause: list[int] = []
    sentence: list[int] = []
    number = sentences = 0
    for sign in _TOKEN.findall(_DOTS.sub(" , ", text)):
        ends_sentence = sign in _SENTENCE_SIGNS
        if ends_sentence or sign in _CLAUSE_SIGNS:
            number += 1
        if sign not in _CLAUSE_MARKS:
            words.append(SENTENCE_END if ends_sentence else sign)
            clause.append(number)
            sentence.append(sentences)
        sentences += ends_sentence
    return _Tokens(words, clause, sentence)


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


def _manner(text: str, tokens: _Tokens) -> dict[str, tuple[str, ...]]:
    """How it is written: capitals, exclamation marks, stretched words, few words."""
    plain = _HANDLE.sub(" ", text)
    found: dict[str, tuple[str, ...]] = {}
    shouted = "".join(_SHOUTED.findall(plain))
    if len(shouted) >= _SHOUT and 2 * len(shouted) >= len(_LETTERS.findall(plain)):
        found["shouting"] = ("CAPITALS",)
    if _EXCLAIMED.search(plain):
        found["exclamation"] = ("!!",)
    if _STRETCHED.search(plain):
        found["stretched_words"] = ("looong",)
    if 0 < sum(word != SENTENCE_END for word in tokens.words) <= _FEW:
        found["few_words"] = (f"at most {_FEW}",)
    return found


def _sarcastic(meant: dict[str, list[Found]], tokens: _Tokens, settings: EscalationSettings) -> bool:
    """Praise in a problem's sentence, or in one of its own with a few words ("Great job."), while nothing is solved."""
    problems = [match for name, signs in meant.items() if settings.signals[name].family in PROBLEMS for match in signs]
    if not problems or SOLVED in meant:
        return False
    lengths = Counter(tokens.sentence)
    with_problem = {tokens.sentence[match.start] for match in problems}
    praised = {tokens.sentence[match.start] for match in meant[PRAISE]}
    return bool(praised & with_problem) or any(lengths[number] <= _APPLAUSE for number in praised)
