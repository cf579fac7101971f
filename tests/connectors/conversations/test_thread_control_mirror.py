"""While the database of takeovers is away, customers who were with the assistant are answered, and only they."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
import redis.asyncio

from connectors.conversations.thread_control_mirror import MirroredThreadControl
from connectors.message_bus import keys
from connectors.message_bus.inbox import connect
from connectors.message_bus.turn import Turn
from handoff.storage.database import HandoffUnavailable
from handoff.takeover.thread_control import ControlState, Relayed
from tests.connectors.message_bus.transport_fakes import FakeSpeaker, Process, eventually, message

WAITING = ControlState("waiting", 1, "wamid.1")


class Sql:
    """The real control, as a dictionary that can be away or slow."""

    def __init__(self) -> None:
        self.states: dict[str, ControlState] = {}
        self.away, self.slow_s, self.asked = False, 0.0, 0
        self.relayed: list[str] = []

    async def owner(self, customer: str) -> ControlState:
        self.asked += 1
        await asyncio.sleep(self.slow_s)
        if self.away:
            raise HandoffUnavailable
        return self.states.get(customer, ControlState())

    async def admit_reply(self, customer: str, control_version: int, wamid: str | None) -> bool:
        return (await self.owner(customer)).may_speak(control_version, wamid)

    async def relay(self, customer: str, entry: Any, wish: Any = None) -> Relayed:
        if self.away:
            raise HandoffUnavailable
        self.relayed.append(entry.id)
        return Relayed()

    async def not_delivered(self, entry_id: str, why: str) -> None:
        return None

    async def reply_suppressed(self, customer: str, wamid: str, answer: str) -> None:
        return None

    async def accept_return(self, customer: str, entry_id: str) -> ControlState:
        state = await self.owner(customer)
        self.states[customer] = ControlState("bot", state.control_version + 1, state.opened_by)
        return self.states[customer]


@pytest.fixture
async def client(redis_url: str) -> AsyncIterator[redis.asyncio.Redis]:
    client = connect(redis_url)
    yield client
    await client.close()


@pytest.fixture
def sql() -> Sql:
    return Sql()


def mirrored(sql: Sql, client: redis.asyncio.Redis, **options: Any) -> MirroredThreadControl:
    return MirroredThreadControl(sql, client, **{"budget_s": 0.3, "pause_s": 0.1, **options})


async def test_a_customer_never_heard_of_is_answered_while_sql_is_away(sql: Sql, client: redis.asyncio.Redis) -> None:
    sql.away = True
    control = mirrored(sql, client)
    assert await control.owner("91") == ControlState()
    assert await control.admit_reply("91", 0, "wamid.1")


async def test_another_process_goes_by_what_the_first_one_heard(sql: Sql, client: redis.asyncio.Redis) -> None:
    sql.states = {"91": WAITING, "92": ControlState("bot", 2, "wamid.0"), "93": ControlState("agent", 3, "wamid.0")}
    for customer in sql.states:
        await mirrored(sql, client).owner(customer)
    sql.away = True
    other = mirrored(sql, client)
    assert await other.owner("92") == sql.states["92"]
    for customer in ("91", "93"):
        with pytest.raises(HandoffUnavailable):
            await other.owner(customer)
    assert await other.admit_reply("91", 0, "wamid.1"), "the turn that called a person says so"
    assert not await other.admit_reply("91", 0, "wamid.0"), "what was computed before the takeover stays unsaid"
    assert await other.admit_reply("92", 2, "wamid.2")


async def test_a_reply_newer_than_the_mirror_waits_instead_of_being_lost(sql: Sql, client: redis.asyncio.Redis) -> None:
    sql.states["91"] = ControlState("agent", 3, "wamid.0")
    control = mirrored(sql, client)
    await control.owner("91")
    sql.away = True
    with pytest.raises(HandoffUnavailable):
        await control.admit_reply("91", 4, "wamid.9")


async def test_the_same_answer_is_written_once(sql: Sql, client: redis.asyncio.Redis, redis_url: str) -> None:
    sql.states["91"] = WAITING
    control = mirrored(sql, client)
    await control.owner("91")
    calls = await _commands(client)
    for _ in range(5):
        await control.owner("91")
        await control.owner("a customer without takeovers")
        await control.admit_reply("91", 1, "wamid.1")
    assert await _commands(client) - calls == 1, "only this test's own question"
    assert await client.ttl(keys.thread_control("91")) > 24 * 3600


async def _commands(client: redis.asyncio.Redis) -> int:
    return int((await client.info("stats"))["total_commands_processed"])


async def test_a_late_answer_does_not_overwrite_a_newer_one(sql: Sql, client: redis.asyncio.Redis) -> None:
    sql.states["91"] = ControlState("agent", 5, "wamid.4")
    await mirrored(sql, client).owner("91")
    sql.states["91"] = ControlState("bot", 4, "wamid.0")
    await mirrored(sql, client).owner("91")
    sql.away = True
    with pytest.raises(HandoffUnavailable):
        await mirrored(sql, client).owner("91")


async def test_what_this_process_remembers_is_bounded(sql: Sql, client: redis.asyncio.Redis) -> None:
    control = mirrored(sql, client, remembered=3)
    for number in range(10):
        sql.states[str(number)] = WAITING
        await control.owner(str(number))
    assert len(control._kept) == 3


async def test_a_slow_database_costs_one_budget_and_is_then_left_alone(sql: Sql, client: redis.asyncio.Redis) -> None:
    sql.slow_s = 30
    control = mirrored(sql, client, budget_s=0.1, pause_s=60)
    began = time.monotonic()
    for _ in range(20):
        assert (await control.owner("91")).owner == "bot"
    assert sql.asked == 1
    assert time.monotonic() - began < 15


async def test_after_the_pause_one_question_probes_for_all(sql: Sql, client: redis.asyncio.Redis) -> None:
    sql.away = True
    control = mirrored(sql, client)
    await control.owner("91")
    sql.slow_s = 0.05
    await asyncio.sleep(0.12)
    await asyncio.gather(*(control.owner("91") for _ in range(20)))
    assert sql.asked == 2


async def test_after_the_outage_everything_is_as_sql_says(sql: Sql, client: redis.asyncio.Redis) -> None:
    sql.away = True
    control = mirrored(sql, client)
    await control.owner("91")
    sql.away, sql.states["91"] = False, ControlState("agent", 2, "wamid.1")
    await asyncio.sleep(0.12)
    assert await control.owner("91") == sql.states["91"]
    assert not await control.admit_reply("91", 0, "wamid.0")


async def test_a_return_is_known_when_sql_goes_away_right_after_it(sql: Sql, client: redis.asyncio.Redis) -> None:
    sql.states["91"] = WAITING
    control = mirrored(sql, client)
    await control.owner("91")
    await control.accept_return("91", "returned:handoff:0a:2")
    sql.away = True
    assert await control.owner("91") == ControlState("bot", 2, "wamid.1")
    assert await control.admit_reply("91", 2, "returned:handoff:0a:2")


async def test_an_agents_first_words_show_the_mirror_who_speaks(sql: Sql, client: redis.asyncio.Redis) -> None:
    control = mirrored(sql, client)
    await control.owner("91")
    sql.states["91"] = ControlState("agent", 3, "wamid.0")
    assert await control.admit_reply("91", 2, "zendesk:comment:7")
    sql.away = True
    assert await control.admit_reply("91", 2, "zendesk:comment:8"), "agents' words always may"
    with pytest.raises(HandoffUnavailable):
        await control.owner("91")


async def test_an_unreadable_mirror_is_no_permission_to_speak(sql: Sql, client: redis.asyncio.Redis) -> None:
    sql.away = True
    for text in ("", "[]", "{}", '{"holder": "bot", "epoch": "x", "opened_by": null}'):
        await client.set(keys.thread_control("91"), text)
        with pytest.raises(HandoffUnavailable):
            await mirrored(sql, client).owner("91")


def calls_a_person(sql: Sql, then: Callable[[], None], said: str | None = None) -> Callable[[Turn], Awaitable[None]]:
    """A dialogue that opens a takeover for "agent"; then something happens before the turn ends."""

    async def answer(turn: Turn) -> None:
        if turn.entry.payload["text"] == "agent":
            if said is None:
                sql.states[turn.entry.customer] = ControlState("waiting", turn.control_version + 1, turn.entry.id)
            turn.events.append({"event": "action", "name": "action_escalate"})
            turn.events.append({"event": "bot", "metadata": {"utter_action": said or "utter_handoff_connecting"}})
            then()

    return answer


@pytest.mark.slow
async def test_in_an_outage_the_assistant_answers_its_own_customers_only(sql: Sql, redis_url: str) -> None:
    control_client = connect(redis_url)
    sql.states["92"] = ControlState("agent", 3, "wamid.0")
    process = Process(redis_url, control=mirrored(sql, control_client)).start()
    await process.inbox.put([message("91", "wamid.a", "one"), message("92", "wamid.b", "for Meera")])
    await process.drained()
    sql.away = True
    await process.inbox.put([message("91", "wamid.c", "two"), message("92", "wamid.d", "Meera?")])

    async def answered() -> bool:
        return process.graph.texts("91") == ["echo one", "echo two"]

    await eventually(answered)
    await asyncio.sleep(0.3)
    assert process.graph.texts("92") == []
    assert sql.relayed == ["wamid.b"]
    sql.away = False
    await process.drained()
    assert sql.relayed == ["wamid.b", "wamid.d"], "the message waited, and reaches the person who has the customer"
    assert process.graph.texts("92") == []
    await process.stop()
    await control_client.close()


@pytest.mark.parametrize("away_at", ["after the turn", "before its end"])
async def test_a_takeover_opened_just_before_the_outage_keeps_the_assistant_silent(
    sql: Sql, redis_url: str, away_at: str
) -> None:
    control_client = connect(redis_url)

    def then() -> None:
        sql.away = away_at == "before its end"

    process = Process(redis_url, FakeSpeaker(calls_a_person(sql, then)), control=mirrored(sql, control_client)).start()
    await process.inbox.put([message("91", "wamid.1", "agent")])
    await process.drained()
    sql.away = True
    await process.inbox.put([message("91", "wamid.2", "hello?")])
    await asyncio.sleep(0.5)
    assert process.graph.texts("91") == ["echo agent"]
    sql.away = False
    await process.drained()
    assert sql.relayed == ["wamid.2"]
    assert process.graph.texts("91") == ["echo agent"]
    await process.stop()
    await control_client.close()


async def test_who_could_not_be_given_a_person_stays_with_the_assistant(sql: Sql, redis_url: str) -> None:
    control_client = connect(redis_url)
    sql.away = True
    dialogue = calls_a_person(sql, lambda: None, said="utter_handoff_unavailable")
    process = Process(redis_url, FakeSpeaker(dialogue), control=mirrored(sql, control_client)).start()
    await process.inbox.put([message("91", "wamid.1", "agent"), message("91", "wamid.2", "where is my order")])
    await process.drained()
    assert process.graph.texts("91") == ["echo agent", "echo where is my order"]
    await process.stop()
    await control_client.close()
