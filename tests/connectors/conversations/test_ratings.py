"""The question how it was goes out with the words of a return: in the window, not against a wish, with one bubble."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

from connectors.conversations.entry_handler import ENDED, HOW_WAS_IT
from connectors.conversations.ratings import Ratings
from connectors.message_bus.inbox import Entry
from handoff.configuration import load_configuration
from handoff.storage.database import Database
from handoff.storage.queries import takeover_by_id
from handoff.takeover.state_machine import open_takeover
from handoff.takeover.takeover_end import announce_return
from handoff.takeover.thread_control import ThreadControl
from handoff.updates.opt_outs import OptOuts
from tests.connectors.message_bus.transport_fakes import Process, message
from tests.handoff.samples import always_open, request

CUSTOMER = "919876543210"
DAY = 24 * 3600.0


class Case:
    """A customer who wrote at `at`, called a person, and whose ticket is solved now."""

    def __init__(self, url: str, folder: Path) -> None:
        self.db = Database(f"sqlite:///{folder / 'handoff.db'}")
        self.process = Process(url, control=ThreadControl(self.db, always_open()))
        self.opt_outs = OptOuts(self.db, load_configuration())
        handler: Any = self.process.transport.consumer._handler
        handler._ratings = Ratings(self.process.client, self.db, self.opt_outs)
        self.process.start()

    async def solved(self, at: float | None = None) -> str:
        await self.process.inbox.put([message(CUSTOMER, "wamid.0", "hi", at)])
        await self.process.drained()
        opened = open_takeover(self.db, request(at=time.time()))
        with self.db.write() as connection:
            announce_return(connection, takeover_by_id(connection, opened.takeover_id), time.time())
            external_id = takeover_by_id(connection, opened.takeover_id).external_id
        payload = {"reason": "solved", "reference": opened.reference}
        await self.process.inbox.put([Entry("conversation_returned", CUSTOMER, f"returned:{external_id}:2", payload)])
        await self.process.drained()
        said = [body["text"]["body"] for body in self.process.graph.accepted if body["type"] == "text"]
        return ", ".join(words for words in said if not words.startswith("echo"))


@pytest.fixture
async def case(redis_url: str, tmp_path: Path) -> Any:
    made = Case(redis_url, tmp_path)
    yield made
    await made.process.stop()


async def test_a_solved_ticket_asks_how_it_was_in_the_one_message_that_says_so(case: Case) -> None:
    assert await case.solved() == HOW_WAS_IT
    assert case.process.speaker.facts[-1] == {"reference": "MG-1001"}


async def test_who_wrote_stop_hears_only_that_the_ticket_is_closed(case: Case) -> None:
    await case.opt_outs.keep("stop", [CUSTOMER])
    assert await case.solved() == ENDED


async def test_nobody_is_asked_after_the_window(case: Case) -> None:
    await case.solved(at=time.time() - DAY + 60)
    assert HOW_WAS_IT not in str(case.process.graph.accepted)


async def test_a_kept_wish_to_be_asked_again_counts(case: Case) -> None:
    await case.opt_outs.keep("stop", [CUSTOMER])
    await case.opt_outs.keep("start", [CUSTOMER])
    assert await case.solved() == HOW_WAS_IT
