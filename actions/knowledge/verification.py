"""Whether a written answer says only what the cited passages say. Deterministic: no model judges another.

Strict on purpose. A good answer that is turned down costs nothing but its phrasing, because the customer gets the
passage itself instead; a wrong one that passes costs money.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from actions.knowledge.documents import split_sentences
from actions.knowledge.facts import NUMBER_WORDS, facts_in

LONGEST_ANSWER = 900
LEAST_SUPPORT = 0.7
LEAST_SHARED_WITH_A_FACT = 0.3


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)?")
_NEGATION = re.compile(
    r"\b(?:not|no|never|none|nothing|nobody|neither|nor|cannot|unable|refuse[sd]?|refusing|decline[sd]?|excluded|"
    r"[a-z]+n['’]t|dont|wont|cant|impossible|ineligible|unfortunately)\b|\bnon-",
    re.I,
)
# Words that turn only what follows them.
_LIMIT = re.compile(r"\b(?:without|unless|except|excluding)\b", re.I)
_CLAUSE = re.compile(
    r"[;:]\s+|,?\s+(?:but|however|although|though|while|whereas)\s+|"
    r",\s+(?=(?:and|so|or|because|if|even if|when|where|which|unless)\s)",
    re.I,
)
_REPLY = re.compile(r"^(?:yes|no)[,.!]\s+", re.I)
_OPENING = re.compile(r"^((?:if|when|once|where|after|until|as|for|on|in|before)\b[^,]*),\s+", re.I)
_EMPTY = _words(
    """a an and are as at be been being but by can could did do does for from had has have how i if in into is it its
    just let like may me might my of on or our please shall she should so some than that the their them then there these
    they this those to us was we were what when where which who why will with would you your yes about any also am here
    sure happy help hi hello thanks thank glad welcome know need want get gets got make makes item items one ones
    order orders case way such per via each both within rs inr rupee rupees percent"""
)
_ENDINGS = (
    "ically", "ations", "ation", "ments", "ment", "ing", "edly", "ely", "ies", "ied", "ed", "es", "ly", "s", "e"
)
_SAME = {
    "refunded": "refund", "money": "refund", "reimburse": "refund", "reimbursed": "refund", "bring": "return",
    "back": "return", "send": "return", "sent": "return", "parcel": "package", "collect": "pick", "collected": "pick",
    "pickup": "pick", "swap": "exchange", "replace": "replacement", "product": "item", "days": "day", "buy": "bought",
    "purchase": "bought", "purchased": "bought", "receive": "delivery", "received": "delivery", "delivered": "delivery",
    "start": "begin", "started": "begin", "credited": "credit", "pay": "paid", "payment": "paid", "choose": "pick",
    "broken": "damaged", "wear": "worn", "unworn": "unused", "photograph": "photo", "picture": "photo",
}


@dataclass(frozen=True)
class Verdict:
    """`supported`, or why not, in a word for the log (never the customer's or the model's text)."""

    supported: bool
    reason: str = "supported"


def verify(answer: str, passages: Sequence[str], wares: frozenset[str] = frozenset()) -> Verdict:
    """Hold every sentence of `answer` against the cited `passages`; `wares` are words that mean any item."""
    evidence = [sentence for passage in passages for sentence in split_sentences(passage)]
    if not answer.strip():
        return Verdict(False, "empty")
    if len(answer) > LONGEST_ANSWER:
        return Verdict(False, "too_long")
    if not evidence:
        return Verdict(False, "nothing_cited")
    known = facts_in(" \n ".join(evidence))
    if facts_in(answer) - known:
        return Verdict(False, "unsupported_fact")
    claims = [sentence for sentence in split_sentences(answer) if _content(sentence, wares)]
    if not claims:
        return Verdict(False, "says_nothing")
    for claim in claims:
        reason = _problem(claim, evidence, wares)
        if reason:
            return Verdict(False, reason)
    return Verdict(True)


def _problem(claim: str, evidence: Sequence[str], wares: frozenset[str]) -> str | None:
    words = _content(claim, wares)
    pool = {word for sentence in evidence for word in _content(sentence, wares)}
    if (words & _PROMISES) - pool:
        return "unsupported_promise"
    if len(words & pool) / len(words) < LEAST_SUPPORT:
        return "unsupported_claim"
    for fact in facts_in(claim):
        if not any(
            fact in facts_in(sentence)
            and len(words & _content(sentence, wares)) / len(words) >= LEAST_SHARED_WITH_A_FACT
            for sentence in evidence
        ):
            return "fact_out_of_place"
    if _polarity_differs(claim, evidence, wares):
        return "opposite_claim"
    return None


def _polarity_differs(claim: str, evidence: Sequence[str], wares: frozenset[str]) -> bool:
    """Whether some clause says no where the passage's nearest clause says yes, or the other way round."""
    clauses = [clause for sentence in evidence for clause in _clauses(sentence)]
    for clause in _clauses(claim):
        words = _content(clause, wares)
        if len(words) < 2:
            continue
        shared = [len(words & _content(other, wares)) for other in clauses]
        said_as_it_stands = any(words <= _content(o, wares) and _signs(o) == _signs(clause) for o in clauses)
        if not max(shared, default=0) or said_as_it_stands:
            continue
        nearest = [other for other, count in zip(clauses, shared, strict=True) if count == max(shared)]
        if any(_negative(other) != _negative(clause) for other in nearest):
            return True
        if all(_limits_otherwise(clause, other, words, wares) for other in nearest):
            return True
    return False


def _limits_otherwise(clause: str, other: str, words: frozenset[str], wares: frozenset[str]) -> bool:
    """Whether "without", "unless" or "except" stands before the same words in one of the two only."""
    mine, theirs = _LIMIT.search(clause), _LIMIT.search(other)
    if mine and not theirs:
        return True
    return bool(theirs and not mine and words & _content(other[theirs.end() :], wares))


def _clauses(sentence: str) -> list[str]:
    sentence = _REPLY.sub("", sentence)
    opening = _OPENING.match(sentence)
    parts = [opening.group(1), *_CLAUSE.split(sentence[opening.end() :])] if opening else _CLAUSE.split(sentence)
    return [part for part in parts if part and _WORD.search(part)]


def _signs(clause: str) -> tuple[bool, bool]:
    return _negative(clause), bool(_LIMIT.search(clause))


def _negative(clause: str) -> bool:
    # Two negations are an affirmation.
    return len(_NEGATION.findall(clause)) % 2 == 1


def _content(sentence: str, wares: frozenset[str]) -> frozenset[str]:
    words = (word.replace("’", "'").lower() for word in _WORD.findall(sentence))
    telling = (word for word in words if word not in _EMPTY | NUMBER_WORDS | wares and not _turns(word))
    return frozenset(_stem(word) for word in telling)


def _turns(word: str) -> bool:
    return bool(_NEGATION.fullmatch(word) or _LIMIT.fullmatch(word))


def _stem(word: str) -> str:
    word = _SAME.get(word, word)
    for ending in _ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            word = word[: -len(ending)]
            break
    return _SAME.get(word, word)


# Promises that must stand in the passage in so many words.
_PROMISES = frozenset(map(_stem, _words(
    """always guarantee guaranteed every everything everyone anything anytime ever forever lifetime unlimited full fully
    free instant instantly immediate immediately once cash compensation bonus extra double complete completely entire
    automatic automatically only never all whole"""
)))
