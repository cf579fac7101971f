"""Turns: in order, side by side, once, and never silently lost."""

from __future__ import annotations

import asyncio
import json
import time
from pathlib import Path
from typing import Any

import pytest
import redis

from connectors.message_bus import consumer, keys
from connectors.message_bus.consumer import DependencyUnavailable
from connectors.message_bus.inbox import Entry, InboxUnavailable
from connectors.message_bus.turn import Turn
from handoff.storage.database import HandoffUnavailable
from handoff.takeover.thread_control import Relayed
from launch.embedded_redis import EmbeddedRedis
from tests.conftest import free_port
from tests.connectors.message_bus.transport_fakes import FakeGraph, FakeSpeaker, Process, eventually, message


def records(url: str) -> list[dict[str, Any]]:
    client = redis.Redis.from_url(url, decode_responses=True)
    return [json.loads(fields["j"]) for _, fields in client.xrange("log")]


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
            await asyncio.sleep(4)

    process = Process(redis_url, FakeSpeaker(hang)).start()
    await process.inbox.put([message(f"slow{n}", f"s{n}") for n in range(8)])
    await process.inbox.put([message(f"91{n:04d}", f"q{n}") for n in range(300)])

    async def quick_ones_done() -> bool:
        return len(process.graph.accepted) >= 300

    begin = time.monotonic()
    await eventually(quick_ones_done)
    assert time.monotonic() - begin < 3.5
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
    [(_, fields)] = await process.client.xrange("wa:dead")
    dead = json.loads(fields["j"])
    assert dead["reason"] == "ValueError"
    assert Entry.from_json(dead["entry"]).id == "bad"
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
    assert await survivor.client.xlen("wa:dead") == 1
    await survivor.stop()


async def test_a_redis_too_slow_to_answer_does_not_count_as_a_crash_of_the_message(redis_url: str) -> None:
    process = Process(redis_url)
    begin, late = process.transport.consumer._begin, 8

    async def slow(*args: Any) -> Any:
        nonlocal late
        found = await begin(*args)
        late -= 1
        if late >= 0:
            raise redis.TimeoutError("Timeout reading from socket")
        return found

    process.transport.consumer._begin = slow  # type: ignore[assignment]
    process.start()
    await process.inbox.put([message("91", "a", "hi")])
    await process.drained()
    assert process.graph.texts("91") == ["echo hi"]
    assert await process.client.xlen("wa:dead") == 0
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

    monkeypatch.setattr(consumer, "OUTSIDE_PATIENCE_S", 0.5)
    process = Process(redis_url, FakeSpeaker(away)).start()
    await process.inbox.put([message(f"91{n}", f"w{n}") for n in range(12)])
    await process.drained(4)
    assert len(process.graph.accepted) == 12
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


async def test_a_crash_before_the_commit_leaves_nothing_and_the_turn_runs_again(redis_url: str) -> None:
    stuck = asyncio.Event()

    async def hang(turn: Turn) -> None:
        stuck.set()
        await asyncio.sleep(60)

    victim = Process(redis_url, FakeSpeaker(hang)).start()
    await victim.inbox.put([message("91", "a")])
    await asyncio.wait_for(stuck.wait(), 5)
    await victim.die()
    assert records(redis_url) == []
    survivor = Process(redis_url).start()
    await survivor.drained()
    assert survivor.graph.keys() == {"a:1": 1}
    assert [r["record"] for r in records(redis_url)] == ["turn", "sent"]
    assert await survivor.client.llen("tracker:91") == 1
    await survivor.stop()


async def test_a_process_that_lost_its_partitions_cannot_commit(redis_url: str) -> None:
    resume, stuck = asyncio.Event(), asyncio.Event()

    async def hang(turn: Turn) -> None:
        stuck.set()
        await resume.wait()

    paused = Process(redis_url, FakeSpeaker(hang)).start()
    await paused.inbox.put([message("91", "a")])
    await asyncio.wait_for(stuck.wait(), 5)
    for task in paused.transport._tasks:
        task.cancel()
    other = Process(redis_url).start()
    await other.drained()
    resume.set()
    await asyncio.sleep(0.2)
    assert paused.graph.accepted == []
    assert other.graph.keys() == {"a:1": 1}
    assert await other.client.llen("tracker:91") == 1
    await other.stop()
    await paused.die()


@pytest.mark.slow
async def test_processes_share_the_customers_and_take_over_within_seconds(redis_url: str) -> None:
    graph = FakeGraph()
    first, second = Process(redis_url, graph=graph).start(), Process(redis_url, graph=graph).start()

    async def balanced() -> bool:
        return sorted(len(p.transport.partitions.owned) for p in (first, second)) == [16, 16]

    await eventually(balanced)
    await second.die()
    await first.inbox.put([message(f"91{n:04d}", f"m{n}") for n in range(200)])
    await first.drained(15)
    assert graph.keys() == {f"m{n}:1": 1 for n in range(200)}
    await first.stop()


@pytest.mark.slow
async def test_a_partition_that_cannot_be_given_back_is_served_all_the_same(redis_url: str) -> None:
    graph = FakeGraph()
    first, second = Process(redis_url, graph=graph).start(), Process(redis_url, graph=graph)

    async def away(*_: Any) -> None:
        raise redis.ConnectionError("Connection closed by server.")

    async def shares(*expected: int) -> bool:
        return sorted(len(p.transport.partitions.owned) for p in (first, second)) == [*expected]

    await eventually(lambda: shares(0, 32))
    first.transport.partitions._release = away  # type: ignore[assignment]
    second.start()
    await eventually(lambda: shares(16, 16))
    await second.die()
    await first.inbox.put([message(f"91{n:04d}", f"m{n}") for n in range(200)])
    await first.drained(15)
    assert graph.keys() == {f"m{n}:1": 1 for n in range(200)}
    await first.die()


async def test_a_clean_stop_hands_over_at_once_and_finishes_what_runs(redis_url: str) -> None:
    async def dawdle(turn: Turn) -> None:
        await asyncio.sleep(0.3)

    graph = FakeGraph()
    first = Process(redis_url, FakeSpeaker(dawdle), graph).start()
    await first.inbox.put([message(f"91{n:04d}", f"m{n}") for n in range(10)])
    await asyncio.sleep(0.2)
    await first.stop()
    done = len(graph.accepted)
    second = Process(redis_url, graph=graph).start()
    await second.drained(3)
    assert done == len(first.speaker.answered) >= 1
    assert graph.keys() == {f"m{n}:1": 1 for n in range(10)}
    assert not set(first.speaker.answered[:done]) & set(second.speaker.answered)
    await second.stop()


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
    assert await process.client.xlen("wa:dead") == 0
    await process.stop()


class PersonInControl:
    """A person owns the conversation."""

    owner_name = "agent"

    def __init__(self) -> None:
        self.relayed: list[str] = []
        self.unreachable = 0
        self.may = True

    async def owner(self, customer: str) -> Any:
        if self.unreachable:
            self.unreachable -= 1
            raise HandoffUnavailable
        return type("State", (), {"owner": self.owner_name, "control_version": 7, "opened_by": None})()

    async def admit_reply(self, customer: str, control_version: int, wamid: str | None) -> bool:
        return self.may

    async def relay(self, customer: str, entry: Entry, wish: Any = None) -> Relayed:
        self.relayed.append(entry.id)
        return Relayed()

    async def not_delivered(self, entry_id: str, why: str) -> None:
        self.relayed.append(f"{entry_id} {why}")

    async def reply_suppressed(self, customer: str, wamid: str, answer: str) -> None:
        self.relayed.append(f"{wamid} {answer}")


async def test_while_a_person_is_in_control_messages_go_to_the_ticket_and_nothing_is_said(redis_url: str) -> None:
    control = PersonInControl()
    process = Process(redis_url, control=control).start()
    await process.inbox.put([message("91", "a"), message("91", "b")])
    await process.drained()
    assert control.relayed == ["a", "b"]
    assert process.speaker.answered == []
    assert process.graph.accepted == []
    assert [r["record"] for r in records(redis_url)] == ["inbound", "inbound"]
    await process.stop()


async def test_a_turn_that_died_after_it_called_a_person_runs_again_and_says_so(redis_url: str) -> None:
    class Called(PersonInControl):
        async def owner(self, customer: str) -> Any:
            return type("State", (), {"owner": "waiting", "control_version": 8, "opened_by": "angry"})()

    control = Called()
    process = Process(redis_url, control=control).start()
    await process.inbox.put([message("91", "angry", "this is fraud"), message("91", "b", "hello?")])
    await process.drained()
    assert process.graph.texts("91") == ["echo this is fraud"]
    assert control.relayed == ["b"]
    await process.stop()


async def test_an_agent_who_speaks_up_while_an_answer_is_made_gets_the_message(redis_url: str) -> None:
    control = PersonInControl()
    control.owner_name = "bot"

    class Overtaken(FakeSpeaker):
        async def answer(self, turn: Turn) -> None:
            await super().answer(turn)
            control.owner_name = "agent"

    process = Process(redis_url, Overtaken(), control=control).start()
    await process.inbox.put([message("91", "a", "hi")])
    await process.drained()
    assert control.relayed == ["a"]
    assert process.graph.accepted == []
    assert [r["record"] for r in records(redis_url)] == ["inbound"], "a turn that did not happen is not in the log"
    await process.stop()


async def test_nothing_is_said_on_a_guess_while_the_owner_is_unknown(redis_url: str) -> None:
    control = PersonInControl()
    control.owner_name, control.unreachable = "bot", 4
    process = Process(redis_url, control=control).start()
    await process.inbox.put([message("91", "a", "hi")])
    await process.drained()
    assert process.graph.texts("91") == ["echo hi"]
    assert await process.client.xlen("wa:dead") == 0
    await process.stop()


async def test_an_agents_words_are_passed_on_without_the_dialogue(redis_url: str) -> None:
    process = Process(redis_url).start()
    await process.inbox.put([message("91", "a", "hi")])
    comment = Entry("agent_comment", "91", "c1", {"text": "I will check.", "media": ["https://x.example/a.png"]})
    await process.inbox.put([comment])
    await process.drained()
    assert process.graph.texts("91") == ["echo hi", "I will check.\nhttps://x.example/a.png"]
    assert [r["author"] for r in records(redis_url) if r["record"] == "sent"] == ["assistant", "agent"]
    await process.stop()


async def test_a_returned_conversation_is_announced_and_begins_afresh(redis_url: str) -> None:
    process = Process(redis_url).start()
    await process.inbox.put([message("91", "a")])
    await process.inbox.put([Entry("conversation_returned", "91", "r1", {"reason": "solved"})])
    await process.inbox.put([Entry("conversation_returned", "91", "r2", {"reason": "customer"})])
    await process.inbox.put([Entry("conversation_returned", "91", "r3", {"reason": "unreachable"})])
    await process.inbox.put([Entry("conversation_returned", "91", "r4", {"reason": "settled"})])
    await process.drained()
    assert process.graph.texts("91")[1:] == [
        "utter_handoff_ended", "utter_handoff_cancelled_by_customer", "utter_handoff_unavailable",
        "utter_handoff_settled",
    ]  # fmt: skip
    assert process.speaker.restarted == ["91"] * 4
    await process.stop()


async def test_a_full_redis_takes_nothing_new_but_what_it_holds_is_worked_off(tmp_path: Path) -> None:
    server = EmbeddedRedis(tmp_path, free_port())
    server.start()
    try:
        process = Process(server.url)
        await process.inbox.put([message("91", "a", "hi"), message("92", "b", "ho")])
        await process.client.config_set("maxmemory", "1")
        process.start()
        await process.drained()
        assert sorted(process.graph.keys()) == ["a:1", "b:1"]
        with pytest.raises(InboxUnavailable):
            await process.inbox.put([message("91", "c")])
        await process.client.config_set("maxmemory", "0")
        await process.inbox.put([message("91", "c", "again")])
        await process.drained()
        assert process.graph.texts("91") == ["echo hi", "echo again"]
        await process.stop()
    finally:
        server.stop()


@pytest.mark.slow
async def test_a_redis_that_is_killed_and_comes_back_loses_and_doubles_nothing(tmp_path: Path) -> None:
    server = EmbeddedRedis(tmp_path, free_port())
    server.start()
    try:
        process = Process(server.url).start()
        for n in range(30):
            await process.inbox.put([message(f"91{c}", f"{c}.{n}", str(n)) for c in range(10)])
        assert server.process is not None
        server.process.kill()
        server.process.wait()
        await asyncio.sleep(1)
        server.start()
        await process.drained(20)
        for c in range(10):
            assert process.graph.texts(f"91{c}") == [f"echo {n}" for n in range(30)]
        assert set(process.graph.keys().values()) == {1}
        await process.stop()
    finally:
        server.stop()
