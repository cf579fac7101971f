"""How long a text may be where others count its bytes.

Helpdesks count what a text becomes: UTF-8, and HTML with its entities. An emoji is four bytes, a Devanagari letter
three, an ampersand five. One count, the larger of the two, serves them all. Texts end at the border of what a reader
takes for one character: no half emoji, no letter without its vowel sign.
"""

import html

import regex

ELLIPSIS = "…"
_CLUSTER = regex.compile(r"\X")


def size(text: str) -> int:
    """Bytes of the text as HTML in UTF-8, which is never less than as plain text."""
    return len(html.escape(text).replace("\n", "<br>").encode("utf-8", "replace"))


def cut(text: str, limit: int) -> str:
    """The beginning of `text` in at most `limit` bytes (see `size`), with an ellipsis where something was left out."""
    if len(text) * 6 <= limit or size(text) <= limit:
        return text
    room = limit - size(ELLIPSIS)
    end = 0
    for cluster in _CLUSTER.finditer(text):
        room -= size(cluster[0])
        if room < 0:
            break
        end = cluster.end()
    return text[:end] + ELLIPSIS if limit >= size(ELLIPSIS) else ""
