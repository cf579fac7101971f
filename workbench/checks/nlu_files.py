"""NLU files: blocks and lines that Rasa would pass over in silence, and names that the domain does not know."""

import re
from collections.abc import Iterator

from workbench.checks.findings import Finding, nearest
from workbench.checks.project import Entry, Project

_KEYS = ("intent", "examples", "metadata", "synonym", "lookup", "regex")
_ENTITY = re.compile(r"\[[^\]]+\](?:\(([^)]*)\)|\{[^}]*\"entity\"\s*:\s*\"([^\"]+)\"[^}]*\})")


def phrase_findings(project: Project) -> list[Finding]:
    """Everything wrong with the form of data/nlu and tests/nlu."""
    return [one for entry in project.phrases for one in _block(project, entry)]


def _block(project: Project, entry: Entry) -> Iterator[Finding]:
    block = entry.block
    for key in block:
        if key not in _KEYS:
            remedy = nearest(key, _KEYS, "indent phrases deeper than `examples: |`")
            yield entry.wrong("wrong indentation", block.line_of(key), f"{key!r} means nothing here", remedy)
    intent = block.get("intent")
    if intent is None:
        if not {"synonym", "lookup", "regex"} & set(block):
            yield entry.wrong("no intent", block.line, "these phrases have no intent", "begin with `- intent: …`")
        return
    if intent not in project.names("intents"):
        remedy = nearest(str(intent), project.names("intents"), "add it under `intents` in domain.yml")
        yield entry.wrong("unknown intent", block.line_of("intent"), f"domain.yml has no intent {intent}", remedy)
    examples = block.get("examples")
    if not isinstance(examples, str) or not examples.strip():
        remedy = "write `examples: |` (with the stroke) and below it, deeper, lines that begin with `- `"
        yield entry.wrong("wrong indentation", block.line_of("examples"), f"{intent} has no phrases here", remedy)
        return
    for number, line in enumerate(examples.splitlines(), start=block.line_of("examples") + 1):
        yield from _phrase(project, entry, number, line)


def _phrase(project: Project, entry: Entry, number: int, line: str) -> Iterator[Finding]:
    if not line.strip():
        return
    if not re.match(r"- \s*\S", line):
        yield entry.wrong("wrong indentation", number, f'"{line.strip()[:60]}" is not read as a phrase',
                          "begin it with `- ` at the depth of its neighbours")  # fmt: skip
    for found in _ENTITY.finditer(line):
        entity = (found[1] or found[2] or "").split(":")[0]
        if entity not in project.names("entities"):
            remedy = nearest(entity, project.names("entities"), "take the mark away, or add it to domain.yml")
            yield entry.wrong("unknown entity", number, f"domain.yml has no entity {entity}", remedy)
