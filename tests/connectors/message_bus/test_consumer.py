"""Turns: in order, side by side, once, and never silently lost."""

from __future__ import annotations

import asyncio
import json
import time
from typing import Any

import pytest
import redis

from connectors.message_bus import keys
from connectors.message_bus import turn as turns
from connectors.message_bus.consumer import DependencyUnavailable
from connectors.message_bus.inbox import Entry
from connectors.message_bus.turn import Turn
from tests.connectors.message_bus.log_records import dead, records
from tests.connectors.message_bus.transport_fakes import FakeSpeaker, Process, eventually, message


@pytest.mark.slow
async def test_each_customer_is_answered_in_order(redis_url: str) -> None:
    async def dawdle(turn: Turn) -> None:
        await asyncio.sleep(0.001 * (hash(turn.entry.id) % 7))

    process = Process(redis_url, FakeSpeaker(dawdle)).start()
    customers = [f"91{n:04d}" for n in range(40)]
    for n in range(10):
        await process.inbox.put([message(customer, f"{customer}.{n}", str(n)) for customer in customers])
    await process.drained()
    for customer in customers:
        assert process.graph.texts(customer) == [f"echo {n}" for n in range(10)]
    await process.stop()


@pytest.mark.slow
async def test_one_hanging_turn_delays_nobody_else_even_in_its_partition(redis_url: str) -> None:
    async def hang(turn: Turn) -> None:
        if turn.entry.customer.startswith("slow"):
            await asyncio.Event().wait()

    process = Process(redis_url, FakeSpeaker(hang), turn_timeout_s=100).start()
    await process.inbox.put([message(f"slow{n}", f"s{n}") for n in range(8)])
    await process.inbox.put([message(f"91{n:04d}", f"q{n}") for n in range(300)])

    async def quick_ones_done() -> bool:
        return len(process.graph.accepted) >= 300

    await eventually(quick_ones_done)
    assert not any(process.graph.texts(f"slow{n}") for n in range(8))
    await process.die()


async def test_a_turn_that_hangs_is_cut_off_and_the_customers_next_message_is_answered(redis_url: str) -> None:
    async def hang(turn: Turn) -> None:
        if turn.entry.id == "bad":
            await asyncio.sleep(60)

    process = Process(redis_url, FakeSpeaker(hang), turn_timeout_s=0.2).start()
    await process.inbox.put([message("91", "bad"), message("91", "good", "next")])
    await process.drained()
    assert process.graph.texts("91") == ["utter_fallback_apology", "echo next"]
    await process.stop()


async def test_a_poison_message_is_tried_three_times_then_set_aside_with_an_apology(redis_url: str) -> None:
    async def fail(turn: Turn) -> None:
        if turn.entry.id == "bad":
            raise ValueError("poison")

    process = Process(redis_url, FakeSpeaker(fail)).start()
    await process.inbox.put([message("91", "bad"), message("91", "good", "next")])
    await process.drained()
    assert [wamid for _, wamid in process.speaker.answered] == ["bad", "bad", "bad", "good"]
    assert process.graph.texts("91") == ["utter_fallback_apology", "echo next"]
    [fields] = dead(redis_url)
    letter = json.loads(fields["j"])
    assert letter["reason"] == "ValueError"
    assert Entry.from_json(letter["entry"]).id == "bad"
    await process.stop()


@pytest.mark.slow
async def test_a_message_that_kills_its_process_every_time_is_set_aside(redis_url: str) -> None:
    await Process(redis_url).inbox.put([message("91", "killer")])
    for _ in range(5):
        began = asyncio.Event()

        async def hang(turn: Turn, began: asyncio.Event = began) -> None:
            began.set()
            await asyncio.sleep(60)

        victim = Process(redis_url, FakeSpeaker(hang)).start()
        await asyncio.wait_for(began.wait(), 5)
        await victim.die()
    survivor = Process(redis_url).start()
    await survivor.drained()
    assert survivor.speaker.answered == []
    assert survivor.graph.texts("91") == ["utter_fallback_apology"]
    assert len(dead(redis_url)) == 1
    await survivor.stop()


async def test_a_redis_too_slow_to_answer_does_not_count_as_a_crash_of_the_message(redis_url: str) -> None:
    process = Process(redis_url)
    begin, late = process.transport.consumer._begin, 8

    async def slow(*args: Any, **options: Any) -> Any:
        nonlocal late
        found = await begin(*args, **options)
        late -= 1
        if late >= 0:
            raise redis.TimeoutError("Timeout reading from socket")
        return found

    process.transport.consumer._begin = slow  # type: ignore[assignment]
    process.start()
    await process.inbox.put([message("91", "a", "hi")])
    await process.drained()
    assert process.graph.texts("91") == ["echo hi"]
    assert len(dead(redis_url)) == 0
    await process.stop()


async def test_a_turn_that_ends_after_its_partition_was_lost_does_not_count_as_a_crash(redis_url: str) -> None:
    resume, stuck = asyncio.Event(), asyncio.Event()

    async def hang(turn: Turn) -> None:
        stuck.set()
        await resume.wait()

    process = Process(redis_url, FakeSpeaker(hang)).start()
    await process.inbox.put([message("91", "a")])
    await asyncio.wait_for(stuck.wait(), 5)
    partition = keys.partition_of("91")
    assert await process.client.hlen(keys.runs(partition)) == 1
    await process.client.set(keys.owner(partition), "another")
    resume.set()

    async def ended() -> bool:
        return await process.client.hlen(keys.runs(partition)) == 0

    await eventually(ended)
    await process.die()


async def test_customers_of_one_batch_wait_no_longer_for_what_is_away_than_one_alone(
    redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(turn: Turn) -> None:
        raise DependencyUnavailable("action server")

    monkeypatch.setattr(turns, "DEPENDENCY_TIMEOUT_S", 0.5)
    process = Process(redis_url, FakeSpeaker(away)).start()
    await process.inbox.put([message(f"91{n}", f"w{n}") for n in range(12)])
    await process.drained(4)
    assert len(process.graph.accepted) == 12
    await process.stop()


@pytest.mark.parametrize("killed", ["action server", "both servers"])
async def test_what_may_have_been_done_is_told_as_it_was_done_however_long_nobody_can_tell(
    redis_url: str, monkeypatch: pytest.MonkeyPatch, killed: str
) -> None:
    runs: list[float] = []

    async def killed_as_it_acts(turn: Turn) -> None:
        runs.append(time.monotonic())
        turn.unanswered = len(runs) == 1 and killed == "action server"
        if time.monotonic() - runs[0] < 0.8:
            raise DependencyUnavailable("action server")

    monkeypatch.setattr(turns, "DEPENDENCY_TIMEOUT_S", 0.2)
    process = Process(redis_url, FakeSpeaker(killed_as_it_acts))
    if killed == "both servers":
        await process.client.hset(keys.runs(keys.partition_of("91")), "5-0", "another:1")
    entry = message("91", "a", "hi")
    stream = keys.inbox_stream(keys.partition_of("91"))
    await process.client.xadd(stream, {"c": "91", "e": entry.as_json()}, id="5-0")
    process.start()
    await process.drained(20)
    assert process.graph.texts("91") == ["echo hi"]
    await process.stop()


async def test_what_never_answers_is_not_asked_for_ever(redis_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """As one that the message itself ends each time."""
    runs = []

    async def ends_the_server(turn: Turn) -> None:
        runs.append(1)
        turn.unanswered = True
        raise DependencyUnavailable("action server")

    monkeypatch.setattr(turns, "DEPENDENCY_TIMEOUT_S", 0.2)
    monkeypatch.setattr(turns, "MAX_UNANSWERED", 2)
    process = Process(redis_url, FakeSpeaker(ends_the_server)).start()
    await process.inbox.put([message("91", "a", "hi")])
    await process.drained(20)
    assert (process.graph.texts("91"), len(runs)) == (["utter_fallback_apology"], 2)
    await process.stop()


async def test_a_turn_without_words_gets_the_apology(redis_url: str) -> None:
    process = Process(redis_url, FakeSpeaker(mute=True)).start()
    await process.inbox.put([message("91", "a")])
    await process.drained()
    assert process.graph.texts("91") == ["utter_fallback_apology"]
    await process.stop()


async def test_deliberate_silence_stays_silent(redis_url: str) -> None:
    async def be_silent(turn: Turn) -> None:
        turn.silent = True

    process = Process(redis_url, FakeSpeaker(be_silent, mute=True)).start()
    await process.inbox.put([message("91", "a")])
    await process.drained()
    assert process.graph.accepted == []
    await process.stop()


async def test_a_message_older_than_the_window_is_recorded_but_not_answered(redis_url: str) -> None:
    process = Process(redis_url).start()
    await process.inbox.put([message("91", "old", at=time.time() - 25 * 3600), message("91", "new", "now")])
    await process.drained()
    assert process.graph.texts("91") == ["echo now"]
    assert [r["record"] for r in records(redis_url)] == ["inbound", "turn", "sent"]
    await process.stop()


@pytest.mark.slow
async def test_an_action_server_that_restarts_is_waited_for(redis_url: str) -> None:
    tries = 0

    async def away_twice(turn: Turn) -> None:
        nonlocal tries
        tries += 1
        if tries < 3:
            raise DependencyUnavailable("action server")

    process = Process(redis_url, FakeSpeaker(away_twice)).start()
    await process.inbox.put([message("91", "a", "hi")])
    await process.drained()
    assert process.graph.texts("91") == ["echo hi"]
    assert len(dead(redis_url)) == 0
    await process.stop()
