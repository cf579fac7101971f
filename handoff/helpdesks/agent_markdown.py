"""Markdown as helpdesks write it, read as HTML: with HTML's tags among it, and no other."""

import re
from collections.abc import Sequence
from html import escape, unescape

from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token
from markdown_it.utils import OptionsDict

MARK_OF = {
    **dict.fromkeys(("b", "strong", "h1", "h2", "h3", "h4", "h5", "h6"), "*"),
    **dict.fromkeys(("i", "em", "cite"), "_"),
    **dict.fromkeys(("s", "strike", "del"), "~"),
}
PARAGRAPHS = {"p", "h1", "h2", "h3", "h4", "h5", "h6", "blockquote", "pre", "table", "hr"}
LINES = {
    "div", "li", "ul", "ol", "tr", "dl", "dt", "dd", "section", "article", "header", "footer", "main", "figure",
    "figcaption", "address", "center", "form", "fieldset", "caption", "thead", "tbody", "tfoot", "body", "html",
    "details", "summary",
}  # fmt: skip
UNSEEN = {"script", "style", "head", "template", "title"}
_SPANS = {
    "a", "br", "img", "span", "u", "ins", "code", "kbd", "samp", "tt", "td", "th", "font", "small", "big", "sub", "sup",
    "mark", "q", "abbr", "label", "input", "button", "time", "wbr", "col", "colgroup", "meta", "link", "video", "audio",
    "source", "picture", "iframe", "svg", "path", "var", "dfn", "bdo", "bdi", "nobr",
}  # fmt: skip
HTML = {*MARK_OF, *PARAGRAPHS, *LINES, *UNSEEN, *_SPANS}
_TAG = re.compile(r"<(?=/?([A-Za-z][\w:-]*))")
PREFORMATTED = re.compile(r"(<pre\b[^<>]*>(?:(?!<pre\b).)*?</pre>)", re.IGNORECASE | re.DOTALL)
_SCHEME = r"[a-z][a-z0-9+.-]*:"


def as_fence(preformatted: str) -> str:
    """HTML's preformatted text as Markdown's."""
    inside = re.sub(r"<br\s*/?>", "\n", preformatted[preformatted.index(">") + 1 : preformatted.rindex("<")])
    code = re.sub(r"</?([A-Za-z][\w:-]*)[^<>]*>", lambda tag: "" if tag[1].lower() in HTML else tag[0], inside)
    return f"\n\n````\n{unescape(code).strip(chr(10))}\n````\n\n"


def markdown(our_address: str) -> MarkdownIt:
    """CommonMark as people write it in a chat: every line break counts, four blanks do not make code.

    Nothing is hidden (no references), what has a scheme or begins as `our_address` is a link, and without blocks of
    HTML, Markdown counts between HTML's tags too.
    """
    made = MarkdownIt("commonmark", {"html": True, "breaks": True}, renderer_cls=_Html)
    made.enable(["table", "strikethrough"]).disable(["code", "lheading", "reference", "html_block"])
    leads_somewhere = re.compile(f"{our_address}|{_SCHEME}", re.IGNORECASE)
    made.validateLink = lambda url: leads_somewhere.match(url) is not None  # type: ignore[method-assign]
    made.normalizeLink = lambda url: url  # type: ignore[method-assign]
    return made


class _Html(RendererHTML):
    """Markdown as HTML, in which only HTML's own tags are tags; a single star stays bold, as in WhatsApp."""

    def html_inline(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: object) -> str:
        return _TAG.sub(lambda tag: "<" if tag[1].lower() in HTML else "&lt;", tokens[idx].content)

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
