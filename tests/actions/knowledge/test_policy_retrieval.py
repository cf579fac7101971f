"""Sections are found, pages are re-read when they change, and the memory of embeddings is only a memory."""

from __future__ import annotations

import json
import logging
import os
import threading
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from actions.knowledge.pages.documents import KnowledgeError
from actions.knowledge.retrieval.__main__ import answer_lines
from actions.knowledge.retrieval.embedding import Vectors
from actions.knowledge.retrieval.retriever import Finding, Retriever
from actions.knowledge.stores.remembering import RememberingEmbedder
from tests.actions.knowledge.conftest import CountingE5


def test_the_question_finds_its_section(retriever: Retriever) -> None:
    finding = retriever.find("how many days to return?")
    assert finding.answerable
    assert finding.best is not None
    assert (finding.best.page, finding.best.heading) == ("return_window", "How many days there are")


def test_a_question_beside_the_pages_is_not_answerable(retriever: Retriever) -> None:
    assert not retriever.find("what are your opening hours").answerable


@pytest.mark.parametrize("nothing", ["", "   ", "?!", "\u2060", "\x00", "😀"])
def test_nothing_in_nothing_out(retriever: Retriever, nothing: str) -> None:
    assert retriever.find(nothing) == Finding(nothing)


def test_an_edited_page_counts_from_the_next_question_on(retriever: Retriever, pages: Path) -> None:
    retriever.find("how many days to return")
    path = pages / "return_window.md"
    path.write_text(path.read_text(encoding="utf-8").replace("30 days", "45 days"), encoding="utf-8")
    found = retriever.find("how many days to return").best
    assert found is not None
    assert "45 days" in found.text


def test_an_edit_of_the_same_length_and_time_of_another_page_is_seen(retriever: Retriever, pages: Path) -> None:
    retriever.find("days")
    path = pages / "return_window.md"
    path.write_text(path.read_text(encoding="utf-8").replace("30 days", "60 days"), encoding="utf-8")
    os.utime(path, ns=(1, 1))
    found = retriever.find("how many days to return").best
    assert found is not None
    assert "60 days" in found.text


def test_an_exported_page_in_a_folder_of_its_own_is_seen_when_it_is_edited(retriever: Retriever, pages: Path) -> None:
    exported = pages / "help" / "parking.html"
    exported.parent.mkdir()
    for hours in ("two hours", "three hours"):
        exported.write_text(f"<h1>Parking</h1><h2>How long I can park</h2><p>You can park for {hours}.</p>", "utf-8")
        found = retriever.find("how long can I park").best
        assert found is not None
        assert hours in found.text


def test_a_new_page_is_found_and_a_removed_one_is_not(retriever: Retriever, pages: Path) -> None:
    retriever.find("days")
    new = pages / "plants.md"
    new.write_text(
        "## Plants and flowers\nPlants cannot be returned.\n",
        encoding="utf-8",
    )
    best = retriever.find("plants and flowers").best
    assert best is not None
    assert best.page == "plants"
    new.unlink()
    best = retriever.find("plants and flowers").best
    assert best is not None
    assert best.page != "plants"


def test_a_broken_edit_leaves_the_last_good_pages_in_force(
    retriever: Retriever, pages: Path, caplog: pytest.LogCaptureFixture
) -> None:
    retriever.find("days")
    (pages / "return_window.md").write_text("<!-- oops", encoding="utf-8")
    with caplog.at_level(logging.ERROR):
        best = retriever.find("how many days to return").best
        retriever.find("how many days to return")
    assert best is not None
    assert "30 days" in best.text
    assert [record.message for record in caplog.records if "return_window.md" in record.message] != []
    assert len(caplog.records) == 1


def test_pages_that_were_never_readable_are_an_error(tmp_path: Path, embedder: CountingE5) -> None:
    with pytest.raises(KnowledgeError):
        Retriever(tmp_path, embedder).find("days")


def test_only_the_pages_are_remembered_on_disk_never_a_question(pages: Path, tmp_path: Path) -> None:
    first = CountingE5()
    Retriever(pages, first, memory=tmp_path / "memory").find("a very private question")
    size = next((tmp_path / "memory").iterdir()).stat().st_size
    second = CountingE5()
    Retriever(pages, second, memory=tmp_path / "memory").find("a very private question")
    assert second.embedded == ["a very private question"]
    assert next((tmp_path / "memory").iterdir()).stat().st_size == size


def test_an_edit_embeds_only_what_changed(retriever: Retriever, pages: Path, embedder: CountingE5) -> None:
    retriever.find("days")
    embedder.embedded.clear()
    path = pages / "exceptions.md"
    path.write_text(path.read_text(encoding="utf-8").replace("always taken", "never taken"), encoding="utf-8")
    retriever.find("days")
    assert len(embedder.embedded) == 2  # the sentence and the section
    assert all("never taken" in text for text in embedder.embedded)


@pytest.mark.parametrize("damage", [b"", b"not a zip", b"PK\x03\x04 cut"])
def test_a_damaged_memory_is_built_anew(tmp_path: Path, damage: bytes, embedder: CountingE5) -> None:
    expected = RememberingEmbedder(embedder, tmp_path).embed(["a", "b"], "query")
    assert CountingE5().embed(["a"], "query") == pytest.approx(expected[:1], abs=0.01)
    (path,) = tmp_path.iterdir()
    path.write_bytes(damage)
    assert np.allclose(RememberingEmbedder(embedder, tmp_path).embed(["a", "b"], "query"), expected, atol=0.01)
    again = CountingE5()
    RememberingEmbedder(again, tmp_path).embed(["a", "b"], "query")
    assert again.embedded == []


def test_a_memory_that_cannot_be_written_does_not_stop_the_search(pages: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    retriever = Retriever(pages, CountingE5(), memory=tmp_path / "file" / "memory")
    assert retriever.find("how many days to return").answerable


def test_a_question_is_answered_from_the_old_pages_while_the_new_ones_are_read(pages: Path) -> None:
    slow = Slow()
    retriever = Retriever(pages, slow)
    retriever.find("how many days to return")
    path = pages / "return_window.md"
    path.write_text(path.read_text(encoding="utf-8").replace("30 days", "45 days"), encoding="utf-8")
    slow.gate.clear()
    best = retriever.find("how many days do I have to return?").best
    assert best is not None
    assert "30 days" in best.text
    slow.gate.set()
    for _ in range(200):
        best = retriever.find("how many days do I have to return?").best
        if best is not None and "45 days" in best.text:
            return
        time.sleep(0.05)
    raise AssertionError("the new pages never came into force")


class Slow(CountingE5):
    """Embeds pages only while the gate is open; questions always."""

    def __init__(self) -> None:
        super().__init__()
        self.gate = threading.Event()
        self.gate.set()

    def embed(self, texts: Sequence[str], kind: str) -> Vectors:
        if kind == "passage":
            assert self.gate.wait(30)
        return super().embed(texts, kind)


def test_probabilities_of_all_sections_and_of_none_add_up(retriever: Retriever) -> None:
    finding = retriever.find("can I return sale items")
    assert sum(passage.probability for passage in finding.passages) == pytest.approx(finding.score, abs=0.001)


@pytest.mark.slow
def test_every_line_in_gives_one_line_out_in_order(retriever: Retriever) -> None:
    lines = [
        '{"question": "how many days to return"}', "not json", "", "[]", '{"question": 7}', "{}", "null",
        '{"question": "what are your opening hours"}', '{"question": "' + "x" * 5000 + '"}', '{"question": "\\u0000"}',
        '{"question": "can I return sale items", "more": 1}', "[" * 100_000,
    ]  # fmt: skip
    out = [json.loads(line) for line in answer_lines(lines, retriever.find)]
    assert len(out) == len(lines)
    assert all(set(line) == {"page", "section", "score", "answerable"} for line in out)
    assert out[0]["page"] == "return_window"
    assert out[0]["answerable"] is True
    for bad in (1, 2, 3, 4, 5, 6, 9, 11):
        assert out[bad] == {"page": None, "section": None, "score": 0.0, "answerable": False}
    assert out[7]["answerable"] is False
    assert out[10]["page"] == "exceptions"
