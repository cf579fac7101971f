"""A customer who went back to the assistant and wants a person after all: the same ticket, told what is new."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select

from handoff.configuration import HandoffConfiguration
from handoff.jobs.agent_comments import AgentComment, agent_said
from handoff.jobs.dispatcher import Dispatcher
from handoff.jobs.polling import TicketPoller
from handoff.storage.database import Database
from handoff.storage.queries import TicketRef
from handoff.storage.tables import notices
from handoff.takeover.customer_messages import CustomerMessage, customer_said, reply_suppressed
from handoff.takeover.state_machine import Opened, open_takeover
from handoff.takeover.takeover_end import status_changed
from handoff.takeover.thread_control import ThreadControl
from tests.handoff.samples import NOW
from tests.handoff.world_parts import AgentsDesk

CUSTOMER = "919876543210"


class Shop:
    """One customer's takeovers, the worker and a helpdesk."""

    def __init__(self, db: Database, configuration: HandoffConfiguration, request_for: Any) -> None:
        self.db, self.configuration, self.request_for = db, configuration, request_for
        self.now, self.desk = NOW, AgentsDesk()
        clock = lambda: self.now  # noqa: E731
        self.dispatcher = Dispatcher(db, self.desk, configuration, ["slack"], "key", clock)
        self.poller = TicketPoller(db, self.desk, configuration, clock)

    def calls(self, wamid: str, **values: Any) -> Opened:
        self.now += 10
        return open_takeover(self.db, self.request_for(wamid=wamid, at=self.now, **values), now=self.now)

    def goes_back(self, wamid: str) -> None:
        self.now += 10
        words = CustomerMessage(wamid, "back to the bot", self.now)
        assert customer_said(self.db, CUSTOMER, words, self.configuration, self.now) == "returned"

    def work(self) -> None:
        for _ in range(4):
            self.now += 61
            for number in self.dispatcher.due():
                self.dispatcher.work(number)
            for number in self.poller.due():
                self.poller.poll(number)

    def said(self) -> str:
        return "\n".join(comment.text for rows in self.desk.comments.values() for comment in rows)


@pytest.fixture
def shop(db: Database, configuration: HandoffConfiguration, request_for: Any) -> Shop:
    return Shop(db, configuration, request_for)


async def test_the_open_ticket_goes_on(shop: Shop) -> None:
    first = shop.calls("wamid.1")
    shop.work()
    shop.goes_back("wamid.2")
    shop.work()
    since = ((shop.now + 1, "customer", "it never came"),)
    again = shop.calls("wamid.3", reason="refund_request", priority="HIGH", transcript=since)
    shop.work()
    assert (again.outcome, again.reference) == ("opened", first.reference)
    assert len(shop.desk.made) == 1
    assert "waits for a person again: asks for a refund" in shop.said()
    assert "it never came" in shop.said()
    control = await ThreadControl(shop.db, shop.configuration).owner(CUSTOMER)
    assert (control.owner, control.opened_by) == ("waiting", "wamid.3")


def test_whoever_was_told_of_the_first_call_is_told_of_the_second(shop: Shop) -> None:
    shop.calls("wamid.1")
    shop.work()
    with shop.db.write() as connection:
        connection.execute(notices.update().values(state="done", done_at=shop.now))
    shop.goes_back("wamid.2")
    shop.calls("wamid.3")
    with shop.db.read() as connection:
        assert connection.execute(select(notices.c.state)).scalars().all() == ["pending"]


def test_a_ticket_that_nobody_tried_to_open_is_opened_with_the_new_request(shop: Shop) -> None:
    shop.calls("wamid.1")
    reply_suppressed(shop.db, CUSTOMER, "wamid.0", "#10234 is on its way", shop.now)
    shop.goes_back("wamid.2")
    shop.calls("wamid.3", reason="refund_request", priority="HIGH")
    shop.work()
    assert len(shop.desk.made) == 1
    (draft,) = shop.desk.drafts.values()
    assert (draft.priority, "asks for a refund" in draft.note) == ("high", True)
    assert "chose to go back" not in shop.said(), "that is no longer so"
    assert "#10234 is on its way" in shop.said(), "but what was held back still counts"


def test_a_ticket_that_perhaps_was_opened_says_the_same_when_tried_again_and_is_told_the_rest(shop: Shop) -> None:
    shop.desk.loses = True
    shop.calls("wamid.1")
    shop.work()
    shop.goes_back("wamid.2")
    shop.calls("wamid.3", reason="refund_request", priority="HIGH")
    shop.desk.loses = False
    shop.work()
    (draft,) = shop.desk.drafts.values()
    assert "complains" in draft.note
    assert "waits for a person again: asks for a refund" in shop.said()


def test_the_turn_that_called_again_may_run_twice(shop: Shop) -> None:
    shop.calls("wamid.1")
    shop.work()
    shop.goes_back("wamid.2")
    shop.calls("wamid.3")
    assert shop.calls("wamid.3").outcome == "same_turn"
    shop.work()
    assert shop.said().count("waits for a person again") == 1


def test_a_ticket_that_was_solved_meanwhile_is_followed_by_a_new_one(shop: Shop) -> None:
    first = shop.calls("wamid.1")
    shop.work()
    shop.goes_back("wamid.2")
    (external_id,) = shop.desk.made
    shop.desk.tickets[external_id] = "solved"
    status_changed(shop.db, TicketRef(None, external_id), "solved", shop.now, shop.now)
    for number in shop.poller.due():
        shop.poller.poll(number)
    assert shop.calls("wamid.3").reference != first.reference
    shop.work()
    assert len(shop.desk.made) == 2


async def test_an_agents_answer_on_it_takes_control(shop: Shop) -> None:
    shop.calls("wamid.1")
    shop.work()
    shop.goes_back("wamid.2")
    shop.calls("wamid.3")
    (external_id,) = shop.desk.made
    agent_said(shop.db, TicketRef(None, external_id), AgentComment("zendesk:comment:9", "9", "Hi", shop.now))
    assert (await ThreadControl(shop.db, shop.configuration).owner(CUSTOMER)).owner == "agent"
