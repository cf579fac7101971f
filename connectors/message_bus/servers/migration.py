"""From the layout of keys before (32 partitions, no hash tags, one log stream) to this one, once, losing nothing.

Every process comes here before it serves. While processes of a release with the layout before are alive, it waits: they
must end first. Then one step takes their streams away from under that release and puts a plain value in their place, so
that a process of it that comes back can neither store nor serve (its webhook answers 503, and Meta delivers again).
What was there is moved piece by piece; killed at any point, the next process goes on.

    python -m connectors.message_bus.servers.migration
"""

from __future__ import annotations

import json
import logging
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

import redis

import settings as settings_module
import signals
from connectors.message_bus import keys
from connectors.message_bus.servers.layout import STATE, known_before
from hot_store import redis_address, redis_layout
from lenient_json import as_mapping

log = logging.getLogger(__name__)

OLD_PARTITIONS = 32
OLD_LEASE_MS = 4000
POISON_S = 30 * 24 * 3600
TIMEOUT_S, PAUSE_S, PAGE = 60.0, 0.3, 500
LOCK, LOCK_S = "wa:layout:lock", 30
MOVED = "wa:before:"
_HASHES = {"in": (("runs", ("", ":b")), ("tries", (":f",))), "out": (("sending", ("",)),)}


class LayoutUnusable(RuntimeError):
    """This release cannot work on that Redis now; the message names the remedy."""


def ensure(url: str, timeout_s: float = TIMEOUT_S) -> None:
    """Return when Redis has this release's layout. Raises LayoutUnusable, redis.RedisError, ValueError."""
    client = redis_address.client(url, decode_responses=True, socket_timeout=20, socket_connect_timeout=3)
    deadline = time.monotonic() + timeout_s
    told = False
    while (found := int(client.hget(STATE, "layout") or 0)) != redis_layout.LAYOUT:
        if found > redis_layout.LAYOUT:
            raise LayoutUnusable(
                f"Redis has the layout {found} of a newer release; this one knows {redis_layout.LAYOUT}. "
                "Remedy: run that release, or put the backup back that was taken before it."
            )
        if redis_address.parse(url).kind == redis_address.CLUSTER:
            client.hset(STATE, "layout", redis_layout.LAYOUT)
        elif _migrate(client):
            return
        if time.monotonic() > deadline:
            raise LayoutUnusable(
                "processes of an older release still work on this Redis. Remedy: stop them all; this release takes "
                "over what waits."
            )
        if not told:
            log.warning("layout.waits for processes of the older release, or of this one that moves what they left")
            told = True
        time.sleep(PAUSE_S)


def _migrate(client: redis.Redis[str]) -> bool:
    """Move everything, unless somebody else does or must end first. Whether it is done."""
    if not client.set(LOCK, 1, nx=True, ex=LOCK_S):
        return False
    streams = [f"wa:{kind}:{p}" for kind in ("in", "out") for p in range(OLD_PARTITIONS)] + ["log", "wa:dead"]
    names, explained = ["wa:members", *streams], "moved to layout 2 by a newer release"
    take_over = (keys.LUA / "take_over.lua").read_text()
    state = client.eval(take_over, len(names), *names, OLD_LEASE_MS, MOVED, explained, POISON_S)
    done = state != "busy"
    if state == "taken":
        began = time.monotonic()
        moved = sum(_move_queues(client)) + _move_shared(client) + _rename(client)
        client.hset(STATE, mapping={"layout": redis_layout.LAYOUT, "moved_at": time.time()})
        log.warning("layout.moved keys_and_entries=%d seconds=%.1f", moved, time.monotonic() - began)
    elif done:
        client.hset(STATE, "layout", redis_layout.LAYOUT)
    client.delete(LOCK)
    return done


def _pages(client: redis.Redis[str], stream: str) -> Iterator[list[tuple[str, dict[str, str]]]]:
    """What a stream holds; each page is to be moved before the next is asked for."""
    while page := client.xrange(stream, count=PAGE):
        client.expire(LOCK, LOCK_S)
        yield page
    client.delete(stream)


def _move_queues(client: redis.Redis[str]) -> Iterator[int]:
    """Inbox and outbox: 256 partitions are the 32 split in eight, so ids and order stay, and what hangs on them."""
    for old in range(OLD_PARTITIONS):
        for kind, name in (("in", keys.inbox_stream), ("out", keys.outbox_stream)):
            hashes = {what: client.hgetall(f"wa:{what}:{old}") for what, _ in _HASHES[kind]}
            for page in _pages(client, f"{MOVED}wa:{kind}:{old}"):
                pipeline = client.pipeline(transaction=True)
                for stream_id, fields in page:
                    customer = fields.get("c", "")
                    partition = keys.partition_of(customer)
                    for what, endings in _HASHES[kind]:
                        for field in (stream_id + ending for ending in endings):
                            if field in hashes[what]:
                                pipeline.hset(f"{keys.tag(partition)}:{what}", field, hashes[what][field])
                    pipeline.xadd(name(partition), {"c": customer, "e": fields.get("e", "")}, id=stream_id)
                    pipeline.xdel(f"{MOVED}wa:{kind}:{old}", stream_id)
                pipeline.execute()
                yield len(page)
            client.delete(*(f"wa:{what}:{old}" for what, _ in _HASHES[kind]))
        client.delete(f"wa:owner:{old}", f"wa:lease:{old}")


def _move_shared(client: redis.Redis[str]) -> int:
    """Log and dead letters, which were one stream each: into the partitions of their customers."""
    targets: dict[str, tuple[Callable[[int], str], Callable[[str], str]]] = {
        f"{MOVED}log": (keys.log_stream, _whose_record), f"{MOVED}wa:dead": (keys.dead_stream, _whose_letter),
    }  # fmt: skip
    moved = 0
    for stream, (name, whose) in targets.items():
        for page in _pages(client, stream):
            pipeline = client.pipeline(transaction=True)
            for stream_id, fields in page:
                text = fields.get("j", "")
                pipeline.xadd(name(keys.partition_of(whose(text))), {"j": text}, id=stream_id)
                pipeline.xdel(stream, stream_id)
            pipeline.execute()
            moved += len(page)
    client.delete("log:writer", "wa:fence")
    return moved


def _object(text: object) -> dict[str, Any]:
    try:
        return dict(as_mapping(json.loads(str(text))))
    except (ValueError, RecursionError):
        return {}


def _whose_record(text: str) -> str:
    record = _object(text)
    return str(record.get("customer") or record.get("key") or record.get("wamid") or "")


def _whose_letter(text: str) -> str:
    letter = _object(text)
    return str(_object(letter.get("entry") or letter.get("reply")).get("customer") or "")


def _rename(client: redis.Redis[str]) -> int:
    """What is kept of each customer, and the ids of messages that were taken."""
    moved = 0
    names: list[tuple[str, str]] = []
    for key in client.scan_iter(count=1000):
        new = _new_name(key)
        if new is not None:
            names.append((key, new))
        if len(names) >= PAGE:
            moved += _rename_all(client, names)
            names = []
    return moved + _rename_all(client, names)


def _rename_all(client: redis.Redis[str], names: list[tuple[str, str]]) -> int:
    pipeline = client.pipeline(transaction=False)
    pipeline.expire(LOCK, LOCK_S)
    for old, new in names:
        pipeline.rename(old, new)
    pipeline.execute(raise_on_error=False)  # one that has run out meanwhile is none to be kept
    return len(names)


def _new_name(key: str) -> str | None:
    """Where a key of the layout before belongs; None for one that is not of it, or keeps its name."""
    head, _, rest = key.partition(":")
    if head == "tracker":
        sender = rest.removesuffix(":base")
        return keys.tracker(sender)[rest != sender]
    if head == "identity":
        return f"{redis_layout.IDENTITY}:{rest}" if rest.startswith("change:") else redis_layout.alias(rest)
    if head == "customer":
        return redis_layout.profile(rest)
    if key == "log:poison":
        return f"{redis_layout.LOG}:poison"
    what, _, name = rest.partition(":")
    if head == "wa" and what in ("address", "quotable", "voices"):
        return keys.of_customer(what, name)
    return known_before(name) if head == "wa" and what == "seen" else None


def main() -> int:
    """Move what an older release left. Returns the exit status."""
    signals.restore()
    logging.basicConfig(level=logging.WARNING, format="%(message)s")
    settings = settings_module.load()
    if not settings.redis_url:
        print("REDIS_URL is not set: the embedded Redis is moved when the assistant starts.", file=sys.stderr)
        return 1
    try:
        ensure(settings.redis_url)
    except (LayoutUnusable, redis.RedisError, ValueError) as error:
        print(f"migration: {error}", file=sys.stderr)
        return 1
    print(f"Redis has layout {redis_layout.LAYOUT}.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
