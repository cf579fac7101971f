"""A twin of one's own for each test."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.twin.standin import RunningTwin, running_twin


@pytest.fixture
async def twin(tmp_path: Path) -> AsyncIterator[RunningTwin]:
    """A running twin whose assistant only listens."""
    async with running_twin(tmp_path) as running:
        yield running
