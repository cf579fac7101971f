"""Small pages of its own, and the real embedding model, counted."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from actions.knowledge.retrieval.embedding import E5, Vectors
from actions.knowledge.retrieval.retriever import Retriever

WINDOW = """# Return window

## How many days there are
You have 30 days from delivery to return clothing.
Furniture has 14 days.
"""

SALE = """# Exceptions

## Sale items
Items marked "Final sale" cannot be returned for a change of mind.
Damaged items are always taken back.
"""
_E5 = E5()


_known: dict[tuple[str, str], Vectors] = {}


class CountingE5:
    """The real model, which embeds a text once in all tests; keeps what it was asked to embed."""

    name = _E5.name

    def __init__(self) -> None:
        self.embedded: list[str] = []

    def embed(self, texts: Sequence[str], kind: str) -> Vectors:
        self.embedded += texts
        for text in texts:
            if (kind, text) not in _known:
                _known[kind, text] = _E5.embed([text], kind)[0]
        return np.array([_known[kind, text] for text in texts]) if texts else _E5.embed(texts, kind)


@pytest.fixture
def pages(tmp_path: Path) -> Path:
    folder = tmp_path / "policy_kb"
    folder.mkdir()
    (folder / "return_window.md").write_text(WINDOW, encoding="utf-8")
    (folder / "exceptions.md").write_text(SALE, encoding="utf-8")
    return folder


@pytest.fixture
def embedder() -> CountingE5:
    return CountingE5()


@pytest.fixture
def retriever(pages: Path, embedder: CountingE5) -> Retriever:
    return Retriever(pages, embedder, wait=True)
