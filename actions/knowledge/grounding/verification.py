"""Whether a written answer says only what the cited passages say. Deterministic: no model judges another.

Strict on purpose. A good answer that is turned down costs nothing but its phrasing, because the customer gets the
passage itself instead; a wrong one that passes costs money.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from actions.knowledge.grounding.facts import AT_LEAST, AT_MOST, NUMBER_WORDS, Fact, bounds_in, facts_in, plain
from actions.knowledge.pages.sentences import split_sentences
from actions.knowledge.pages.tables import cells_of

MAX_ANSWER_CHARS = 900
MIN_SUPPORT = 0.7
MIN_SHARED_WITH_A_FACT = 0.3


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)?")
_NEGATION = re.compile(
    r"\b(?:not|no|never|none|nothing|nobody|neither|nor|cannot|unable|refuse[sd]?|refusing|decline[sd]?|excluded|"
    r"[a-z]+n['’]t|dont|wont|cant|impossible|ineligible|unfortunately)\b|\bnon-",
    re.I,
)
# Spanish, Portuguese, Hindi: here a second negation only strengthens the first.
_ALWAYS_NEGATIVE = re.compile(
    r"\b(?:nunca|jam[aá]s|tampoco|ning[uú]n[ao]?|nadie|nada|n[aã]o|jamais|nem|nenhuma?|ningu[eé]m|tampouco|exclu[ií]d[ao]s?|"
    r"nahi|nahin|nhi|nahee|imposible|imposs[ií]vel)\b|नहीं|मत\b",
    re.I,
)
# Words that turn only what follows them.
_LIMIT = re.compile(
    r"\b(?:without|unless|except|excluding|sin|salvo|excepto|sem|exceto|a menos que|bina|sivay)\b|बिना", re.I
)
_CLAUSE = re.compile(
    r"[;:]\s+|,?\s+(?:but|however|although|though|while|whereas)\s+|"
    r",\s+(?=(?:and|so|or|because|if|even if|when|where|which|unless)\s)",
    re.I,
)
_PART = re.compile(r"[;:]\s+|,\s+|\s+(?:and|y|e|aur)\s+", re.I)
_TOGETHER = re.compile(r";\s+|,\s+|\s+(?:and|y|e|aur)\s+", re.I)
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
_TIMES = frozenset(("minute", "hour", "day", "working day", "night", "week", "month", "year"))
_OPPOSITE = {AT_MOST: AT_LEAST, AT_LEAST: AT_MOST}
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


def verify(answer: str, passages: Sequence[str], question: str = "") -> Verdict:
    """Hold every sentence of `answer` against the cited `passages` (a row of a table is one of its own).

    `question` tells which row of a table is asked about when the answer does not repeat it.
    """
    evidence = [s for passage in passages for s in ([passage] if _row(passage) else split_sentences(passage))]
    if not answer.strip():
        return Verdict(False, "empty")
    if len(answer) > MAX_ANSWER_CHARS:
        return Verdict(False, "too_long")
    if not evidence:
        return Verdict(False, "nothing_cited")
    known = facts_in(" \n ".join(evidence))
    if facts_in(answer) - known:
        return Verdict(False, "unsupported_fact")
    claims = [sentence for sentence in split_sentences(answer) if _content(sentence)]
    if not claims:
        return Verdict(False, "says_nothing")
    for claim in claims:
        reason = _problem(claim, evidence, question)
        if reason:
            return Verdict(False, reason)
    return Verdict(True)


def _problem(claim: str, evidence: Sequence[str], question: str) -> str | None:
    pool = {word for sentence in evidence for word in _content(sentence)}
    if (_content(claim) & _PROMISES) - pool:
        return "unsupported_promise"
    # What the customer named may be named again: it neither supports nor weakens the claim.
    words = _content(claim) - (_content(question) - pool)
    if not words or len(words & pool) / len(words) < MIN_SUPPORT:
        return "unsupported_claim"
    for fact in facts_in(claim):
        if not any(
            fact in facts_in(sentence)
            and len(words & _content(sentence)) / len(words) >= MIN_SHARED_WITH_A_FACT
            for sentence in evidence
        ):
            return "fact_out_of_place"
    if _of_another_row(claim, evidence, question) or _of_another_sentence(claim, evidence):
        return "fact_out_of_place"
    if _bounded_otherwise(claim, evidence):
        return "fact_out_of_place"
    if _mixes(claim, evidence, pool):
        return "mixed_claim"
    if _polarity_differs(claim, evidence):
        return "opposite_claim"
    return None


def _row(sentence: str) -> bool:
    return any(name for _, name, _ in cells_of(sentence))


def _of_another_row(claim: str, evidence: Sequence[str], question: str) -> bool:
    """Whether a number stands in the table, but in another row or column than those that the claim speaks of."""
    cells = [cell for sentence in evidence for cell in cells_of(sentence)]
    beside = {fact for sentence in evidence if not _row(sentence) for fact in facts_in(sentence)}
    labels = {label for label, _, _ in cells}
    asked = _named(labels, claim) or _named(labels, question)
    for part in _PART.split(claim):
        own = [cell for cell in cells if cell[0] in (_named(labels, part) or asked or labels)]
        columns = _named({name for _, name, _ in own if name}, part)
        for fact in facts_in(part) - beside - _facts_of(labels):
            homes = {name for _, name, value in own if fact in facts_in(value) or fact in facts_in(name)}
            if cells and (not homes or (columns and not homes & columns)):
                return True
    return False


def _of_another_sentence(claim: str, evidence: Sequence[str]) -> bool:
    """Whether a number is said of what the passages give another one of its kind for: "14 days" for furniture, whose
    30 days are clothing's. Words of the claim then stand beside that other number, and never beside its own."""
    known = [(_content(part), facts_in(part)) for sentence in evidence for part in _PART.split(sentence)]
    for part in _PART.split(claim):
        words, facts = _content(part), facts_in(part)
        for fact in facts:
            homes = [content for content, there in known if fact in there]
            at_home = frozenset().union(*homes)
            for content, there in known if homes else ():
                like = {other for other in there if _kind(other) == _kind(fact)}
                if like and not like & facts and words & content - at_home:
                    return True
    return False


def _mixes(claim: str, evidence: Sequence[str], pool: set[str]) -> bool:
    """Whether what is said of one thing is said of another: "Pick-up is free for returns", where it is for exchanges.

    Then no sentence has all the words, and those that have most of them say something else in place of the others.
    """
    known = [_content(sentence) for sentence in evidence]
    for part in _TOGETHER.split(claim):
        words = _content(part) & pool
        most = max(len(words & content) for content in known)
        nearest = [content for content in known if len(words & content) == most]
        if most < len(words) and all(content - _content(claim) for content in nearest):
            return True
    return False


def _kind(fact: Fact) -> str:
    return "time" if fact.unit in _TIMES else fact.unit


def _bounded_otherwise(claim: str, evidence: Sequence[str]) -> bool:
    """Whether "within 30 days" has become "after 30 days", or one of two amounts has taken the other's "below"."""
    known = [bounds_in(sentence) for sentence in evidence]
    for fact, said in bounds_in(claim).items():
        homes = [bounds for bounds in known if fact in bounds]
        written = {bound for bounds in homes for bound in bounds[fact]}
        alike = [[bounds[other] for other in bounds if other.unit == fact.unit] for bounds in homes]
        one_of_several = any(len(ones) > 1 and {""} != set().union(*ones) for ones in alike)
        turned = any(_OPPOSITE.get(bound) in written for bound in said) and "" not in written
        if homes and not said <= written and (turned or one_of_several):
            return True
    return False


def _facts_of(texts: set[str]) -> set[Fact]:
    return {fact for text in texts for fact in facts_in(text)}


def _named(names: set[str], text: str) -> set[str]:
    """Those of a table's names that share a telling word with `text`; the ones that share most."""
    words = _content(text)
    shared = {name: len(words & _content(name)) for name in names}
    return {name for name, count in shared.items() if count and count == max(shared.values())}


def _polarity_differs(claim: str, evidence: Sequence[str]) -> bool:
    """Whether some clause says no where the passage's nearest clause says yes, or the other way round."""
    clauses = [clause for sentence in evidence for clause in _clauses(sentence)]
    for clause in _clauses(claim):
        words = _content(clause)
        if len(words) < 2:
            continue
        shared = [len(words & _content(other)) for other in clauses]
        said_as_it_stands = any(words <= _content(o) and _signs(o) == _signs(clause) for o in clauses)
        if not max(shared, default=0) or said_as_it_stands:
            continue
        nearest = [other for other, count in zip(clauses, shared, strict=True) if count == max(shared)]
        if any(_negative(other) != _negative(clause) for other in nearest):
            return True
        if all(_limits_otherwise(clause, other, words) for other in nearest):
            return True
    return False


def _limits_otherwise(clause: str, other: str, words: frozenset[str]) -> bool:
    """Whether "without", "unless" or "except" stands before the same words in one of the two only."""
    mine, theirs = _LIMIT.search(clause), _LIMIT.search(other)
    if mine and not theirs:
        return True
    return bool(theirs and not mine and words & _content(other[theirs.end() :]))


def _clauses(sentence: str) -> list[str]:
    sentence = _REPLY.sub("", sentence)
    opening = _OPENING.match(sentence)
    parts = [opening.group(1), *_CLAUSE.split(sentence[opening.end() :])] if opening else _CLAUSE.split(sentence)
    return [part for part in parts if part and _WORD.search(part)]


def _signs(clause: str) -> tuple[bool, bool]:
    return _negative(clause), bool(_LIMIT.search(clause))


def _negative(clause: str) -> bool:
    # Two negations are an affirmation, in English.
    return bool(_ALWAYS_NEGATIVE.search(clause)) or len(_NEGATION.findall(clause)) % 2 == 1


def _content(sentence: str) -> frozenset[str]:
    words = (plain(word.replace("’", "'")) for word in _WORD.findall(sentence))
    telling = (word for word in words if word not in _EMPTY | NUMBER_WORDS and not _turns(word))
    return frozenset(_stem(word) for word in telling)


def _turns(word: str) -> bool:
    return any(kind.fullmatch(word) for kind in (_NEGATION, _ALWAYS_NEGATIVE, _LIMIT))


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
    automatic automatically only never all whole siempre todo todos toda todas gratis gratuito gratuita inmediato
    garantizado completo automatico efectivo sempre tudo imediato garantido dinheiro hamesha muft turant poora"""
)))
