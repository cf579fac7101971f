"""A page as a shop has it, cut into headings with the sentences below them: Markdown, plain text or saved HTML.

Markdown is rendered to HTML and all HTML is read by one parser. A heading is a heading of any level, and also what only
looks like one: a line in bold, a question alone on its line, a summary or a defined term. A table is read row by row
with its headings as sentences ("Germany — Return fee: €4,90; Refund after arrival: 5 days").
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from itertools import takewhile

from markdown_it import MarkdownIt

_MARKDOWN = MarkdownIt("commonmark", {"html": True}).enable("table").disable("code")
# "1. Costs" over a line of dashes is a heading in people's eyes, and a list item in Markdown's.
_NUMBERED_HEADING = re.compile(r"^(\d{1,2}[.)] .+)\n(?:-{3,}|={3,})[ ]*$", re.M)
_ASKED_AS = re.compile(r"\s*asked as\b:?(.*)", re.S | re.I)
_SENTENCE_END = re.compile(r"(?<=[.!?।…])[\"”»)]?\s+(?=[\"“«(¿¡]?[^\Wa-zà-öø-ÿ_]|[₹$€£])")
_SHORTENED = re.compile(
    r"\b(?:e\.g|i\.e|p\. ?ej|ex|approx|aprox|máx|mín|max|min|nº|núm|av|art|sra?|dra?|mrs?|ms|etc|St)\.$", re.I
)
_MARKS = re.compile(r"^(?:[QAPR]\s*[:.)]|[-*•–]\s|\d+[.)]\s)\s*")
_QUOTED_ANSWER = re.compile(r"^(?:A|R|Ans(?:wer)?|Resp(?:uesta|osta)?)\s*[:.)]\s+")
_UNREAD = frozenset(("script", "style", "nav", "header", "footer", "head", "form", "svg", "template", "noscript"))
_BLOCKS = frozenset(("p", "div", "section", "article", "main", "blockquote", "pre", "ul", "ol", "dl", "details", "body",
                     "html", "dd", "aside", "figure", "figcaption", "tbody", "thead", "button", "label", "hr"))
_HEADINGS = {**{f"h{level}": level for level in range(1, 7)}, "summary": 7, "dt": 7, "legend": 7, "caption": 8}
_BOLD = frozenset(("strong", "b"))
_LOOKS_LIKE_HEADING = 7  # the level of what is a heading by its looks
_MAX_HEADING_CHARS = 120
_MAX_LIST_CHARS = 320  # characters of a list that is read as one sentence with its opening words


@dataclass
class Block:
    """What stands under one heading: its sentences, and how customers ask where the page says it."""

    heading: str
    level: int
    above: tuple[str, ...] = ()
    sentences: list[str] = field(default_factory=list)
    asked_as: list[str] = field(default_factory=list)


def read_blocks(text: str) -> list[Block]:
    """The blocks of a page in reading order. The first has no heading (""), level 0; any may be without sentences."""
    saved_html = re.match(r"\s*(?:<!--.*?-->\s*)*<(?!!--)", text, re.S) and not re.search(r"^#{1,6} ", text, re.M)
    reader = _Reader()
    reader.feed(text if saved_html else _MARKDOWN.render(_NUMBERED_HEADING.sub(r"## \1\n", text)))
    reader.close()
    reader.end_block()
    return reader.blocks


def split_sentences(text: str) -> list[str]:
    """Sentences of prose, white space collapsed; a blank line or a list item ends one."""
    sentences: list[str] = []
    for part in re.split(r"\n\s*\n|\n(?=\s*(?:[-*•]|\d+\.)\s)", text):
        plain = " ".join(re.sub(r"^\s*(?:[-*•]|\d+\.)\s+|[*_]{2}", "", part.strip(), flags=re.M).split())
        whole = ""
        for piece in _SENTENCE_END.split(plain):
            whole = f"{whole} {piece}".strip()
            if whole and not _SHORTENED.search(whole):
                sentences.append(whole)
                whole = ""
        sentences += [whole] if whole else []
    return sentences


class _Reader(HTMLParser):
    """Collects blocks. Unclosed and stray tags, as saved pages have them, do no harm."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.blocks = [Block("", 0)]
        self._runs: list[tuple[bool, str]] = []  # (bold, text) of the paragraph that is being read
        self._bold = self._unread = 0
        self._in: str | None = None  # the heading's tag, "li", "td" or "th" that is being read
        self._items: list[list[str]] = []  # of the lists that are open
        self._table: list[list[str]] = []
        self._row: list[str] = []
        self._header_row = False
        self._link: str | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _UNREAD:
            self._unread += 1
        elif tag in _BOLD:
            self._bold += 1
        elif tag == "br":
            self._runs.append((bool(self._bold), "\n"))
        elif tag == "a":
            self._link = dict(attrs).get("href")
        elif tag in ("td", "th"):
            self.end_block()
            self._in = tag
            self._header_row |= tag == "th" and not self._table
        elif tag == "tr":
            self._end_row()
        elif tag == "table":
            self.end_block()
            self._table = []
        elif tag in ("ul", "ol"):
            self.end_block()
            self._items.append([])
        elif tag in _HEADINGS or tag == "li" or tag in _BLOCKS:
            self.end_block()
            self._in = tag if tag in _HEADINGS or tag == "li" else self._in if self._in in ("td", "th", "li") else None

    def handle_endtag(self, tag: str) -> None:
        if tag in _UNREAD:
            self._unread = max(0, self._unread - 1)
        elif tag in _BOLD:
            self._bold = max(0, self._bold - 1)
        elif tag == "a":
            text = self._runs[-1][1] if self._runs else ""
            if self._link and self._link.startswith(("http://", "https://")) and self._link.split("//")[1] not in text:
                self._runs.append((bool(self._bold), f" ({self._link})"))
            self._link = None
        elif tag in ("td", "th") or tag in _HEADINGS or tag == "li":
            self.end_block()
            self._in = None
        elif tag == "tr":
            self._end_row()
        elif tag == "table":
            self._end_row()
            self._end_table()
        elif tag in ("ul", "ol") and self._items:
            self.end_block()
            self._end_list(self._items.pop())
        elif tag in _BLOCKS:
            self.end_block()

    def handle_data(self, data: str) -> None:
        if not self._unread and (data.strip() or self._runs):
            self._runs.append((bool(self._bold), data))

    def handle_comment(self, data: str) -> None:
        asked = _ASKED_AS.match(data)
        if asked:
            self.end_block()
            lines = (line.strip(" -*\t") for line in asked[1].splitlines())
            self.blocks[-1].asked_as += [line for line in lines if line]

    def end_block(self) -> None:
        """Put away the words read since the last block began, as what they are."""
        runs, self._runs = self._runs, []
        text = "".join(part for _, part in runs).strip()
        if not text:
            if self._in in ("td", "th"):
                self._row.append("")
        elif self._in in ("td", "th"):
            self._row.append(_one_line(text))
        elif self._in in _HEADINGS:
            self._open(_one_line(text), _HEADINGS[self._in])
        elif self._in == "li" and self._items:
            self._items[-1] += split_sentences(_one_line(text))
        else:
            self._paragraph(text, runs)

    def _open(self, heading: str, level: int) -> None:
        above = [block for block in self.blocks if block.heading]
        parents: list[Block] = []
        for block in reversed(above):
            if block.level < (parents[-1].level if parents else level):
                parents.append(block)
        names = tuple(block.heading for block in reversed(parents))
        self.blocks.append(Block(heading.strip("*_# "), level, names))

    def _paragraph(self, text: str, runs: list[tuple[bool, str]]) -> None:
        lead = "".join(part for _, part in takewhile(lambda run: run[0] or not run[1].strip(), runs)).strip()
        rest = text[len(lead) :] if lead and text.startswith(lead) else text
        first, _, below = text.partition("\n")
        if lead and len(lead) <= _MAX_HEADING_CHARS and (not rest.strip() or "\n" in rest[:2] or lead.endswith("?")):
            self._open(_MARKS.sub("", _one_line(lead)).rstrip(":"), _LOOKS_LIKE_HEADING)
            text = rest
        elif len(first) <= _MAX_HEADING_CHARS and _alone(first, below):
            self._open(_MARKS.sub("", _one_line(first)).rstrip(":"), _LOOKS_LIKE_HEADING)
            text = below
        text = _QUOTED_ANSWER.sub("", text.strip())
        self.blocks[-1].sentences += split_sentences(re.sub(r"\n(?!\s*(?:[-*•]|\d+\.)\s)", " ", text))

    def _end_list(self, items: list[str]) -> None:
        """A list; short items that complete a sentence ("Not returnable:") are read with it."""
        if self._items:
            self._items[-1] += items
            return
        sentences = self.blocks[-1].sentences
        if sentences and sentences[-1].endswith(":") and items:
            lead = sentences.pop()
            whole = f"{lead} {'; '.join(item.rstrip('.;,') for item in items)}."
            items = [whole] if len(whole) <= _MAX_LIST_CHARS else [f"{lead} {item}" for item in items]
        sentences += items

    def _end_row(self) -> None:
        self.end_block()
        self._in = None
        if self._row:
            if not self._table and not self._header_row:
                self._table.append([])  # a table without headings
            self._table.append(self._row)
        self._row, self._header_row = [], False

    def _end_table(self) -> None:
        rows, self._table = self._table, []
        header, *body = rows or [[]]
        self.blocks[-1].sentences += [row for cells in body if (row := as_sentence(header, cells))]


def as_sentence(header: list[str], cells: list[str]) -> str:
    """A row of a table in words: its first cell, then each other cell with its column's heading."""
    label, *values = cells or [""]
    names = [*header[1:], *[""] * len(values)]
    parts = [f"{name}: {value}" if name else value for name, value in zip(names, values, strict=False) if value]
    return " — ".join(part for part in (label, "; ".join(parts)) if part)


def cells_of(sentence: str) -> Iterator[tuple[str, str, str]]:
    """(row's label, column's heading, value) of each cell of a sentence that `as_sentence` wrote; none of others."""
    label, dash, rest = sentence.partition(" — ")
    if dash:
        for part in rest.split("; "):
            name, colon, value = part.partition(": ")
            yield label, name if colon else "", value if colon else part


def _alone(first: str, below: str) -> bool:
    """Whether a line is a heading by its looks: a question with its answer below, or all in capitals."""
    letters = [letter for letter in first if letter.isalpha()]
    asks = first.rstrip().endswith("?") and (bool(below.strip()) or len(first.split()) <= 14)
    shouts = len(letters) > 3 and first.isupper() and not first.rstrip().endswith((".", "!"))
    return asks or shouts


def _one_line(text: str) -> str:
    return " ".join(text.split())
