"""A helpdesk that is away, asks for patience or refuses: what is owed to it waits, and blocks nothing else."""

from __future__ import annotations

import json
from typing import Any

import pytest

from handoff.byte_limits import size
from handoff.configuration import HandoffConfiguration
from handoff.helpdesks.interface import (
    Gone,
    NotAllowed,
    Refused,
    RetryLater,
)
from handoff.jobs.agent_comments import AgentComment, agent_said
from handoff.jobs.dispatcher import Dispatcher
from handoff.storage.database import Database
from handoff.storage.queries import TicketRef
from handoff.storage.tables import deliveries, jobs, notices, takeovers, thread_controls
from handoff.takeover.customer_messages import not_delivered
from handoff.takeover.state_machine import open_takeover
from tests.handoff.jobs.fake_helpdesk import Clock, FakeHelpdesk, opened_at, say, state, work


@pytest.mark.slow
def test_a_helpdesk_that_is_down_for_hours_gets_the_ticket_when_it_is_back(
    db: Database, dispatcher: Dispatcher, helpdesk: FakeHelpdesk, configuration: HandoffConfiguration,
    request_for: Any, clock: Clock,
) -> None:  # fmt: skip
    helpdesk.script = [RetryLater("down")] * 200
    opened_at(db, request_for, clock)
    say(db, configuration, clock, 1)
    for _ in range(120):
        work(dispatcher)
        clock.now += 30
    assert 40 < helpdesk.calls < 80, "it backs off, but goes on trying"
    helpdesk.script.clear()
    for _ in range(4):
        clock.now += 120
        work(dispatcher)
    assert len(helpdesk.tickets) == 1
    assert len(helpdesk.comments) == 1


@pytest.mark.slow
def test_the_first_ticket_that_is_opened_after_an_outage_brings_the_others(
    db: Database, dispatcher: Dispatcher, helpdesk: FakeHelpdesk, request_for: Any, clock: Clock
) -> None:
    helpdesk.script = [RetryLater("down")] * 40
    for number in range(4):
        open_takeover(db, request_for(str(number), wamid=f"wamid.{number}"), now=clock.now)
    while helpdesk.script:
        clock.now = min(due for due in state(db, jobs.c.due_at))
        work(dispatcher)
    clock.now = min(due for due in state(db, jobs.c.due_at))
    work(dispatcher)
    work(dispatcher)
    assert len(helpdesk.tickets) == 4


def test_an_order_that_was_told_when_to_come_again_is_not_woken(
    db: Database, dispatcher: Dispatcher, helpdesk: FakeHelpdesk, request_for: Any, clock: Clock
) -> None:
    helpdesk.script = [RetryLater("too many", 500.0), RetryLater("down")]
    for number in range(2):
        open_takeover(db, request_for(str(number), wamid=f"wamid.{number}"), now=clock.now)
    work(dispatcher)
    clock.now += 2
    work(dispatcher)
    work(dispatcher)
    assert len(helpdesk.tickets) == 1


def test_a_429_is_waited_out_as_long_as_it_asks(
    db: Database, dispatcher: Dispatcher, helpdesk: FakeHelpdesk, request_for: Any, clock: Clock
) -> None:
    helpdesk.script = [RetryLater("HTTP 429", 90.0)]
    opened_at(db, request_for, clock)
    work(dispatcher)
    clock.now += 89
    assert dispatcher.due() == []
    clock.now += 2
    work(dispatcher)
    assert len(helpdesk.tickets) == 1


@pytest.mark.slow
@pytest.mark.parametrize("error", [NotAllowed("HTTP 401"), Refused("HTTP 422"), ValueError("bug")])
def test_a_ticket_is_asked_for_until_it_exists(
    db: Database, dispatcher: Dispatcher, helpdesk: FakeHelpdesk, request_for: Any, clock: Clock, error: Exception
) -> None:
    helpdesk.script = [error] * 5
    opened_at(db, request_for, clock)
    for _ in range(200):
        work(dispatcher)
        clock.now += 60
    assert len(helpdesk.tickets) == 1


@pytest.mark.parametrize("refusals", [[Gone("closed")], [Refused("5000 comments")] * 3])
def test_words_that_a_ticket_refuses_for_good_get_another_ticket_and_block_nothing(
    db: Database, dispatcher: Dispatcher, helpdesk: FakeHelpdesk, configuration: HandoffConfiguration,
    request_for: Any, clock: Clock, refusals: list[Exception],
) -> None:  # fmt: skip
    opened_at(db, request_for, clock)
    work(dispatcher)
    helpdesk.script = [*refusals]
    say(db, configuration, clock, 1)
    for number in range(20):
        clock.now += 10
        work(dispatcher)
        if number == 10:
            say(db, configuration, clock, 2)
    assert len(helpdesk.tickets) == 2
    assert helpdesk.drafts[1].follows == "1"
    assert "#1" in helpdesk.drafts[1].note
    said = [line for comment in helpdesk.comments for line in comment.body.splitlines() if line.startswith("hello")]
    assert said == ["hello 1", "hello 2"]
    assert set(state(db, jobs.c.state)) == {"done"}


def test_a_note_that_only_informs_is_not_worth_another_ticket(
    db: Database, dispatcher: Dispatcher, helpdesk: FakeHelpdesk, request_for: Any, clock: Clock
) -> None:
    opened_at(db, request_for, clock)
    work(dispatcher)
    agent_said(db, TicketRef("1"), AgentComment("fake:comment:5", "5", "hi", clock.now), clock.now)
    not_delivered(db, "fake:comment:5", "recipient", clock.now)
    helpdesk.script = [Gone("deleted")]
    work(dispatcher)
    assert len(helpdesk.tickets) == 1
    assert state(db, takeovers.c.next_poll_at)[0] <= clock.now, "the ticket is read to find out what happened"


def test_a_shop_whose_helpdesk_closes_every_ticket_is_not_flooded_with_more(
    db: Database, dispatcher: Dispatcher, helpdesk: FakeHelpdesk, configuration: HandoffConfiguration,
    request_for: Any, clock: Clock,
) -> None:  # fmt: skip
    opened_at(db, request_for, clock)
    work(dispatcher)
    say(db, configuration, clock, 1)
    clock.now += 10
    helpdesk.script = [step for _ in range(10) for step in (Gone("deleted"), None)]
    for _ in range(60):
        work(dispatcher)
        clock.now += 5
    assert len(helpdesk.tickets) == 4
    assert state(db, takeovers.c.closed_as) == ["unreached"], "the customer is told, and has the assistant"


def test_a_customer_whose_ticket_is_refused_has_the_assistant_within_a_minute_and_the_ticket_comes_later(
    db: Database, dispatcher: Dispatcher, helpdesk: FakeHelpdesk, configuration: HandoffConfiguration,
    request_for: Any, clock: Clock,
) -> None:  # fmt: skip
    helpdesk.script = [Refused("HTTP 422")] * 4
    opened_at(db, request_for, clock)
    say(db, configuration, clock, 1)
    for _ in range(10):
        work(dispatcher)
        clock.now += 6
    assert state(db, thread_controls.c.owner) == ["bot"]
    (returned,) = state(db, deliveries.c.payload)
    assert json.loads(returned)["reason"] == "unreachable"
    assert state(db, notices.c.channel) == ["slack"], "people are told that it waits"
    for _ in range(30):
        clock.now += 60
        work(dispatcher)
    assert len(helpdesk.tickets) == 1
    assert "hello 1" in "".join(comment.body for comment in helpdesk.comments)
    assert state(db, deliveries.c.kind) == ["conversation_returned"], "told once"


@pytest.mark.slow
def test_after_an_outage_hundreds_of_messages_stand_in_comments_that_the_helpdesk_keeps_whole(
    db: Database, dispatcher: Dispatcher, helpdesk: FakeHelpdesk, configuration: HandoffConfiguration,
    request_for: Any, clock: Clock,
) -> None:  # fmt: skip
    opened_at(db, request_for, clock)
    for number in range(60):
        say(db, configuration, clock, number, "ऑर्डर कहाँ है 😡" * 250)
    clock.now += 60
    for _ in range(60):
        work(dispatcher)
        clock.now += 60
    assert all(size(comment.body) <= 64_000 for comment in helpdesk.comments)
    said = "".join(comment.body for comment in helpdesk.comments)
    assert [number for number in range(60) if f"😡 {number}\n" not in said] == []
