"""Agents' words on their way to the customer's inbox."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from sqlalchemy import select

from handoff.agent import AgentComment, agent_said
from handoff.database import Database
from handoff.deliveries import Deliveries, Delivery
from handoff.relay import not_delivered
from handoff.rows import TicketRef, takeover_by_id
from handoff.tables import deliveries, jobs
from handoff.takeover import open_takeover

NOW = 1_800_000_000.0
DAY = 24 * 3600.0


class Inbox:
    def __init__(self) -> None:
        self.entries: list[Delivery] = []
        self.away = False

    async def put(self, entries: Sequence[Delivery]) -> None:
        if self.away:
            raise ConnectionError("away")
        self.entries += entries


@pytest.fixture
def inbox() -> Inbox:
    return Inbox()


def say(db: Database, request_for: Any, *texts: str, media: tuple[str, ...] = ()) -> None:
    opened = open_takeover(db, request_for(), now=NOW)
    with db.read() as connection:
        ticket = TicketRef(None, takeover_by_id(connection, opened.takeover_id).external_id)
    for number, text in enumerate(texts):
        agent_said(db, ticket, AgentComment(f"zendesk:comment:{number}", str(number), text, NOW, media), NOW)


def notes(db: Database) -> list[str]:
    with db.read() as connection:
        return list(connection.execute(select(jobs.c.body).where(jobs.c.kind == "note")).scalars())


async def test_comments_reach_the_inbox_in_order_and_once(db: Database, inbox: Inbox, request_for: Any) -> None:
    say(db, request_for, "one", "two", media=("https://desk/photo.jpg",))
    to_inbox = Deliveries(db, inbox.put, clock=lambda: NOW + 60)
    await to_inbox.drain()
    await to_inbox.drain()
    assert [(e.kind, e.customer, e.id, e.payload["text"]) for e in inbox.entries] == [
        ("agent_comment", "919876543210", "zendesk:comment:0", "one"),
        ("agent_comment", "919876543210", "zendesk:comment:1", "two"),
    ]
    assert inbox.entries[0].payload["media"] == ["https://desk/photo.jpg"]


async def test_an_inbox_that_is_away_gets_them_later(db: Database, inbox: Inbox, request_for: Any) -> None:
    say(db, request_for, "one")
    inbox.away = True
    with pytest.raises(ConnectionError):
        await Deliveries(db, inbox.put, clock=lambda: NOW).drain()
    inbox.away = False
    await Deliveries(db, inbox.put, clock=lambda: NOW).drain()
    assert [entry.payload["text"] for entry in inbox.entries] == ["one"]


async def test_after_a_day_of_silence_a_reply_comes_back_to_the_agent_with_the_reason(
    db: Database, inbox: Inbox, request_for: Any
) -> None:
    say(db, request_for, "sorry for the wait")
    await Deliveries(db, inbox.put, clock=lambda: NOW + DAY).drain()
    assert inbox.entries == []
    (note,) = notes(db)
    assert "24 hours" in note
    assert "WHATSAPP_REOPEN_TEMPLATE" in note


async def test_after_a_day_of_silence_a_reply_goes_out_as_the_configured_template(
    db: Database, inbox: Inbox, request_for: Any
) -> None:
    say(db, request_for, "sorry for\nthe   wait")
    await Deliveries(db, inbox.put, "support_reply:en_US", clock=lambda: NOW + DAY).drain()
    assert inbox.entries[0].payload["template"] == {
        "name": "support_reply", "language": "en_US", "parameters": ["sorry for the wait"],
    }  # fmt: skip
    assert notes(db) == []


async def test_a_reply_too_long_for_a_template_comes_back_to_the_agent(
    db: Database, inbox: Inbox, request_for: Any
) -> None:
    say(db, request_for, "x" * 1000)
    await Deliveries(db, inbox.put, "support_reply:en", clock=lambda: NOW + DAY).drain()
    assert inbox.entries == []
    assert "shorter" in notes(db)[0]


async def test_words_are_gone_from_our_database_once_they_are_in_the_inbox(
    db: Database, inbox: Inbox, request_for: Any
) -> None:
    say(db, request_for, "secret")
    await Deliveries(db, inbox.put, clock=lambda: NOW).drain()
    with db.read() as connection:
        assert connection.execute(select(deliveries.c.payload)).scalars().all() == [None]


@pytest.mark.parametrize("why", ["window_closed", "recipient", "something new"])
def test_the_agent_is_told_why_whatsapp_did_not_take_a_reply(db: Database, request_for: Any, why: str) -> None:
    say(db, request_for, "hello")
    assert not_delivered(db, "zendesk:comment:0:1", why, NOW)
    assert not not_delivered(db, "zendesk:comment:0:2", why, NOW)
    (note,) = notes(db)
    assert "did not reach the customer" in note
