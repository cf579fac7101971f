"""What the check of a shop has found, for people and for machines."""

import re
from dataclasses import dataclass
from pathlib import Path

from workbench.checks.messages import halves, line_of

ERROR, WARNING, INFORMATION = "error", "warning", "information"
LEVELS = (ERROR, WARNING, INFORMATION)


@dataclass(frozen=True)
class ShopFinding:
    """One thing found: `level` is error, warning or information; `count` rows, sections or questions where counted.

    Never holds a customer's data: see `masked`.
    """

    level: str
    about: str
    where: str
    problem: str
    remedy: str = ""
    count: int | None = None


def of_message(about: str, folder: Path, path: Path, message: str, level: str = ERROR) -> ShopFinding:
    """A finding of what a reader of a file complained of, with the line that the complaint names."""
    problem, remedy = halves(message.removeprefix(f"{path}: ").removeprefix(f"{path.name}: "))
    problem = problem.replace(f"{folder}/", "")
    line = line_of(path, problem)
    return ShopFinding(level, about, f"{shown(folder, path)}{f':{line}' if line else ''}", problem, remedy)


def shown(folder: Path, path: Path) -> str:
    """A path as the owner of the folder names it."""
    return str(path.relative_to(folder)) if path.is_relative_to(folder) else str(path)


def masked(value: object) -> str:
    """The look of a value without the value: 'WC-1001' → 'AA-9999'."""
    return "".join("9" if c.isdigit() else "A" if c.isalpha() else c for c in str(value)[:40])


def word_shown(value: object) -> str:
    """A word of a status column as it may be printed: what looks like a number or an address is masked."""
    text = " ".join(str(value).split())
    return masked(text) if re.search(r"\d{4}|@", text) else text[:40]
