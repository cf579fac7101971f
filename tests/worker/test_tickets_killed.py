"""The worker as a real process, killed without warning at random moments while it serves takeovers."""

from __future__ import annotations

import random
import subprocess
import time
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, update

from handoff.storage.database import Database
from handoff.storage.tables import jobs, takeovers
from handoff.takeover.customer_messages import CustomerMessage, customer_said
from handoff.takeover.state_machine import open_takeover
from tests.children import child, python
from tests.handoff.samples import always_open, request
from tests.handoff.stand_ins import serving
from twin.helpdesk import api as twin_helpdesk

WORKER = "import asyncio, settings, worker.tickets as t; asyncio.run(t.run(settings.load(), asyncio.Event()))"
TAKEOVERS = 6


def started(environment: dict[str, str]) -> AbstractContextManager[Any]:
    return child(python("-c", WORKER), environment, stderr=subprocess.DEVNULL)


def unfinished(db: Database) -> int:
    with db.read() as connection:
        return len(connection.execute(select(jobs.c.id).where(jobs.c.state == "pending")).all())


@pytest.mark.chaos
@pytest.mark.timeout(300)
def test_a_worker_killed_again_and_again_opens_each_ticket_once_and_loses_no_words(
    tmp_path: Path, redis_url: str
) -> None:
    chance, there = random.Random(7), twin_helpdesk.Helpdesk(token="secret", first_id=1)
    db = Database(f"sqlite:///{tmp_path}/killed.db")
    with serving(lambda: twin_helpdesk.create_app(there)) as url:
        environment = {
            "CONVERSATION_DATABASE_URL": str(db.url), "REDIS_URL": redis_url, "ZENDESK_URL": url,
            "ZENDESK_OAUTH_TOKEN": "secret", "TICKETING": "zendesk",
        }  # fmt: skip
        for number in range(TAKEOVERS):
            open_takeover(db, request(f"91{number}", f"wamid.{number}", at=time.time()))
        for life in range(8):
            _write(db, life)
            # Accepted, but the answer never comes: the moment at which a kill hurts most.
            there.faults.append(twin_helpdesk.HelpdeskFault("accept_then_hang", path="/tickets", seconds=20))
            before = len(there.calls)
            with started(environment):
                _wait(lambda before=before: len(there.calls) > before or not unfinished(db), 40)
                time.sleep(chance.uniform(0, 0.5))
            _let_leases_end(db)
        there.faults.clear()
        with started(environment):
            _wait(lambda: not unfinished(db), 120)
    assert len(there.tickets.tickets) == TAKEOVERS
    for number in range(TAKEOVERS):
        (ticket,) = [t for t in there.tickets.tickets.values() if _customer(there, t) == f"whatsapp:91{number}"]
        said = [line for c in ticket.comments for line in c["body"].splitlines() if line.startswith("life")]
        assert said == [f"life {life} of {number}" for life in range(8)]
    db.close()


def _customer(there: twin_helpdesk.Helpdesk, ticket: Any) -> str:
    return str(there.tickets.users[ticket.fields["requester_id"]]["external_id"])


def _write(db: Database, life: int) -> None:
    for number in range(TAKEOVERS):
        words = CustomerMessage(f"wamid.{number}.{life}", f"life {life} of {number}", time.time())
        customer_said(db, f"91{number}", words, always_open())


def _let_leases_end(db: Database) -> None:
    """What a minute's wait would do."""
    with db.write() as connection:
        connection.execute(update(takeovers).values(leased_until=0.0))
        connection.execute(update(jobs).where(jobs.c.state == "pending").values(due_at=0.0))


def _wait(true: Any, timeout_s: float) -> None:
    end = time.monotonic() + timeout_s
    while not true():
        assert time.monotonic() < end, "it never came true"
        time.sleep(0.05)
