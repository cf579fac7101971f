"""The shop's pages, read and checked: plain Markdown, text or saved HTML (page_reading.py) cut into sections.

A section is a heading with its text: the smallest thing that is found and quoted. Two improvements are possible and
none is needed: a comment `<!-- asked as ... -->` below a heading lists, one a line, how customers ask for it, and
`lexicon.yml` beside the pages tells how customers' words are read. Neither is ever shown.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from actions.knowledge.pages.page_reading import Block, read_blocks

_FRONT_MATTER = re.compile(r"\A---\n(.*?)\n---\n", re.S)
LEXICON = "lexicon.yml"
MAX_PAGE_MB = 1


class KnowledgeError(Exception):
    """The pages cannot be used. The message names the file and the remedy."""


@dataclass(frozen=True)
class Section:
    """One heading of a page with its text; `above` are the headings that it stands under, the page's title left out."""

    page: str
    page_title: str
    heading: str
    text: str
    sentences: tuple[str, ...]
    asked_as: tuple[str, ...] = ()
    above: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        """Name of the section across pages, the same from one start to the next."""
        return f"{self.page}#{self.heading}"


@dataclass(frozen=True)
class Page:
    """One policy page: its name is the file's without `.md`."""

    name: str
    title: str
    sections: tuple[Section, ...]


@dataclass(frozen=True)
class Lexicon:
    """How customers' words are read: Hindi in Latin script and other words to the pages' own ones."""

    hinglish: Mapping[str, str]
    same_as: Mapping[str, str]


@dataclass(frozen=True)
class PolicyPages:
    """All pages as they were at one moment; `version` changes with any byte of any file."""

    pages: tuple[Page, ...]
    lexicon: Lexicon
    version: str

    @property
    def sections(self) -> tuple[Section, ...]:
        """Every section, pages in the order of their names."""
        return tuple(section for page in self.pages for section in page.sections)


def load_pages(folder: Path) -> PolicyPages:
    """Read and check every page of `folder`. Raises KnowledgeError for the first mistake, naming file and remedy."""
    paths = sorted(folder.glob("*.md"))
    if not paths:
        raise KnowledgeError(f"{folder}: no policy pages (*.md) found. Put at least one there.")
    version = version_of(folder)
    return PolicyPages(tuple(read_page(path) for path in paths), _read_lexicon(folder / LEXICON), version)


def examine(folder: Path) -> tuple[list[Page], list[tuple[Path, str]]]:
    """The pages that can be used, and for all else that is wrong the file and the message of its KnowledgeError."""
    pages: list[Page] = []
    mistakes: list[tuple[Path, str]] = []
    for path in sorted(folder.glob("*.md")):
        try:
            pages.append(read_page(path))
        except KnowledgeError as error:
            mistakes.append((path, str(error)))
    if not mistakes:
        try:
            load_pages(folder)
        except KnowledgeError as error:
            mistakes.append((folder / Path(str(error).partition(": ")[0]).name, str(error)))
    return pages, mistakes


def version_of(folder: Path) -> str:
    """Hash over names and bytes of all pages: equal exactly when nothing changed."""
    digest = hashlib.sha256()
    for path in sorted([*folder.glob("*.md"), *folder.glob("*.yml")]):
        if path.is_file():
            digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()


def read_page(path: Path) -> Page:
    """One page from its file. Raises KnowledgeError."""
    try:
        megabytes = path.stat().st_size / 1_000_000
        if megabytes > MAX_PAGE_MB:
            raise KnowledgeError(f"{path.name}: has {megabytes:.1f} MB, at most {MAX_PAGE_MB}. Split it.")
        text = path.read_text(encoding="utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError:
        raise KnowledgeError(f"{path.name}: is not UTF-8 text. Save it as UTF-8.") from None
    except OSError as error:
        raise KnowledgeError(f"{path.name}: cannot be read ({error.strerror}). Correct its permissions.") from None
    front, body = _front_matter(path, text)
    if body.count("<!--") > body.count("-->"):
        raise KnowledgeError(f"{path.name}: a comment is not closed. End it with '-->'.")
    blocks = read_blocks(body)
    title, blocks = _titled(str(front.get("title") or "").strip(), path.stem, blocks)
    sections = tuple(_sections(path.stem, title, blocks))
    if not sections:
        raise KnowledgeError(f"{path.name}: is empty. Write its text or remove the file.")
    return Page(path.stem, title, sections)


def _front_matter(path: Path, text: str) -> tuple[dict[str, object], str]:
    """The lines between two '---' at the very beginning, when there are any; a page needs none."""
    found = _FRONT_MATTER.match(text)
    if found is None:
        return {}, text
    try:
        front = yaml.safe_load(found.group(1))
    except yaml.YAMLError as error:
        raise KnowledgeError(f"{path.name}: the front matter is not valid YAML ({_one_line(error)}).") from None
    return (front, text[found.end() :]) if isinstance(front, dict) else ({}, text)


def _titled(title: str, stem: str, blocks: list[Block]) -> tuple[str, list[Block]]:
    """The page's title, and its blocks named by it where they have no heading of their own."""
    opening, *headed = blocks
    top = headed[0] if headed else None
    highest = top is not None and all(block.level > top.level for block in headed[1:]) and len(headed) > 1
    title = title or (top.heading if top and (highest or top.level == 1) else stem.replace("_", " ").replace("-", " "))
    opening.heading = title
    return title, blocks


def _sections(page: str, title: str, blocks: list[Block]) -> Iterator[Section]:
    """A section for every heading with text; of two with the same heading the later one gets a number."""
    taken: set[str] = set()
    for block in blocks:
        if block.sentences:
            heading, times = block.heading, 1
            while heading.lower() in taken:
                times += 1
                heading = f"{block.heading} ({times})"
            taken.add(heading.lower())
            above = tuple(name for name in block.above if name != title)
            text = " ".join(block.sentences)
            yield Section(page, title, heading, text, tuple(block.sentences), tuple(block.asked_as), above)


def _read_lexicon(path: Path) -> Lexicon:
    parts = _read_yaml(path)
    return Lexicon(_readings(path, parts, "hinglish"), _readings(path, parts, "same_as"))


def _readings(path: Path, parts: dict[str, Any], name: str) -> dict[str, str]:
    readings = parts.get(name, {})
    if not isinstance(readings, dict) or not all(isinstance(meaning, str) for meaning in readings.values()):
        raise KnowledgeError(f"{path.name}: write '{name}:' and below it lines 'their words: our words'.")
    return {words.lower(): meaning.lower() for words, meaning in readings.items()}


def _read_yaml(path: Path) -> dict[str, Any]:
    """A file of named parts, {} when there is none. All values are text: "on" and "no" are words here, not booleans."""
    if not path.exists():
        return {}
    try:
        parts = yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.BaseLoader)  # noqa: S506 (text only: safe)
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise KnowledgeError(f"{path.name}: not valid YAML ({_one_line(error)}).") from None
    if not isinstance(parts, dict):
        raise KnowledgeError(f"{path.name}: must be lines of 'name:' with the content below.")
    return parts


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())[:160]
