"""The event stream in Redis, read by one writer at a time.

A consumer group keeps what was read but not acknowledged, so a writer that dies leaves its batch to the next one. The
consumer's name is fixed and a lease decides who is it: with several readers a customer's records could overtake one
another. What is acknowledged is trimmed away; what is not is never dropped, and Redis' memory is its only limit
(about 2 KB a record, so a million records, or ten hours of five messages a second, need 2 GB).
"""

from __future__ import annotations

import os
import socket
import time
import uuid
from dataclasses import dataclass
from typing import Any

import redis
from redis.exceptions import ResponseError

STREAM = "log"
POISON = "log:poison"
GROUP = "conversation_log"
CONSUMER = "writer"
LEASE = "log:writer"
LEASE_S = 15
POISON_KEPT = 10_000

_RENEW = """
local holder = redis.call('GET', KEYS[1])
if holder and holder ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[1], 'EX', ARGV[2])
return 1
"""
_RELEASE = "if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end return 0"


@dataclass(frozen=True)
class Entry:
    """One record as it lies in the stream."""

    id: str
    text: str


@dataclass(frozen=True)
class Health:
    """`backlog` records wait for the database, the oldest for `oldest_s` seconds; `poison` were set aside."""

    backlog: int
    oldest_s: float
    poison: int


class EventStream:
    """Batches of records, oldest first. Every method raises redis.RedisError."""

    def __init__(self, client: redis.Redis[Any]) -> None:
        self._client = client
        self._me = f"{socket.gethostname()}:{os.getpid()}:{uuid.uuid4().hex[:8]}"
        self._cursor = "0"

    def hold(self) -> bool:
        """Take or renew the lease. False: another process writes."""
        held = bool(self._client.eval(_RENEW, 1, LEASE, self._me, LEASE_S))
        if not held:
            self._cursor = "0"
        return held

    def reconnect(self) -> None:
        """Reconnect with the next call: after a failover an old connection may lead to one that takes nothing."""
        self._client.connection_pool.disconnect()

    def release(self) -> None:
        """Let another process write at once."""
        self._client.eval(_RELEASE, 1, LEASE, self._me)

    def read(self, count: int, block_ms: int) -> list[Entry]:
        """The next records: first those that were read before and never acknowledged, then new ones."""
        self._ensure_group()
        if self._cursor != ">":
            found = self._read(self._cursor, count, None)
            if found:
                return found
            self._cursor = ">"
        return self._read(">", count, block_ms)

    def again(self) -> None:
        """The last batch was not stored: the next `read` gives it once more."""
        self._cursor = "0"

    def _read(self, start: str, count: int, block_ms: int | None) -> list[Entry]:
        answer = self._client.xreadgroup(GROUP, CONSUMER, {STREAM: start}, count=count, block=block_ms)
        entries = answer[0][1] if answer else []
        gone = [_text(entry_id) for entry_id, fields in entries if not fields]
        if gone:
            # Erased from the stream while they waited to be acknowledged.
            self._client.xack(STREAM, GROUP, *gone)
        found = [Entry(_text(entry_id), _text(fields.get(b"j", b""))) for entry_id, fields in entries if fields]
        return found if found or not gone else self._read(start, count, block_ms)

    def _ensure_group(self) -> None:
        try:
            self._client.xgroup_create(STREAM, GROUP, id="0", mkstream=True)
        except ResponseError as error:
            if "BUSYGROUP" not in str(error):
                raise

    def done(self, entries: list[Entry]) -> None:
        """Acknowledge, and drop from the stream, what the database holds now."""
        ids = [entry.id for entry in entries]
        with self._client.pipeline(transaction=True) as pipeline:
            pipeline.xack(STREAM, GROUP, *ids)
            pipeline.xdel(STREAM, *ids)
            pipeline.execute()

    def backlog(self) -> int:
        """How many records are not in the database yet."""
        return int(self._client.xlen(STREAM))

    def set_aside(self, entry: Entry, reason: str) -> None:
        """Move a record that cannot be logged to the stream of such records."""
        with self._client.pipeline(transaction=True) as pipeline:
            fields = {"j": entry.text, "reason": reason, "id": entry.id}
            pipeline.xadd(POISON, fields, maxlen=POISON_KEPT, approximate=True)
            pipeline.xack(STREAM, GROUP, entry.id)
            pipeline.xdel(STREAM, entry.id)
            pipeline.execute()


def retry(client: redis.Redis[Any]) -> int:
    """Put the records that were set aside back in line. Returns how many. Raises redis.RedisError."""
    count = 0
    for entry_id, fields in client.xrange(POISON):
        with client.pipeline(transaction=True) as pipeline:
            pipeline.xdel(POISON, entry_id)
            pipeline.xadd(STREAM, {"j": fields[b"j"]})
            pipeline.execute()
        count += 1
    return count


def health(client: redis.Redis[Any]) -> Health:
    """How far the log is behind; for metrics and alerts. Raises redis.RedisError."""
    oldest = client.xrange(STREAM, count=1)
    oldest_s = max(0.0, time.time() - int(_text(oldest[0][0]).split("-")[0]) / 1000) if oldest else 0.0
    return Health(int(client.xlen(STREAM)), oldest_s, int(client.xlen(POISON)))


def _text(value: Any) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
