"""docs/backends.md speaks of settings and tests that exist, and of every setting that chooses a backend."""

from __future__ import annotations

import re

import pytest

from settings import VARIABLES
from tests.contracts.source_tree import ROOT

PAGE = (ROOT / "docs/backends.md").read_text(encoding="utf-8")
NAMES = {variable.name for variable in VARIABLES}
OF_LIBRARIES = {"GOOGLE_APPLICATION_CREDENTIALS"}
"""Variables that a library reads by itself."""


def test_every_setting_that_the_page_names_exists() -> None:
    lines = "\n".join(re.findall(r"```ini\n(.*?)```", PAGE, re.S)).splitlines()
    named = {*re.findall(r"`([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+)`", PAGE), *re.findall(r"(?m)^([A-Z_]+)=", "\n".join(lines))}
    assert named >= {"ORDERS_DATABASE_URL", "CONVERSATION_DATABASE_URL"}
    assert {name.removesuffix("_FILE") for name in named} <= NAMES | OF_LIBRARIES


@pytest.mark.parametrize("name", sorted(
    name for name in NAMES if name.startswith(("CHATWOOT_", "AWS_", "EMBEDDINGS_", "PINECONE_")) or name in (
        "ORDERS_DATABASE_URL", "CONVERSATION_DATABASE_URL", "TICKETING", "PASSAGE_STORE_URL", "ARCHIVE_URL",
        "MEDIA_URL", "ZENDESK_URL", "FRESHDESK_URL", "HUBSPOT_URL",
    )
))  # fmt: skip
def test_every_setting_that_chooses_a_backend_is_on_the_page(name: str) -> None:
    assert f"`{name}`" in PAGE or f"{name}=" in PAGE
