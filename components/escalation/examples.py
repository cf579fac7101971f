"""The examples that reasons for a person are taught by, as designers write them.

    escalation:                              in data/escalation/<reason>.yml or data/escalation/<language>/<reason>.yml
    - reason: refund_request                 a reason, or none: nobody is needed
      intents: [request_refund]              optional: all phrases of these intents in data/nlu are examples, too
      examples: |
        - give me my money back

A message under a reason counts as that whatever the intent of the same phrase in data/nlu says.
"""

import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

import yaml_files
from components.conversation.examples import Mistake, read_follow_ups
from components.text.classifier import Example

ROOT = Path(__file__).resolve().parents[2]
FOLDER = Path("data") / "escalation"
REASONS = ("complaint", "refund_request", "human_requested", "frustration")
NONE = "none"
_KEYS = ("reason", "intents", "examples")
# Calm phrases are many: only a share of them is learnt from; of those that follow something with the weight of two.
_EVERY, _EVERY_FOLLOWING, _WEIGHT_FOLLOWING = 2, 3, 2.0
_ANNOTATION = re.compile(r"\[([^\]]+)\][({][^)}]*[)}]")


class EscalationDataError(ValueError):
    """The examples cannot be used; the message names file, line and remedy."""


@dataclass(frozen=True)
class Labelled:
    """A message, its reason (or none), and where it stands."""

    text: str
    reason: str
    file: Path
    line: int


def read_folder(root: Path = ROOT) -> tuple[list[Labelled], dict[str, str], list[Mistake]]:
    """The messages in order of files, the reason of whole intents, and what is wrong with the files."""
    messages: list[Labelled] = []
    intents: dict[str, str] = {}
    mistakes: list[Mistake] = []
    for path in sorted((root / FOLDER).rglob("*.yml")):
        for found in _read(path):
            if isinstance(found, Mistake):
                mistakes.append(found)
            elif isinstance(found, Labelled):
                messages.append(found)
            else:
                intents |= found
    first: dict[str, Labelled] = {}
    for message in messages:
        other = first.setdefault(message.text, message)
        if other.reason != message.reason:
            problem = f'"{message.text}" is {message.reason} here and {other.reason} in {other.file.name}:{other.line}'
            mistakes.append(Mistake(message.file, message.line, problem, "keep it in one of them"))
    return messages, intents, mistakes


def training_examples(root: Path = ROOT) -> list[Example]:
    """What the learner is fitted on. Raises EscalationDataError for the first mistake."""
    messages, intents, mistakes = read_folder(root)
    for mistake in mistakes[:1]:
        place = f"{mistake.file.relative_to(root)}:{mistake.line}"
        raise EscalationDataError(f"{place}: {mistake.problem}. Remedy: {mistake.remedy}.")
    if not messages:
        raise EscalationDataError(f"{FOLDER} has no examples. Remedy: restore it from the repository.")
    found = {message.text: Example(message.text, message.reason) for message in messages}
    for intent, text, follows in _phrases(root):
        reason = intents.get(intent)
        if not reason or text in found:
            continue
        if reason != NONE:
            found[text] = Example(text, reason)
        elif _drawn(text, _EVERY_FOLLOWING if follows else _EVERY):
            found[text] = Example(text, NONE, _WEIGHT_FOLLOWING if follows else 1.0)
    return list(found.values())


def _drawn(text: str, every: int) -> bool:
    """Whether a text is among one in `every`: by its digest, so that no other text changes it."""
    return hashlib.sha256(text.encode()).digest()[0] % every == 0


def examples_in(source: str, path: Path) -> list[Labelled]:
    """The messages of one file's text, in order. Raises yaml.YAMLError."""
    return [found for found in _blocks(source, path) if isinstance(found, Labelled)]


def _read(path: Path) -> Iterator[Labelled | Mistake | dict[str, str]]:
    try:
        yield from _blocks(path.read_text(encoding="utf-8"), path)
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        mark = getattr(error, "problem_mark", None)
        yield Mistake(path, mark.line + 1 if mark else 1, "this is not valid YAML", "indent it as its neighbours")


def _blocks(source: str, path: Path) -> Iterator[Labelled | Mistake | dict[str, str]]:
    content = yaml_files.parsed(source)
    blocks = content.get("escalation") if isinstance(content, Mapping) else None
    if not isinstance(blocks, list):
        yield Mistake(path, 1, "there is no list `escalation`", "begin the file with `escalation:`, as its neighbours")
        return
    rows = enumerate(source.splitlines(), start=1)
    for block in blocks:
        yield from _block(block, rows, path)


def _block(block: Any, rows: Iterator[tuple[int, str]], path: Path) -> Iterator[Labelled | Mistake | dict[str, str]]:
    number = next((number for number, row in rows if row.startswith("- ")), 1)
    reason = block.get("reason") if isinstance(block, Mapping) else None
    unknown = sorted(set(map(str, block)) - set(_KEYS)) if isinstance(block, Mapping) else []
    if reason not in (*REASONS, NONE):
        yield Mistake(
            path, number, f"{reason!r} is not a reason", f"write `- reason:` and {', '.join(REASONS)} or none"
        )
        return
    if unknown:
        yield Mistake(path, number, f"{unknown[0]!r} is not known", f"write one of {', '.join(_KEYS)}")
    yield dict.fromkeys(block.get("intents") or [], reason)
    for example in str(block.get("examples") or "").splitlines():
        if not example.strip():
            continue
        number = next((number for number, row in rows if row.strip() == example.strip()), number)
        if example.startswith("- "):
            yield Labelled(example[2:].strip(), reason, path, number)
        else:
            yield Mistake(path, number, f'"{example.strip()[:60]}" is not read', "begin it with `- `")


def _phrases(root: Path) -> Iterator[tuple[str, str, bool]]:
    """Intent and phrase of all training phrases, without entity marks, and whether it follows something."""
    for path in sorted((root / "data" / "nlu").rglob("*.yml")):
        content = yaml_files.read(path)
        for block in content.get("nlu") or []:
            for line in str(block.get("examples") or "").splitlines():
                if line.startswith("- ") and block.get("intent"):
                    yield block["intent"], _ANNOTATION.sub(r"\1", line[2:]).strip(), False
    for one in read_follow_ups(root)[0]:
        yield one.intent, one.text, True
