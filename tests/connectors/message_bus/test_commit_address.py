"""What a commit remembers of when the customer last wrote: the window in which they may be written to."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

from connectors.message_bus.commit import Commits
from connectors.message_bus.turn import Turn
from hot_store import record_versions
from tests.connectors.message_bus.transport_fakes import message


class Remembers:
    """Redis as far as it is asked: the address that was committed last."""

    def __init__(self, at: float) -> None:
        self.stored = json.dumps(record_versions.stamped({"wa_id": "919876543210", "at": at, "language": "en"}))

    def register_script(self, _: str) -> Any:
        return None

    async def get(self, _: str) -> str:
        return self.stored


@pytest.mark.parametrize(("committed_s_ago", "written_s_ago"), [(60, 25 * 3600), (60, 3600), (25 * 3600, 0)])
async def test_a_message_that_comes_late_or_again_closes_no_window(committed_s_ago: int, written_s_ago: int) -> None:
    now = time.time()
    entry = message("919876543210", "wamid.1", at=now - written_s_ago)
    turn = Turn(entry, dict(entry.payload["metadata"]), language="en")
    client: Any = Remembers(now - committed_s_ago)
    known = await Commits(client, client)._known_address(turn)
    assert known["at"] == pytest.approx(now - min(committed_s_ago, written_s_ago), abs=2)
