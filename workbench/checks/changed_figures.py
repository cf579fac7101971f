"""A figure that was changed on one policy page and still stands on another: customers would hear both.

What changed is what git says: the pages as they are against the last commit. Where there is no git, nothing is said.
"""

import re
import subprocess
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

from actions.knowledge.pages.files import page_paths, read_text
from workbench.checks.findings import Finding

FOLDER = "policy_kb"
_GIT_TIMEOUT_S = 10
_FIGURE = re.compile(r"([₹$€£]|\bRs\b\.?)?\s?(?<![\w.,])(\d+(?:[.,]\d+)*)(?:[\s-]?(%|[^\W\d_]{2,}))?")

Figure = tuple[str, str]
"""A number and what it counts: ("30", "day"), ("500", "₹")."""


def figures(text: str) -> set[Figure]:
    """The figures of a text that say what they count; `30 days` and `30-day` are one."""
    found = set()
    for money, number, unit in _FIGURE.findall(text):
        what = "₹" if money.startswith("Rs") else money or unit.lower().rstrip("s")
        if what:
            found.add((number.replace(",", ""), what))
    return found


def changed_figures(root: Path) -> Iterator[Finding]:
    """Each line of another page that says what a page said before it was changed."""
    pages = {path.name: read_text(path) for path in page_paths(root / FOLDER)}
    for changed, (before, now) in _edits(root).items():
        here = figures(pages.get(changed, ""))
        for old in sorted(figures(before) - here):
            instead = sorted(figure for figure in figures(now) - figures(before) if figure[1] == old[1])
            if not instead:
                continue  # taken out, not changed
            for name, text in pages.items():
                for number, line in enumerate(text.splitlines(), 1):
                    if name != changed and old in figures(line):
                        yield Finding(
                            "changed elsewhere", f"{FOLDER}/{name}:{number}",
                            f"{_said(old)} is written here, and {changed} says {_said(instead[0])} instead now",
                            "change it here too, if both are about the same thing", blocking=False,
                        )  # fmt: skip


def _said(figure: Figure) -> str:
    number, what = figure
    return f"{what}{number}" if len(what) == 1 and what != "%" else f"{number}{'' if what == '%' else ' '}{what}"


def _edits(root: Path) -> dict[str, tuple[str, str]]:
    """By page: the lines that were taken out since the last commit, and those put in."""
    options = ["--no-color", "--no-ext-diff", "--unified=0", "--relative"]
    command = ["git", "-C", str(root), "diff", *options, "HEAD", "--", FOLDER]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_GIT_TIMEOUT_S)
    except (OSError, subprocess.TimeoutExpired, UnicodeDecodeError):
        return {}
    lines: dict[str, tuple[list[str], list[str]]] = defaultdict(lambda: ([], []))
    page = ""
    for line in done.stdout.splitlines() if done.returncode == 0 else ():
        if line.startswith("--- "):
            page = Path(line[4:]).name
        elif page and line.startswith("-"):
            lines[page][0].append(line[1:])
        elif page and line.startswith("+") and not line.startswith("+++ "):
            lines[page][1].append(line[1:])
    return {name: ("\n".join(out), "\n".join(into)) for name, (out, into) in lines.items()}
