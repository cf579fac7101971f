from __future__ import annotations

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from sqlalchemy import func, select

from handoff.configuration import HandoffConfiguration
from handoff.jobs.agent_comments import AgentComment, agent_said
from handoff.jobs.ticket import request_from
from handoff.storage.database import Database, HandoffUnavailable
from handoff.storage.queries import TicketRef, lock_control, takeover_by_id
from handoff.storage.tables import deliveries, jobs, takeovers
from handoff.takeover.customer_messages import ControlReturned, CustomerMessage, customer_said, reply_suppressed
from handoff.takeover.state_machine import open_takeover
from handoff.takeover.takeover_end import HANDED_BACK, accept_return, announce_return, status_changed
from handoff.takeover.thread_control import ControlState, ThreadControl

NOW = 1_800_000_000.0
CUSTOMER = "919876543210"

pytestmark = pytest.mark.every_database


def external_id(db: Database, takeover_id: int) -> str:
    with db.read() as connection:
        return str(takeover_by_id(connection, takeover_id).external_id)


def count(db: Database, table: Any) -> int:
    with db.read() as connection:
        return int(connection.execute(select(func.count()).select_from(table)).scalar_one())


def comment(number: int = 1, **values: Any) -> AgentComment:
    given = {"text": "Hello, Meera here", "at": NOW + 10}
    return AgentComment(f"zendesk:comment:{number}", str(number), **(given | values))


def announce(db: Database, takeover_id: int) -> str:
    """The helpdesk says solved; the inbox id of the return."""
    with db.write() as connection:
        lock_control(connection, CUSTOMER)
        announce_return(connection, takeover_by_id(connection, takeover_id), NOW + 90)
        found = select(deliveries.c.entry_id).where(deliveries.c.kind == "conversation_returned")
        return str(connection.execute(found.order_by(deliveries.c.id.desc())).scalars().first())


def end(db: Database, takeover_id: int) -> str:
    entry_id = announce(db, takeover_id)
    accept_return(db, CUSTOMER, entry_id, NOW + 100)
    return entry_id


@pytest.fixture
def control(db: Database, configuration: HandoffConfiguration) -> ThreadControl:
    return ThreadControl(db, configuration)


def test_a_request_is_stored_under_the_names_that_the_release_before_reads(request_for: Any) -> None:
    stored = request_for().stored()
    assert "sheet" in stored
    assert "score_breakdown" not in stored
    assert request_from(json.loads(json.dumps(stored))) == request_for()


async def test_an_unknown_customer_speaks_with_the_assistant(control: ThreadControl) -> None:
    assert await control.owner("nobody") == ControlState("bot", 0, None)
    assert await control.admit_reply("nobody", 0, "wamid.9")


async def test_a_takeover_silences_replies_computed_before_it(
    db: Database, control: ThreadControl, request_for: Any
) -> None:
    before = await control.owner(CUSTOMER)
    open_takeover(db, request_for())
    assert (await control.owner(CUSTOMER)).owner == "waiting"
    assert not await control.admit_reply(CUSTOMER, before.control_version, "wamid.0")


async def test_the_turn_that_called_a_person_may_say_so(db: Database, control: ThreadControl, request_for: Any) -> None:
    before = await control.owner(CUSTOMER)
    open_takeover(db, request_for())
    assert await control.admit_reply(CUSTOMER, before.control_version, "wamid.1")


def test_a_turn_that_runs_again_opens_nothing_new(db: Database, request_for: Any) -> None:
    first = open_takeover(db, request_for())
    again = open_takeover(db, request_for())
    assert (again.reference, again.outcome) == (first.reference, "same_turn")
    assert count(db, takeovers) == count(db, jobs) == 1


def test_a_customer_who_waits_gets_no_second_ticket(db: Database, request_for: Any) -> None:
    first = open_takeover(db, request_for())
    second = open_takeover(db, request_for(wamid="wamid.2"))
    assert (second.reference, second.outcome) == (first.reference, "already_waiting")
    assert count(db, jobs) == 1


def test_many_turns_at_once_open_one_ticket(db: Database, request_for: Any) -> None:
    db.prepare()
    together = threading.Barrier(6)

    def call(number: int) -> str:
        together.wait(30)
        return open_takeover(db, request_for(wamid=f"wamid.{number % 3}")).outcome

    with ThreadPoolExecutor(6) as pool:
        outcomes = list(pool.map(call, range(6)))
    assert outcomes.count("opened") == 1
    assert count(db, takeovers) == count(db, jobs) == 1


def test_two_open_tickets_of_one_customer_are_refused_by_the_database(db: Database, request_for: Any) -> None:
    opened = open_takeover(db, request_for())
    with db.read() as connection:
        row = dict(takeover_by_id(connection, opened.takeover_id)._mapping)
    row |= {"id": None, "external_id": "handoff:other", "opened_by": "wamid.other"}
    row.pop("id")
    with pytest.raises(HandoffUnavailable), db.write() as connection:
        connection.execute(takeovers.insert().values(row))


async def test_an_agents_comment_is_queued_once_and_takes_control(
    db: Database, control: ThreadControl, request_for: Any
) -> None:
    opened = open_takeover(db, request_for())
    ticket = TicketRef(None, external_id(db, opened.takeover_id))
    assert [agent_said(db, ticket, comment()) for _ in range(3)] == ["relayed", "seen", "seen"]
    assert count(db, deliveries) == 1
    assert (await control.owner(CUSTOMER)).owner == "agent"


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


async def test_agents_words_are_never_held_back(db: Database, control: ThreadControl, request_for: Any) -> None:
    open_takeover(db, request_for())
    assert await control.admit_reply(CUSTOMER, 0, "zendesk:comment:12")


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


async def test_an_agent_who_comments_on_a_ticket_left_open_speaks_again(
    db: Database, control: ThreadControl, request_for: Any
) -> None:
    opened = open_takeover(db, request_for())
    end(db, opened.takeover_id)
    control_version = (await control.owner(CUSTOMER)).control_version
    ticket = TicketRef(None, external_id(db, opened.takeover_id))
    assert agent_said(db, ticket, comment(at=NOW + 500)) == "relayed"
    state = await control.owner(CUSTOMER)
    assert state.owner == "agent"
    assert state.control_version > control_version


@pytest.mark.parametrize("late", [{"at": NOW + 50}, {"at": NOW + 500, "ticket_open": False}])
async def test_a_late_comment_on_a_solved_ticket_is_delivered_without_taking_control(
    db: Database, control: ThreadControl, request_for: Any, late: dict[str, Any]
) -> None:
    opened = open_takeover(db, request_for())
    end(db, opened.takeover_id)
    ticket = TicketRef(None, external_id(db, opened.takeover_id))
    assert agent_said(db, ticket, comment(**late)) == "relayed"
    assert (await control.owner(CUSTOMER)).owner == "bot"


def test_a_message_meant_for_the_ticket_after_the_return_is_sent_back_to_the_assistant(
    db: Database, configuration: HandoffConfiguration, request_for: Any
) -> None:
    opened = open_takeover(db, request_for())
    end(db, opened.takeover_id)
    with pytest.raises(ControlReturned):
        customer_said(db, CUSTOMER, CustomerMessage("wamid.5", "hello?", NOW), configuration)


def test_a_customers_words_are_kept_once_and_the_opening_message_not_again(
    db: Database, configuration: HandoffConfiguration, request_for: Any
) -> None:
    open_takeover(db, request_for())
    for wamid in ("wamid.1", "wamid.5", "wamid.5"):
        assert customer_said(db, CUSTOMER, CustomerMessage(wamid, "hello?", NOW), configuration) == "ticket"
    assert count(db, jobs) == 2


@pytest.mark.parametrize("text", ["back to the bot", "Ok, never mind!", "/end", "no thanks, back to the bot please"])
def test_a_waiting_customer_may_ask_for_the_assistant(
    db: Database, configuration: HandoffConfiguration, request_for: Any, text: str
) -> None:
    open_takeover(db, request_for())
    assert customer_said(db, CUSTOMER, CustomerMessage("wamid.5", text, NOW), configuration) == "returned"


@pytest.mark.parametrize(
    "text", ["the bot was useless", "never mind the price, where is it", "in the end I want it", ""]
)
def test_other_words_are_no_wish_for_the_assistant(
    db: Database, configuration: HandoffConfiguration, request_for: Any, text: str
) -> None:
    open_takeover(db, request_for())
    assert customer_said(db, CUSTOMER, CustomerMessage("wamid.5", text, NOW), configuration) == "ticket"


def test_once_an_agent_speaks_the_same_words_go_to_the_ticket(
    db: Database, configuration: HandoffConfiguration, request_for: Any
) -> None:
    opened = open_takeover(db, request_for())
    agent_said(db, TicketRef(None, external_id(db, opened.takeover_id)), comment())
    assert customer_said(db, CUSTOMER, CustomerMessage("wamid.5", "never mind", NOW), configuration) == "ticket"


def test_an_answer_that_was_held_back_is_shown_to_the_agent_once(db: Database, request_for: Any) -> None:
    assert not reply_suppressed(db, CUSTOMER, "wamid.0", "nobody would read it")
    open_takeover(db, request_for())
    before = count(db, jobs)
    assert reply_suppressed(db, CUSTOMER, "wamid.0", "#10234 is on its way")
    reply_suppressed(db, CUSTOMER, "wamid.0", "#10234 is on its way")
    assert count(db, jobs) == before + 1
    assert not reply_suppressed(db, CUSTOMER, "returned:handoff:0f0e:2", "I'm back to help"), "that answers no message"


def test_a_database_that_is_away_is_one_kind_of_error(tmp_path: Any, request_for: Any) -> None:
    away = Database("postgresql+psycopg2://nobody@127.0.0.1:1/none")
    with pytest.raises(HandoffUnavailable):
        open_takeover(away, request_for())


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


def test_a_ticket_number_that_was_used_before_leads_to_the_newest_takeover(db: Database, request_for: Any) -> None:
    for number in ("1", "2"):
        opened = open_takeover(db, request_for(number, wamid=f"wamid.{number}"))
        with db.write() as connection:
            connection.execute(takeovers.update().where(takeovers.c.id == opened.takeover_id).values(ticket_id="35"))
    agent_said(db, TicketRef("35"), comment())
    with db.read() as connection:
        assert connection.execute(select(deliveries.c.customer)).scalar_one() == "2"


def test_a_ticket_of_another_installation_is_not_ours(db: Database, request_for: Any) -> None:
    opened = open_takeover(db, request_for())
    with db.write() as connection:
        connection.execute(takeovers.update().where(takeovers.c.id == opened.takeover_id).values(ticket_id="35"))
    assert agent_said(db, TicketRef("35", "handoff:theirs"), comment()) == "unknown_ticket"
