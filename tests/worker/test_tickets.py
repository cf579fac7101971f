"""The worker's part of a takeover, with a real Redis, a real database and a helpdesk over HTTP."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
import redis
from sqlalchemy import select

from connectors.message_bus.inbox import Entry
from handoff.storage.database import Database
from handoff.storage.tables import deliveries, takeovers
from handoff.takeover.state_machine import open_takeover
from handoff.takeover.thread_control import ThreadControl
from settings import Settings, load
from tests.handoff.samples import always_open, request
from tests.handoff.stand_ins import serving
from twin.helpdesk import api as twin_helpdesk
from worker import tickets

CUSTOMER = "919876543210"


@pytest.fixture
def desk() -> Iterator[tuple[twin_helpdesk.Helpdesk, str]]:
    there = twin_helpdesk.Helpdesk(token="secret", first_id=1)
    with serving(lambda: twin_helpdesk.create_app(there)) as url:
        yield there, url


@pytest.fixture
def configured(sql_url: str, redis_url: str, desk: tuple[twin_helpdesk.Helpdesk, str]) -> Settings:
    return load({
        "CONVERSATION_DATABASE_URL": sql_url, "REDIS_URL": redis_url, "ZENDESK_URL": desk[1],
        "ZENDESK_OAUTH_TOKEN": "secret", "WHATSAPP_APP_SECRET": "app",
    })  # fmt: skip


@asynccontextmanager
async def worker(configured: Settings) -> AsyncIterator[None]:
    """The worker, running; stopped as SIGTERM would."""
    stop = asyncio.Event()
    running = asyncio.create_task(tickets.run(configured, stop))
    yield
    stop.set()
    await asyncio.wait_for(running, 15)


async def until(true: Callable[[], Any], timeout_s: float = 15.0) -> Any:
    """Wait until it is so; its value."""
    end = time.monotonic() + timeout_s
    while time.monotonic() < end:
        if value := await asyncio.to_thread(true):
            return value
        await asyncio.sleep(0.05)
    raise AssertionError("it never came true")


def entries(redis_url: str) -> list[dict[str, Any]]:
    """Every entry that stands in an inbox partition, oldest first."""
    client = redis.Redis.from_url(redis_url, decode_responses=True)
    found = []
    for key in client.scan_iter(match="*", _type="stream"):
        for at, fields in client.xrange(key):
            for value in fields.values():
                try:
                    entry = json.loads(value)
                except ValueError:
                    continue
                if isinstance(entry, dict) and "kind" in entry and "customer" in entry:
                    found.append((at, entry))
    return [entry for _, entry in sorted(found, key=lambda pair: pair[0])]


@pytest.mark.slow
async def test_from_an_angry_customer_to_the_assistants_return(
    configured: Settings, desk: tuple[twin_helpdesk.Helpdesk, str], redis_url: str, sql_url: str
) -> None:
    there, db = desk[0], Database(sql_url)
    control = ThreadControl(db, always_open())
    open_takeover(db, request(at=time.time()))
    async with worker(configured):
        ticket = await until(lambda: there.tickets.tickets.get(1))
        assert "This is fraud" in ticket.comments[0]["body"]
        words = {"text": "are you there?", "metadata": {"typed": "are you there?", "timestamp": time.time()}}
        await control.relay(CUSTOMER, Entry("message", CUSTOMER, "wamid.2", words))
        there.reply(1, "Meera here. The refund is on its way.", True, None, [])
        there.reply(1, "looks like fraud, check", False, None, [])
        there.tickets.update(1, {"status": "solved"}, by=501)
        _poll_now(db)
        await until(lambda: len(entries(redis_url)) >= 2)
        await until(lambda: any("are you there?" in comment["body"] for comment in ticket.comments), 20)
    kinds = [(entry["kind"], entry["payload"].get("text")) for entry in entries(redis_url)]
    assert kinds == [("agent_comment", "Meera here. The refund is on its way."), ("conversation_returned", None)]
    returned = entries(redis_url)[1]
    assert (await control.owner(CUSTOMER)).owner == "agent"
    assert (await control.accept_return(CUSTOMER, returned["id"])).owner == "bot"
    db.close()


def _poll_now(db: Database) -> None:
    with db.write() as connection:
        connection.execute(takeovers.update().values(next_poll_at=time.time()))


@pytest.mark.slow
async def test_a_helpdesk_that_is_down_gets_one_ticket_when_it_is_back(
    configured: Settings, desk: tuple[twin_helpdesk.Helpdesk, str], sql_url: str
) -> None:
    there, db = desk[0], Database(sql_url)
    there.faults.append(twin_helpdesk.HelpdeskFault("error", times=None, status=503))
    open_takeover(db, request(at=time.time()))
    async with worker(configured):
        await until(lambda: len(there.calls) >= 2)
        assert there.tickets.tickets == {}
    there.faults[:] = [twin_helpdesk.HelpdeskFault("accept_then_reset", path="/tickets", method="POST")]
    async with worker(configured):
        await until(lambda: _ticket_id(db), 30)
    assert len(there.tickets.tickets) == 1
    db.close()


def _ticket_id(db: Database) -> str | None:
    with db.read() as connection:
        return connection.execute(select(takeovers.c.ticket_id)).scalar()


@pytest.mark.slow
async def test_a_redis_that_is_away_keeps_agents_words_for_later(
    configured: Settings, desk: tuple[twin_helpdesk.Helpdesk, str], redis_url: str, sql_url: str
) -> None:
    there, db = desk[0], Database(sql_url)
    open_takeover(db, request(at=time.time()))
    without_redis = Settings({**configured.values, "REDIS_URL": "redis://127.0.0.1:1/0"})
    async with worker(without_redis):
        await until(lambda: there.tickets.tickets.get(1))
        await until(lambda: _ticket_id(db))
        there.reply(1, "Meera here", True, None, [])
        _poll_now(db)
        await asyncio.sleep(1)
    _poll_now(db)
    async with worker(configured):
        await until(lambda: entries(redis_url))
    assert [entry["payload"]["text"] for entry in entries(redis_url)] == ["Meera here"]
    db.close()


@pytest.mark.slow
async def test_a_helpdesk_that_hangs_holds_up_nobody_elses_words(
    configured: Settings, desk: tuple[twin_helpdesk.Helpdesk, str], redis_url: str, sql_url: str
) -> None:
    there, db = desk[0], Database(sql_url)
    open_takeover(db, request(at=time.time()))
    async with worker(configured):
        await until(lambda: _ticket_id(db))
        there.faults.append(twin_helpdesk.HelpdeskFault("hang", times=2, path="/users/create_or_update", seconds=8))
        for number in (2, 3):
            open_takeover(db, request(f"91{number}", f"wamid.x{number}", at=time.time()))
        there.reply(1, "Meera here", True, None, [])
        _poll_first(db)
        started = time.monotonic()
        await until(lambda: entries(redis_url))
        assert time.monotonic() - started < 7
    db.close()


def _poll_first(db: Database) -> None:
    with db.write() as connection:
        connection.execute(takeovers.update().where(takeovers.c.ticket_id == "1").values(next_poll_at=time.time()))


@pytest.mark.slow
async def test_agents_words_that_cannot_be_handed_over_now_hold_up_no_ticket(
    configured: Settings, desk: tuple[twin_helpdesk.Helpdesk, str], sql_url: str
) -> None:
    there, db = desk[0], Database(sql_url)
    open_takeover(db, request(at=time.time()))
    without_redis = Settings({**configured.values, "REDIS_URL": "redis://127.0.0.1:1/0"})
    async with worker(without_redis):
        await until(lambda: _ticket_id(db))
        there.reply(1, "Meera here", True, None, [])
        _poll_now(db)
        await until(lambda: _waiting_words(db))
        open_takeover(db, request("912", "wamid.x2", at=time.time()))
        await until(lambda: there.tickets.tickets.get(2))
    db.close()


def _waiting_words(db: Database) -> int:
    with db.read() as connection:
        return len(connection.execute(select(deliveries.c.id)).all())
