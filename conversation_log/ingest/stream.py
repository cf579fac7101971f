"""The event stream in Redis, one a partition of customers, read by one writer at a time.

What the database holds is dropped from the streams; what it does not hold yet stands there, so a writer that dies, or
starts, begins at their heads. A lease decides who writes: with several writers a customer's records could overtake one
another. What is not written is never dropped, and Redis' memory is its only limit (about 2 KB a record, so a million
records, or ten hours of five messages a second, need 2 GB).
"""

from __future__ import annotations

import os
import socket
import time
import uuid
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import redis

from hot_store import redis_layout

STREAMS = tuple(map(redis_layout.log_stream, range(redis_layout.PARTITIONS)))
POISON = f"{redis_layout.LOG}:poison"
LEASE = f"{redis_layout.LOG}:writer"
STEP = f"{redis_layout.LOG}:step"
LEASE_S = 4  # and a step is longer where the database is slow: `renew` meanwhile
POISON_KEPT = 10_000
FEW = 8  # records of a partition that are asked for at first
POLL_S = 0.05

# Every step begins with it: who sees STEP go up knows that the batch before is in the database.
_RENEW = """
local holder = redis.call('GET', KEYS[1])
if holder and holder ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[1], 'EX', ARGV[2])
redis.call('INCR', KEYS[2])
return 1
"""
_LONGER = "if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('EXPIRE', KEYS[1], ARGV[2]) end"
_RELEASE = "if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end return 0"


@dataclass(frozen=True)
class Entry:
    """One record as it lies in its stream."""

    id: str
    text: str
    stream: str


@dataclass(frozen=True)
class Health:
    """`backlog` records wait for the database, the oldest for `oldest_s` seconds; `poison` were set aside."""

    backlog: int
    oldest_s: float
    poison: int


class EventStream:
    """Batches of records, oldest first in each partition. Every method raises redis.RedisError."""

    def __init__(self, client: redis.Redis[Any]) -> None:
        self._client = client
        self._me = f"{socket.gethostname()}:{os.getpid()}:{uuid.uuid4().hex[:8]}"
        self._cursors: dict[str, str] = {}
        self._count, self._pause_s = FEW, POLL_S

    def hold(self) -> bool:
        """Take or renew the lease. False: another process writes."""
        held = bool(self._client.eval(_RENEW, 2, LEASE, STEP, self._me, LEASE_S))
        if not held:
            self._cursors = {}
        return held

    def renew(self) -> None:
        """Keep the lease while a step lasts, if it is ours; from any thread."""
        self._client.eval(_LONGER, 1, LEASE, self._me, LEASE_S)

    def reconnect(self) -> None:
        """Reconnect with the next call: after a failover an old connection may lead to one that takes nothing."""
        disconnect = getattr(self._client, "disconnect_connection_pools", None)  # of a cluster
        if disconnect is not None:
            disconnect()
        else:
            self._client.connection_pool.disconnect()

    def release(self) -> None:
        """Let another process write at once."""
        self._client.eval(_RELEASE, 1, LEASE, self._me)

    def read(self, count: int, block_ms: int) -> list[Entry]:
        """The next records, about `count` at most. When there are none it pauses, `block_ms` at most."""
        found = self._poll(count)
        if found:
            self._pause_s = POLL_S
        else:
            time.sleep(min(self._pause_s, block_ms / 1000))
            self._pause_s = min(1.0, 2 * self._pause_s)
        return found

    def _poll(self, count: int) -> list[Entry]:
        starts = {stream: f"({cursor}" for stream, cursor in self._cursors.items()}
        asked = [("XRANGE", stream, starts.get(stream, "-"), "+", "COUNT", self._count) for stream in STREAMS]
        found, full = [], 0
        for stream, page in zip(STREAMS, _all(self._client, asked), strict=True):
            if page:
                found += [Entry(_text(entry_id), _text(fields.get(b"j", b"")), stream) for entry_id, fields in page]
                self._cursors[stream] = found[-1].id
                full += len(page) >= self._count
        # Where little waits in many partitions, or much in a few, a batch is about the same.
        self._count = max(FEW, count // full) if full else FEW
        if not found:
            self._cursors = {}  # a failover may bring back what was dropped before
        return found

    def again(self) -> None:
        """The last batch was not stored: the next `read` gives it once more."""
        self._cursors = {}

    def done(self, entries: list[Entry]) -> None:
        """Drop from the streams what the database holds now."""
        ids: dict[str, list[str]] = defaultdict(list)
        for entry in entries:
            ids[entry.stream].append(entry.id)
        _all(self._client, [("XDEL", stream, *own) for stream, own in ids.items()])

    def backlog(self) -> int:
        """How many records are not in the database yet."""
        return backlog(self._client)

    def set_aside(self, entry: Entry, reason: str, drop: bool = True) -> None:
        """Move a record that cannot be logged to the stream of such records; killed in between, it is in both.

        Without `drop` it stays in line as well.
        """
        fields = {"j": entry.text, "reason": reason, "id": entry.id}
        self._client.xadd(POISON, fields, maxlen=POISON_KEPT, approximate=True)
        if drop:
            self._client.xdel(entry.stream, entry.id)


def backlog(client: redis.Redis[Any]) -> int:
    """How many records wait. Raises redis.RedisError."""
    return sum(_all(client, [("XLEN", stream) for stream in STREAMS]))


def retry(client: redis.Redis[Any]) -> int:
    """Put the records that were set aside back in line. Returns how many. Raises redis.RedisError."""
    count = 0
    for entry_id, fields in client.xrange(POISON):
        client.xadd(STREAMS[count % len(STREAMS)], {"j": fields[b"j"]})
        client.xdel(POISON, entry_id)
        count += 1
    return count


def health(client: redis.Redis[Any]) -> Health:
    """How far the log is behind; for metrics and alerts. Raises redis.RedisError."""
    heads = _all(client, [("XRANGE", stream, "-", "+", "COUNT", 1) for stream in STREAMS])
    firsts = [int(_text(page[0][0]).split("-")[0]) / 1000 for page in heads if page]
    oldest_s = max(0.0, time.time() - min(firsts)) if firsts else 0.0
    return Health(backlog(client), oldest_s, int(client.xlen(POISON)))


def _all(client: redis.Redis[Any], commands: Sequence[Sequence[Any]]) -> list[Any]:
    """The answers of commands that are sent without waiting in between, to whatever servers hold their keys."""
    if not commands:
        return []
    pipeline = client.pipeline() if hasattr(client, "nodes_manager") else client.pipeline(transaction=False)
    for command in commands:
        pipeline.execute_command(*command)
    return list(pipeline.execute())


def _text(value: Any) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
