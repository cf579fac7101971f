"""How well the pages are found: `python -m actions.knowledge.retrieval.evaluation [--mistakes] FILE...`

A file has a line for each question: kind, acceptable pages ("a|b", or "-" when the pages do not answer it), question,
with tabs between them. Designers run it after editing pages; the tests hold its numbers.
"""

import argparse
import logging
import sys
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from actions.knowledge.retrieval.retriever import Finding, default_retriever


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


def main(arguments: list[str] | None = None) -> int:
    """Print a table by kind of question and, with --mistakes, each question that went wrong."""
    parser = argparse.ArgumentParser(prog="python -m actions.knowledge.retrieval.evaluation", description=main.__doc__)
    parser.add_argument("files", nargs="+", type=Path)
    parser.add_argument("--mistakes", action="store_true", help="list the questions that went wrong")
    options = parser.parse_args(arguments)
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING)
    retriever = default_retriever(wait=True)
    for path in options.files:
        results = run(read_cases(path), retriever.find)
        by_kind: dict[str, list[tuple[Case, Finding]]] = defaultdict(list)
        for case, finding in results:
            by_kind[case.kind].append((case, finding))
        for kind, part in [("all", results), *by_kind.items()]:
            print(f"{path.name:<14}{kind:<10}{_line(report(part))}")
        if options.mistakes:
            _print_mistakes(results)
    return 0


def _line(numbers: Report) -> str:
    return (
        f"right page {numbers.right_page:6.1%} right answer {numbers.right_answer:6.1%} of {numbers.answerable:<4} "
        f"refused {numbers.refused:6.1%} of {numbers.not_covered:<4} falsely refused {numbers.falsely_refused:5.1%}"
    )


def _print_mistakes(results: list[tuple[Case, Finding]]) -> None:
    for case, finding in results:
        page = finding.best.page if finding.best else None
        right = finding.answerable and page in case.pages if case.pages else not finding.answerable
        if not right:
            where = finding.best.key if finding.best else None
            print(f"  {finding.score:.2f} {'|'.join(sorted(case.pages)) or '-'} -> {where}: {case.question}")


if __name__ == "__main__":
    sys.exit(main())
