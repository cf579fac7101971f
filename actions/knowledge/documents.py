"""The designers' policy pages, read and checked.

A page is a Markdown file with front matter (title, owner, updated, optional summary). Each `## heading` opens a section
and a section is what is found and quoted. A comment `<!-- asked as ... -->` below a heading lists, one a line, how
customers ask for it; it helps finding and is never shown. Beside the pages, `not_covered.yml` lists questions that they
do not answer, and `lexicon.yml` how customers' words are read.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import yaml

_FRONT_MATTER = re.compile(r"\A---\n(.*?)\n---\n", re.S)
_HEADING = re.compile(r"^## +(.+?)\s*$", re.M)
_ASKED_AS = re.compile(r"<!--\s*asked as\b:?(.*?)-->", re.S | re.I)
_COMMENT = re.compile(r"<!--.*?-->", re.S)
_SENTENCE_END = re.compile(r"(?<=[.!?])\s+(?=[\"“A-Z0-9₹])")
NOT_COVERED = "not_covered.yml"
LEXICON = "lexicon.yml"


class KnowledgeError(Exception):
    """The pages cannot be used. The message names the file and the remedy."""


@dataclass(frozen=True)
class Section:
    """One heading of a page with its text: the smallest thing that is found and quoted."""

    page: str
    page_title: str
    heading: str
    text: str
    sentences: tuple[str, ...]
    asked_as: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        """Stable name of the section across pages."""
        return f"{self.page}#{self.heading}"


@dataclass(frozen=True)
class Page:
    """One policy page: its name is the file's without `.md`."""

    name: str
    title: str
    owner: str
    updated: date
    summary: str
    sections: tuple[Section, ...]


@dataclass(frozen=True)
class Lexicon:
    """How customers' words are read: Hindi in Latin script and other words to plain ones, names of wares to "item"."""

    hinglish: Mapping[str, str]
    same_as: Mapping[str, str]
    wares: frozenset[str]


@dataclass(frozen=True)
class PolicyPages:
    """All pages as they were at one moment; `version` changes with any byte of any file."""

    pages: tuple[Page, ...]
    not_covered: tuple[str, ...]
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
    pages = tuple(read_page(path) for path in paths)
    version = version_of(folder)
    return PolicyPages(pages, _read_not_covered(folder / NOT_COVERED), _read_lexicon(folder / LEXICON), version)


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
        text = path.read_text(encoding="utf-8").replace("\r\n", "\n")
    except UnicodeDecodeError:
        raise KnowledgeError(f"{path.name}: is not UTF-8 text. Save it as UTF-8.") from None
    front, body = _front_matter(path, text)
    title = _required(path, front, "title")
    sections = tuple(_sections(path, title, body))
    return Page(
        path.stem, title, _required(path, front, "owner"), _updated(path, front),
        str(front.get("summary") or ""), sections,
    )


def _front_matter(path: Path, text: str) -> tuple[dict[str, object], str]:
    found = _FRONT_MATTER.match(text)
    if found is None:
        raise KnowledgeError(
            f"{path.name}: no front matter. Start the file with '---', then title, owner and updated, then '---'."
        )
    try:
        front = yaml.safe_load(found.group(1))
    except yaml.YAMLError as error:
        raise KnowledgeError(f"{path.name}: the front matter is not valid YAML ({_one_line(error)}).") from None
    if not isinstance(front, dict):
        raise KnowledgeError(f"{path.name}: the front matter must be lines of 'name: value'.")
    return front, text[found.end() :]


def _required(path: Path, front: dict[str, object], name: str) -> str:
    value = str(front.get(name) or "").strip()
    if not value:
        raise KnowledgeError(f"{path.name}: the front matter has no '{name}'. Add a line '{name}: ...'.")
    return value


def _updated(path: Path, front: dict[str, object]) -> date:
    value = front.get("updated")
    if not isinstance(value, date):
        raise KnowledgeError(f"{path.name}: 'updated' must be a date such as 2026-11-02, not {value!r}.")
    return value


def _sections(path: Path, title: str, body: str) -> list[Section]:
    headings = list(_HEADING.finditer(body))
    if not headings:
        raise KnowledgeError(f"{path.name}: no sections. Give each topic a line '## Heading' and its text below.")
    sections: list[Section] = []
    for heading, following in zip(headings, [*headings[1:], None], strict=True):
        name = heading.group(1)
        if any(name.lower() == other.heading.lower() for other in sections):
            raise KnowledgeError(f"{path.name}: two sections are called '{name}'. Rename one of them.")
        end = following.start() if following else len(body)
        sections.append(_section(path, title, name, body[heading.end() : end]))
    return sections


def _section(path: Path, title: str, heading: str, body: str) -> Section:
    asked = [line.strip(" -*\t") for block in _ASKED_AS.findall(body) for line in block.splitlines()]
    text = _COMMENT.sub("", body)
    if "<!--" in text:
        raise KnowledgeError(f"{path.name}: a comment in '{heading}' is not closed. End it with '-->'.")
    sentences = tuple(split_sentences(text))
    if not sentences:
        raise KnowledgeError(f"{path.name}: the section '{heading}' is empty. Write its text or remove the heading.")
    return Section(path.stem, title, heading, " ".join(sentences), sentences, tuple(line for line in asked if line))


def split_sentences(text: str) -> list[str]:
    """Sentences of Markdown prose without list marks and emphasis, white space collapsed. A list item is a sentence."""
    sentences: list[str] = []
    for block in re.split(r"\n\s*\n|\n(?=\s*(?:[-*]|\d+\.)\s)", text):
        plain = re.sub(r"^\s*(?:[-*]|\d+\.)\s+|[*_]{2}|^#+\s*", "", block.strip(), flags=re.M)
        plain = " ".join(plain.split())
        sentences += [part for part in _SENTENCE_END.split(plain) if part]
    return sentences


def _read_not_covered(path: Path) -> tuple[str, ...]:
    topics = _read_yaml(path)
    if not all(isinstance(lines, list) for lines in topics.values()):
        raise KnowledgeError(f"{path.name}: write it as 'topic:' followed by lines '- question'.")
    return tuple(str(line) for lines in topics.values() for line in lines)


def _read_lexicon(path: Path) -> Lexicon:
    parts = _read_yaml(path)
    wares = parts.get("wares", "")
    if not isinstance(wares, str):
        raise KnowledgeError(f"{path.name}: write 'wares: >-' and below it the words, with spaces between them.")
    hinglish, same_as = _readings(path, parts, "hinglish"), _readings(path, parts, "same_as")
    return Lexicon(hinglish, same_as, frozenset(wares.lower().split()))


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
