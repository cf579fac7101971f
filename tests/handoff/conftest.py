"""An empty takeover database of each kind, and what most tests open."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from handoff.configuration import HandoffConfiguration
from handoff.storage.database import Database
from tests.handoff import samples


@pytest.fixture
def db(sql_url: str) -> Iterator[Database]:
    """SQLite, then PostgreSQL."""
    database = Database(sql_url)
    yield database
    database.close()


@pytest.fixture
def configuration() -> HandoffConfiguration:
    """Open day and night."""
    return samples.always_open()


@pytest.fixture
def request_for() -> Any:
    """Builds a Request: request_for("919876543210", wamid="wamid.1", reason=...)."""
    return samples.request
