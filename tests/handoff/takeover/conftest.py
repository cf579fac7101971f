"""Who speaks, asked of the takeovers' database."""

from __future__ import annotations

import pytest

from handoff.configuration import HandoffConfiguration
from handoff.storage.database import Database
from handoff.takeover.thread_control import ThreadControl


@pytest.fixture
def control(db: Database, configuration: HandoffConfiguration) -> ThreadControl:
    return ThreadControl(db, configuration)
