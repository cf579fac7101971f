"""The contract of the log's egress to Kafka, held against a stand-in of the client library and its own mock broker."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy.exc import OperationalError

import settings
from conversation_log.erasure import erase
from conversation_log.ingest import kafka, projection
from conversation_log.ingest.kafka import FATAL, TOO_LARGE, Egress, options
from conversation_log.ingest.stream import POISON, Entry, backlog

BROKER_AWAY, MAX_BYTES = -195, 4000


class Refused(Exception):
    """As KafkaException: its first argument says why."""


def error(code: int) -> Any:
    return SimpleNamespace(code=lambda: code)


class Broker:
    """Stands for client and brokers: `refuse` says what becomes of a record, None: confirmed."""

    def __init__(self) -> None:
        self.topic: list[tuple[bytes | None, bytes | None]] = []
        self.refuse: Callable[[bytes | None], int | None] = lambda value: None
        self.silent = False
        self.connected = 0
        self._queue: list[tuple[bytes | None, bytes | None, Any]] = []

    def connect(self) -> Broker:
        self.connected += 1
        return self

    def produce(self, topic: str, key: bytes | None, value: bytes | None, on_delivery: Any) -> None:
        assert topic == "log"
        if value is not None and len(value) > MAX_BYTES:
            raise Refused(error(TOO_LARGE))
        if self.refuse(value) == FATAL:
            raise Refused(error(FATAL))
        self._queue.append((key, value, on_delivery))

    def flush(self, timeout: float) -> int:
        if self.silent:
            return len(self._queue)
        for key, value, told in self._queue:
            code = self.refuse(value)
            if code is None:
                self.topic.append((key, value))
            told(None if code is None else error(code), None)
        self._queue.clear()
        return 0

    def purge(self) -> None:
        self._queue.clear()

    def texts(self, customer: str) -> list[str]:
        """What the customer wrote, as the topic has it, in order."""
        own = [json.loads(value) for key, value in self.topic if key == customer.encode() and value]
        return [record["metadata"]["typed"] for record in own if record["record"] == "turn"]


@pytest.fixture
def broker(sqlite_log) -> Broker:
    broker = Broker()
    sqlite_log.writer.egress = Egress(broker.connect, "log")
    return broker


def test_a_confirmed_batch_is_in_order_by_customer_and_in_sql_too(sqlite_log, turn, noon, broker):
    numbers = [f"91987654321{n}" for n in range(4)]
    turns = [turn(f"w.{c}.{n}", text=f"{n}", at=noon + n, customer=c) for n in range(5) for c in numbers]
    records = sqlite_log.log(*turns)
    assert sum(len(record["messages"]) for record in records) == 40
    assert {c: broker.texts(c) for c in numbers} == {c: [str(n) for n in range(5)] for c in numbers}
    assert backlog(sqlite_log.redis) == 0


@pytest.mark.parametrize("how", ["one is refused", "nobody answers", "it lost its own order"])
def test_a_refused_batch_stays_whole_in_redis_and_nothing_of_it_is_logged(
    sqlite_log, turn, noon, broker, caplog, how
):
    caplog.set_level(logging.DEBUG)
    sqlite_log.put(*(turn(f"w.{n}", text=f"secret {n}", at=noon + n) for n in range(3)))
    if how == "nobody answers":
        broker.silent = True
    else:
        code = BROKER_AWAY if how == "one is refused" else FATAL
        broker.refuse = lambda value: code if b"secret 1" in (value or b"") else None
    assert sqlite_log.writer.step(block_ms=1) > 0
    assert backlog(sqlite_log.redis) == 3
    assert sqlite_log.read() == []
    assert "log.kafka.unavailable" in caplog.text
    assert "secret" not in caplog.text
    assert "9198" not in caplog.text
    broker.silent, broker.refuse = False, lambda value: None
    sqlite_log.write()
    assert broker.texts("919876543210")[-3:] == ["secret 0", "secret 1", "secret 2"]
    assert broker.connected == (2 if how == "it lost its own order" else 1)


def test_a_record_too_large_for_the_topic_is_set_aside_and_stands_in_sql(sqlite_log, turn, noon, broker):
    records = sqlite_log.log(
        turn("w.0", text="before", at=noon), turn("w.1", text="x" * MAX_BYTES, at=noon + 1), turn("w.2", text="behind")
    )
    assert sorted(broker.texts("919876543210")) == ["before", "behind"]
    assert sum(len(record["messages"]) for record in records) == 6
    [(_, aside)] = sqlite_log.redis.xrange(POISON)
    assert b"too large" in aside[b"reason"]
    assert b"x" * MAX_BYTES in aside[b"j"]


def test_while_sql_is_away_the_topic_gets_each_record_once(sqlite_log, turn, noon, broker, monkeypatch):
    def away(*_: Any) -> None:
        raise OperationalError("select 1", {}, Exception("down"))

    sqlite_log.put(*(turn(f"w.{n}", text=str(n), at=noon + n) for n in range(3)))
    with monkeypatch.context() as outage:
        outage.setattr(projection.LogProjector, "load", away)
        for _ in range(3):
            assert sqlite_log.writer.step(block_ms=1) > 0
    sqlite_log.write()
    assert broker.texts("919876543210") == ["0", "1", "2"]
    assert sqlite_log.writer.egress.confirmed == set()


def test_an_erasure_reaches_the_topic_as_a_tombstone_or_is_not_complete(sqlite_log, turn, broker, tmp_path):
    sqlite_log.log(turn("w.0"))
    archive = erase.ParquetArchive.at(f"file://{tmp_path}/archive")
    customer, egress = "919876543210", sqlite_log.writer.egress
    broker.silent = True
    now = sqlite_log.now
    receipt = erase.erase(f"+{customer}", sqlite_log.engine, archive, None, now, egress=egress)
    assert any("LOG_KAFKA_URL" in todo for todo in receipt.open_ends)
    broker.silent = False
    receipt = erase.erase(f"+{customer}", sqlite_log.engine, archive, None, now, egress=egress)
    assert receipt.open_ends == []
    assert broker.topic[-1] == (customer.encode(), None)


def test_what_is_no_record_goes_out_without_a_key() -> None:
    assert kafka.whose("{not json") is None
    assert kafka.whose("[1]") is None
    assert kafka.whose('{"record": "status", "key": "w.1:1", "wamid": "w.out"}') == b"w.1:1"


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("kafka://h1:9092,h2:9092/log", ("h1:9092,h2:9092", "PLAINTEXT", None)),
        ("kafka+ssl://me:p%40ss@h1/log", ("h1", "SASL_SSL", "p@ss")),
        ("kafka+ssl://me:x@h1/log?mechanism=SCRAM-SHA-512", ("h1", "SASL_SSL", "x")),
    ],
)
def test_a_url_says_where_and_how(url: str, expected: tuple[str, str, str | None], tmp_path: Path) -> None:
    found = options(settings.load({"LOG_KAFKA_URL": url}, tmp_path / "none").log_kafka_url or "")
    assert (found["bootstrap.servers"], found["security.protocol"], found.get("sasl.password")) == expected
    assert found["acks"] == "all"
    assert found["enable.idempotence"]


def test_the_client_library_answers_as_the_stand_in_does() -> None:
    confluent_kafka = pytest.importorskip("confluent_kafka")
    mock = {**options("kafka://mock:1/log"), "test.mock.num.brokers": 1}
    egress = Egress(lambda: confluent_kafka.Producer(mock), "log")
    entries = [Entry(str(n), json.dumps({"customer": "91", "text": text}), "s") for n, text in enumerate(["a", "b"])]
    large = Entry("9", "x" * 2_000_000, "s")
    assert egress.append([*entries, large]) == [large]
    assert egress.forget(["91"]) == 1
