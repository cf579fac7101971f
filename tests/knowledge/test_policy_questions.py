"""How well customers' questions find their page, on questions of our own, and the adapter that outside checks call.

`sealed.tsv` is by somebody who had not seen the phrases of the pages; nobody who works on them opens it, and only its
totals are shown. `heldout.tsv` was written after the first pages and chose no phrase; it and `calibration.tsv` chose
the decision numbers; `development.tsv` was in view while phrases were added to the pages.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from actions.knowledge.embedding import E5, RememberingEmbedder, Vectors
from actions.knowledge.evaluation import Case, Report, read_cases, report, run
from actions.knowledge.index import EMBED_AS, entries_of
from actions.knowledge.retrieval import SHIPPED, Retriever, wording_of

ROOT = Path(__file__).resolve().parents[2]
HERE = Path(__file__).resolve().parent
PAGES = ROOT / "policy_kb"


@pytest.fixture(scope="module")
def retriever() -> Retriever:
    return Retriever(PAGES, E5(), shipped=PAGES / SHIPPED)


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize(
    ("name", "step", "least"),
    [
        ("heldout", 1, Report(86, 48, right_page=0.88, right_answer=0.86, refused=0.85, falsely_refused=0.06)),
        ("calibration", 1, Report(44, 24, right_page=0.93, right_answer=0.93, refused=0.87, falsely_refused=0.05)),
        ("development", 5, Report(131, 79, right_page=0.93, right_answer=0.92, refused=0.93, falsely_refused=0.03)),
    ],
)
def test_questions_find_their_page_and_the_rest_is_refused(
    retriever: Retriever, name: str, step: int, least: Report
) -> None:
    holds(report(run(read_cases(HERE / f"{name}.tsv")[::step], retriever.find)), least)


def holds(numbers: Report, least: Report) -> None:
    """Every share is at least as good; a failure shows all of them, and no question."""
    as_good = (
        (numbers.answerable, numbers.not_covered) == (least.answerable, least.not_covered)
        and numbers.right_page >= least.right_page
        and numbers.right_answer >= least.right_answer
        and numbers.refused >= least.refused
        and numbers.falsely_refused <= least.falsely_refused
    )
    assert as_good, f"{numbers} is worse than {least}"


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_a_strangers_questions_find_their_page_and_the_rest_is_refused(retriever: Retriever) -> None:
    numbers = report(run(sealed_cases(), retriever.find))
    holds(numbers, Report(91, 34, right_page=0.88, right_answer=0.88, refused=0.85, falsely_refused=0.06))


def sealed_cases() -> list[Case]:
    """The lines whose right answer is beyond doubt: a question, then its acceptable pages or "none"."""
    lines = (HERE / "sealed.tsv").read_text(encoding="utf-8").splitlines()
    pairs = [line.split("\t") for line in lines if line and not line.startswith("# ")]
    split = [(question, frozenset(pages.split("|"))) for question, pages in pairs]
    sure = [(question, pages) for question, pages in split if pages == {"none"} or "none" not in pages]
    return [Case("sealed", pages - {"none"}, question) for question, pages in sure]


def test_nearly_all_embeddings_are_shipped_with_the_pages(retriever: Retriever) -> None:
    counting = Counting()
    texts = RememberingEmbedder(counting, None, PAGES / SHIPPED)
    entries = entries_of(retriever.pages, wording_of(retriever.pages))
    for kind, as_kind in EMBED_AS.items():
        texts.embed([entry.text for entry in entries if entry.kind == kind], as_kind)
    assert counting.count < 100, "Run `python -m actions.knowledge.prepare` and commit policy_kb/embeddings.npz."


class Counting:
    """Counts what it is asked to embed."""

    name = E5.name

    def __init__(self) -> None:
        self.count = 0

    def embed(self, texts: Sequence[str], kind: str) -> Vectors:
        self.count += len(texts)
        return np.ones((len(texts), 384), np.float32)


def test_no_held_out_question_stands_on_a_page(retriever: Retriever) -> None:
    pages = retriever.pages
    known = {_plain(phrase) for section in pages.sections for phrase in (section.heading, *section.asked_as)}
    known |= {_plain(question) for question in pages.not_covered}
    for name in ("heldout", "calibration"):
        assert [case.question for case in read_cases(HERE / f"{name}.tsv") if _plain(case.question) in known] == []
    # A stranger asks "no printer" too: a few short ones meet by chance.
    assert sum(_plain(case.question) in known for case in sealed_cases()) <= 4


def _plain(text: str) -> str:
    return "".join(letter for letter in text.lower() if letter.isalnum())


def test_a_question_takes_milliseconds(retriever: Retriever) -> None:
    retriever.find("warm up")
    fastest = min(_timed(retriever, question) for question in ("how many days", "kitne din", "retrun windw for shose"))
    assert fastest < 0.25


def _timed(retriever: Retriever, question: str) -> float:
    started = time.perf_counter()
    retriever.find(question)
    return time.perf_counter() - started


@pytest.mark.timeout(300)
def test_the_adapter_prints_one_json_line_for_each_line(tmp_path: Path) -> None:
    lines = [
        b'{"question": "how many days do I have to return a dress?"}',
        b"broken",
        b'{"question": "\xff\xfe"}',
        b'{"question": "what is the capital of Peru?"}',
        b'{"question": "wapas karne ka time kitna hai"}',
    ]
    done = subprocess.run(
        [sys.executable, "-m", "actions.knowledge.retrieval", "--jsonl"],
        input=b"\n".join(lines) + b"\n", capture_output=True, check=True, cwd=ROOT,
        env={**os.environ, "STATE_DIR": str(tmp_path)}, timeout=240,
    )
    out = [json.loads(line) for line in done.stdout.decode().splitlines()]
    assert [line["page"] for line in out[:2]] == ["return_window", None]
    assert [line["answerable"] for line in out] == [True, False, False, False, True]
    assert out[4]["page"] == "return_window"
    assert all(0 <= line["score"] <= 1 for line in out)


def test_the_adapter_without_jsonl_explains_itself() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "actions.knowledge.retrieval"], capture_output=True, text=True, cwd=ROOT, timeout=60
    )
    assert done.returncode == 2
    assert "--jsonl" in done.stderr
    assert done.stdout == ""
