"""A page as a shop has it, cut into headings with the sentences below them: Markdown, plain text or saved HTML.

Markdown is rendered to HTML and all HTML is read by one parser. A heading is a heading of any level, and also what only
looks like one: a line in bold, a question alone on its line, a summary, a defined term, a button that unfolds its
answer. Of a saved page its main part is read where it names one, never its scripts, navigation and forms.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from html.parser import HTMLParser

from markdown_it import MarkdownIt

from actions.knowledge.pages.files import HTML, MARKDOWN, MAX_PAGE_MB, NotReadableError
from actions.knowledge.pages.markup import Region, Run, heading_level, is_clutter, is_main, lead, paragraphs, spanned
from actions.knowledge.pages.plain_text import stands_alone, with_headings
from actions.knowledge.pages.sentences import add_items, one_line, split_sentences
from actions.knowledge.pages.tables import Cell, Table

_MARKDOWN = MarkdownIt("commonmark", {"html": True}).enable("table").disable("code")
# "1. Costs" over a line of dashes is a heading in people's eyes, and a list item in Markdown's.
_NUMBERED_HEADING = re.compile(r"^(\d{1,2}[.)] .+)\n(?:-{3,}|={3,})[ ]*$", re.M)
_SAVED = re.compile(r"\s*(?:<!--.*?-->\s*)*<(?!!--)", re.S)
_MARKED_SECTION = re.compile(r"<!\[(?!CDATA\[)[^>]*>")  # Word's; the parser gives up at some
_NAMES_MAIN = re.compile(r"<(?:main|article)\b|\brole=[\"']?main\b", re.I)
_ASKED_AS = re.compile(r"\s*asked as\b:?(.*)", re.S | re.I)
_MARKS = re.compile(r"^(?:[QAPR]\s*[:.)]|[-*•·–]\s|\d+[.)]\s)\s*")
_QUOTED_ANSWER = re.compile(r"^(?:A|R|Ans(?:wer)?|Resp(?:uesta|osta)?)\s*[:.)]\s+")
_BLOCKS = frozenset(("p", "div", "section", "article", "main", "blockquote", "pre", "ul", "ol", "dl", "details", "body",
                     "html", "dd", "aside", "figure", "figcaption", "button", "label", "hr", "header"))
_INSIDE_HEADINGS = frozenset(("div", "button", "label", "p"))
_BOLD = frozenset(("strong", "b"))
_LOOKS_LIKE_HEADING = 7  # the level of what is a heading by its looks
_MAX_HEADING_CHARS = 120


@dataclass
class Block:
    """What stands under one heading: its sentences, and how customers ask where the page says it."""

    heading: str
    level: int
    above: tuple[str, ...] = ()
    sentences: list[str] = field(default_factory=list)
    asked_as: list[str] = field(default_factory=list)


def read_blocks(text: str, kind: str = MARKDOWN) -> tuple[list[Block], str]:
    """The blocks of a page in reading order, and its <title>. The first has no heading (""), level 0.

    Any may be without sentences. Raises NotReadableError.
    """
    saved = _SAVED.match(text) and not re.search(r"^#{1,6} ", text, re.M)
    if kind != HTML and not saved:
        return _read(_MARKDOWN.render(_NUMBERED_HEADING.sub(r"## \1\n", with_headings(text))), _Reader())
    text = _MARKED_SECTION.sub("", text)
    main = [_Reader(html=True, only_main=True)] if _NAMES_MAIN.search(text) else []
    for reader in (*main, _Reader(html=True), _Reader(html=True, with_forms=True)):
        blocks, title = _read(text, reader)
        if any(block.sentences for block in blocks):
            break
    return blocks, title


def _read(html: str, reader: _Reader) -> tuple[list[Block], str]:
    try:
        reader.feed(html)
        reader.close()
    except AssertionError:  # the parser's, at some of what is no HTML
        raise NotReadableError("is no HTML that can be read. Save the page anew, or its words.") from None
    reader.end_block()
    return reader.blocks, " ".join(reader.title.split())


class _Reader(HTMLParser):
    """Collects blocks. Unclosed and stray tags, as saved pages have them, do no harm."""

    def __init__(self, html: bool = False, only_main: bool = False, with_forms: bool = False) -> None:
        super().__init__(convert_charrefs=True)
        self.blocks = [Block("", 0)]
        self._above: list[Block] = []  # the headings that the next one may stand under
        self.title = ""
        self._lines_count = not html  # a line break in Markdown's text is one; in HTML's it is a blank
        self._only_main, self._with_forms = only_main, with_forms
        self._main, self._unread, self._title, self._pre = Region(), Region(), Region(), Region()
        self._runs: list[Run] = []  # of the paragraph that is being read
        self._bold = 0
        self._spans: list[bool] = []  # whether each open span is bold
        self._heading: tuple[str, int] | None = None  # the tag and the level of the heading that is being read
        self._item = False
        self._items: list[list[str]] = []  # of the lists that are open
        self._table: Table | None = None
        self._cell: Cell | None = None
        self._cell_runs: list[Run] = []
        self._link: str | None = None
        self._said = 0  # characters

    @property
    def _reading(self) -> bool:
        return not self._unread.inside and (self._main.inside or not self._only_main)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        named = dict(attrs)
        if tag == "body":
            self._unread.leave()
        self._title.start(tag, tag == "title" and not self.title)
        self._main.start(tag, is_main(tag, named))
        self._unread.start(tag, is_clutter(tag, named, self._main.inside, self._with_forms))
        if not self._reading:
            return
        self._pre.start(tag, tag == "pre")
        level = heading_level(tag, named)
        if tag in _BOLD:
            self._bold += 1
        elif tag == "span":
            self._spans.append(spanned(named))
        elif tag == "br":
            self._say("\n")
        elif tag == "a" and level is None:
            self._link = named.get("href")
        elif tag in ("table", "thead", "tbody", "tr", "td", "th"):
            self._start_of_table(tag, named)
        elif self._cell is not None and (level is None or level > 3):
            self._say(" ")
        elif tag in ("ul", "ol"):
            self.end_block()
            self._heading = None
            self._items.append([])
        elif level is not None and not (self._heading and tag not in ("h1", "h2", "h3", "h4", "h5", "h6")):
            self._end_table()  # it only laid the page out
            self.end_block()
            self._heading, self._item = (tag, level), False
        elif tag == "li":
            self.end_block()
            self._heading, self._item = None, True
        elif tag in _BLOCKS and not (self._heading and tag in _INSIDE_HEADINGS):
            self.end_block()
            self._heading = None

    def handle_endtag(self, tag: str) -> None:
        reading = self._reading
        if tag in ("main", "article"):
            self.end_block()
        for region in (self._title, self._main, self._unread, self._pre):
            region.end(tag)
        if not reading:
            return
        if tag in _BOLD:
            self._bold = max(0, self._bold - 1)
        elif tag == "span" and self._spans:
            self._spans.pop()
        elif tag == "a" and not (self._heading and self._heading[0] == "a"):
            self._end_link()
        elif self._heading and tag == self._heading[0]:
            self.end_block()
            self._heading = None
        elif tag in ("td", "th", "tr", "thead", "table"):
            self._end_of_table(tag)
        elif self._cell is not None:
            self._say(" ")
        elif tag == "li":
            self.end_block()
            self._item = False
        elif tag in ("ul", "ol") and self._items:
            self.end_block()
            self._end_list(self._items.pop())
        elif tag in _BLOCKS and not self._heading:
            self.end_block()

    def handle_data(self, data: str) -> None:
        if self._title.inside:
            self.title += data
        elif self._reading:
            self._say(data if self._lines_count or self._pre.inside else re.sub(r"\s+", " ", data))

    def handle_comment(self, data: str) -> None:
        asked = _ASKED_AS.match(data)
        if asked:
            self.end_block()
            lines = (line.strip(" -*\t") for line in asked[1].splitlines())
            self.blocks[-1].asked_as += [line for line in lines if line]

    def _say(self, text: str) -> None:
        runs = self._runs if self._cell is None else self._cell_runs
        self._said += len(text)
        if self._said > MAX_PAGE_MB * 1_000_000:
            raise NotReadableError(f"has more than {MAX_PAGE_MB} MB of text. Split it.")
        if text.strip() or runs:
            within = bool(self._link and self._link.startswith("#"))
            runs.append(Run(text, bool(self._bold or any(self._spans)), within))

    def _end_link(self) -> None:
        link, runs = self._link or "", self._runs if self._cell is None else self._cell_runs
        self._link = None
        text = runs[-1].text if runs else ""
        if link.startswith(("http://", "https://")) and link.split("//")[1] not in text:
            self._say(f" ({link})")

    def end_block(self) -> None:
        """Put away the words read since the last block began, as what they are."""
        runs, self._runs = self._runs, []
        text = "".join(run.text for run in runs).strip()
        if not text or (not self._heading and all(run.within or not run.text.strip() for run in runs)):
            return  # nothing, or only a link to another place of the page
        if self._heading:
            self._open(one_line(text), self._heading[1])
            return
        for part in paragraphs(runs):
            question = lead(part)
            if self._item and self._items and not question.endswith("?"):
                self._items[-1] += split_sentences(one_line("".join(run.text for run in part)))
            else:
                self._leave_lists()
                self._paragraph("".join(run.text for run in part).strip(), question)

    def _leave_lists(self) -> None:
        self.blocks[-1].sentences += [item for items in self._items for item in items]
        self._items = [[] for _ in self._items]

    def _open(self, heading: str, level: int) -> None:
        self._leave_lists()
        while self._above and self._above[-1].level >= level:
            self._above.pop()
        names = tuple(block.heading for block in self._above if block.heading)
        self.blocks.append(Block(heading.strip("*_# "), level, names))
        self._above.append(self.blocks[-1])

    def _paragraph(self, text: str, lead: str) -> None:
        rest = text[len(lead) :] if lead and text.startswith(lead) else text
        first, _, below = text.partition("\n")
        if lead and len(lead) <= _MAX_HEADING_CHARS and (not rest.strip() or "\n" in rest[:2] or lead.endswith("?")):
            self._open(_MARKS.sub("", one_line(lead)).rstrip(":"), _LOOKS_LIKE_HEADING)
            text = rest
        elif len(first) <= _MAX_HEADING_CHARS and stands_alone(first, below):
            self._open(_MARKS.sub("", one_line(first)).rstrip(":"), _LOOKS_LIKE_HEADING)
            text = below
        text = _QUOTED_ANSWER.sub("", text.strip())
        self.blocks[-1].sentences += split_sentences(re.sub(r"\n(?!\s*(?:[-*•]|\d+\.)\s)", " ", text))

    def _end_list(self, items: list[str]) -> None:
        if self._items:
            self._items[-1] += items
        else:
            add_items(self.blocks[-1].sentences, items)

    def _start_of_table(self, tag: str, named: dict[str, str | None]) -> None:
        if tag == "table":
            self._end_table()
            self.end_block()
            self._table = None if named.get("role") in ("presentation", "none") else Table()
        elif self._table is None:
            self.end_block()
        else:
            self._end_cell()
            if tag in ("td", "th"):
                self.end_block()
                columns, rows = (int(span) if (span := named.get(name) or "").isdecimal() else 1
                                 for name in ("colspan", "rowspan"))  # fmt: skip
                self._cell = Cell("", tag == "th", False, columns, rows)
            elif tag == "tr":
                self._table.end_row()
            elif tag == "thead":
                self._table.begin_head()
            else:
                self._table.end_head()

    def _end_of_table(self, tag: str) -> None:
        self._end_cell()
        if tag == "table":
            self._end_table()
        elif self._table is None:
            self.end_block()
        elif tag in ("tr", "thead"):
            self._table.end_row()
            if tag == "thead":
                self._table.end_head()

    def _end_cell(self) -> None:
        cell, runs = self._cell, self._cell_runs
        self._cell, self._cell_runs = None, []
        if cell is not None and self._table is not None:
            bold = all(run.bold or not run.text.strip() for run in runs)
            text = one_line("".join(run.text for run in runs))
            self._table.add(Cell(text, cell.names, bold, cell.columns, cell.rows))

    def _end_table(self) -> None:
        """Also where another table or a heading shows that this one only lays the page out."""
        self._end_cell()
        table, self._table = self._table, None
        if table:
            self._leave_lists()
            self.blocks[-1].sentences += table.sentences()
