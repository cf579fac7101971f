"""An agent's words as WhatsApp shows them: Markdown and HTML become its own notation, and nothing is lost.

Helpdesks hand a comment on as Markdown, as HTML, or as both in one text. WhatsApp knows *bold*, _italic_, ~struck~,
`code` and lines that begin with "- ", "1. " or "> "; what it does not know becomes plain text, a link its text and its
address. Words that are in WhatsApp's notation already pass unchanged. The mail below an answer that was sent by e-mail
is left out (quoted_mail.py).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import partial
from html import escape
from html.parser import HTMLParser

from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token
from markdown_it.utils import OptionsDict

from handoff.helpdesks.quoted_mail import html_without_history, is_mail_quote, without_history

# Characters that no text holds (Unicode's noncharacters) stand for what is decided at the end.
_OPEN, _CLOSE = {"*": "\ufdd0", "_": "\ufdd1", "~": "\ufdd2"}, {"*": "\ufdd3", "_": "\ufdd4", "~": "\ufdd5"}
_BLANK, _ADDRESS_BEGINS, _ADDRESS_ENDS = "\ufdd6", "\ufdd7", "\ufdd8"
_OURS = re.compile("[\ufdd0-\ufdd8]")
_MARKS = re.compile("[\ufdd0-\ufdd5]")

_MARK_OF = {
    **dict.fromkeys(("b", "strong", "h1", "h2", "h3", "h4", "h5", "h6"), "*"),
    **dict.fromkeys(("i", "em", "cite"), "_"),
    **dict.fromkeys(("s", "strike", "del"), "~"),
}
_PARAGRAPHS = {"p", "h1", "h2", "h3", "h4", "h5", "h6", "blockquote", "pre", "table", "hr"}
_LINES = {
    "div", "li", "ul", "ol", "tr", "dl", "dt", "dd", "section", "article", "header", "footer", "main", "figure",
    "figcaption", "address", "center", "form", "fieldset", "caption", "thead", "tbody", "tfoot", "body", "html",
}  # fmt: skip
_UNSEEN = {"script", "style", "head", "template", "title"}
_SPANS = {
    "a", "br", "img", "span", "u", "ins", "code", "kbd", "samp", "tt", "td", "th", "font", "small", "big", "sub", "sup",
    "mark", "q", "abbr", "label", "input", "button", "time", "wbr", "col", "colgroup", "meta", "link", "video", "audio",
    "source", "picture", "iframe", "svg", "path", "var", "dfn", "bdo", "bdi", "nobr", "details", "summary",
}  # fmt: skip
_HTML = {*_MARK_OF, *_PARAGRAPHS, *_LINES, *_UNSEEN, *_SPANS}
_NESTED = ("div", "blockquote")  # what a quoted mail is counted by
_TAG = re.compile(r"<(?=/?([A-Za-z][\w:-]*))")
_IS_HTML = re.compile(r"\s*<(?:p|div|ul|ol|table|h[1-6]|html|!doctype)\b", re.IGNORECASE)
# Only the helpdesks' own: what stands between an agent's words may be a customer's, and we fetch it.
_PASTED = re.compile(r"^https://[\w-]+\.(?:zendesk\.com/attachments/token/|freshdesk\.com/inline/attachment\?)")
_BARE_ADDRESS = re.compile(r"https?://[^\s<>\"')\]]+")
_AFTER_ADDRESS = re.compile(r"[*_~.,;:!?]+$")
_LEADS_ON = re.compile(r"(?:https?|mailto|tel|sms|geo|whatsapp):|" + _ADDRESS_BEGINS, re.IGNORECASE)


def whatsapp_words(text: str) -> str:
    """What an agent wrote, in WhatsApp's notation."""
    return words_and_pictures(text)[0]


def words_and_pictures(text: str) -> tuple[str, tuple[str, ...]]:
    """The same without the pictures that the agent pasted into it, and where the helpdesk keeps those."""
    text = html_without_history(_OURS.sub("", text))
    if _IS_HTML.match(text) and "<pre" not in text:
        text = re.sub(r"\s*\n\s*", " ", text)  # between its tags a line break is a blank
    addresses: list[str] = []

    def kept(match: re.Match[str]) -> str:
        after = _AFTER_ADDRESS.search(match[0])
        address = match[0][: after.start()] if after else match[0]
        if address not in addresses:
            addresses.append(address)
        return f"{_ADDRESS_BEGINS}{addresses.index(address)}{_ADDRESS_ENDS}{after[0] if after else ''}"

    # Stars and underscores in an address are not formatting.
    guarded = _BARE_ADDRESS.sub(kept, text)
    words = _Words([address.replace("&amp;", "&") for address in addresses])
    words.feed(_markdown().render(guarded))
    words.close()
    return without_history(words.text()), tuple(words.pictures)


def _markdown() -> MarkdownIt:
    """CommonMark as people write it in a chat: every line break counts, four blanks do not make code.

    Nothing is hidden (no references), and without blocks of HTML, Markdown counts between HTML's tags too.
    """
    made = MarkdownIt("commonmark", {"html": True, "breaks": True}, renderer_cls=_Html)
    made.enable(["table", "strikethrough"]).disable(["code", "lheading", "reference", "html_block"])
    made.validateLink = lambda url: _LEADS_ON.match(url) is not None  # type: ignore[method-assign]
    made.normalizeLink = lambda url: url  # type: ignore[method-assign]
    return made


class _Html(RendererHTML):
    """Markdown as HTML, in which only HTML's own tags are tags; a single star stays bold, as in WhatsApp."""

    def html_inline(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: object) -> str:
        return _TAG.sub(lambda tag: "<" if tag[1].lower() in _HTML else "&lt;", tokens[idx].content)

    def softbreak(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: object) -> str:
        return "<br>"

    hardbreak = softbreak

    def fence(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: object) -> str:
        """Code with its first line, which Markdown takes for a language and WhatsApp does not."""
        token = tokens[idx]
        code = f"{token.info}\n{token.content}".strip("\n").removesuffix("```")
        return f"<pre>{escape(code)}</pre>\n"

    def em_open(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: object) -> str:
        return "<b>" if _is_lone_star(tokens, idx, "strong_open") else "<i>"

    def em_close(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: object) -> str:
        return "</b>" if _is_lone_star(tokens, idx, "strong_close") else "</i>"


def _is_lone_star(tokens: Sequence[Token], idx: int, strong: str) -> bool:
    """`*x*`, but not `***x***`, which is bold and italic."""
    near = [token.type for token in tokens[max(0, idx - 2) : idx + 3] if token.type != "text" or token.content]
    return tokens[idx].markup == "*" and strong not in near


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
        return self._with_addresses(re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip().replace(_BLANK, " "))

    def _with_addresses(self, text: str) -> str:
        number = re.compile(rf"{_ADDRESS_BEGINS}(\d+){_ADDRESS_ENDS}")
        return number.sub(lambda match: self._addresses[int(match[1])], text)

    def handle_data(self, data: str) -> None:
        if self._unseen or self._quoted:
            return
        if self._verbatim:
            self._pieces.append(data.replace("\t", "    ").replace(" ", _BLANK))
            return
        data = re.sub(r"[ \t\n\r\f]+", " ", data).replace("\xa0", " ")
        at_start = not self._pieces or self._pieces[-1].endswith((" ", "\n", _BLANK))
        data = data.lstrip(" ") if at_start else data
        if data:
            self._pieces.append(data)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if self._quoted or is_mail_quote(tag, given):
            self._quoted += [tag] if tag in _NESTED else []
        elif tag in _UNSEEN:
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
                self._pieces.append(" | ")
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
        elif tag == "tr":
            self._row_begun = False
        elif tag == "a":
            address = _address(given.get("href", ""))
            self._open.append((tag, len(self._pieces), partial(self._link, address=address)))
        elif tag == "blockquote":
            self._open.append((tag, len(self._pieces), _quoted))
        elif tag in ("pre", "code"):
            self._open.append((tag, len(self._pieces), _fenced if tag == "pre" else self._code))
            self._verbatim += 1
        elif tag in _MARK_OF:
            self._open.append((tag, len(self._pieces), partial(_marked, mark=_MARK_OF[tag])))

    def handle_endtag(self, tag: str) -> None:
        if self._quoted:
            if tag in self._quoted:
                del self._quoted[len(self._quoted) - 1 - self._quoted[::-1].index(tag) :]
            return
        if tag in _UNSEEN:
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
        wanted = 2 if tag in _PARAGRAPHS else 1 if tag in _LINES else 0
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
        return words if self._verbatim or not words.strip() or "`" in words or "\n" in words else f"`{words}`"

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
    return "\n".join(f"> {line}".rstrip() for line in words.strip("\n").split("\n"))


def _fenced(words: str) -> str:
    return f"```{words.strip(chr(10))}```" if words.strip() and "```" not in words else words
