"""The vectors of the pages that tests are given are those that the model makes of the pages as they are."""

from __future__ import annotations

from pathlib import Path

import pytest

from actions.knowledge.pages.documents import load_pages
from actions.knowledge.retrieval.embedding import E5
from actions.knowledge.retrieval.relevance import texts_of
from actions.knowledge.stores.embedded import EmbeddedStore
from actions.knowledge.stores.remembering import _key as key_of
from tests.known_pages import SHIPPED

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.slow
def test_nearly_all_are_there_and_are_what_the_model_makes_of_them() -> None:
    texts = [text for section in load_pages(ROOT / "policy_kb").sections for text in texts_of(section)]
    known = EmbeddedStore(SHIPPED, E5.name).known([key_of(*text) for text in texts])
    assert len(known) >= 0.9 * len(set(texts)), "Run `python -m tests.known_pages` and commit."
    model = E5()
    for kind, text in texts[::60]:
        if (key := key_of(kind, text)) in known:
            assert model.embed([text], kind)[0] @ known[key] > 0.999
