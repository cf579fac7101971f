"""What designers say in domain.yml of responses and intents beside their words: unknown keys and words, missing topics.

The keys and words are those of `skills`.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import skills
from actions.skill.registry import by_name
from workbench.checks.findings import Finding, mistake, nearest
from workbench.checks.project import Project
from workbench.checks.yaml_lines import Block

_OF_CHANNEL = {"quote": bool, "list_button": str}  # metadata that the channel reads


def skill_findings(project: Project) -> Iterator[Finding]:
    """Everything wrong with `topics`, the `metadata` of responses and the words of intents."""
    topics, responses = project.section("topics"), project.section("responses")
    for topic in topics:
        yield from _words(f"the topic {topic}", topics.line_of(topic), topics[topic], skills.WORDS_OF_RESPONSES)
        if not any(skills.topic_of(name, [topic]) for name in responses):
            yield mistake("unused topic", topics.line_of(topic), f"no response is called utter_{topic}_…",
                          nearest(topic, [one.removeprefix("utter_") for one in responses], "remove it"))  # fmt: skip
    for name, variations in responses.items():
        if topics and not skills.topic_of(name, topics):
            yield mistake("no topic", responses.line_of(name), f"{name} begins with no topic of `topics`",
                          nearest(name.removeprefix("utter_"), topics, "add its topic there"))  # fmt: skip
        for place, variation in enumerate(variations if isinstance(variations, list) else ()):
            yield from _metadata(name, place, variation)
    answers = skills.Skills(project.domain, tuple(entry.block for entry in project.rules)).answers
    for entry in project.domain.get("intents") or ():
        for name, words in entry.items() if isinstance(entry, Block) else ():
            yield from _words(f"the intent {name}", entry.line, words, skills.WORDS_OF_INTENTS)
            action = by_name().get(answers.get(name, ""))
            if isinstance(words, Block) and words.get("topic") and action and not action.only_tells:
                yield mistake("topic that is not told", entry.line,
                              f"the intent {name} has a topic, but {answers[name]} does more than tell an answer",
                              "take its topic away: it cannot be answered beside another question")  # fmt: skip


def _metadata(name: str, place: int, variation: Any) -> Iterator[Finding]:
    words = variation.get("metadata") if isinstance(variation, Block) else None
    if words is None:
        return
    ours = [key for key in words if key in skills.WORDS_OF_RESPONSES] if isinstance(words, Block) else []
    if place and ours:
        yield mistake("word that counts nowhere", variation.line_of("metadata"),
                      f"{name}: {ours[0]!r} is in a later variation",
                      "write it with the first one: it is the same for all of them")  # fmt: skip
    yield from _words(name, variation.line_of("metadata"), words, {**skills.WORDS_OF_RESPONSES, **_OF_CHANNEL})


def _words(whose: str, line: int, words: Any, known: Mapping[str, tuple[Any, ...] | type]) -> Iterator[Finding]:
    if words is None:
        return
    if not isinstance(words, Block):
        yield mistake("unknown word", line, f"{whose}: {words!r} is no `key: word`", f"the keys are {', '.join(known)}")
        return
    for key, word in words.items():
        if key not in known:
            remedy = nearest(key, known, f"the keys are {', '.join(known)}")
            yield mistake("unknown word", words.line_of(key), f"{whose}: {key!r} means nothing here", remedy)
        elif not skills.is_known(word, known[key]):
            yield mistake("unknown word", words.line_of(key), f"{whose}: {key} cannot be {word!r}",
                          _remedy(word, known[key]))  # fmt: skip


def _remedy(word: Any, known: tuple[Any, ...] | type) -> str:
    if isinstance(known, tuple):
        return nearest(str(word), known, f"the words are {', '.join(known)}")
    return "write true or false" if known is bool else "write a text"
