"""Sections are found, pages are re-read when they change, and the memory of embeddings is only a memory."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from actions.knowledge.documents import KnowledgeError
from actions.knowledge.embedding import RememberingEmbedder, Vectors, pack
from actions.knowledge.index import EmbeddedVectorIndex
from actions.knowledge.retrieval import Finding, Retriever, answer_lines
from tests.actions.knowledge.conftest import BagOfWords


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


def test_a_new_page_is_found_and_a_removed_one_is_not(retriever: Retriever, pages: Path) -> None:
    retriever.find("days")
    new = pages / "plants.md"
    new.write_text(
        "---\ntitle: Plants\nowner: O\nupdated: 2026-01-01\n---\n## Plants and flowers\nPlants cannot be returned.\n",
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


def test_pages_that_were_never_readable_are_an_error(tmp_path: Path, embedder: BagOfWords) -> None:
    with pytest.raises(KnowledgeError):
        Retriever(tmp_path, embedder).find("days")


def test_only_the_pages_are_remembered_on_disk_never_a_question(pages: Path, tmp_path: Path) -> None:
    first = BagOfWords()
    Retriever(pages, first, memory=tmp_path / "memory").find("a very private question")
    size = next((tmp_path / "memory").iterdir()).stat().st_size
    second = BagOfWords()
    Retriever(pages, second, memory=tmp_path / "memory").find("a very private question")
    assert second.embedded == ["a very private question"]
    assert next((tmp_path / "memory").iterdir()).stat().st_size == size


def test_an_edit_embeds_only_what_changed(pages: Path, embedder: BagOfWords) -> None:
    retriever = Retriever(pages, embedder)
    retriever.find("days")
    embedder.embedded.clear()
    path = pages / "return_window.md"
    path.write_text(path.read_text(encoding="utf-8").replace("return time limit", "return deadline"), encoding="utf-8")
    retriever.find("days")
    assert embedder.embedded == ["return deadline", "days"]


@pytest.mark.parametrize("damage", [b"", b"not a zip", b"PK\x03\x04 cut"])
def test_a_damaged_memory_is_built_anew(tmp_path: Path, damage: bytes, embedder: BagOfWords) -> None:
    expected = RememberingEmbedder(embedder, tmp_path).embed(["a", "b"], "query")
    assert BagOfWords().embed(["a"], "query") == pytest.approx(expected[:1], abs=0.01)
    (path,) = tmp_path.iterdir()
    path.write_bytes(damage)
    assert np.allclose(RememberingEmbedder(embedder, tmp_path).embed(["a", "b"], "query"), expected, atol=0.01)
    again = BagOfWords()
    RememberingEmbedder(again, tmp_path).embed(["a", "b"], "query")
    assert again.embedded == []


def test_what_is_shipped_is_not_embedded_again(tmp_path: Path, embedder: BagOfWords) -> None:
    shipped = tmp_path / "shipped.npz"
    pack(shipped, embedder, [("a", "query"), ("b", "passage")])
    fresh = BagOfWords()
    RememberingEmbedder(fresh, tmp_path / "memory", shipped).embed(["a", "c"], "query")
    assert fresh.embedded == ["c"]


def test_what_another_model_shipped_is_not_used(tmp_path: Path, embedder: BagOfWords) -> None:
    shipped = tmp_path / "shipped.npz"
    embedder.name = "another"
    pack(shipped, embedder, [("a", "query")])
    fresh = BagOfWords()
    RememberingEmbedder(fresh, None, shipped).embed(["a"], "query")
    assert fresh.embedded == ["a"]


def test_a_memory_that_cannot_be_written_does_not_stop_the_search(pages: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    retriever = Retriever(pages, BagOfWords(), memory=tmp_path / "file" / "memory")
    assert retriever.find("how many days to return").answerable


class FewNearest:
    """A vector store elsewhere: it answers with a few neighbours only."""

    def __init__(self) -> None:
        self.inner = EmbeddedVectorIndex()
        self.versions: list[str] = []

    def replace(self, version: str, vectors: Vectors) -> None:
        self.versions.append(version)
        self.inner.replace(version, vectors)

    def nearest(self, vector: Vectors, count: int) -> Sequence[tuple[int, float]]:
        return self.inner.nearest(vector, min(count, 3))


def test_another_vector_store_fits_the_seam(pages: Path, embedder: BagOfWords) -> None:
    store = FewNearest()
    finding = Retriever(pages, embedder, vectors=store).find("can I return sale items")
    assert len(store.versions) == 1
    assert finding.answerable
    assert finding.best is not None
    assert finding.best.page == "exceptions"


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
