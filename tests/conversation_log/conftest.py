"""Records as the transport writes them, and a log to put them into."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest
import redis
from sqlalchemy.engine import Engine

from conversation_log.ingest import hot_tier
from conversation_log.ingest.stream import EventStream, backlog
from conversation_log.ingest.writer import Writer
from conversation_log.query.export import as_record
from conversation_log.storage import database, reader
from hot_store import redis_layout

NOON = datetime(2026, 11, 1, 12, 0, tzinfo=timezone.utc).timestamp()


def turn_record(
    wamid: str,
    text: str = "where is my order",
    replies: tuple[tuple[str, str], ...] = (("It arrives tomorrow.", "utter_order_status_shipped"),),
    at: float = NOON,
    customer: str = "919876543210",
    intent: str = "check_order_status",
    confidence: float = 0.93,
    new_session: bool = False,
    slots: dict[str, Any] | None = None,
    metadata: dict[str, Any] | None = None,
    bot_metadata: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """One answered message; `replies` are (text, response name)."""
    events: list[dict[str, Any]] = []
    if new_session:
        events += [{"event": "action", "name": "action_session_start", "timestamp": at}]
        events += [{"event": "session_started", "timestamp": at}, {"event": "action", "name": "action_listen"}]
    parse = {"intent": {"name": intent, "confidence": confidence}, "entities": [], "text": text}
    events += [{"event": "user", "text": text, "timestamp": at, "parse_data": parse, "message_id": wamid}]
    for name, value in (slots or {}).items():
        events += [{"event": "slot", "name": name, "value": value, "timestamp": at}]
    for number, (words, response) in enumerate(replies, 1):
        about = {"utter_action": response, **(bot_metadata or {})}
        events += [{"event": "bot", "text": words, "data": {}, "metadata": about, "timestamp": at + number / 10}]
    return {
        "record": "turn",
        "customer": customer,
        "metadata": {
            "wamid": wamid, "customer": customer, "wa_id": customer, "user_id": None, "phone": f"+{customer}",
            "kind": "text", "timestamp": int(at), "typed": text, "received_at": at + 0.2, **(metadata or {}),
        },
        "events": events,
        "model": "20261101-nlu",
        "epoch": 0,
    }  # fmt: skip


def sent_record(key: str, wamid: str | None = None, at: float = NOON + 1, **more: Any) -> dict[str, Any]:
    """What became of a reply."""
    given = {"customer": "919876543210", "outcome": "accepted", "error": None, "text": "", "author": "assistant"}
    return {"record": "sent", "key": key, "wamid": wamid, "at": at, **given, **more}


def status_record(wamid: str, status: str, at: float = NOON + 2, key: str | None = None) -> dict[str, Any]:
    """One of Meta's delivery statuses."""
    return {"record": "status", "wamid": wamid, "status": status, "at": at, "key": key, "errors": []}


class Log:
    """A conversation log on a real Redis and a real database, driven step by step."""

    def __init__(self, redis_url: str, sql_url: str) -> None:
        self.redis_url = redis_url
        self.redis = redis.Redis.from_url(redis_url)
        self.sql_url = sql_url
        self.engine: Engine = database.connect(sql_url)
        self.now = datetime.fromtimestamp(NOON + 24 * 3600, timezone.utc)
        self.writer = self.new_writer()

    def new_writer(self) -> Writer:
        """A writer as another process would have it."""
        client = hot_tier.client(self.redis_url)
        return Writer(self.engine, EventStream(client), "0.1.0", now=lambda: self.now)

    def put(self, *records: dict[str, Any]) -> None:
        for record in records:
            self.put_text(json.dumps(record), str(record.get("customer") or ""))

    def put_text(self, text: str, customer: str = "") -> str:
        """One record as it stands in the stream; returns its id there."""
        stream = redis_layout.log_stream(redis_layout.partition_of(customer))
        return str(self.redis.xadd(stream, {"j": text}).decode())

    def write(self) -> None:
        """Write until the stream is empty."""
        while backlog(self.redis):
            assert self.writer.step(block_ms=1) == 0.0

    def log(self, *records: dict[str, Any]) -> list[dict[str, Any]]:
        """Put, write, and read everything back."""
        self.put(*records)
        self.write()
        return self.read()

    def read(self, **narrowed: Any) -> list[dict[str, Any]]:
        selection = reader.Selection(**narrowed)
        return [as_record(found) for found in reader.read(self.engine, selection, self.now)]


@pytest.fixture
def the_log(redis_url: str, sql_url: str) -> Iterator[Log]:
    """A log on SQLite and on PostgreSQL."""
    log = Log(redis_url, sql_url)
    database.migrate(log.engine)
    yield log
    log.engine.dispose()


@pytest.fixture
def sqlite_log(redis_url: str, tmp_path: Path) -> Iterator[Log]:
    """A log on SQLite alone, for what does not depend on the database."""
    log = Log(redis_url, f"sqlite:///{tmp_path}/log.db")
    database.migrate(log.engine)
    yield log
    log.engine.dispose()


@pytest.fixture
def turn() -> Callable[..., dict[str, Any]]:
    return turn_record


@pytest.fixture
def sent() -> Callable[..., dict[str, Any]]:
    return sent_record


@pytest.fixture
def status() -> Callable[..., dict[str, Any]]:
    return status_record


@pytest.fixture
def noon() -> float:
    """The epoch second at which the test conversations begin."""
    return NOON
