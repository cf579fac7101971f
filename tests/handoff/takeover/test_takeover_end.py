"""A takeover ends: solved, handed back, or void because the agent speaks on; and when its words may be sent."""

from __future__ import annotations

import json
from typing import Any

import pytest
from sqlalchemy import select

from handoff.configuration import HandoffConfiguration
from handoff.jobs.agent_comments import agent_said
from handoff.storage.database import Database
from handoff.storage.queries import TicketRef
from handoff.storage.tables import deliveries, jobs
from handoff.takeover.customer_messages import ControlReturned, CustomerMessage, customer_said
from handoff.takeover.state_machine import open_takeover
from handoff.takeover.takeover_end import HANDED_BACK, status_changed
from handoff.takeover.thread_control import ThreadControl
from tests.handoff.takeover.moves import CUSTOMER, NOW, announce, comment, end, external_id

pytestmark = pytest.mark.every_database


async def test_a_solved_ticket_gives_control_back_and_old_replies_stay_silent(
    db: Database, control: ThreadControl, request_for: Any
) -> None:
    before = await control.owner(CUSTOMER)
    opened = open_takeover(db, request_for())
    end(db, opened.takeover_id)
    now = await control.owner(CUSTOMER)
    assert now.owner == "bot"
    assert not await control.admit_reply(CUSTOMER, before.control_version, "wamid.0")
    assert await control.admit_reply(CUSTOMER, now.control_version, "wamid.3")


async def test_the_words_of_the_return_may_be_sent_until_a_person_is_called_again(
    db: Database, control: ThreadControl, request_for: Any
) -> None:
    opened = open_takeover(db, request_for())
    entry_id = end(db, opened.takeover_id)
    assert await control.admit_reply(CUSTOMER, 0, entry_id)
    open_takeover(db, request_for(wamid="wamid.7"))
    assert not await control.admit_reply(CUSTOMER, 0, entry_id)


async def test_solved_keeps_the_agent_in_control_until_the_last_poll(
    db: Database, control: ThreadControl, request_for: Any
) -> None:
    opened = open_takeover(db, request_for())
    ticket = TicketRef(None, external_id(db, opened.takeover_id))
    assert status_changed(db, ticket, "solved", NOW + 50) == "ending"
    assert (await control.owner(CUSTOMER)).owner == "waiting"
    assert agent_said(db, ticket, comment(at=NOW + 40)) == "relayed"


async def test_an_agent_who_hands_back_leaves_the_ticket_open_and_it_is_the_one_of_the_next_call(
    db: Database, control: ThreadControl, request_for: Any
) -> None:
    opened = open_takeover(db, request_for())
    ticket = TicketRef(None, external_id(db, opened.takeover_id))
    agent_said(db, ticket, comment(at=NOW + 10))
    assert status_changed(db, ticket, HANDED_BACK, NOW + 50) == "ending"
    assert (await control.owner(CUSTOMER)).owner == "agent", "until the agent's last words were read"
    end(db, opened.takeover_id)
    assert (await control.owner(CUSTOMER)).owner == "bot"
    with db.read() as connection:
        returned = select(deliveries.c.payload).where(deliveries.c.kind == "conversation_returned")
        assert json.loads(connection.execute(returned).scalar_one())["reason"] == "agent"
        note = json.loads(connection.execute(select(jobs.c.body).where(jobs.c.kind == "note")).scalars().all()[-1])
    assert (note["status"], note["add_tag"], note["remove_tag"]) == (
        "pending", "with_the_assistant", "back_to_assistant"
    )  # fmt: skip
    assert status_changed(db, ticket, HANDED_BACK, NOW + 200) == "over"


def test_a_status_older_than_the_newest_is_ignored(db: Database, request_for: Any) -> None:
    opened = open_takeover(db, request_for())
    ticket = TicketRef(None, external_id(db, opened.takeover_id))
    assert status_changed(db, ticket, "open", NOW + 60) == "open"
    assert status_changed(db, ticket, "solved", NOW + 50) == "stale"


@pytest.mark.parametrize("late", [{"at": NOW + 50}, {"at": NOW + 500, "ticket_open": False}])
async def test_a_late_comment_on_a_solved_ticket_is_delivered_without_taking_control(
    db: Database, control: ThreadControl, request_for: Any, late: dict[str, Any]
) -> None:
    opened = open_takeover(db, request_for())
    end(db, opened.takeover_id)
    ticket = TicketRef(None, external_id(db, opened.takeover_id))
    assert agent_said(db, ticket, comment(**late)) == "relayed"
    assert (await control.owner(CUSTOMER)).owner == "bot"


async def test_a_solved_conversation_stays_with_the_agent_until_the_inbox_comes_to_its_return(
    db: Database, control: ThreadControl, configuration: HandoffConfiguration, request_for: Any
) -> None:
    opened = open_takeover(db, request_for())
    entry_id = announce(db, opened.takeover_id)
    assert customer_said(db, CUSTOMER, CustomerMessage("wamid.5", "hello?", NOW), configuration) == "ticket"
    assert (await control.accept_return(CUSTOMER, entry_id)).owner == "bot"
    with pytest.raises(ControlReturned):
        customer_said(db, CUSTOMER, CustomerMessage("wamid.6", "hello?", NOW), configuration)


@pytest.mark.slow
async def test_the_send_gate_of_the_return_gives_control_back_when_the_inbox_did_not(
    db: Database, control: ThreadControl, request_for: Any
) -> None:
    entry_id = announce(db, open_takeover(db, request_for()).takeover_id)
    assert await control.admit_reply(CUSTOMER, 0, entry_id)
    assert (await control.owner(CUSTOMER)).owner == "bot"


async def test_an_agent_who_speaks_on_makes_an_announced_return_void(
    db: Database, control: ThreadControl, request_for: Any
) -> None:
    opened = open_takeover(db, request_for())
    ticket = TicketRef(None, external_id(db, opened.takeover_id))
    agent_said(db, ticket, comment(1))
    entry_id = announce(db, opened.takeover_id)
    agent_said(db, ticket, comment(2, at=NOW + 500))
    assert (await control.accept_return(CUSTOMER, entry_id)).owner == "agent"
    assert not await control.admit_reply(CUSTOMER, 0, entry_id)


async def test_a_return_that_a_lost_redis_forgot_is_announced_again(
    db: Database, control: ThreadControl, request_for: Any
) -> None:
    opened = open_takeover(db, request_for())
    first = announce(db, opened.takeover_id)
    with db.write() as connection:
        connection.execute(deliveries.update().values(state="done", payload=None))
    assert announce(db, opened.takeover_id) == first
    with db.read() as connection:
        row = connection.execute(select(deliveries)).one()
    assert row.state == "pending"
    assert row.payload
