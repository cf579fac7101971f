"""What the tags of a saved page say: what is its main part, what is furniture, what is a heading."""

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import takewhile
from typing import NamedTuple

Attributes = Mapping[str, "str | None"]

_NEVER_READ = frozenset(("script", "style", "head", "svg", "template", "noscript", "iframe", "select", "textarea"))
_FURNITURE = frozenset(("nav", "footer", "dialog"))
_ROLES = frozenset(("navigation", "contentinfo", "search", "dialog", "alertdialog", "complementary", "menu", "menubar"))
_CONTAINERS = frozenset(("div", "section", "ul", "ol", "aside", "p"))
# Whole names of classes, or their last part: `page-sidebar` is one, `has-sidebar` says something of what it is around.
_CLASSES = re.compile(
    r"(?!(?:.*[-_])?(?:has|with|no|without)[-_])(?:.*[-_])?(?:breadcrumbs?|sidebar|navbar|nav|cookies?|pagination|"
    r"share|social|comments|related|votes|toc|more-questions|recirculation|recent-articles|related-articles)",
    re.I,
)
_HEADINGS = {**{f"h{level}": level for level in range(1, 7)}, "summary": 7, "dt": 7, "legend": 7, "caption": 8}
_UNFOLDS = ("aria-expanded", "aria-controls", "data-toggle", "data-bs-toggle")
_UNFOLDING = 7  # the level of what unfolds its answer
_BOLD_STYLE = re.compile(r"font-weight\s*:\s*(?:bold|[6-9]00)", re.I)
_ASKED = re.compile(r"^[QP]\s*[:.)].*\?\s*$")


class Run(NamedTuple):
    """Some words with the same looks; `within`: they lead to another place of the same page."""

    text: str
    bold: bool = False
    within: bool = False


class Region:
    """Whether the parser is inside an element: from its tag to the end of it, whatever is unclosed in between."""

    def __init__(self) -> None:
        self._tag: str | None = None
        self._depth = 0

    @property
    def inside(self) -> bool:
        """Whether the element is open."""
        return self._tag is not None

    def start(self, tag: str, begins: bool) -> None:
        """A tag; `begins` says whether its element is such a region."""
        if self._tag is None and begins:
            self._tag, self._depth = tag, 1
        elif tag == self._tag:
            self._depth += 1

    def end(self, tag: str) -> None:
        if tag == self._tag:
            self._depth -= 1
            if not self._depth:
                self.leave()

    def leave(self) -> None:
        """Whatever is open ends here."""
        self._tag = None


def is_main(tag: str, named: Attributes) -> bool:
    """Whether an element is what the page is about."""
    return tag in ("main", "article") or named.get("role") == "main"


def is_clutter(tag: str, named: Attributes, in_main: bool, with_forms: bool) -> bool:
    """Whether an element is nothing that the page says; some pages stand in a form as a whole."""
    if tag in _NEVER_READ or (tag == "form" and not with_forms):
        return True
    if tag in ("body", "html", "main", "article"):
        return False
    role = named.get("role") or ""
    if tag in _FURNITURE or role in _ROLES or (not in_main and (tag == "header" or role == "banner")):
        return True
    classes = f"{named.get('class') or ''} {named.get('id') or ''}".split()
    return tag in _CONTAINERS and any(_CLASSES.fullmatch(name) for name in classes)


def heading_level(tag: str, named: Attributes) -> int | None:
    """1 to 8 for what is a heading by its tag, its role, or because it unfolds what stands below it."""
    if tag in _HEADINGS:
        return _HEADINGS[tag]
    if named.get("role") == "heading":
        level = named.get("aria-level") or ""
        return int(level) if level in ("1", "2", "3", "4", "5", "6") else _UNFOLDING
    if tag in ("a", "button", "div", "p") and (named.get("role") == "tab" or any(name in named for name in _UNFOLDS)):
        return _UNFOLDING
    return None


def spanned(named: Attributes) -> bool:
    """Whether a span makes its words bold."""
    return bool(_BOLD_STYLE.search(named.get("style") or ""))


def lead(runs: Sequence[Run]) -> str:
    """The bold words that a paragraph begins with, "" where it begins otherwise."""
    return "".join(run.text for run in takewhile(lambda run: run.bold or not run.text.strip(), runs)).strip()


def paragraphs(runs: Sequence[Run]) -> Iterator[list[Run]]:
    """The paragraphs of words between two tags: an empty line ends one, a question in bold or "Q: ...?" begins one."""
    part: list[Run] = []
    for line in _lines(runs):
        words = "".join(run.text for run in line).strip()
        bold = lead(line)
        if part and (not words or bold == words or bold.endswith("?") or _ASKED.match(words)):
            yield part
            part = []
        if words:
            part += [*([Run("\n")] if part else ()), *line]
    if part:
        yield part


def _lines(runs: Sequence[Run]) -> Iterator[list[Run]]:
    line: list[Run] = []
    for run in runs:
        first, *others = run.text.split("\n")
        line.append(run._replace(text=first))
        for other in others:
            yield line
            line = [run._replace(text=other)]
    yield line
