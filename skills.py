"""What belongs to a skill beside its code, read from where designers write it: `domain.yml` and `data/rules/`.

    topics:                               what responses count as, by the topic in their name (utter_<topic>_<outcome>)
      order_status: {feature: order_status, about: order}
    responses:
      utter_order_status_not_found:
      - text: …
        metadata: {counts_as: retry, about: number}         of the first variation; wins over the topic's
    intents:
    - ask_courier: {meaning: who brings an order, takes: order}

The conversation log, the escalation, the context of a conversation, the LLM's commands and the offers read it here.
Unknown words count as not written; `make validate` names them (`workbench.checks.skill_words`). docs/add-a-skill.md.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

import yaml_files
from settings import PROJECT_ROOT

HELPED, ASKS, UNMET, UNRESOLVED, RETRY = "helped", "asks", "unmet", "unresolved", "retry"
COUNTS_AS = (HELPED, ASKS, UNMET, UNRESOLVED, RETRY)
NO_HELP = frozenset({UNMET, UNRESOLVED, RETRY})
ORDER, ORDERS, NUMBER, REFUND = "order", "orders", "number", "refund"
POLICY, DECLINED, CHANGE, OFFER = "policy", "declined", "change", "offer"
ABOUT = (ORDER, ORDERS, NUMBER, REFUND, POLICY, DECLINED, CHANGE, OFFER)
SMALL_TALK = "smalltalk"
TAKES_ORDER, TAKES_QUESTION = "order", "question"
PIECE = "_piece_"  # in the names of responses that actions put sentences together from
_ASK = "utter_ask_"  # what Rasa calls the question for a form's slot


@dataclass(frozen=True)
class Counting:
    """What a response counts as.

    `feature` is the log's word for the skill; `counts_as` one of COUNTS_AS; `about` one of ABOUT, which the customer's
    next message then follows (None: what was talked about before stays); `problem`: it tells of a late or lost order.
    """

    feature: str = SMALL_TALK
    counts_as: str = HELPED
    about: str | None = None
    problem: bool = False


@dataclass(frozen=True)
class Intent:
    """What an intent is to those who do not learn it from phrases.

    `meaning` tells an LLM (empty: none is told); `takes` what an LLM may name along with it; `small_talk` gives way to
    any wish of the same message; two wishes of different `topic`s in one message are both answered.
    """

    name: str
    meaning: str = ""
    takes: str | None = None
    small_talk: bool = False
    topic: str | None = None


WORDS_OF_RESPONSES: Mapping[str, tuple[Any, ...] | type] = {
    "feature": str, "counts_as": COUNTS_AS, "about": ABOUT, "problem": bool,
}  # fmt: skip
WORDS_OF_INTENTS: Mapping[str, tuple[Any, ...] | type] = {
    "meaning": str, "takes": (TAKES_ORDER, TAKES_QUESTION), "small_talk": bool, "topic": str,
}  # fmt: skip


def is_known(word: Any, known: tuple[Any, ...] | type) -> bool:
    """Whether this may stand there: one of some words, or anything of a type."""
    return isinstance(word, known) and word != "" if isinstance(known, type) else word in known


@dataclass(frozen=True)
class Skills:
    """The skills of a project folder."""

    domain: Mapping[str, Any]
    rules: tuple[Mapping[str, Any], ...] = ()

    def counting(self, response: str | None) -> Counting:
        """What a response counts as; one that the domain does not have (any more), as its topic does."""
        name = response or ""
        return self._countings.get(name) or Counting(**self._of_topic(name))

    @cached_property
    def intents(self) -> Mapping[str, Intent]:
        """Every intent of the domain, in its order."""
        read = [_named(entry) for entry in self.domain.get("intents") or ()]
        return {name: Intent(name, **_known(words, WORDS_OF_INTENTS)) for name, words in read}

    @cached_property
    def answers(self) -> Mapping[str, str]:
        """Intent → the action or response that answers it where no form is open."""
        found: dict[str, str] = {}
        for rule in self.rules:
            steps, conditions = rule.get("steps") or [], rule.get("condition") or []
            if len(steps) < 2 or any(one.get("active_loop") for one in conditions):
                continue
            for step in steps[0].get("or") or steps[:1]:
                if step.get("intent") and steps[1].get("action"):
                    found.setdefault(str(step["intent"]), str(steps[1]["action"]))
        return found

    @cached_property
    def asides(self) -> Mapping[str, frozenset[str]]:
        """Form → the intents that a rule answers in the middle of it."""
        found: dict[str, set[str]] = {}
        for rule in self.rules:
            first = (rule.get("steps") or [{}])[0]
            intents = {str(step["intent"]) for step in first.get("or") or [first] if step.get("intent")}
            for condition in rule.get("condition") or []:
                if condition.get("active_loop"):
                    found.setdefault(str(condition["active_loop"]), set()).update(intents)
        return {form: frozenset(intents) for form, intents in found.items()}

    @cached_property
    def small_talk(self) -> frozenset[str]:
        """The intents that give way to any wish of the same message."""
        return frozenset(name for name, intent in self.intents.items() if intent.small_talk)

    @cached_property
    def wishes(self) -> Mapping[str, frozenset[str]]:
        """Topic → its intents: two wishes of different topics in one message are both answered."""
        topics = {intent.topic: None for intent in self.intents.values() if intent.topic}
        return {
            topic: frozenset(name for name, intent in self.intents.items() if intent.topic == topic)
            for topic in topics
        }

    @cached_property
    def _countings(self) -> Mapping[str, Counting]:
        return {
            name: Counting(**{**self._of_topic(name), **words})
            for name, words in _metadata(self.domain.get("responses") or {})
        }

    def _of_topic(self, response: str) -> dict[str, Any]:
        topics = self.domain.get("topics") or {}
        asked = {"counts_as": ASKS} if response.startswith(_ASK) else {}
        return asked | _known(topics.get(topic_of(response, topics)), WORDS_OF_RESPONSES)


def topic_of(response: str, topics: Iterable[str]) -> str | None:
    """The longest of the topics with which the response's name goes on after `utter_`; None without one."""
    name = response.removeprefix(_ASK).removeprefix("utter_")
    return max((one for one in topics if name == one or name.startswith(f"{one}_")), key=len, default=None)


@lru_cache(maxsize=4)
def load(root: Path = PROJECT_ROOT) -> Skills:
    """The skills of a folder, read once. Raises OSError and yaml.YAMLError."""
    domain = _read(root / "domain.yml")
    files = [_read(path) for path in sorted((root / "data" / "rules").rglob("*.yml"))]
    return Skills(domain, tuple(rule for file in files for rule in file.get("rules") or ()))


def _read(path: Path) -> dict[str, Any]:
    content = yaml_files.read(path)
    return content if isinstance(content, dict) else {}


def _named(entry: Any) -> tuple[str, Any]:
    """Name and words of `name` or `name: {…}`."""
    return next(iter(entry.items())) if isinstance(entry, dict) and entry else (str(entry), None)


def _metadata(responses: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for name, variations in responses.items():
        first = variations[0] if isinstance(variations, list) and variations else None
        yield name, _known(first.get("metadata") if isinstance(first, dict) else None, WORDS_OF_RESPONSES)


def _known(words: Any, known: Mapping[str, tuple[Any, ...] | type]) -> dict[str, Any]:
    """Those of the words that mean something."""
    written = words if isinstance(words, dict) else {}
    return {key: word for key, word in written.items() if key in known and is_known(word, known[key])}
