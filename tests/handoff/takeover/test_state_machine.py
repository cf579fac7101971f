from __future__ import annotations

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from sqlalchemy import func, select

from handoff.configuration import HandoffConfiguration
from handoff.jobs.agent_comments import agent_said
from handoff.jobs.ticket import request_from
from handoff.storage.database import Database, HandoffUnavailable
from handoff.storage.queries import TicketRef, takeover_by_id
from handoff.storage.tables import deliveries, jobs, takeovers
from handoff.takeover.customer_messages import ControlReturned, CustomerMessage, customer_said, reply_suppressed
from handoff.takeover.state_machine import open_takeover
from handoff.takeover.thread_control import ControlState, ThreadControl
from tests.handoff.takeover.moves import CUSTOMER, NOW, comment, end, external_id

pytestmark = pytest.mark.every_database


def count(db: Database, table: Any) -> int:
    with db.read() as connection:
        return int(connection.execute(select(func.count()).select_from(table)).scalar_one())


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


async def test_agents_words_are_never_held_back(db: Database, control: ThreadControl, request_for: Any) -> None:
    open_takeover(db, request_for())
    assert await control.admit_reply(CUSTOMER, 0, "zendesk:comment:12")


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
    "text", ["the bot was useless", "no bot please", "never mind the price, where is it", "in the end I want it", ""]
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
