"""The mail below an answer: agents who answer by e-mail send along what they answer, private notes included.

Told by what mail programs mark it with, never by words: they differ from language to language. What an agent quotes of
their own accord, in a chat or between their words, stays.
"""

import re
from collections.abc import Mapping

# Gmail, Yahoo, Proton, Freshdesk name the quote or the line above it; Thunderbird and Apple Mail write type=cite.
_QUOTES = re.compile(r"\b(?:gmail_quote|yahoo_quoted|protonmail_quote|freshdesk_quote)\b")
_LINE_ABOVE = re.compile(r"\b(?:gmail_attr|moz-cite-prefix)\b")
# Outlook's header stands beside what it heads: known by its id or its line.
_OUTLOOK = re.compile(
    r"<(?:div|hr)\b[^<>]*(?:\bid=[\"']?(?:x_)*(?:divRplyFwdMsg|appendonsend|stopSpelling)\b|"
    r"border-top: ?solid #(?:E1E1E1|B5C4DF))",
    re.IGNORECASE,
)
_NAMESPACED = re.compile(r"</?[a-z]+:[a-z]+\b[^>]{0,200}>", re.IGNORECASE)  # Outlook's <o:p>

# A line or two that name the sender's address, and then nothing but quoted lines to the end.
_QUOTED_LINES = re.compile(
    r"(?:^[^\n>@]*@[^\n>]*\n[^\n>]*:|^[^\n>@]*@[^\n>]*:)[*_]*\n+(?:^>[^\n]*(?:\n+|\Z))+\Z", re.MULTILINE
)
_ORIGINAL_MESSAGE = re.compile(r"^-{3,} ?[^\n-]+ ?-{3,}\n+(?:^[^\s:][^:\n]{0,24}:[ \t][^\n]*\n){2,}", re.MULTILINE)
_REPLY_ABOVE = re.compile(r"^##-[^\n]*-##$", re.MULTILINE)


def is_mail_quote(tag: str, attributes: Mapping[str, str]) -> bool:
    """Whether an HTML element holds a quoted mail, or the line that names its sender."""
    marks = f"{attributes.get('class', '')} {attributes.get('id', '')}"
    if tag == "blockquote":
        return attributes.get("type", "").lower() == "cite" or _QUOTES.search(marks) is not None
    return tag == "div" and _LINE_ABOVE.search(marks) is not None


def html_without_history(html: str) -> str:
    """HTML or Markdown up to Outlook's header of the mail below, if there are words above it."""
    html = _NAMESPACED.sub("", html)
    found = _OUTLOOK.search(html)
    above = html[: found.start()] if found else ""
    return above if re.sub(r"<style.*?</style>|<[^>]*>|&nbsp;|\s", "", above, flags=re.DOTALL) else html


def without_history(text: str) -> str:
    """Plain words without the mail at their end, if there are words above it."""
    for pattern in (_REPLY_ABOVE, _ORIGINAL_MESSAGE, _QUOTED_LINES):
        found = pattern.search(text)
        above = text[: found.start()].rstrip() if found else ""
        text = above or text
    return text
