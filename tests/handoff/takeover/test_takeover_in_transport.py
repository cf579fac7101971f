"""Takeover and transport together: real Redis, real SQL, real worker; only the dialogue and Graph are played."""

from __future__ import annotations

import asyncio
import datetime as dt
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select

from connectors.message_bus.inbox import Entry
from connectors.message_bus.turn import Turn
from handoff.configuration import HandoffConfiguration
from handoff.jobs.agent_comments import AgentComment, agent_said
from handoff.storage.database import Database
from handoff.storage.queries import TicketRef
from handoff.storage.tables import deliveries, jobs, takeovers
from handoff.takeover.customer_messages import Wish
from handoff.takeover.opening_hours import BusinessHours, Span
from handoff.takeover.state_machine import open_takeover
from handoff.takeover.thread_control import ThreadControl
from settings import Settings, load
from tests.connectors.message_bus.transport_fakes import FakeGraph, FakeSpeaker, Process, message
from tests.handoff.samples import always_open, request
from tests.handoff.stand_ins import serving
from twin.helpdesk import api as twin_helpdesk
from worker import tickets

CUSTOMER = "919876543210"


@pytest.fixture
def there() -> twin_helpdesk.Helpdesk:
    return twin_helpdesk.Helpdesk(token="secret", first_id=1)


@pytest.fixture
def configured(tmp_path: Any, redis_url: str, there: twin_helpdesk.Helpdesk) -> Iterator[Settings]:
    with serving(lambda: twin_helpdesk.create_app(there)) as url:
        yield load({
            "CONVERSATION_DATABASE_URL": f"sqlite:///{tmp_path}/transport.db", "REDIS_URL": redis_url,
            "ZENDESK_URL": url, "ZENDESK_OAUTH_TOKEN": "secret",
        })  # fmt: skip


@pytest.fixture
def db(configured: Settings) -> Iterator[Database]:
    database = Database(str(configured.conversation_database_url))
    yield database
    database.close()


def dialogue(db: Database) -> Callable[[Turn], Awaitable[None]]:
    """Calls a person for "agent"."""

    async def answer(turn: Turn) -> None:
        if turn.entry.payload["text"] == "agent":
            asked = request(turn.entry.customer, turn.entry.id, at=time.time())
            await asyncio.to_thread(open_takeover, db, asked)

    return answer


@asynccontextmanager
async def shop(
    configured: Settings, db: Database, graph: FakeGraph, with_worker: bool = True
) -> AsyncIterator[Process]:
    """One server process and the worker."""
    speaker, control = FakeSpeaker(dialogue(db)), ThreadControl(db, always_open())
    process = Process(str(configured.redis_url), speaker, graph, control).start()
    stop = asyncio.Event()
    worker = asyncio.create_task(tickets.run(configured, stop)) if with_worker else None
    yield process
    stop.set()
    await process.stop()
    if worker is not None:
        await asyncio.wait_for(worker, 15)


async def until(true: Callable[[], Any], timeout_s: float = 20.0) -> None:
    end = time.monotonic() + timeout_s
    while not true():
        assert time.monotonic() < end, "it never came true"
        await asyncio.sleep(0.05)


@pytest.mark.slow
async def test_an_angry_customer_an_agent_and_back_with_one_voice_at_a_time(
    configured: Settings, db: Database, there: twin_helpdesk.Helpdesk
) -> None:
    graph = FakeGraph()
    async with shop(configured, db, graph) as process:
        for number, text in enumerate(["hello", "agent", "are you there?"]):
            await process.inbox.put([message(CUSTOMER, f"wamid.{number}", text)])
        await until(lambda: there.tickets.tickets.get(1))
        there.reply(1, "Meera here", True, None, [])
        there.reply(1, "she is a VIP", False, None, [])
        there.reply(1, "It's solved now", True, "solved", [])
        _poll(db)
        await until(lambda: "utter_handoff_ended" in graph.texts(CUSTOMER))
        await process.inbox.put([message(CUSTOMER, "wamid.9", "thanks")])
        await until(lambda: "echo thanks" in graph.texts(CUSTOMER))
        said = there.tickets.tickets[1].comments
        await until(lambda: any("are you there?" in comment["body"] for comment in said))
    assert graph.texts(CUSTOMER) == [
        "echo hello", "echo agent", "Meera here", "It's solved now", "utter_handoff_ended", "echo thanks",
    ]  # fmt: skip
    assert process.speaker.restarted == [CUSTOMER]


def _poll(db: Database) -> None:
    with db.write() as connection:
        connection.exec_driver_sql("UPDATE handoff_takeovers SET look_at = 1")


async def test_a_waiting_customer_goes_back_to_the_assistant(configured: Settings, db: Database) -> None:
    graph = FakeGraph()
    async with shop(configured, db, graph) as process:
        for number, text in enumerate(["agent", "hm", "back to the bot"]):
            await process.inbox.put([message(CUSTOMER, f"wamid.{number}", text)])
        await until(lambda: "utter_handoff_cancelled_by_customer" in graph.texts(CUSTOMER))
        await process.inbox.put([message(CUSTOMER, "wamid.9", "where is my order")])
        await until(lambda: "echo where is my order" in graph.texts(CUSTOMER))
    assert graph.texts(CUSTOMER) == ["echo agent", "utter_handoff_cancelled_by_customer", "echo where is my order"]


async def test_a_reply_that_waited_for_graph_is_not_sent_into_a_takeover(
    configured: Settings, db: Database
) -> None:
    from connectors.message_bus.sending.errors import Transient

    outage = {"on": True}

    async def send(body: dict[str, Any]) -> None:
        if outage["on"]:
            raise Transient("down", http_status=503)

    graph = FakeGraph(send)
    async with shop(configured, db, graph, with_worker=False) as process:
        await process.inbox.put([message(CUSTOMER, "wamid.0", "hello")])
        await process.inbox.put([message(CUSTOMER, "wamid.1", "agent")])
        await until(lambda: len(process.speaker.answered) == 2)
        await until(lambda: ThreadControl(db, always_open()).read(CUSTOMER).owner == "waiting")
        outage["on"] = False
        await until(lambda: graph.texts(CUSTOMER))
        await process.drained()
    assert graph.texts(CUSTOMER) == ["echo agent"], "the old answer stays unsaid, the announcement does not"


@asynccontextmanager
async def waiting_shop(
    configured: Settings, db: Database, configuration: HandoffConfiguration, graph: FakeGraph, speaker: FakeSpeaker
) -> AsyncIterator[Process]:
    """One server process whose customer waits for a person; tickets are not needed."""
    process = Process(str(configured.redis_url), speaker, graph, ThreadControl(db, configuration)).start()
    await process.inbox.put([message(CUSTOMER, "wamid.0", "agent")])
    await until(lambda: graph.texts(CUSTOMER) == ["echo agent"])
    yield process
    await process.stop()


def impatient(**changed: Any) -> HandoffConfiguration:
    """A receipt is due at once, and then not for a long time."""
    return replace(always_open(), receipt_after_s=0.0, **changed)


async def test_a_waiting_customer_who_writes_again_gets_one_receipt(configured: Settings, db: Database) -> None:
    graph, speaker = FakeGraph(), FakeSpeaker(dialogue(db))
    async with waiting_shop(configured, db, impatient(), graph, speaker) as process:
        for number, text in enumerate(["hello?", "anyone?"], 1):
            await process.inbox.put([message(CUSTOMER, f"wamid.{number}", text)])
        await process.drained()
    assert graph.texts(CUSTOMER) == ["echo agent", "utter_handoff_receipt"]
    assert speaker.facts == [{"reference": "MG-1001"}]


async def test_out_of_hours_the_receipt_says_when_people_answer(configured: Settings, db: Database) -> None:
    graph, speaker = FakeGraph(), FakeSpeaker(dialogue(db))
    tomorrow = (dt.datetime.now(ZoneInfo("Asia/Kolkata")) + dt.timedelta(days=1)).weekday()
    closed = BusinessHours(ZoneInfo("Asia/Kolkata"), {tomorrow: (Span(9 * 60, 10 * 60),)})
    async with waiting_shop(configured, db, impatient(hours=closed), graph, speaker) as process:
        await process.inbox.put([message(CUSTOMER, "wamid.1", "hello?")])
        await process.drained()
    assert graph.texts(CUSTOMER)[1:] == ["utter_handoff_receipt_out_of_hours"]
    opens = speaker.facts[0]["opens"]
    assert (opens.at.hour, opens.days) == (9, 1)


async def test_a_turn_that_dies_with_its_receipt_runs_again_and_gives_it_once(
    configured: Settings, db: Database
) -> None:
    class Mortal(FakeSpeaker):
        lives = 1

        async def say(self, turn: Turn, response: str, **facts: Any) -> None:
            await super().say(turn, response, **facts)
            if self.lives:
                self.lives -= 1
                raise OSError("killed after the claim, before the commit")

    graph = FakeGraph()
    async with waiting_shop(configured, db, impatient(), graph, Mortal(dialogue(db))) as process:
        await process.inbox.put([message(CUSTOMER, "wamid.1", "hello?")])
        await process.inbox.put([message(CUSTOMER, "wamid.2", "anyone?")])
        await process.drained()
    assert graph.texts(CUSTOMER) == ["echo agent", "utter_handoff_receipt"]
    assert set(graph.keys().values()) == {1}


async def test_a_receipt_that_waited_for_graph_is_not_sent_once_a_person_has_written(
    configured: Settings, db: Database
) -> None:
    from connectors.message_bus.sending.errors import Transient

    down = asyncio.Event()

    async def send(body: dict[str, Any]) -> None:
        if down.is_set():
            raise Transient("down", http_status=503)

    graph = FakeGraph(send)
    async with waiting_shop(configured, db, impatient(), graph, FakeSpeaker(dialogue(db))) as process:
        down.set()
        await process.inbox.put([message(CUSTOMER, "wamid.1", "hello?")])
        await until(lambda: graph.attempts > 1)
        with db.read() as connection:
            external_id = connection.execute(select(takeovers.c.external_id)).scalar_one()
        comment = AgentComment("zendesk:comment:1", "1", "Meera here", time.time())
        await asyncio.to_thread(agent_said, db, TicketRef(None, external_id), comment)
        down.clear()
        await process.drained()
    assert graph.texts(CUSTOMER) == ["echo agent"]
    with db.read() as connection:
        notes = connection.execute(select(jobs.c.key).where(jobs.c.key.startswith("held:"))).all()
    assert notes == [], "an agent need not read that a receipt was not sent"


async def test_the_customer_hears_who_joined_with_the_first_words_and_not_again(
    configured: Settings, db: Database
) -> None:
    graph = FakeGraph()
    async with waiting_shop(configured, db, always_open(), graph, FakeSpeaker(dialogue(db))) as process:
        with db.read() as connection:
            external_id = connection.execute(select(takeovers.c.external_id)).scalar_one()
        for number, text in enumerate(("Hello", "Still there?")):
            comment = AgentComment(f"zendesk:comment:{number}", str(number), text, time.time(), author="*Meera* Iyer")
            await asyncio.to_thread(agent_said, db, TicketRef(None, external_id), comment)
        with db.read() as connection:
            payloads = connection.execute(select(deliveries.c.payload).order_by(deliveries.c.id)).scalars().all()
        for number, payload in enumerate(payloads):
            entry_id = f"zendesk:comment:{number}"
            await process.inbox.put([Entry("agent_comment", CUSTOMER, entry_id, json.loads(payload))])
        await process.drained()
    assert graph.texts(CUSTOMER)[-2:] == ["utter_handoff_agent_joined: Meera\n\nHello", "Still there?"]


async def test_a_question_asked_while_going_back_is_answered_and_nothing_else_is_said(
    configured: Settings, db: Database
) -> None:
    graph, speaker = FakeGraph(), FakeSpeaker(dialogue(db))
    speaker.wishes = {"bot is ok. how long do refunds take?": "assistant_and_more"}
    async with waiting_shop(configured, db, always_open(), graph, speaker) as process:
        await process.inbox.put([message(CUSTOMER, "wamid.1", "bot is ok. how long do refunds take?")])
        await process.inbox.put([message(CUSTOMER, "wamid.2", "ok")])
        await process.drained()
    assert graph.texts(CUSTOMER)[1:] == ["echo bot is ok. how long do refunds take?", "echo ok"]


@pytest.mark.parametrize(("wish", "said"), [
    ("assistant", "utter_handoff_cancelled_by_customer"), ("settled", "utter_handoff_settled"),
])  # fmt: skip
async def test_a_wish_in_words_of_their_own_is_granted(
    configured: Settings, db: Database, wish: Wish, said: str
) -> None:
    graph, speaker = FakeGraph(), FakeSpeaker(dialogue(db))
    speaker.wishes = {"in my own words": wish}
    control = ThreadControl(db, impatient())
    process = Process(str(configured.redis_url), speaker, graph, control).start()
    stop = asyncio.Event()
    worker = asyncio.create_task(tickets.run(configured, stop))
    for number, text in enumerate(["agent", "in my own words"]):
        await process.inbox.put([message(CUSTOMER, f"wamid.{number}", text)])
        await until(lambda: "echo agent" in graph.texts(CUSTOMER))
    await until(lambda: said in graph.texts(CUSTOMER))
    assert graph.texts(CUSTOMER) == ["echo agent", said]
    assert control.read(CUSTOMER).owner == "bot"
    stop.set()
    await process.stop()
    await asyncio.wait_for(worker, 15)
