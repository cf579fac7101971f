"""Fixtures of these tests."""

from __future__ import annotations

import pytest

from handoff.configuration import HandoffConfiguration
from handoff.jobs.dispatcher import Dispatcher
from handoff.storage.database import Database
from tests.handoff.jobs.fake_helpdesk import Clock, FakeHelpdesk


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def helpdesk() -> FakeHelpdesk:
    return FakeHelpdesk()


@pytest.fixture
def dispatcher(
    db: Database, helpdesk: FakeHelpdesk, configuration: HandoffConfiguration, clock: Clock
) -> Dispatcher:
    return Dispatcher(db, helpdesk, configuration, ["slack"], "key", clock)
