"""Plain text as people lay it out: which of its lines are headings, though nothing marks them."""

import re

_MARKED = re.compile(r"^(?:#{1,6} |\*\*|__|\||<\w|(?:={3,}|-{3,})[ ]*$)", re.M)
_ITEM = re.compile(r"\s*(?:[-*•–]|\d+[.)])\s")
_NUMBERED = re.compile(r"\d{1,2}[.)]\s+(?=\w)")
_MAX_HEADING_CHARS = 60
_MAX_HEADING_WORDS = 9
_MIN_PROSE_CHARS = 40  # of a line that is no heading of its own


def with_headings(text: str) -> str:
    """The text with '## ' before each line that looks like a heading; as it is where Markdown marks are in it.

    A short line without an end, before what it is about. Where most of the text looks so, nothing is a heading.
    """
    if _MARKED.search(text):
        return text
    parts = [part.strip("\n") for part in re.split(r"\n[ \t]*(?:\n[ \t]*)+", text) if part.strip()]
    headed = [_heading(part, parts[number + 1 : number + 2]) for number, part in enumerate(parts)]
    alone = sum(bool(heading) and "\n" not in part for heading, part in zip(headed, parts, strict=True))
    if 2 * alone > len(parts) + 1:
        return text
    return "\n\n".join(_with(part, heading) for part, heading in zip(parts, headed, strict=True))


def _with(part: str, heading: str | None) -> str:
    return f"## {heading}\n\n{part.partition(chr(10))[2]}" if heading else part


def _heading(part: str, following: list[str]) -> str | None:
    """The heading that a part begins with; `following` is the next part, if any."""
    first, _, rest = part.partition("\n")
    below = rest or next(iter(following), "")
    if not below or not _looks_like_heading(_NUMBERED.sub("", first, 1)):
        return None
    next_line = below.partition("\n")[0]
    if first.rstrip().endswith(":") and _ITEM.match(next_line):
        return None  # the words that open a list
    if rest and next_line.lstrip()[:1].islower():
        return None  # the sentence goes on
    if rest and not (next_line.rstrip().endswith((".", "!", "?")) or len(next_line) >= _MIN_PROSE_CHARS):
        return None  # a list of short lines
    return _NUMBERED.sub("", first.strip(), 1).rstrip(":")


def _looks_like_heading(line: str) -> bool:
    line = line.strip()
    if not line or len(line) > _MAX_HEADING_CHARS or len(line.split()) > _MAX_HEADING_WORDS or _ITEM.match(line):
        return False
    first = line.lstrip("¿¡\"“«(")[:1]
    return first.isalpha() and first == first.upper() and line[-1] not in ".!,;…" and ": " not in line


def stands_alone(first: str, below: str) -> bool:
    """Whether a line is a heading by its looks: a question with its answer below, or all in capitals."""
    letters = [letter for letter in first if letter.isalpha()]
    asks = first.rstrip().endswith("?") and (bool(below.strip()) or len(first.split()) <= 14)
    shouts = len(letters) > 3 and first.isupper() and not first.rstrip().endswith((".", "!"))
    return asks or shouts
