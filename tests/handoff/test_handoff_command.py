"""The agent's desk in the terminal, and what is left after the end."""

from __future__ import annotations

import time
from typing import Any

import pytest
from sqlalchemy import select

from handoff.__main__ import main
from handoff.configuration import HandoffConfiguration
from handoff.helpdesks.interface import NotAllowed
from handoff.helpdesks.log_tickets import LogTickets
from handoff.jobs.dispatcher import Dispatcher
from handoff.jobs.polling import TicketPoller
from handoff.storage.database import Database
from handoff.storage.tables import deliveries, metadata, takeovers
from handoff.takeover.state_machine import open_takeover
from handoff.takeover.takeover_end import accept_return

CUSTOMER = "919876543210"


@pytest.fixture
def opened(
    db: Database, sql_url: str, configuration: HandoffConfiguration, request_for: Any, monkeypatch: pytest.MonkeyPatch
) -> str:
    """A ticket in the database, as the worker opens it; its reference."""
    monkeypatch.setenv("CONVERSATION_DATABASE_URL", sql_url)
    reference = open_takeover(db, request_for(at=time.time())).reference
    _work(db, configuration)
    return reference


def _work(db: Database, configuration: HandoffConfiguration) -> None:
    dispatcher, poller = Dispatcher(db, LogTickets(db), configuration), TicketPoller(db, LogTickets(db), configuration)
    for number in dispatcher.due():
        dispatcher.work(number)
    for number in poller.due():
        poller.poll(number)


def _queued(db: Database, column: Any = deliveries.c.payload) -> list[tuple[str, str]]:
    with db.read() as connection:
        rows = connection.execute(select(deliveries.c.kind, column).order_by(deliveries.c.id)).all()
    return [(kind, value) for kind, value in rows]


def test_a_shop_without_a_helpdesk_answers_and_solves_from_the_terminal(
    db: Database, configuration: HandoffConfiguration, opened: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([]) == 0
    assert opened in capsys.readouterr().out
    assert main(["show", opened]) == 0
    assert "This is fraud" in capsys.readouterr().out
    assert main(["reply", opened, "Meera here"]) == 0
    assert main(["note", opened, "check the account"]) == 0
    assert main(["solve", opened]) == 0
    _work(db, configuration)
    kinds = _queued(db)
    assert [kind for kind, _ in kinds] == ["agent_comment", "conversation_returned"]
    assert "Meera here" in kinds[0][1]


@pytest.mark.parametrize("arguments", [["show", "MG-9999"], ["reply", "MG-1001", "  "], ["solve"]])
def test_what_cannot_be_done_is_said_with_the_remedy(
    opened: str, capsys: pytest.CaptureFixture[str], arguments: list[str]
) -> None:
    assert main(arguments) == 1
    assert "python -m handoff" in capsys.readouterr().err


def test_after_the_end_we_forget_who_it_was(
    db: Database, configuration: HandoffConfiguration, opened: str
) -> None:
    assert main(["solve", opened]) == 0
    _work(db, configuration)
    (returned,) = [entry_id for kind, entry_id in _queued(db, deliveries.c.entry_id) if kind == "conversation_returned"]
    accept_return(db, CUSTOMER, returned)
    with db.write() as connection:
        connection.execute(takeovers.update().values(next_poll_at=time.time()))
    _work(db, configuration)
    with db.read() as connection:
        row = connection.execute(select(takeovers)).one()
    assert (row.state, row.request, row.next_poll_at) == ("closed", None, None)


@pytest.mark.slow
def test_a_number_that_a_customer_was_told_is_never_given_again(db: Database, request_for: Any) -> None:
    first = open_takeover(db, request_for()).reference
    with db.write() as connection:
        for table in metadata.sorted_tables:
            connection.execute(table.delete())
    assert open_takeover(db, request_for()).reference != first


def test_a_ticket_that_cannot_be_opened_says_why(
    db: Database, sql_url: str, configuration: HandoffConfiguration, request_for: Any,
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    class Locked:
        name = "zendesk"

        def open_ticket(self, *_: Any) -> Any:
            raise NotAllowed("HTTP 401")

    monkeypatch.setenv("CONVERSATION_DATABASE_URL", sql_url)
    opened = open_takeover(db, request_for(at=time.time()))
    helpdesk: Any = Locked()
    Dispatcher(db, helpdesk, configuration).work(opened.takeover_id)
    assert main([]) == 0
    assert "refuses our credentials" in capsys.readouterr().out
