"""What readers of files complain of, as a problem and a remedy, and the line that the complaint speaks of."""

import re
from pathlib import Path

_ADVICE = re.compile(r"(?:\. Remedy: |(?<=[.)]) (?=[A-Z][a-z]+ ))")


def halves(message: str) -> tuple[str, str]:
    """What is wrong, and what to do about it."""
    parts = [part.strip().rstrip(".") for part in _ADVICE.split(message, maxsplit=1)]
    return (parts[0], parts[1]) if len(parts) == 2 else (message.rstrip("."), "write it so")


def line_of(path: Path, message: str, since: int = 1) -> int:
    """The line of what a message names: a line number, a quoted text, or the last part of a dotted name.

    0 where the file cannot be read.
    """
    said = re.search(r"\bline (\d+)", message)
    if said:
        return int(said[1])
    quoted = [name.replace("\\'", "'") for name in re.findall(r"'([^']+)'", message)]
    dotted = [part for name in re.findall(r"[a-z_]+(?:\.[a-z_]+)+", message) for part in reversed(name.split("."))]
    named = re.findall(r"\b[a-z]+(?:_[a-z]+)+\b", message)
    try:
        rows = path.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:  # of which somebody complains
        return 0
    for name in (*quoted, *dotted, *named):
        for number, row in enumerate(rows[since - 1 :], start=since):
            if name in row:
                return number
    return since
