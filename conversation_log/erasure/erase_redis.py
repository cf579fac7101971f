"""Erasing a customer from Redis, whatever keys the other parts of the product keep there.

Every key is looked at: one that carries a name of the customer goes as a whole; in streams and collections that
customers share, the entries go that are this customer's, by their `customer` field where there is one.
"""

from __future__ import annotations

import re
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import redis
from redis.exceptions import ResponseError

from conversation_log.ingest import stream
from conversation_log.model import identities
from conversation_log.model.identities import Identities
from hot_store import redis_address
from lenient_json import parsed

_PAGE = 1000
REWRITE_WAIT_S = 60.0
MAX_STREAM_ENTRIES = 20_000
WRITER_WAIT_S = 5.0


@dataclass(frozen=True)
class _Who:
    """The customer, ready for matching."""

    known: Identities
    wamids: frozenset[str]
    pattern: re.Pattern[str]

    @classmethod
    def of(cls, known: Identities, wamids: set[str]) -> _Who:
        names = sorted(known.names | known.customers, key=len, reverse=True)
        # `IN.12` must not match inside `IN.123`, nor `9198…` inside `9198….2`, which is another customer's key.
        pattern = "|".join(re.escape(name) for name in names)
        return cls(known, frozenset(wamids), re.compile(rf"(?<![\w+])(?:{pattern})(?![\w]|\.\w)"))

    def is_named_in(self, key: str) -> bool:
        """Whether one of a key's parts is a name or a message of the customer."""
        parts = key.split(":")
        if any(part in self.known.names or part in self.known.customers for part in parts):
            return True
        return any(self.is_own_wamid(part) for part in parts if part.startswith("wamid."))

    def is_own_wamid(self, wamid: str) -> bool:
        return wamid in self.wamids or identities.mentions(wamid, self.known.names)

    def owns(self, text: str) -> bool:
        """Whether an entry (usually JSON) is this customer's."""
        owners = set(_customers_in(text))
        if owners:
            return bool(owners & self.known.customers)
        if self.pattern.search(text):
            return True
        return any(self.is_own_wamid(found) for found in re.findall(r"wamid\.[\w+/=-]+", text))


def erase(client: redis.Redis[Any], known: Identities, wamids: set[str]) -> dict[str, int]:
    """Remove all keys and entries of a customer. Returns kind of key → how many. Raises redis.RedisError."""
    who = _Who.of(known, wamids)
    removed: Counter[str] = Counter()
    for raw in client.scan_iter(count=_PAGE):
        key = raw.decode("utf-8", "replace")
        if who.is_named_in(key):
            removed[_family(key)] += int(client.delete(raw))
            continue
        count = _ENTRIES.get(client.type(raw).decode(), _nothing)(client, raw, who)
        if count:
            removed[_family(key)] += count
    return dict(removed)


def _family(key: str) -> str:
    """A key without what differs from customer to customer: `{wa:7}:tracker:9198…:base` is `wa:tracker:*:base`."""
    parts = re.sub(r"^\{(\w+)(?::\d+)?\}", r"\1", key).split(":")
    return ":".join(part if re.fullmatch(r"[a-z_-]{1,24}", part) else "*" for part in parts)


def _customers_in(text: str) -> Iterator[str]:
    """The `customer` fields in JSON, also in JSON inside of JSON (a dead letter holds its entry as text)."""
    todo: list[Any] = [parsed(text)]
    while todo:
        value = todo.pop()
        if isinstance(value, dict):
            if isinstance(value.get("customer"), str):
                yield value["customer"]
                continue
            todo += value.values()
        elif isinstance(value, list):
            todo += value
        elif isinstance(value, str) and value.startswith("{"):
            todo.append(parsed(value))


def _text(value: Any) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


def _string(client: redis.Redis[Any], key: bytes, who: _Who) -> int:
    value = client.get(key)
    return int(client.delete(key)) if value and who.owns(_text(value)) else 0


def _stream(client: redis.Redis[Any], key: bytes, who: _Who) -> int:
    removed, start = 0, "-"
    while page := client.xrange(key, min=start, count=_PAGE):
        own = [entry for entry, fields in page if any(who.owns(_text(value)) for value in fields.values())]
        if own:
            removed += int(client.xdel(key, *own))
        start = "(" + _text(page[-1][0])
    return removed


def _list(client: redis.Redis[Any], key: bytes, who: _Who) -> int:
    own = {value for value in client.lrange(key, 0, -1) if who.owns(_text(value))}
    return sum(int(client.lrem(key, 0, value)) for value in own)


def _hash(client: redis.Redis[Any], key: bytes, who: _Who) -> int:
    pairs = client.hscan_iter(key, count=_PAGE)
    own = [name for name, value in pairs if who.owns(_text(name)) or who.owns(_text(value))]
    return int(client.hdel(key, *own)) if own else 0


def _set(client: redis.Redis[Any], key: bytes, who: _Who) -> int:
    own = [member for member in client.sscan_iter(key, count=_PAGE) if who.owns(_text(member))]
    return int(client.srem(key, *own)) if own else 0


def _sorted_set(client: redis.Redis[Any], key: bytes, who: _Who) -> int:
    own = [member for member, _ in client.zscan_iter(key, count=_PAGE) if who.owns(_text(member))]
    return int(client.zrem(key, *own)) if own else 0


def _nothing(client: redis.Redis[Any], key: bytes, who: _Who) -> int:
    return 0


_ENTRIES = {
    "string": _string, "stream": _stream, "list": _list, "hash": _hash, "set": _set, "zset": _sorted_set,
}  # fmt: skip


def wait_for_writer(client: redis.Redis[Any]) -> None:
    """Wait until the batch that the log's writer has in hand is in the database, where it can be erased."""
    deadline = time.monotonic() + WRITER_WAIT_S
    step = client.get(stream.STEP)
    while time.monotonic() < deadline and client.exists(stream.LEASE) and client.get(stream.STEP) == step:
        time.sleep(0.05)


def rewrite_streams(client: redis.Redis[Any]) -> list[str]:
    """Free the bytes of deleted entries. Returns what to tell the operator. Raises redis.RedisError."""
    rewrite = (Path(__file__).parent / "rewrite_stream.lua").read_text()
    streams = [key for key in client.scan_iter(count=_PAGE) if client.type(key) == b"stream"]
    full = [_text(key) for key in streams if client.eval(rewrite, 1, key, MAX_STREAM_ENTRIES) < 0]
    return [f"The stream {key} is too long to be rewritten; deleted entries leave it as it drains." for key in full]


def rewrite_files(client: redis.Redis[Any]) -> list[str]:
    """Have every server rewrite its files, without what was deleted. Returns what to tell the operator."""
    notes = [note for server in redis_address.servers(client) for note in _rewrite_files(server)]
    return list(dict.fromkeys(notes))


def _rewrite_files(client: redis.Redis[Any]) -> list[str]:
    notes = []
    try:
        if client.info("persistence").get("aof_enabled"):
            client.bgrewriteaof()
            done = _finished(client, ("aof_rewrite_in_progress", "aof_rewrite_scheduled"))
            notes.append(
                "Redis' append-only file was rewritten."
                if done
                else "Redis is still rewriting its append-only file; what was deleted leaves it when it is done."
            )
        if _text(client.config_get("save").get("save", "")):
            client.bgsave(schedule=True)
            done = _finished(client, ("rdb_bgsave_in_progress",))
            notes.append("Redis' snapshot was rewritten." if done else "Redis is still writing its snapshot.")
    except ResponseError:
        notes.append("This Redis does not let us rewrite its files; deleted data leaves them with its next snapshot.")
    return notes


def _finished(client: redis.Redis[Any], flags: tuple[str, ...]) -> bool:
    deadline = time.monotonic() + REWRITE_WAIT_S
    while time.monotonic() < deadline:
        info = client.info("persistence")
        if not any(int(info.get(flag, 0)) for flag in flags):
            return True
        time.sleep(0.05)
    return False
