"""How it was: asked once a ticket, when it is solved; the first answer counts and reaches the agents."""

from __future__ import annotations

import json

import pytest
from sqlalchemy import select

from handoff.storage.database import Database
from handoff.storage.queries import takeover_by_id
from handoff.storage.tables import jobs, takeovers
from handoff.takeover.inbox_entries import RETURNED
from handoff.takeover.rating import ask, rate
from handoff.takeover.state_machine import open_takeover
from handoff.takeover.takeover_end import give_back, give_back_as_wished
from tests.handoff.samples import NOW, request

CUSTOMER = "919876543210"


def solved(db: Database, wamid: str = "wamid.1", wish: str | None = None) -> tuple[str, str]:
    """A takeover that is over: the id of its return, and its reference."""
    opened = open_takeover(db, request(wamid=wamid), now=NOW)
    with db.write() as connection:
        takeover = takeover_by_id(connection, opened.takeover_id)
        if wish is not None:
            give_back_as_wished(connection, takeover, wish, NOW)
            return f"{RETURNED}{takeover.external_id}:2", opened.reference
        version = give_back(connection, takeover, "solved", NOW)
    return f"{RETURNED}{takeover.external_id}:{version}", opened.reference


def notes(db: Database) -> list[str]:
    with db.read() as connection:
        found = select(jobs.c.body).where(jobs.c.kind == "note", jobs.c.key.startswith("rated:"))
        return [json.loads(body)["note"] for body in connection.execute(found).scalars()]


def test_a_solved_ticket_asks_and_a_turn_that_runs_again_asks_the_same(db: Database) -> None:
    entry_id, _ = solved(db)
    assert ask(db, CUSTOMER, entry_id)
    assert ask(db, CUSTOMER, entry_id)


def test_a_ticket_that_is_solved_a_second_time_does_not_ask_again(db: Database) -> None:
    entry_id, _ = solved(db)
    assert ask(db, CUSTOMER, entry_id)
    assert not ask(db, CUSTOMER, f"{entry_id.rpartition(':')[0]}:9")


@pytest.mark.parametrize("wish", ["assistant", "settled"])
def test_who_went_back_by_themselves_is_not_asked(db: Database, wish: str) -> None:
    entry_id, _ = solved(db, wish=wish)
    assert not ask(db, CUSTOMER, entry_id)


def test_nobody_without_a_ticket_is_asked(db: Database) -> None:
    assert not ask(db, "351", "returned:handoff:00000000-0000-0000-0000-000000000000:1")
    assert not rate(db, "351", None, 3, "wamid.r", NOW)


def test_the_first_answer_counts_and_reaches_the_agents_once(db: Database) -> None:
    entry_id, reference = solved(db)
    ask(db, CUSTOMER, entry_id)
    assert rate(db, CUSTOMER, reference, 3, "wamid.r", NOW)
    assert rate(db, CUSTOMER, reference, 3, "wamid.r", NOW), "its turn ran again"
    assert not rate(db, CUSTOMER, reference, 1, "wamid.later", NOW)
    assert notes(db) == ["How the customer found it: 🙂 good (3 of 3)."]
    with db.read() as connection:
        assert connection.execute(select(takeovers.c.rating)).scalars().all() == [3]


def test_an_answer_goes_to_the_ticket_that_was_asked_about(db: Database) -> None:
    first, reference = solved(db)
    ask(db, CUSTOMER, first)
    second, _ = solved(db, "wamid.2")
    ask(db, CUSTOMER, second)
    assert rate(db, CUSTOMER, reference, 1, "wamid.r", NOW)
    assert rate(db, CUSTOMER, None, 3, "wamid.s", NOW)
    with db.read() as connection:
        assert connection.execute(select(takeovers.c.rating).order_by(takeovers.c.id)).scalars().all() == [1, 3]


def test_an_answer_to_a_ticket_of_somebody_else_changes_nothing(db: Database) -> None:
    entry_id, reference = solved(db)
    ask(db, CUSTOMER, entry_id)
    assert not rate(db, "351912345678", reference, 1, "wamid.r", NOW)


