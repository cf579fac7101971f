"""The shop's pages: what of them cannot be read, how the others were cut into sections, and what nobody would find."""

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from actions.knowledge.pages import documents
from actions.knowledge.pages.documents import Page, Section, read_page
from actions.knowledge.pages.files import is_page
from actions.knowledge.pages.topics import load_topics
from actions.knowledge.retrieval.coverage import coverage
from actions.knowledge.retrieval.retriever import Finding
from launch.new_shop import TEMPLATE
from workbench.shop_check.findings import INFORMATION, WARNING, ShopFinding, of_message, shown

FOLDER = "policy_kb"
MAX_SECTION_CHARS = 3000
_MAX_NAMED = 12
_NOT_FILLED = re.compile(  # "todo" is a word of Spanish
    r"\{\{[^{}\n]{1,60}\}\}|\[(?:insert|your|company|shop|store)\b[^\[\]\n]{0,60}\](?!\()|lorem ipsum|(?-i:\bTODO\b)",
    re.IGNORECASE,
)


def page_findings(folder: Path) -> tuple[dict[Path, Page], list[ShopFinding]]:
    """The pages that can be read, by file, and what is wrong with them and the others."""
    pages, found = _read(folder)
    found += [*_not_read(folder), *_alike(pages.values())]
    found += [one for path, page in pages.items() for one in _of_page(folder, path, page)]
    return pages, found


def _read(folder: Path) -> tuple[dict[Path, Page], list[ShopFinding]]:
    pages, mistakes = documents.examine(folder / FOLDER)
    found = [of_message("pages", folder, path, message) for path, message in mistakes]
    sections = sum(len(page.sections) for page in pages.values())
    if pages:
        cut = ", ".join(f"{page.name} into {len(page.sections)}" for page in list(pages.values())[:_MAX_NAMED])
        more = f" and {len(pages) - _MAX_NAMED} more" if len(pages) > _MAX_NAMED else ""
        found.append(ShopFinding(INFORMATION, "pages", f"{FOLDER}/",
                                 f"{len(pages)} pages were cut into {sections} sections: {cut}{more}",
                                 count=sections))  # fmt: skip
    return pages, found


def _not_read(folder: Path) -> Iterator[ShopFinding]:
    """Files among the pages that are none, and folders named as if they were."""
    for path in sorted((folder / FOLDER).rglob("*")):
        below = path.relative_to(folder / FOLDER).parts
        if path.is_dir() and is_page(path):
            yield ShopFinding(WARNING, "pages", shown(folder, path), "this is a folder, though named as a page",
                              "another name for it: the pages in it are read all the same")  # fmt: skip
        beside = path.suffix == ".yml" and len(below) == 1
        if path.is_file() and not (is_page(path) or beside or any(_is_no_page(part) for part in below)):
            yield ShopFinding(WARNING, "pages", shown(folder, path), "this is not a page and is not read",
                              "save its words as Markdown (.md), plain text (.txt) or HTML (.html)")  # fmt: skip


def _is_no_page(name: str) -> bool:
    """Whether a file or a folder is left out without a word: hidden, or what a browser saves beside a page."""
    return name.startswith((".", "__", "~")) or name.endswith("_files")


def _of_page(folder: Path, path: Path, page: Page) -> Iterator[ShopFinding]:
    where = shown(folder, path)
    if (TEMPLATE / FOLDER / path.name).is_file() and read_page(TEMPLATE / FOLDER / path.name) == page:
        yield ShopFinding(WARNING, "pages", where, "this is still the example that a new shop begins with: its prices "
                          "and places are nobody's", "your own words in it, or remove it")  # fmt: skip
    if len(page.sections) == 1 and page.sections[0].heading == page.title:
        yield ShopFinding(WARNING, "pages", where, "the page has no headings, so all of it is one section",
                          "a heading (## ..., in plain text a short line alone) above each topic: a section is what is "
                          "found and quoted")  # fmt: skip
    for section in page.sections:
        if left := _NOT_FILLED.search(section.text):
            yield ShopFinding(WARNING, "pages", f"{where}#{section.heading}",
                              f"'{left.group()[:40]}' has not been filled in, and customers would be told it",
                              "what is meant in its place")  # fmt: skip
        if len(section.text) > MAX_SECTION_CHARS:
            yield ShopFinding(WARNING, "pages", f"{where}#{section.heading}",
                              f"the section has {len(section.text)} characters; what it says is found badly",
                              f"split it with headings into parts below {MAX_SECTION_CHARS}",
                              len(section.text))  # fmt: skip


def _alike(pages: Iterable[Page]) -> Iterator[ShopFinding]:
    """Sections that say the same, and sections of one name: which of them is quoted is chance."""
    by_text: dict[str, list[Section]] = defaultdict(list)
    by_heading: dict[str, list[Section]] = defaultdict(list)
    for page in pages:
        for section in page.sections:
            by_text[_plain(section.text)].append(section)
            heading = _plain(section.heading.rpartition(" (")[0] if section.heading.endswith(")") else section.heading)
            by_heading[f"{page.name}#{heading}"].append(section)
    for same in by_text.values():
        if len(same) > 1:
            yield _one_of(same, "say the same", "keep one of them", WARNING)
    for same in by_heading.values():
        if len(same) > 1 and len({_plain(section.text) for section in same}) > 1:
            yield _one_of(same, "are on one page under one heading", "say in each heading what it is about", WARNING)


def _one_of(same: list[Section], problem: str, remedy: str, level: str) -> ShopFinding:
    first, *others = same
    names = ", ".join(section.key for section in others[:_MAX_NAMED])
    return ShopFinding(level, "pages", f"{FOLDER}/{first.key}",
                       f"it and {names} {problem}: two sections alike", remedy, len(same))  # fmt: skip


def _plain(text: str) -> str:
    return " ".join("".join(c if c.isalnum() else " " for c in text.casefold()).split())


def topic_findings(find: Callable[[str], Finding]) -> Iterator[ShopFinding]:
    """What customers of shops usually ask and no page answers. A hint, no mistake."""
    covered = list(coverage(load_topics(), find))
    missing = [topic.about for topic, key in covered if not key]
    if missing:
        yield ShopFinding(
            INFORMATION, "topics", f"{FOLDER}/",
            f"{len(covered) - len(missing)} of {len(covered)} usual topics are answered; customers also ask about: "
            f"{'; '.join(missing)}",
            "a section for those that matter to you; the others are refused and a person is offered", len(missing),
        )  # fmt: skip
