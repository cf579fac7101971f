"""What came of a message, then and now, and whether the two differ.

Answers are compared by their kind. The orders that are looked up now are those of today: an order that was on its way
has arrived, another one was placed. So every answer about an order's status is of one kind, and so is every one about
changing it; but an order number that the customer wrote must still be the one that is answered about. Answers from the
pages are compared by page and words (an LLM's are never twice the same), all others by what they are about.
"""

import re
from dataclasses import dataclass
from typing import Any

import skills
from privacy.redaction import redact

STATUS, CHANGE = "order status", "order change"
_TOPICS = {"order_status": STATUS, "order_change": CHANGE, "self_service": CHANGE, "change": CHANGE}
_CLARIFIES, _PERSON = "clarification", "escalation"
_ANSWER, _OFFER = "utter_return_policy_answer", "utter_handoff_offer"
_OUT_OF_SCOPE = "utter_clarification_out_of_scope"
_RESUMED = "_resume"  # "back to your order …": whether a form is still open is the orders' doing
INTENT, ANSWER, WORDS, CALLED, NOT_CALLED = "intent", "answer", "words", "person called", "person not called"
REFUSED, ANSWERED, FAILED = "refused now", "answered now", "failed"
KINDS = (INTENT, ANSWER, REFUSED, ANSWERED, WORDS, CALLED, NOT_CALLED, FAILED)
"""What can change in a turn. REFUSED: it was answered then; ANSWERED: it was not; WORDS: of what is quoted."""
_NUMBER = re.compile(r"\w*\d[\w/-]*\d\w*")
_DIGITS = 3
_MARKS = str.maketrans("", "", "*_~")


@dataclass(frozen=True)
class Said:
    """One bubble: response ('' when the log does not know), feature, words, and for the pages which ones."""

    response: str
    feature: str
    text: str
    pages: tuple[str, ...] = ()
    by_llm: bool = False

    @property
    def kind(self) -> str:
        """What it is about, for people."""
        topic = skills.topic_of(self.response, skills.load().domain.get("topics") or {}) or self.feature
        if topic in _TOPICS:
            return _TOPICS[topic]
        if self.pages or self.response == _ANSWER:
            return f"from {', '.join(sorted(self.pages)) or 'the pages'}"
        if self.response.startswith(_OUT_OF_SCOPE):
            return "out of scope"
        if self.response != _OFFER and self.feature in (_CLARIFIES, _PERSON):
            return self.feature  # which of them depends on what was said before, and on the hour
        return self.response.removeprefix("utter_") or self.feature

    @property
    def is_of_no_help(self) -> bool:
        """A refusal or a question back. An order that is not found is none: that is the orders' doing."""
        of_no_help = self.feature == _CLARIFIES or skills.load().counting(self.response).counts_as in skills.NO_HELP
        return of_no_help and self.kind not in (STATUS, CHANGE)


@dataclass(frozen=True)
class Answer:
    """What came of one message. `failed`: the name of the error that it ended in."""

    intent: str
    said: tuple[Said, ...]
    escalated: bool = False
    failed: str = ""

    @property
    def kinds(self) -> tuple[str, ...]:
        """The kinds of its bubbles, each once, in their order."""
        return tuple(dict.fromkeys(one.kind for one in self.said if not one.response.endswith(_RESUMED)))

    @property
    def features(self) -> frozenset[str]:
        return frozenset(one.feature for one in self.said if not one.response.endswith(_RESUMED))

    @property
    def helps(self) -> bool | None:
        """Whether something in it was an answer; None when nothing was said."""
        return any(not one.is_of_no_help for one in self.said) if self.said else None

    @property
    def about_orders(self) -> tuple[str, ...]:
        """The responses in it that depend on how the orders stand."""
        return tuple(one.response for one in self.said if one.kind in (STATUS, CHANGE))


def changes(message: str, then: Answer, now: Answer) -> tuple[str, ...]:
    """Which of KINDS differ; nothing for a turn that stays as it was."""
    if now.failed:
        return (FAILED,)
    found = [INTENT] if then.intent != now.intent else []
    if then.escalated != now.escalated:
        found.append(CALLED if now.escalated else NOT_CALLED)
    elif not _alike(then, now) or _is_about_another_order(message, then, now):
        turned = None not in (then.helps, now.helps) and then.helps != now.helps
        found.append((ANSWERED if now.helps else REFUSED) if turned else ANSWER)
    elif _words(then) != _words(now) and not any(one.by_llm for one in (*then.said, *now.said)):
        found.append(WORDS)
    return tuple(found)


def is_by_llm(account: Any) -> bool:
    """Whether the account that goes along with a message or reply names a model: without one, pages are quoted."""
    return isinstance(account, dict) and bool(account.get("model"))


def moved_on(then: Answer, now: Answer) -> bool:
    """Whether the orders alone may be why something else was said: what follows it cannot be compared."""
    return bool(then.about_orders) and then.about_orders != now.about_orders and _alike(then, now)


def names_a_number(message: str) -> bool:
    """Whether it holds what may be an order number."""
    return bool(_numbers(message))


def _alike(then: Answer, now: Answer) -> bool:
    known = all(one.response for one in then.said)
    return then.kinds == now.kinds if known else then.features == now.features


def _is_about_another_order(message: str, then: Answer, now: Answer) -> bool:
    """Whether both answers name orders, but not the same of those that the message names."""
    named = [_numbers(" ".join(one.text for one in answer.said if one.kind in (STATUS, CHANGE)))
             for answer in (then, now)]  # fmt: skip
    asked = _numbers(message)
    return all(named) and asked & named[0] != asked & named[1]


def _numbers(text: str) -> frozenset[str]:
    found = (number.lower() for number in _NUMBER.findall(text))
    return frozenset(number for number in found if sum(map(str.isdigit, number)) >= _DIGITS)


def _words(answer: Answer) -> str:
    """What is quoted from pages, as the archive would keep it; one answer may have gone out in several bubbles."""
    text = " ".join(one.text for one in answer.said if one.pages)
    return " ".join(redact(text.translate(_MARKS)).split())
