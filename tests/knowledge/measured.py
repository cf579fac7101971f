"""How well questions find their page.

A file has a line for each: kind, acceptable pages ("a|b", or "-" when the pages do not answer it), question, with tabs
between them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from actions.knowledge.retrieval.retriever import Finding


@dataclass(frozen=True)
class Case:
    """One question with the pages that may answer it (none: not covered)."""

    kind: str
    pages: frozenset[str]
    question: str


@dataclass(frozen=True)
class Report:
    """Shares between 0 and 1, and the counts behind them. `right_answer`: the right page, and not refused."""

    answerable: int
    not_covered: int
    right_page: float
    right_answer: float
    refused: float
    falsely_refused: float


def read_cases(path: Path) -> list[Case]:
    """The cases of a file. ValueError for a line without three fields."""
    cases = []
    for line in path.read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            kind, pages, question = line.split("\t")
            cases.append(Case(kind, frozenset(pages.split("|")) - {"-"}, question))
    return cases


def report(results: Iterable[tuple[Case, Finding]]) -> Report:
    """Sum up. The page counts whatever the score, the refusal whatever the page."""
    results = list(results)
    positive = [(case, finding) for case, finding in results if case.pages]
    negative = [finding for case, finding in results if not case.pages]
    found = [finding for case, finding in positive if finding.best is not None and finding.best.page in case.pages]
    return Report(
        len(positive),
        len(negative),
        len(found) / max(1, len(positive)),
        sum(finding.answerable for finding in found) / max(1, len(positive)),
        sum(not finding.answerable for finding in negative) / max(1, len(negative)),
        sum(not finding.answerable for _, finding in positive) / max(1, len(positive)),
    )


def run(cases: Iterable[Case], find: Callable[[str], Finding]) -> list[tuple[Case, Finding]]:
    """Ask every case's question."""
    return [(case, find(case.question)) for case in cases]
