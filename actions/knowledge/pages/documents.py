"""The shop's pages (files.py), read and checked: Markdown, text or saved HTML (page_reading.py) cut into sections.

A section is a heading with its text: the smallest thing that is found and quoted. Two improvements are possible and
none is needed: a comment `<!-- asked as ... -->` below a heading lists, one a line, how customers ask for it, and
`lexicon.yml` beside the pages tells how customers' words are read. Neither is ever shown.
"""

import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

import yaml_files
from actions.knowledge.pages.files import (
    HTML,
    KnowledgeError,
    NotReadableError,
    kind_of,
    name_of,
    page_paths,
    read_text,
)
from actions.knowledge.pages.page_reading import Block, read_blocks

_FRONT_MATTER = re.compile(r"\A---\n(.*?)\n---\n", re.S)
_SITE = re.compile(r"\s+[|–—-]\s+")  # between a saved page's title and the site's name
LEXICON = "lexicon.yml"


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
    """One policy page: its name is the file's below the folder, without its ending."""

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
    paths = page_paths(folder)
    if not paths:
        raise KnowledgeError(f"{folder}: no policy pages (*.md, *.html, *.txt) found. Put at least one there.")
    named: dict[str, Path] = {}
    for path in paths:
        first = named.setdefault(name_of(path, folder).casefold(), path)
        if first != path:
            raise KnowledgeError(f"{path.relative_to(folder)}: has the name of {first.name}. Rename or remove one.")
    version = version_of(folder)
    return PolicyPages(tuple(read_page(path, folder) for path in paths), _read_lexicon(folder / LEXICON), version)


def examine(folder: Path) -> tuple[dict[Path, Page], list[tuple[Path, str]]]:
    """The pages that can be used, by file, and for all else that is wrong the file and its KnowledgeError's message."""
    pages: dict[Path, Page] = {}
    mistakes: list[tuple[Path, str]] = []
    try:
        paths = page_paths(folder)
    except KnowledgeError as error:
        return {}, [(folder, str(error))]
    for path in paths:
        try:
            pages[path] = read_page(path, folder)
        except KnowledgeError as error:
            mistakes.append((path, str(error)))
    if not mistakes:
        try:
            load_pages(folder)
        except KnowledgeError as error:
            mistakes.append((folder / str(error).partition(": ")[0], str(error)))
    return pages, mistakes


def page_files(folder: Path) -> list[Path]:
    """Every file that the answers depend on: the pages and what stands beside them. Raises KnowledgeError."""
    return sorted([*page_paths(folder), *(path for path in folder.glob("*.yml") if path.is_file())])


def version_of(folder: Path) -> str:
    """Hash over names and bytes of all pages: equal exactly when nothing changed."""
    digest = hashlib.sha256()
    for path in page_files(folder):
        digest.update(str(path.relative_to(folder)).encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()


def read_page(path: Path, folder: Path | None = None) -> Page:
    """One page from its file, named by its place below `folder` (default: the file's own). Raises KnowledgeError."""
    text, kind = read_text(path), kind_of(path)
    front, body = ({}, text) if kind == HTML else _front_matter(path, text)
    if kind != HTML and body.count("<!--") > body.count("-->"):
        raise KnowledgeError(f"{path.name}: a comment is not closed. End it with '-->'.")
    try:
        blocks, html_title = read_blocks(body, kind)
    except NotReadableError as problem:
        raise KnowledgeError(f"{path.name}: {problem}") from None
    name = name_of(path, folder or path.parent)
    title, blocks = _titled(str(front.get("title") or "").strip(), html_title or _words_of(path.stem), blocks)
    sections = tuple(_sections(name, title, blocks))
    if not sections:
        raise KnowledgeError(f"{path.name}: is empty. Write its text or remove the file.")
    return Page(name, title, sections)


def _front_matter(path: Path, text: str) -> tuple[dict[str, object], str]:
    """The lines between two '---' at the very beginning, when there are any; a page needs none."""
    found = _FRONT_MATTER.match(text)
    if found is None:
        return {}, text
    try:
        front = yaml_files.parsed(found.group(1))
    except yaml.YAMLError as error:
        raise KnowledgeError(f"{path.name}: the front matter is not valid YAML ({_one_line(error)}).") from None
    return (front, text[found.end() :]) if isinstance(front, dict) else ({}, text)


def _words_of(stem: str) -> str:
    """A file's name as a title; the number that a help centre puts before it is left out."""
    return re.sub(r"^\d{6,}[-_]", "", stem).replace("_", " ").replace("-", " ")


def _titled(title: str, otherwise: str, blocks: list[Block]) -> tuple[str, list[Block]]:
    """The page's title, and its blocks named by it where they have no heading of their own."""
    opening, *headed = blocks
    top = headed[0] if headed else None
    highest = top is not None and all(block.level > top.level for block in headed[1:]) and len(headed) > 1
    title = title or (top.heading if top and (highest or top.level == 1) else _SITE.split(otherwise)[0])
    opening.heading = title
    return title, blocks


def _sections(page: str, title: str, blocks: list[Block]) -> Iterator[Section]:
    """A section for every heading with text; of two with the same heading the later one gets a number."""
    taken: dict[str, int] = {}
    for block in blocks:
        if block.sentences:
            heading, times = block.heading, taken.get(block.heading.lower(), 0) + 1
            while times > 1 and (heading := f"{block.heading} ({times})").lower() in taken:
                times += 1
            taken[block.heading.lower()] = times
            taken.setdefault(heading.lower(), 1)
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
        parts = yaml_files.words(path)
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise KnowledgeError(f"{path.name}: not valid YAML ({_one_line(error)}).") from None
    if not isinstance(parts, dict):
        raise KnowledgeError(f"{path.name}: must be lines of 'name:' with the content below.")
    return parts


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())[:160]
