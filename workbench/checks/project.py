"""The designers' YAML files, read with their line numbers; what cannot be read is a finding."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from workbench.checks import yaml_lines
from workbench.checks.findings import Finding, nearest
from workbench.checks.yaml_lines import Block
from workbench.nlu.phrases import PROJECT_ROOT

# What may stand at the top of which files; Rasa passes over a section that it does not know.
_SECTIONS = {
    "data": ("version", "nlu", "rules", "stories", "escalation", "follow_ups"),
    "tests": ("version", "nlu", "stories"),
    "domain.yml": (
        "version", "session_config", "intents", "topics", "entities", "slots", "forms", "responses", "actions",
        "e2e_actions", "config",
    ),
}  # fmt: skip


@dataclass(frozen=True)
class Entry:
    """One rule, story or block of phrases, and the file that it is from (as people name it)."""

    file: str
    block: Block

    def place(self, line: int | None = None) -> str:
        """Where it is, or where one of its lines is."""
        return f"{self.file}:{self.block.line if line is None else line}"

    def wrong(self, kind: str, line: int, problem: str, remedy: str) -> Finding:
        """What must be corrected on one of its lines."""
        return Finding(kind, self.place(line), problem, remedy)


@dataclass(frozen=True)
class Project:
    """Everything that designers write. A file that is not valid YAML is left out and stands in `findings`."""

    root: Path
    domain: Block
    rules: tuple[Entry, ...] = ()
    stories: tuple[Entry, ...] = ()
    phrases: tuple[Entry, ...] = ()
    findings: tuple[Finding, ...] = ()

    def names(self, section: str) -> list[str]:
        """Intents, entities, slots, forms, responses or actions of the domain."""
        content = self.domain.get(section)
        if isinstance(content, Block):
            return list(content)
        return [next(iter(item)) if isinstance(item, Block) else str(item) for item in content or []]

    def section(self, name: str) -> Block:
        """A section of the domain that is made of named parts; empty when it is not there."""
        content = self.domain.get(name)
        return content if isinstance(content, Block) else empty_block()


@dataclass
class _Reading:
    root: Path
    findings: list[Finding] = field(default_factory=list)

    def file(self, path: Path, sections: tuple[str, ...]) -> Block:
        """The file's content; empty when it cannot be read."""
        try:
            content = yaml_lines.read(path)
        except yaml_lines.YamlMistake as mistake:
            self._found("not YAML", path, mistake.line, str(mistake), _REMEDY_YAML)
            return empty_block()
        except OSError as error:
            self._found("not there", path, 1, error.strerror or "cannot be read", "restore it from the repository")
            return empty_block()
        if not isinstance(content, Block):
            self._found("not YAML", path, 1, "the file has no sections", f"begin it with one of {', '.join(sections)}")
            return empty_block()
        for name in content:
            if name not in sections:
                remedy = nearest(name, sections, f"the sections are {', '.join(sections)}")
                self._found("unknown section", path, content.line_of(name), f"{name!r} is not a section", remedy)
        for block, key in _written_twice(content):
            self._found("written twice", path, block.line_of(key), f"{key!r} is here twice; only the last counts",
                        "put them together under one name, or rename one")  # fmt: skip
        return content

    def entries(self, path: Path, content: Block, section: str) -> Iterator[Entry]:
        """The mappings in a section; anything else there is a finding."""
        found = content.get(section)
        if found is not None and not isinstance(found, list):
            self._found("wrong indentation", path, content.line_of(section), f"{section} is not a list", _REMEDY_DASH)
            return
        for item in found or []:
            if isinstance(item, Block):
                yield Entry(self.shown(path), item)
            else:
                self._found("wrong indentation", path, content.line_of(section), f"{str(item)[:60]!r} in {section} "
                            "has no name", _REMEDY_DASH)  # fmt: skip

    def shown(self, path: Path) -> str:
        return str(path.relative_to(self.root))

    def _found(self, kind: str, path: Path, line: int, problem: str, remedy: str) -> None:
        self.findings.append(Finding(kind, f"{self.shown(path)}:{line}", problem, remedy))


_REMEDY_YAML = (
    "look at this line and the one above: same depth as its neighbours, spaces instead of tabs, a text with : or # in "
    '"quotes"'
)
_REMEDY_DASH = "begin every entry with `- ` at the depth of its neighbours"


# What the policy answers are made with is not Rasa's, though it lies beside it.
_NOT_RASAS = frozenset(("policy_topics", "shops", "hinglish_words.yml"))


def read_project(root: Path = PROJECT_ROOT) -> Project:
    """Read domain.yml, data/ and tests/ of a project folder."""
    reading = _Reading(root)
    domain = reading.file(root / "domain.yml", _SECTIONS["domain.yml"])
    rules: list[Entry] = []
    stories: list[Entry] = []
    phrases: list[Entry] = []
    paths = [*sorted((root / "data").rglob("*.yml")), *sorted((root / "tests" / "stories").rglob("*.yml")),
             *sorted((root / "tests" / "nlu").rglob("*.yml"))]  # fmt: skip
    paths = [path for path in paths if not _NOT_RASAS & set(path.relative_to(root).parts)]
    for path in paths:
        if path.parent.name == "order_numbers":
            continue  # examples of another form (`settings_checks`)
        content = reading.file(path, _SECTIONS[path.relative_to(root).parts[0]])
        rules += reading.entries(path, content, "rules")
        stories += reading.entries(path, content, "stories")
        phrases += reading.entries(path, content, "nlu")
    return Project(root, domain, tuple(rules), tuple(stories), tuple(phrases), tuple(reading.findings))


def read_shops_phrases(folder: Path, domain: Block) -> Project:
    """The phrases that a shop adds in data/nlu of its folder, beside the project's domain."""
    reading = _Reading(folder)
    phrases: list[Entry] = []
    for path in sorted((folder / "data" / "nlu").rglob("*.yml")):
        phrases += reading.entries(path, reading.file(path, ("version", "nlu")), "nlu")
    return Project(folder, domain, phrases=tuple(phrases), findings=tuple(reading.findings))


def _written_twice(value: Any) -> Iterator[tuple[Block, str]]:
    if isinstance(value, Block):
        yield from ((value, key) for key in value.twice)
    for part in value.values() if isinstance(value, Block) else value if isinstance(value, list) else ():
        yield from _written_twice(part)


def empty_block() -> Block:
    """A mapping with nothing in it, for what cannot be read."""
    block = Block()
    block.line, block.lines, block.twice = 1, {}, []
    return block
