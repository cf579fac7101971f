"""A customer who waits: what they add may be graver, they hear that it arrived, and may go back to the assistant."""

from __future__ import annotations

import json
from typing import Any

import pytest
from sqlalchemy import select

from connectors.message_bus.inbox import Entry
from handoff.configuration import HandoffConfiguration
from handoff.helpdesks.interface import Ticket
from handoff.helpdesks.log_tickets import LogTickets
from handoff.helpdesks.zendesk import Zendesk
from handoff.helpdesks.zendesk_login import Fixed
from handoff.jobs.agent_comments import AgentComment, agent_said
from handoff.jobs.dispatcher import Dispatcher
from handoff.storage.database import Database
from handoff.storage.queries import TicketRef
from handoff.storage.tables import deliveries, jobs, takeovers
from handoff.takeover.customer_messages import ControlReturned, CustomerMessage, customer_said
from handoff.takeover.receipts import take_receipt, waiting
from handoff.takeover.state_machine import open_takeover
from handoff.takeover.thread_control import ThreadControl
from tests.handoff.samples import NOW
from tests.handoff.stand_ins import serving
from twin.helpdesk import api as twin_helpdesk

CUSTOMER = "919876543210"
MINUTE = 60.0


def raised(db: Database) -> list[str]:
    with db.read() as connection:
        found = select(jobs.c.body).where(jobs.c.key.startswith("priority_raised:")).order_by(jobs.c.id)
        return [json.loads(body)["priority"] for body in connection.execute(found).scalars()]


def test_graver_words_raise_the_priority_once_and_milder_ones_never_lower_it(
    db: Database, configuration: HandoffConfiguration, request_for: Any
) -> None:
    open_takeover(db, request_for(priority="MEDIUM", reason="repeated_failure"), now=NOW)
    for number, priority in enumerate([None, "HIGH", "HIGH", "MEDIUM", "CRITICAL"]):
        words = CustomerMessage(f"wamid.{number}", "words", NOW, priority=priority)
        for _ in range(2):  # a crash runs it again
            customer_said(db, CUSTOMER, words, configuration, NOW)
    assert raised(db) == ["high", "urgent"]
    with db.read() as connection:
        assert connection.execute(select(takeovers.c.priority)).scalar_one() == "CRITICAL"


async def test_words_are_graded_on_their_way_to_the_ticket(
    db: Database, configuration: HandoffConfiguration, request_for: Any
) -> None:
    open_takeover(db, request_for(priority="MEDIUM", reason="repeated_failure"))
    control = ThreadControl(db, configuration, lambda text: "HIGH" if "refund" in text else None)
    for number, text in enumerate(["hello?", "i want a refund"]):
        entry = Entry("message", CUSTOMER, f"wamid.w{number}", {"text": text, "metadata": {"typed": text}})
        await control.relay(CUSTOMER, entry)
    assert raised(db) == ["high"]


def test_zendesk_shows_the_priority_and_that_the_customer_is_with_the_assistant_again(
    db: Database, configuration: HandoffConfiguration, request_for: Any
) -> None:
    there = twin_helpdesk.Helpdesk(token="secret", first_id=1)
    with serving(lambda: twin_helpdesk.create_app(there)) as url:
        now = [NOW]
        dispatcher = Dispatcher(db, Zendesk(url, Fixed("Bearer secret")), configuration, [], "key", lambda: now[0])
        opened = open_takeover(db, request_for(priority="MEDIUM", reason="repeated_failure"), now=NOW)
        dispatcher.work(opened.takeover_id)
        ticket = there.tickets.tickets[1]
        assert ticket.fields["priority"] == "normal"
        customer_said(db, CUSTOMER, CustomerMessage("wamid.2", "my money", NOW, priority="HIGH"), configuration, NOW)
        customer_said(db, CUSTOMER, CustomerMessage("wamid.3", "never mind", NOW), configuration, NOW)
        for _ in range(3):
            now[0] += 60
            dispatcher.work(opened.takeover_id)
        assert ticket.fields["priority"] == "high"
        assert ticket.fields["status"] == "pending"
        assert "with_the_assistant" in ticket.fields["tags"]
        assert "With the assistant again" in ticket.comments[-1]["body"]
        assert ticket.comments[-1]["public"] is False
        open_takeover(db, request_for(wamid="wamid.4"), now=now[0])
        now[0] += 60
        dispatcher.work(opened.takeover_id)
        assert ticket.fields["status"] == "open"
        assert "with_the_assistant" not in ticket.fields["tags"]


def test_a_receipt_is_due_three_minutes_after_our_last_words_and_once_in_ten(
    db: Database, configuration: HandoffConfiguration, request_for: Any
) -> None:
    assert waiting(db, CUSTOMER, configuration) is None
    open_takeover(db, request_for(), now=NOW)
    known = waiting(db, CUSTOMER, configuration)
    assert known is not None
    assert (known.last_told_at, known.receipt_due_at) == (NOW, NOW + 3 * MINUTE)
    given = [
        minute
        for minute in range(40)
        if take_receipt(db, CUSTOMER, f"wamid.m{minute}", configuration, NOW + minute * MINUTE)
    ]
    assert given == [3, 13, 23, 33]


def test_a_message_whose_turn_runs_again_gets_its_receipt_again_and_the_next_one_none(
    db: Database, configuration: HandoffConfiguration, request_for: Any
) -> None:
    open_takeover(db, request_for(), now=NOW)
    later = NOW + 4 * MINUTE
    for wamid, due in (("wamid.2", True), ("wamid.2", True), ("wamid.3", False), ("wamid.2", True)):
        assert bool(take_receipt(db, CUSTOMER, wamid, configuration, later)) is due
    with db.read() as connection:
        assert connection.execute(select(takeovers.c.receipt_at)).scalar_one() == later


@pytest.mark.parametrize("ended", ["agent", "customer"])
def test_nobody_who_does_not_wait_gets_a_receipt(
    db: Database, configuration: HandoffConfiguration, request_for: Any, ended: str
) -> None:
    opened = open_takeover(db, request_for(), now=NOW)
    if ended == "customer":
        customer_said(db, CUSTOMER, CustomerMessage("wamid.2", "back to the bot", NOW), configuration, NOW)
    else:
        with db.read() as connection:
            found = select(takeovers.c.external_id).where(takeovers.c.id == opened.takeover_id)
            ticket = TicketRef(None, connection.execute(found).scalar_one())
        agent_said(db, ticket, AgentComment("zendesk:comment:1", "1", "Meera here", NOW), NOW)
    assert waiting(db, CUSTOMER, configuration) is None
    assert take_receipt(db, CUSTOMER, "wamid.9", configuration, NOW + 60 * MINUTE) is None


@pytest.mark.parametrize(("wish", "outcome", "closed_as", "announced"), [
    ("assistant", "returned", "customer", ["customer"]),
    ("settled", "settled", "settled", ["settled"]),
    ("assistant_and_more", "answerable", "customer", []),
])  # fmt: skip
def test_a_wish_that_was_understood_gives_the_conversation_back_once(
    db: Database, configuration: HandoffConfiguration, request_for: Any, wish: Any, outcome: str, closed_as: str,
    announced: list[str],
) -> None:  # fmt: skip
    open_takeover(db, request_for(), now=NOW)
    words = CustomerMessage("wamid.2", "in words of their own", NOW, wish=wish)
    assert customer_said(db, CUSTOMER, words, configuration, NOW) == outcome
    with pytest.raises(ControlReturned):
        customer_said(db, CUSTOMER, words, configuration, NOW)
    with db.read() as connection:
        assert connection.execute(select(takeovers.c.closed_as)).scalar_one() == closed_as
        payloads = connection.execute(select(deliveries.c.payload)).scalars()
        assert [json.loads(payload)["reason"] for payload in payloads] == announced


@pytest.mark.parametrize("wish", ["assistant", "settled", "assistant_and_more"])
def test_once_a_person_has_written_no_wish_gives_the_conversation_back(
    db: Database, configuration: HandoffConfiguration, request_for: Any, wish: Any
) -> None:
    opened = open_takeover(db, request_for(), now=NOW)
    with db.read() as connection:
        found = select(takeovers.c.external_id).where(takeovers.c.id == opened.takeover_id)
        ticket = TicketRef(None, connection.execute(found).scalar_one())
    agent_said(db, ticket, AgentComment("zendesk:comment:1", "1", "Meera here", NOW), NOW)
    words = CustomerMessage("wamid.2", "it came", NOW, wish=wish)
    assert customer_said(db, CUSTOMER, words, configuration, NOW) == "ticket"


@pytest.mark.slow
@pytest.mark.parametrize("refused", [False, True])
def test_a_settled_ticket_is_solved_or_left_pending_where_zendesk_will_not_and_the_next_wish_gets_its_own(
    db: Database, configuration: HandoffConfiguration, request_for: Any, refused: bool
) -> None:
    there = twin_helpdesk.Helpdesk(token="secret", first_id=1)
    there.tickets.needs_assignee = refused
    with serving(lambda: twin_helpdesk.create_app(there)) as url:
        now = [NOW]
        dispatcher = Dispatcher(db, Zendesk(url, Fixed("Bearer secret")), configuration, [], "key", lambda: now[0])
        opened = open_takeover(db, request_for(), now=NOW)
        customer_said(db, CUSTOMER, CustomerMessage("wamid.2", "it came", NOW, wish="settled"), configuration, NOW)
        for _ in range(3):
            now[0] += 60
            dispatcher.work(opened.takeover_id)
        ticket = there.tickets.tickets[1]
        assert ticket.fields["status"] == ("pending" if refused else "solved")
        assert "settled_by_customer" in ticket.fields["tags"]
        assert "it is solved" in ticket.comments[-1]["body"]
        assert ticket.comments[-1]["public"] is False
        assert [comment["body"].splitlines()[0] for comment in ticket.comments[1:2]] == ["it came"]
    again = open_takeover(db, request_for(wamid="wamid.4"), now=now[0])
    assert again.reference != opened.reference


def test_a_settled_ticket_of_the_database_is_solved(
    db: Database, configuration: HandoffConfiguration, request_for: Any
) -> None:
    now = [NOW]
    tickets = LogTickets(db)
    dispatcher = Dispatcher(db, tickets, configuration, [], "key", lambda: now[0])
    opened = open_takeover(db, request_for(), now=NOW)
    customer_said(db, CUSTOMER, CustomerMessage("wamid.2", "it came", NOW, wish="settled"), configuration, NOW)
    for _ in range(3):
        now[0] += 60
        dispatcher.work(opened.takeover_id)
    assert tickets.read_ticket(Ticket("1")).status == "solved"
