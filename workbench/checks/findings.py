"""What a check has found."""

import difflib
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Finding:
    """One thing to fix: what kind, where, what is wrong, what to do. `blocking` ones fail the check."""

    kind: str
    place: str
    problem: str
    remedy: str
    blocking: bool = True


def mistake(kind: str, line: int, problem: str, remedy: str) -> Finding:
    """What must be corrected in domain.yml."""
    return Finding(kind, f"domain.yml:{line}", problem, remedy)


def nearest(name: str, known: Iterable[str], otherwise: str) -> str:
    """A remedy for a name that nobody knows: the known one that was probably meant, else `otherwise`."""
    close = difflib.get_close_matches(name, list(known), 1)
    return f"did you mean {close[0]}? Else {otherwise}" if close else otherwise
