"""An agent's words as WhatsApp shows them: Markdown and HTML become its own notation, and nothing is lost.

Helpdesks hand a comment on as Markdown, as HTML, or as both in one text. WhatsApp knows *bold*, _italic_, ~struck~,
`code` and lines that begin with "- ", "1. " or "> "; what it does not know becomes plain text, a link its text and its
address. Words that are in WhatsApp's notation already pass unchanged. The mail below an answer that was sent by e-mail
is left out (quoted_mail.py).
"""

import re
from collections.abc import Callable, Sequence
from functools import partial
from html.parser import HTMLParser

from handoff.helpdesks.agent_markdown import LINES, MARK_OF, PARAGRAPHS, PREFORMATTED, UNSEEN, as_fence, markdown
from handoff.helpdesks.quoted_mail import html_without_history, is_mail_quote, without_history

# Characters that no text holds (Unicode's noncharacters) stand for what is decided at the end.
_OPEN, _CLOSE = {"*": "\ufdd0", "_": "\ufdd1", "~": "\ufdd2"}, {"*": "\ufdd3", "_": "\ufdd4", "~": "\ufdd5"}
_BLANK, _ADDRESS_BEGINS, _ADDRESS_ENDS = "\ufdd6", "\ufdd7", "\ufdd8"
_STAR, _NEWLINE, _CELL = "\ufdd9", "\ufdda", "\ufddb"
_OURS = re.compile("[\ufdd0-\ufddb]")
_AS_SHOWN = str.maketrans({_BLANK: " ", _STAR: "*", _NEWLINE: "\n", _CELL: " | "})
_MARKS = re.compile("[\ufdd0-\ufdd5]")

_NESTED = ("div", "blockquote")  # what a quoted mail is counted by
_IS_HTML = re.compile(r"\s*<(?:p|div|ul|ol|table|h[1-6]|html|!doctype)\b", re.IGNORECASE)
# Only the helpdesks' own: what stands between an agent's words may be a customer's, and we fetch it.
_PASTED = re.compile(r"^https://[\w-]+\.(?:zendesk\.com/attachments/token/|freshdesk\.com/inline/attachment\?)")
_BARE_ADDRESS = re.compile(r"<(https?://[^\s<>\"]+)>|https?://[^\s<>\"')\]]+")
_AFTER_ADDRESS = re.compile(r"[*_~.,;:!?]+$")
# Between digits and inside words a star is what it looks like: 5*3, 2**8, a*b.
_NO_MARK = re.compile(r"(?<=\d)\*{1,2}(?=\d)|(?<=[^\W_])\*(?=[^\W_])")
_LEADS_ON = re.compile(r"(?:https?|mailto|tel|sms|geo|whatsapp):|" + _ADDRESS_BEGINS, re.IGNORECASE)


def whatsapp_words(text: str) -> str:
    """What an agent wrote, in WhatsApp's notation."""
    return words_and_pictures(text)[0]


def words_and_pictures(text: str) -> tuple[str, tuple[str, ...]]:
    """The same without the pictures that the agent pasted into it, and where the helpdesk keeps those."""
    text = html_without_history(_OURS.sub("", text))
    parts = PREFORMATTED.split(text)
    if _IS_HTML.match(text):
        parts[::2] = (re.sub(r"\s*\n\s*", " ", part) for part in parts[::2])  # between its tags a line break is a blank
    parts[1::2] = map(as_fence, parts[1::2])
    text = "".join(parts)
    addresses: list[str] = []

    def kept(match: re.Match[str]) -> str:
        after = None if match[1] else _AFTER_ADDRESS.search(match[0])
        address = match[1] or (match[0][: after.start()] if after else match[0])
        if address not in addresses:
            addresses.append(address)
        return f"{_ADDRESS_BEGINS}{addresses.index(address)}{_ADDRESS_ENDS}{after[0] if after else ''}"

    # Stars and underscores in an address are not formatting.
    guarded = _NO_MARK.sub(lambda stars: _STAR * len(stars[0]), _BARE_ADDRESS.sub(kept, text))
    words = _Words([address.replace("&amp;", "&") for address in addresses])
    words.feed(markdown(_ADDRESS_BEGINS).render(guarded))
    words.close()
    return without_history(words.text()), tuple(words.pictures)


class _Words(HTMLParser):
    """Collects the words. `_open` holds the elements that have something to do at their end, with their beginning."""

    def __init__(self, addresses: Sequence[str]) -> None:
        super().__init__(convert_charrefs=True)
        self._addresses = addresses
        self._pieces: list[str] = []
        self.pictures: list[str] = []
        self._open: list[tuple[str, int, Callable[[str], str]]] = []
        self._lists: list[int | None] = []  # the next number of each list around; None: bullets
        self._unseen = self._verbatim = 0
        self._quoted: list[str] = []  # the elements open inside a quoted mail, itself first
        self._row_begun = False

    def text(self) -> str:
        """All that was fed."""
        while self._open:
            self._end_last()
        text = "".join(self._pieces)
        for mark in "*_~":  # WhatsApp reads marks only at the borders of words
            pair = re.compile(rf"(?<!\w){_OPEN[mark]}([^\n{_OPEN[mark]}{_CLOSE[mark]}]+){_CLOSE[mark]}(?!\w)")
            text = pair.sub(rf"{mark}\1{mark}", text)
        lines = [line.strip(" \t") for line in _MARKS.sub("", text).split("\n")]
        return self._with_addresses(re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip().translate(_AS_SHOWN))

    def _with_addresses(self, text: str) -> str:
        number = re.compile(rf"{_ADDRESS_BEGINS}(\d+){_ADDRESS_ENDS}(?=([\w{_ADDRESS_BEGINS}])?)")
        return number.sub(lambda match: self._addresses[int(match[1])] + (" " if match[2] else ""), text)

    def handle_data(self, data: str) -> None:
        if self._unseen or self._quoted:
            return
        if self._verbatim:
            self._pieces.append(data.replace("\t", "    ").replace(" ", _BLANK).replace("\n", _NEWLINE))
            return
        data = re.sub(r"[ \t\n\r\f]+", " ", data).replace("\xa0", " ")
        at_start = not self._pieces or self._pieces[-1].endswith((" ", "\n", _BLANK, _CELL))
        data = data.lstrip(" ") if at_start else data
        if data:
            self._pieces.append(data)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if self._quoted or is_mail_quote(tag, given):
            self._quoted += [tag] if tag in _NESTED else []
        elif tag in UNSEEN:
            self._unseen += 1
        elif tag == "br":
            self._pieces.append("\n")
        elif tag == "img" and _PASTED.search(link := self._with_addresses(given.get("src", ""))):
            self.pictures.append(link)
        elif tag == "img":
            self.handle_data(" ".join(part for part in (given.get("alt", ""), _address(given.get("src", ""))) if part))
        elif tag in ("td", "th"):
            if self._row_begun:
                self._pieces[-1] = self._pieces[-1].rstrip(" ")
                self._pieces.append(_CELL)
            self._row_begun = True
        else:
            self._begin(tag, given)

    def _begin(self, tag: str, given: dict[str, str]) -> None:
        self._break(tag)
        if tag == "hr":
            self._pieces.append("———\n")
        elif tag in ("ul", "ol"):
            start = given.get("start", "1")
            self._lists.append(None if tag == "ul" else int(start) if start.isdecimal() else 1)
        elif tag == "li":
            self._pieces.append(self._bullet())
        elif tag in ("tr", "table"):
            opened = [name for name, _, _ in self._open if name in ("tr", "table")]
            while tag == "tr" and opened[-1:] == ["tr"] and self._end_last() != "tr":
                pass  # a row whose end was left out
            self._open.append((tag, len(self._pieces), _row if tag == "tr" else str))
            self._row_begun = False
        elif tag == "a":
            address = _address(given.get("href", ""))
            self._open.append((tag, len(self._pieces), partial(self._link, address=address)))
        elif tag == "blockquote":
            self._open.append((tag, len(self._pieces), _quoted))
        elif tag in ("pre", "code"):
            self._open.append((tag, len(self._pieces), _fenced if tag == "pre" else self._code))
            self._verbatim += 1
        elif tag in MARK_OF:
            self._open.append((tag, len(self._pieces), partial(_marked, mark=MARK_OF[tag])))

    def handle_endtag(self, tag: str) -> None:
        if self._quoted:
            if tag in self._quoted:
                del self._quoted[len(self._quoted) - 1 - self._quoted[::-1].index(tag) :]
            return
        if tag in UNSEEN:
            self._unseen = max(0, self._unseen - 1)
        if any(tag == name for name, _, _ in self._open):
            while self._end_last() != tag:
                pass
        if tag in ("ul", "ol") and self._lists:
            self._lists.pop()
        self._break(tag)

    def _end_last(self) -> str:
        """End the innermost open element; its tag."""
        tag, start, shape = self._open.pop()
        if tag in ("pre", "code"):
            self._verbatim -= 1
        words = "".join(self._pieces[start:])
        self._pieces[start:] = [shape(words)]
        return tag

    def _break(self, tag: str) -> None:
        """End the line or the paragraph, unless that is done, or a bullet has just begun it."""
        wanted = 2 if tag in PARAGRAPHS else 1 if tag in LINES else 0
        if tag in ("ul", "ol"):
            wanted = 1 if self._lists else 2
        elif self._lists:
            wanted = min(wanted, 1)
        written = "".join(self._pieces[-4:])
        if not wanted or not written.strip(" \n") or written.endswith(f"{_BLANK}"):
            return
        there = len(written) - len(written.rstrip("\n"))
        if there < wanted:
            self._pieces.append("\n" * (wanted - there))

    def _bullet(self) -> str:
        depth = len(self._lists) - 1
        number = self._lists[-1] if self._lists else None
        if number is not None:
            self._lists[-1] = number + 1
        return _BLANK * 2 * max(depth, 0) + ("-" if number is None else f"{number}.") + _BLANK

    def _code(self, words: str) -> str:
        return words if self._verbatim or not words.strip() or re.search(f"[`\n{_NEWLINE}]", words) else f"`{words}`"

    def _link(self, words: str, address: str) -> str:
        plain = self._with_addresses(_MARKS.sub("", words)).strip().rstrip("/")
        named = self._with_addresses(address).rstrip("/")
        if not plain or not address:
            return words if plain else address
        if plain in (named, named.partition("://")[2]):
            return address
        return f"{words.rstrip().rstrip(':')}: {address}"


def _address(link: str) -> str:
    """Where a link leads, or nothing when that is nowhere for a customer."""
    link = link.strip()
    return re.sub(r"^(mailto|tel|sms):", "", link, flags=re.IGNORECASE) if _LEADS_ON.match(link) else ""


def _marked(words: str, mark: str) -> str:
    """Each line of its own between marks, which blanks, a bullet and an address stay outside of."""
    return "\n".join(_marked_line(line, mark) for line in words.split("\n"))


def _marked_line(line: str, mark: str) -> str:
    before, inner, after = re.fullmatch(
        rf"((?:(?:-|\d+\.){_BLANK}|[ {_BLANK}>])*)(.*?)((?::? *(?:https?://|{_ADDRESS_BEGINS})\S*)?\s*)", line
    ).groups()  # type: ignore[union-attr]
    inner = inner.replace(_OPEN[mark], "").replace(_CLOSE[mark], "")
    if not inner or mark in inner or "http" in inner or _ADDRESS_BEGINS in inner:
        return line
    return f"{before}{_OPEN[mark]}{inner}{_CLOSE[mark]}{after}"


def _quoted(words: str) -> str:
    return "\n".join(f"> {line}".rstrip() for line in words.replace(_NEWLINE, "\n").strip("\n").split("\n"))


def _row(words: str) -> str:
    """A row of several cells on one line; what one cell holds keeps its lines."""
    cells = words.split(_CELL)
    return words if len(cells) == 1 else " | ".join(re.sub(r"\s*\n\s*", " ", cell).strip() for cell in cells)


def _fenced(words: str) -> str:
    words = words.strip(f"\n{_NEWLINE}")
    return f"```{words}```" if words.strip() and "```" not in words else words
