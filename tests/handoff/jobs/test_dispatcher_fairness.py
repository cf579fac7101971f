"""What cannot be done yet for some takeovers holds up nobody else's."""

from __future__ import annotations

from typing import Any

import pytest

from handoff.helpdesks.interface import Refused
from handoff.jobs.dispatcher import Dispatcher
from handoff.storage.database import Database
from handoff.storage.tables import takeovers
from handoff.takeover.state_machine import open_takeover
from tests.handoff.jobs.fake_helpdesk import Clock, FakeHelpdesk, state, work


@pytest.mark.slow
def test_tickets_that_are_refused_again_and_again_keep_no_other_from_being_opened(
    db: Database, dispatcher: Dispatcher, helpdesk: FakeHelpdesk, request_for: Any, clock: Clock
) -> None:
    helpdesk.script = [Refused("HTTP 422") for _ in range(25 * 3)]
    for number in range(25):
        open_takeover(db, request_for(f"91{number:010}", wamid=f"wamid.{number}"), now=clock.now)
    for _ in range(30):
        work(dispatcher)
        clock.now += 3
    assert helpdesk.script == []
    open_takeover(db, request_for("919000000000", wamid="wamid.new"), now=clock.now)
    work(dispatcher)
    assert helpdesk.tickets
    assert state(db, takeovers.c.ticket_id)[-1] is not None
