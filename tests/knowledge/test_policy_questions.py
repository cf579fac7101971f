"""How well customers' questions find their page, on questions of our own, and the adapter that outside checks call.

`heldout.tsv` was written after the pages and is never used to choose a phrase or a number; `calibration.tsv` chose the
decision numbers; `development.tsv` was in view while phrases were added to the pages.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from actions.knowledge.embedding import E5
from actions.knowledge.evaluation import Report, read_cases, report, run
from actions.knowledge.retrieval import Retriever

ROOT = Path(__file__).resolve().parents[2]
HERE = Path(__file__).resolve().parent
# Kept between runs, so that the pages' embeddings are computed once (half a minute on a loaded machine).
MEMORY = ROOT / "var" / "tests" / "knowledge"


@pytest.fixture(scope="module")
def retriever() -> Retriever:
    return Retriever(ROOT / "policy_kb", E5(), memory=MEMORY)


@pytest.mark.timeout(300)
@pytest.mark.parametrize(
    ("name", "least"),
    [
        ("heldout", Report(107, 65, right_page=0.80, refused=0.86, falsely_refused=0.10)),
        ("calibration", Report(72, 43, right_page=0.85, refused=0.82, falsely_refused=0.08)),
        ("development", Report(271, 169, right_page=0.95, refused=0.95, falsely_refused=0.03)),
    ],
)
def test_questions_find_their_page_and_the_rest_is_refused(retriever: Retriever, name: str, least: Report) -> None:
    numbers = report(run(read_cases(HERE / f"{name}.tsv"), retriever.find))
    assert (numbers.answerable, numbers.not_covered) == (least.answerable, least.not_covered)
    assert numbers.right_page >= least.right_page
    assert numbers.refused >= least.refused
    assert numbers.falsely_refused <= least.falsely_refused


def test_no_held_out_question_stands_on_a_page(retriever: Retriever) -> None:
    pages = retriever.pages
    known = {_plain(phrase) for section in pages.sections for phrase in (section.heading, *section.asked_as)}
    known |= {_plain(question) for question in pages.not_covered}
    for name in ("heldout", "calibration"):
        assert [case.question for case in read_cases(HERE / f"{name}.tsv") if _plain(case.question) in known] == []


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
def test_the_adapter_prints_one_json_line_for_each_line(retriever: Retriever, tmp_path: Path) -> None:
    retriever.find("embeddings are remembered now")
    state = tmp_path / "state"
    state.mkdir()
    (state / "knowledge").symlink_to(MEMORY)
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
        env={**os.environ, "STATE_DIR": str(state)}, timeout=240,
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
