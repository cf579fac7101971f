"""The writer's promise: whatever dies between read, write, commit and acknowledge, every message is there once."""

from __future__ import annotations

import json
import random
from collections import Counter
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from conversation_log.ingest import projection
from conversation_log.ingest.stream import LEASE, POISON, EventStream, backlog, health
from conversation_log.storage import database
from tests.conversation_log.conftest import Log


class Killed(BaseException):
    """Stands for kill -9: no handler of ours may catch it."""


def conversation_records(turn: Any, sent: Any, status: Any, noon: float, rng: random.Random) -> list[dict[str, Any]]:
    """A few hundred records of several customers, interleaved; each customer's own order is kept."""
    lanes = []
    for customer in range(8):
        number, lane, at = f"9198765432{customer:02d}", [], noon + customer
        for index in range(12):
            at += rng.choice([20, 400, 4000])
            wamid = f"wamid.{customer}.{index}"
            lane.append(turn(wamid, text=f"message {customer}.{index}", at=at, customer=number))
            lane.append(sent(f"{wamid}:1", f"wamid.out.{customer}.{index}", at=at + 1, customer=number))
            states = ["sent", "delivered", "read"]
            rng.shuffle(states)
            lane += [status(f"wamid.out.{customer}.{index}", state, at + 2) for state in states]
        lanes.append(lane)
    mixed = []
    while any(lanes):
        lane = rng.choice([lane for lane in lanes if lane])
        mixed.append(lane.pop(0))
    return mixed


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3))
def test_killed_at_every_step_nothing_is_lost_or_doubled(the_log, turn, sent, status, noon, monkeypatch, seed):
    rng = random.Random(seed)
    records = conversation_records(turn, sent, status, noon, rng)
    the_log.put(*records)
    monkeypatch.setattr("conversation_log.ingest.writer.BATCH", 23)
    deaths = 0

    def deadly(function):
        def wrapped(*args, **kwargs):
            nonlocal deaths
            moment = rng.random()
            if moment < 0.1:
                deaths += 1
                raise Killed
            result = function(*args, **kwargs)
            if moment > 0.9:
                deaths += 1
                raise Killed
            return result

        return wrapped

    monkeypatch.setattr(projection.LogProjector, "load", deadly(projection.LogProjector.load))
    monkeypatch.setattr(projection.LogProjector, "write", deadly(projection.LogProjector.write))
    monkeypatch.setattr(EventStream, "read", deadly(EventStream.read))
    monkeypatch.setattr(EventStream, "done", deadly(EventStream.done))
    while backlog(the_log.redis):
        the_log.redis.delete(LEASE)  # the dead writer's lease runs out
        try:
            the_log.new_writer().step(block_ms=1)
        except Killed:
            continue
    assert deaths > 5
    said = Counter(message["message_id"] for record in the_log.read() for message in record["messages"])
    expected = Counter([f"wamid.{c}.{i}" for c in range(8) for i in range(12)])
    expected += Counter([f"wamid.out.{c}.{i}" for c in range(8) for i in range(12)])
    assert said == expected
    states = {m["delivery_status"] for r in the_log.read() for m in r["messages"] if m["role"] == "assistant"}
    assert states == {"read"}


@pytest.mark.slow
def test_batches_of_any_size_give_the_same_log(sqlite_log, turn, sent, status, noon, monkeypatch):
    records = conversation_records(turn, sent, status, noon, random.Random(9))[:160]
    found = []
    for size in (1, 7, 500):
        monkeypatch.setattr("conversation_log.ingest.writer.BATCH", size)
        with database.writing(sqlite_log.engine) as connection:
            connection.execute(text("DELETE FROM conversations"))
        found.append(sqlite_log.log(*records))
    assert found[0] == found[1] == found[2]


def test_database_outage_loses_nothing_and_is_told(sqlite_log, turn, noon, monkeypatch, caplog):
    def away(*args: Any) -> None:
        raise OperationalError("SELECT 1", {}, Exception("connection refused"))

    sqlite_log.put(turn("wamid.A"), turn("wamid.B", at=noon + 5))
    with monkeypatch.context() as outage:
        outage.setattr(projection.LogProjector, "load", away)
        pauses = [sqlite_log.writer.step(block_ms=1) for _ in range(3)]
    assert pauses == sorted(pauses)
    assert pauses[0] > 0
    assert "log.database.unavailable" in caplog.text
    assert health(sqlite_log.redis).backlog == 2
    sqlite_log.put(turn("wamid.C", at=noon + 9))
    assert [len(record["messages"]) for record in sqlite_log.log()] == [6]
    assert health(sqlite_log.redis).backlog == 0


def test_poison_record_is_set_aside_and_the_others_are_written(the_log, turn, noon, monkeypatch):
    apply = projection.LogProjector.apply

    def picky(self: projection.LogProjector, record: Any) -> None:
        if any(m.content == "poison" for m in getattr(record, "messages", ())):
            raise TypeError("cannot be stored")
        apply(self, record)

    monkeypatch.setattr(projection.LogProjector, "apply", picky)
    the_log.put_text("{not json")
    records = the_log.log(turn("wamid.A"), turn("wamid.B", text="poison"), turn("wamid.C", at=noon + 5))
    said = [m["content"] for r in records for m in r["messages"] if m["role"] == "user"]
    assert said == ["where is my order", "where is my order"]
    assert the_log.redis.xlen(POISON) == 2
    assert backlog(the_log.redis) == 0


def test_only_the_holder_of_the_lease_writes(sqlite_log, turn):
    sqlite_log.put(turn("wamid.A"))
    other = sqlite_log.new_writer()
    assert other.stream.hold()
    assert sqlite_log.writer.step(block_ms=1) > 0
    assert sqlite_log.read() == []
    other.stream.release()
    assert sqlite_log.writer.step(block_ms=1) == 0
    assert len(sqlite_log.read()) == 1


@pytest.mark.every_database
def test_two_writers_at_once_do_not_double_a_message(the_log, turn, noon):
    """The lease ran out under a writer that was only slow: it commits after the next one did."""
    records = [turn(f"wamid.{n}", at=noon + n) for n in range(5)]
    the_log.put(*records)
    slow, fast = the_log.new_writer(), the_log.new_writer()
    entries = slow.stream.read(10, 1)
    fast._store(entries)
    slow._store(entries)
    (record,) = the_log.read()
    assert len(record["messages"]) == 10


def test_erased_record_that_was_read_before_is_passed_over(sqlite_log, turn, noon):
    sqlite_log.put(turn("wamid.A"), turn("wamid.B", at=noon + 5))
    dead = sqlite_log.new_writer()
    entries = dead.stream.read(10, 1)
    sqlite_log.redis.xdel(entries[0].stream, entries[0].id)
    sqlite_log.write()
    (record,) = sqlite_log.read()
    assert [message["message_id"] for message in record["messages"] if message["role"] == "user"] == ["wamid.B"]


def test_idle_conversations_get_their_resolution(the_log, turn, sent, noon):
    the_log.log(
        turn("wamid.A", customer="911111111111"),
        turn("wamid.B", at=noon + 1, customer="912222222222", replies=(("Sorry?", "utter_clarification_first"),)),
        turn("wamid.C", at=noon + 2, customer="913333333333"),
        sent("wamid.C:1", outcome="failed", error="131026", customer="913333333333"),
        turn("wamid.D", customer="914444444444", at=noon + 24 * 3600 - 60),
    )
    expected = ["resolved", "abandoned", "abandoned", "open"]
    assert [record["resolution_status"] for record in the_log.read()] == expected
    assert the_log.writer.settle_idle() == 3
    with the_log.engine.connect() as connection:
        stored = connection.execute(text("SELECT resolution_status FROM conversations ORDER BY customer_id"))
        assert list(stored.scalars()) == expected


def test_conversation_that_goes_on_after_it_was_settled_is_open_again(sqlite_log, turn, noon):
    sqlite_log.log(turn("wamid.A"))
    sqlite_log.writer.settle_idle()
    sqlite_log.log(turn("wamid.B", at=noon + 1800, replies=(("Sorry?", "utter_clarification_first"),)))
    assert sqlite_log.read()[0]["resolution_status"] == "abandoned"


def test_tables_are_made_before_the_first_record_comes(redis_url, sql_url):
    log = Log(redis_url, sql_url)
    assert log.writer.settle_idle() == 0
    database.require_current(log.engine)
    log.engine.dispose()


def test_stream_is_trimmed_to_what_is_not_yet_stored(sqlite_log, turn, noon):
    sqlite_log.log(*[turn(f"wamid.{n}", at=noon + n) for n in range(50)])
    assert backlog(sqlite_log.redis) == 0
    assert json.loads(json.dumps(health(sqlite_log.redis).__dict__)) == {"backlog": 0, "oldest_s": 0.0, "poison": 0}
