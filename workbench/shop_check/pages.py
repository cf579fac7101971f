"""The shop's pages: what of them cannot be read, how the others were cut into sections, and what nobody would find."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from actions.knowledge.pages import documents
from actions.knowledge.pages.documents import Page, Section
from actions.knowledge.pages.topics import load_topics
from actions.knowledge.retrieval.coverage import coverage
from actions.knowledge.retrieval.retriever import Finding
from workbench.shop_check.findings import ERROR, INFORMATION, WARNING, ShopFinding, of_message

FOLDER = "policy_kb"
MAX_SECTION_CHARS = 3000  # characters
_MAX_NAMED = 12
_ALSO_TEXT = (".html", ".htm", ".txt", ".markdown")
_NOT_PAGES = (".md", ".yml")


def page_findings(folder: Path) -> tuple[tuple[Section, ...] | None, list[ShopFinding]]:
    """The sections of all pages (None while a page cannot be used), and what is wrong with them."""
    pages, found = _read(folder)
    found += [*_not_read(folder), *(one for page in pages for one in _of_page(page)), *_alike(pages)]
    if any(one.level == ERROR for one in found):
        return None, found
    return tuple(section for page in pages for section in page.sections), found


def _read(folder: Path) -> tuple[list[Page], list[ShopFinding]]:
    pages, mistakes = documents.examine(folder / FOLDER)
    if not list((folder / FOLDER).glob("*.md")):
        remedy = f"put at least one page there, as {FOLDER}/returns.md"
        return [], [ShopFinding(ERROR, "pages", f"{FOLDER}/", "there are no pages (*.md)", remedy)]
    found = [of_message("pages", folder, path, message) for path, message in mistakes]
    sections = sum(len(page.sections) for page in pages)
    cut = ", ".join(f"{page.name} into {len(page.sections)}" for page in pages[:_MAX_NAMED])
    more = f" and {len(pages) - _MAX_NAMED} more" if len(pages) > _MAX_NAMED else ""
    if pages:
        found.append(ShopFinding(INFORMATION, "pages", f"{FOLDER}/",
                                 f"{len(pages)} pages were cut into {sections} sections: {cut}{more}",
                                 count=sections))  # fmt: skip
    return pages, found


def _not_read(folder: Path) -> Iterator[ShopFinding]:
    """Files among the pages that are none."""
    for path in sorted((folder / FOLDER).glob("*")):
        if path.is_dir():
            if any(path.rglob("*.md")):
                yield ShopFinding(WARNING, "pages", f"{FOLDER}/{path.name}/", "pages in folders below are not read",
                                  f"move them into {FOLDER}/")  # fmt: skip
        elif path.suffix.lower() in _ALSO_TEXT or (path.suffix.lower() == ".md" and path.suffix != ".md"):
            yield ShopFinding(WARNING, "pages", f"{FOLDER}/{path.name}", "only files that end in .md are read",
                              f"rename it to {path.stem}.md; HTML and plain text may stay inside as they are")
        elif path.suffix not in _NOT_PAGES and not path.name.startswith("."):
            yield ShopFinding(WARNING, "pages", f"{FOLDER}/{path.name}", "this is no page and is not read",
                              "save its text as Markdown, plain text or HTML in a file that ends in .md")  # fmt: skip


def _of_page(page: Page) -> Iterator[ShopFinding]:
    where = f"{FOLDER}/{page.name}.md"
    if len(page.sections) == 1 and page.sections[0].heading == page.title:
        yield ShopFinding(WARNING, "pages", where, "the page has no headings, so all of it is one section",
                          "a heading (## ...) above each topic: a section is what is found and quoted")  # fmt: skip
    for section in page.sections:
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
            yield _one_of(same, "stand on one page under one heading", "say in each heading what it is about", WARNING)


def _one_of(same: list[Section], problem: str, remedy: str, level: str) -> ShopFinding:
    first, *others = same
    names = ", ".join(section.key for section in others[:_MAX_NAMED])
    return ShopFinding(level, "pages", f"{FOLDER}/{first.page}.md#{first.heading}",
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
