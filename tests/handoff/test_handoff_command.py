"""The agent's desk in the terminal, and erasing a customer."""

from __future__ import annotations

import time
from typing import Any

import pytest
from sqlalchemy import func, select

from handoff.__main__ import main
from handoff.configuration import HandoffConfiguration
from handoff.database import Database
from handoff.dispatcher import Dispatcher
from handoff.erase import erase_customer, forget_requests
from handoff.log_tickets import LogTickets
from handoff.looking import Looking
from handoff.relay import Words, customer_said
from handoff.tables import deliveries, metadata, takeovers
from handoff.takeover import open_takeover

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
    dispatcher, looking = Dispatcher(db, LogTickets(db), configuration), Looking(db, LogTickets(db), configuration)
    for number in dispatcher.due():
        dispatcher.work(number)
    for number in looking.due():
        looking.look(number)


def _queued(db: Database) -> list[tuple[str, str]]:
    with db.read() as connection:
        rows = connection.execute(select(deliveries).order_by(deliveries.c.id)).all()
    return [(row.kind, row.payload) for row in rows]


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


def test_an_erased_customer_is_in_no_table(
    db: Database, configuration: HandoffConfiguration, opened: str, request_for: Any
) -> None:
    open_takeover(db, request_for("4477", wamid="wamid.other", phone="+4477"))
    customer_said(db, CUSTOMER, Words("wamid.5", "my address is", time.time()), configuration)
    removed = erase_customer(db, CUSTOMER)
    assert removed["handoff_takeovers"] == 1
    assert removed["handoff_log_tickets"] == 1
    with db.read() as connection:
        for table in metadata.sorted_tables:
            for row in connection.execute(select(table)):
                assert CUSTOMER not in str(tuple(row))
        assert connection.execute(select(func.count()).select_from(takeovers)).scalar_one() == 1


def test_old_takeovers_forget_who_it_was(db: Database, request_for: Any) -> None:
    open_takeover(db, request_for())
    with db.write() as connection:
        connection.execute(takeovers.update().values(state="closed", closed_at=100.0))
    assert forget_requests(db, 200.0) == 1
    assert forget_requests(db, 200.0) == 0
