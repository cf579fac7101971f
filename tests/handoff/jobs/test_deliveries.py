"""Agents' words on their way to the customer's inbox."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any

import pytest
from sqlalchemy import select

from handoff.jobs.agent_comments import AgentComment, agent_said
from handoff.jobs.deliveries import Deliveries, Delivery
from handoff.storage.database import Database
from handoff.storage.queries import TicketRef, takeover_by_id
from handoff.storage.tables import deliveries, jobs
from handoff.takeover.customer_messages import not_delivered
from handoff.takeover.state_machine import open_takeover

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


class PickyInbox(Inbox):
    """Stores nothing in which `bad` stands, all or nothing, as the real one does."""

    def __init__(self, bad: str, error: Exception) -> None:
        super().__init__()
        self.bad, self.error, self.calls = bad, error, 0

    async def put(self, entries: Sequence[Delivery]) -> None:
        self.calls += 1
        if any(self.bad in entry.payload["text"] for entry in entries):
            raise self.error
        self.entries += entries


def say_of_several(db: Database, request_for: Any) -> None:
    """Three customers' agents say two things each; the second one's first is poison."""
    for customer in ("1", "2", "3"):
        opened = open_takeover(db, request_for(customer, wamid=f"wamid.{customer}"), now=NOW)
        with db.read() as connection:
            ticket = TicketRef(None, takeover_by_id(connection, opened.takeover_id).external_id)
        for word in ("poison" if customer == "2" else "fine", "later"):
            said = AgentComment(f"zendesk:comment:{customer}{word}", f"{customer}{word}", f"{word} {customer}", NOW)
            agent_said(db, ticket, said, NOW)


@pytest.mark.parametrize("error", [ConnectionError("too large"), UnicodeEncodeError("utf-8", "x", 0, 1, "surrogate")])
async def test_one_delivery_that_is_refused_holds_up_no_other_ticket(
    db: Database, request_for: Any, error: Exception
) -> None:
    say_of_several(db, request_for)
    inbox = PickyInbox("poison", error)
    await Deliveries(db, inbox.put, clock=lambda: NOW).drain()
    said = [entry.payload["text"] for entry in inbox.entries]
    assert said == ["fine 1", "later 1", "fine 3", "later 3"], "and the same customer's later words keep their place"


async def test_a_delivery_that_is_refused_for_good_comes_back_to_the_agent_and_what_followed_it_goes_out(
    db: Database, request_for: Any
) -> None:
    say_of_several(db, request_for)
    inbox = PickyInbox("poison", ValueError("surrogate"))
    to_inbox = Deliveries(db, inbox.put, clock=lambda: NOW)
    for _ in range(8):
        await to_inbox.drain()
    assert [entry.payload["text"] for entry in inbox.entries][-1] == "later 2"
    assert ["send it again" in note for note in notes(db)] == [True]


@pytest.mark.slow
async def test_an_inbox_that_is_away_costs_a_few_tries_and_no_agents_words(db: Database, request_for: Any) -> None:
    say_of_several(db, request_for)
    inbox = PickyInbox("", ConnectionError("away"))
    to_inbox = Deliveries(db, inbox.put, clock=lambda: NOW)
    for _ in range(8):
        with pytest.raises(ConnectionError):
            await to_inbox.drain()
    assert inbox.calls == 8 * 4
    inbox.bad = "nothing is bad now"
    await to_inbox.drain()
    assert len(inbox.entries) == 6


async def test_the_database_never_answers_on_the_event_loop(
    db: Database, inbox: Inbox, request_for: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A database that is slow must not stop what else the worker does."""
    say(db, request_for, "one", "two")
    threads: list[int] = []
    for name in ("read", "write"):
        asked = getattr(db, name)
        monkeypatch.setattr(db, name, lambda asked=asked: (threads.append(threading.get_ident()), asked())[1])
    await Deliveries(db, inbox.put, clock=lambda: NOW).drain()
    await Deliveries(db, inbox.put, clock=lambda: NOW + DAY).drain()
    assert threads
    assert threading.get_ident() not in threads
