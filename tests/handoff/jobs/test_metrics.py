"""Operators see from outside how many customers wait, and why."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select

from handoff.helpdesks.interface import NotAllowed, Refused, RetryLater
from handoff.jobs.agent_comments import AgentComment, agent_said
from handoff.jobs.dispatcher import Dispatcher
from handoff.jobs.metrics import KEEP_S, Metrics
from handoff.storage.database import Database
from handoff.storage.queries import TicketRef
from handoff.storage.tables import notices, takeovers
from handoff.takeover.state_machine import open_takeover
from tests.handoff.samples import NOW, always_open
from tests.handoff.samples import request as request_for


class Refusing:
    name = "zendesk"

    def __init__(self, error: Exception) -> None:
        self.error = error

    def open_ticket(self, *_: Any) -> Any:
        raise self.error


@pytest.fixture
def db(sql_url: str) -> Any:
    made = Database(sql_url)
    yield made
    made.close()


def read_metrics(db: Database, at: float) -> dict[str, float]:
    metrics = Metrics(db, lambda: at)()
    return {f"{metric.name}{{{metric.labels}}}" if metric.labels else metric.name: metric.value for metric in metrics}


def test_without_takeovers_every_figure_is_there_and_zero(db: Database) -> None:
    metrics = read_metrics(db, NOW)
    assert 'assistant_ticket_orders{trouble="unauthorized"}' in metrics
    assert set(metrics.values()) == {0}


def test_customers_who_wait_and_those_who_talk_are_told_apart(db: Database) -> None:
    open_takeover(db, request_for("91", "wamid.1"), now=NOW)
    open_takeover(db, request_for("92", "wamid.2"), now=NOW + 10)
    with db.read() as connection:
        found = select(takeovers.c.external_id).where(takeovers.c.customer == "91")
        external_id = connection.execute(found).scalar_one()
    agent_said(db, TicketRef(None, external_id), AgentComment("zendesk:comment:1", "1", "hello", NOW + 11))
    metrics = read_metrics(db, NOW + 40)
    assert metrics["assistant_takeovers_open"] == 2
    assert metrics["assistant_takeovers_waiting"] == 1
    assert metrics["assistant_takeovers_waiting_oldest_seconds"] == 30
    assert metrics["assistant_tickets_unopened"] == 2
    assert metrics["assistant_ticket_orders_oldest_seconds"] == 40
    assert metrics["assistant_agent_words_depth"] == 1


@pytest.mark.parametrize(
    ("error", "trouble"),
    [
        (RetryLater("down"), "unreachable"),
        (RetryLater("slow down", 30.0), "rate_limited"),
        (NotAllowed("HTTP 401"), "unauthorized"),
        (Refused("HTTP 422"), "refused"),
        (RuntimeError("a bug"), "internal_error"),
    ],
)
def test_what_the_helpdesk_answered_last_can_be_seen(db: Database, error: Exception, trouble: str) -> None:
    opened = open_takeover(db, request_for(), now=NOW)
    refusing: Any = Refusing(error)
    Dispatcher(db, refusing, always_open(), [], "key", lambda: NOW).work(opened.takeover_id)
    metrics = read_metrics(db, NOW)
    assert metrics[f'assistant_ticket_orders{{trouble="{trouble}"}}'] == 1
    assert metrics["assistant_tickets_unopened"] == 1


def test_a_channel_that_was_not_told_can_be_seen(db: Database) -> None:
    opened = open_takeover(db, request_for(), now=NOW)
    row = {"takeover_id": opened.takeover_id, "channel": "slack", "state": "dead", "attempts": 12, "due_at": NOW}
    with db.write() as connection:
        connection.execute(notices.insert(), row)
    assert read_metrics(db, NOW)['assistant_notices_failed{channel="slack"}'] == 1


def test_scrapers_that_come_often_cost_one_reading(db: Database) -> None:
    clock = [NOW]
    metrics = Metrics(db, lambda: clock[0])
    assert metrics()[0].value == 0
    open_takeover(db, request_for(), now=NOW)
    assert metrics()[0].value == 0
    clock[0] += KEEP_S
    assert metrics()[0].value == 1
