"""Words as WhatsApp shows them: its own formatting, and texts cut where a reader would cut them.

WhatsApp knows *bold*, _italic_, ~struck~, ```code``` and lines that begin with "- " or "1. ". Lengths are counted
in characters (code points), as Meta's limits are.
"""

import re
from collections.abc import Callable, Iterator

import regex

ELLIPSIS = "…"
CODE = "```"
URL = re.compile(r"https?://\S+")

# The bounds keep the time linear, whatever a text repeats.
# Code and addresses keep their characters; everything between is formatted.
_VERBATIM = re.compile(r"```.*?```|`[^`\n]+`|https?://[^\s)\]>]+", re.DOTALL)
_LINK = re.compile(r"!?\[([^\[\]\n]{0,300})\]\(((?:https?://|tel:|mailto:)[^\s)]{1,2000})(?: \"[^\"\n]{0,300}\")?\)")
_GRAPHEME = regex.compile(r"\X")

_FORMATS: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"^[ \t]{0,3}#{1,6}[ \t]+(?!\s)(?:\*\*|__)?(.{1,300}?)(?:\*\*|__)?[ \t]*#*$", re.MULTILINE), r"*\1*"),
    (re.compile(r"\*\*\*(?=\S)([^*\n]+?)(?<=\S)\*\*\*"), r"*_\1_*"),
    (re.compile(r"\*\*(?=\S)([^*\n]+?)(?<=\S)\*\*"), r"*\1*"),
    (re.compile(r"(?<!\w)__(?=\S)([^_\n]+?)(?<=\S)__(?!\w)"), r"*\1*"),
    (re.compile(r"~~(?=\S)([^~\n]+?)(?<=\S)~~"), r"~\1~"),
)


def to_whatsapp(markdown: str) -> str:
    """Common Markdown in WhatsApp's notation; its own notation passes unchanged."""
    linked = _LINK.sub(_link, markdown)
    pieces: list[str] = []
    end = 0
    for kept in _VERBATIM.finditer(linked):
        pieces += [_format(linked[end : kept.start()]), kept.group()]
        end = kept.end()
    return "".join([*pieces, _format(linked[end:])])


def _link(match: re.Match[str]) -> str:
    title, address = match[1].strip(), re.sub(r"^(tel|mailto):", "", match[2])
    return address if title in ("", address) else f"{title}: {address}"


def _format(text: str) -> str:
    for pattern, replacement in _FORMATS:
        text = pattern.sub(replacement, text)
    return text


def shorten(text: str, limit: int) -> str:
    """`text` on one line in at most `limit` characters, with an ellipsis where words were left out."""
    text = " ".join(text.split())
    if len(text) <= limit:
        return text
    kept = ""
    for cluster in _GRAPHEME.findall(text[: limit + 1]):
        if len(kept) + len(cluster) > limit - 1:
            break
        kept += cluster
    return kept.rstrip() + ELLIPSIS


def unique_titles(titles: list[str], limit: int) -> list[str]:
    """The titles shortened to `limit`, the later ones of equal titles numbered: WhatsApp refuses equal titles."""
    taken: set[str] = set()
    result: list[str] = []
    for title in titles:
        candidate, number = shorten(title, limit), 2
        while candidate.casefold() in taken:
            suffix = f" ({number})"
            candidate = shorten(title, limit - len(suffix)) + suffix
            number += 1
        taken.add(candidate.casefold())
        result.append(candidate)
    return result


def split_text(text: str, limit: int) -> list[str]:
    """`text` in parts of at most `limit` characters, none of them blank, cut at the best place there is.

    Paragraph ends before line ends before sentence ends before blanks; an address or a combined character (emoji
    with skin tone, Devanagari syllable) is cut only when it alone exceeds the limit. Only blanks at the cuts are lost.
    """
    rest = text.strip()
    parts: list[str] = []
    while len(rest) > limit:
        at = _cut(rest, limit)
        parts.append(rest[:at].rstrip())
        rest = rest[at:].lstrip()
    return [part for part in [*parts, rest] if part]


def close_code(parts: list[str]) -> Iterator[str]:
    """The parts of one text, code that was cut ended with its part and begun anew in the next: 6 characters more."""
    whole = sum(part.count(CODE) for part in parts) % 2 == 0
    is_open = False
    for part in parts:
        shown = CODE + part if is_open else part
        is_open = whole and shown.count(CODE) % 2 == 1
        yield shown + CODE if is_open else shown


def _cut(text: str, limit: int) -> int:
    """Where to end the first part: at least 1, and at most `limit` without the blanks before it."""
    window = text[: limit + 1]
    addresses = [match.span() for match in URL.finditer(text[: limit + 2048])]

    def is_inside(position: int) -> bool:
        return any(start < position < end for start, end in addresses)

    for separator, least in ((r"\n\s*\n", 2), (r"\n", 3), (r"(?<=[.!?।…])[\"'”’)]*\s", 3), (r"\s", 4)):
        for position in _ends_backwards(separator, window):
            if position <= limit // least:
                break
            if not is_inside(position):
                return position
    return _between_clusters(text, limit, is_inside)


def _ends_backwards(separator: str, window: str) -> Iterator[int]:
    """Where the blanks end that `separator` finds: the blanks themselves are dropped, so they need no room."""
    return (match.end() for match in reversed(list(re.finditer(separator, window))))


def _between_clusters(text: str, limit: int, is_inside: Callable[[int], bool]) -> int:
    """The last cluster boundary outside an address, else the last one, else (one endless cluster) the limit."""
    last = last_outside = 0
    for cluster in _GRAPHEME.finditer(text, 0, min(len(text), limit + 256)):
        if cluster.start() > limit:
            break
        last = cluster.start()
        if not is_inside(last):
            last_outside = last
    return last_outside or last or limit
