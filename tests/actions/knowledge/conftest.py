"""Small pages of its own, and an embedder without a model."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from actions.knowledge.embedding import Vectors
from actions.knowledge.retrieval import Retriever

WINDOW = """---
title: Return window
owner: Care
updated: 2026-01-05
---

# Return window

## How many days there are
<!-- asked as
how many days do I have to return
return time limit
-->
You have 30 days from delivery to return clothing.
Furniture has 14 days.
"""

SALE = """---
title: Exceptions
owner: Care
updated: 2026-01-05
---

## Sale items
<!-- asked as
can I return sale items
-->
Items marked "Final sale" cannot be returned for a change of mind.
Damaged items are always taken back.
"""

NOT_COVERED = "shop:\n- what are your opening hours\n- where is my order\n- do you have jobs\n"


class BagOfWords:
    """An embedder without a model: a word is a direction. Counts what it embeds."""

    name = "bag-of-words"

    def __init__(self) -> None:
        self.embedded: list[str] = []

    def embed(self, texts: Sequence[str], kind: str) -> Vectors:
        self.embedded += texts
        rows = np.full((len(texts), 256), 1e-3, np.float32)
        for row, text in zip(rows, texts, strict=True):
            for word in text.lower().split():
                row[hashlib.md5(word.encode()).digest()[0]] += 1
        return rows / np.linalg.norm(rows, axis=1, keepdims=True)


@pytest.fixture
def pages(tmp_path: Path) -> Path:
    folder = tmp_path / "policy_kb"
    folder.mkdir()
    (folder / "return_window.md").write_text(WINDOW, encoding="utf-8")
    (folder / "exceptions.md").write_text(SALE, encoding="utf-8")
    (folder / "not_covered.yml").write_text(NOT_COVERED, encoding="utf-8")
    return folder


@pytest.fixture
def embedder() -> BagOfWords:
    return BagOfWords()


@pytest.fixture
def retriever(pages: Path, embedder: BagOfWords) -> Retriever:
    return Retriever(pages, embedder)
