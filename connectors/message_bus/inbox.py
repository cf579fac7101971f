"""The door to the inbox: everything that may lead to a turn is stored here before Meta gets its 200.

Meta redelivers for days and may deliver the same message to several processes at once, so an id is accepted once in
eight days, decided in the same atomic step that stores the entry.
"""

from __future__ import annotations

import asyncio
import json
import logging
import random
import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from redis.exceptions import RedisError

import tracing
from connectors.message_bus import keys
from connectors.message_bus.connections import FollowingRedis, connect
from connectors.message_bus.servers.layout import REMEMBER_IDS_S, Legacy
from connectors.message_bus.servers.promised import Promised
from hot_store import record_versions

__all__ = ["Entry", "Inbox", "InboxUnavailable", "connect"]

log = logging.getLogger(__name__)

REMEMBER_SETTLED_S = 2 * 3600
MAX_REPLIES = 100  # of one turn


class InboxUnavailable(RuntimeError):
    """Redis is away, full, read-only or misconfigured: nothing (or nothing certain) was stored; deliver again."""


@dataclass(frozen=True)
class Entry:
    """Something to be handled in the order of its customer.

    `kind` is "message", "agent_comment" or "conversation_returned"; `id` is unique for ever (a wamid for messages).
    `replays` is how often it came back from the dead letters, `trace` the span that stored it, where there are traces.
    """

    kind: str
    customer: str
    id: str
    payload: dict[str, Any]
    replays: int = 0
    trace: str | None = None

    @property
    def first_reply(self) -> int:
        """The number of its first reply. A replay's have numbers of their own: those before may have been sent."""
        return self.replays * MAX_REPLIES + 1

    def as_json(self) -> str:
        """The entry as it stands in the stream."""
        kept = {name: value for name, value in vars(self).items() if value is not None}
        return json.dumps(record_versions.stamped(kept), separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str | bytes) -> Entry:
        """The entry again, whatever fields a newer release added.

        Raises UnknownVersion for one that only a newer release reads, else ValueError, KeyError or TypeError.
        """
        raw = json.loads(text)
        record_versions.check(raw)
        replays = int(raw.get("replays") or 0)
        return cls(raw["kind"], raw["customer"], raw["id"], raw["payload"], replays, raw.get("trace"))


class Inbox:
    """Stores entries and log records. What raised may be stored in part: then it is to be delivered again, whole."""

    def __init__(self, client: FollowingRedis) -> None:
        self._client = client
        self._put = keys.Script(client, "put", even_when_full=False)
        self._probe = keys.Script(client, "probe", even_when_full=False)
        self._legacy = Legacy(client)
        self._promised = Promised(client, self._store, self._store_again)

    @classmethod
    def from_url(cls, url: str) -> Inbox:
        """An inbox with connections of its own."""
        return cls(connect(url))

    async def put(self, entries: Sequence[Entry], records: Sequence[dict[str, Any]] = ()) -> int:
        """Store all, those of one partition in one atomic step; entries whose id was seen before are left out.

        Returns the number of new entries. Raises InboxUnavailable.
        """
        if not entries and not records:
            return 0
        try:
            entries = await self._without_known(entries)
            with tracing.span("inbox.put", entries=len(entries), records=len(records)):
                if carried := tracing.carry():
                    entries = [entry if entry.trace else replace(entry, trace=carried) for entry in entries]
                return await self._promised.store(entries, records)
        except (RedisError, OSError, asyncio.TimeoutError) as error:
            log.error("inbox.put.failed entries=%d error=%s", len(entries), type(error).__name__)
            raise InboxUnavailable(f"Redis did not store the messages: {type(error).__name__}") from error

    async def _store(self, entries: Sequence[Entry], records: Sequence[dict[str, Any]]) -> int:
        return sum(await self._put.many(_calls(entries, records), _settling(records), durably=True))

    async def _store_again(self, entries: Sequence[Entry], records: Sequence[dict[str, Any]]) -> int:
        """Those entries that are not known any more, and all records: who reads them knows each already."""
        names = [keys.seen(entry.id, keys.partition_of(entry.customer)) for entry in entries]
        known = await self._client.ask([("EXISTS", name) for name in names])
        lost = [entry for entry, is_known in zip(entries, known, strict=True) if not is_known]
        return await self._store(lost, records) if lost or records else 0

    async def _without_known(self, entries: Sequence[Entry]) -> Sequence[Entry]:
        """Those that were not taken before the layout of Redis changed, as long as that is remembered."""
        if time.time() > await self._legacy.remembered_until():
            return entries
        known = await self._legacy.known(entry.id for entry in entries)
        return [entry for entry in entries if entry.id not in known]

    async def can_store(self) -> bool:
        """Whether an entry could be stored now, over the connections of this process; it tries a write."""
        try:
            await self._probe([keys.probe(random.randrange(keys.PARTITIONS))], [])  # noqa: S311
        except (RedisError, OSError, asyncio.TimeoutError):
            return False
        return True


def _calls(
    entries: Sequence[Entry], records: Sequence[dict[str, Any]]
) -> list[tuple[list[str], list[str | int]]]:
    """Keys and arguments of the script, for each partition that has something of it."""
    mine: dict[int, tuple[list[Entry], list[str]]] = defaultdict(lambda: ([], []))
    for entry in entries:
        mine[keys.partition_of(entry.customer)][0].append(entry)
    for record in records:
        # A status does not say whose it is; those of one message stay in one order.
        whose = str(record.get("customer") or record.get("key") or record.get("wamid") or "")
        text = json.dumps(record_versions.stamped(record), separators=(",", ":"))
        mine[keys.partition_of(whose)][1].append(text)
    calls = []
    for partition, (own, texts) in mine.items():
        names = [keys.inbox_stream(partition), keys.log_stream(partition), *(keys.seen(e.id, partition) for e in own)]
        words = [word for entry in own for word in (entry.customer, entry.as_json())]
        arguments: list[str | int] = [REMEMBER_IDS_S, len(own), *words, *texts]
        calls.append((names, arguments))
    return calls


def _settling(records: Sequence[dict[str, Any]]) -> list[tuple[Any, ...]]:
    """The commands that keep what statuses prove."""
    proved = [(key, wamid) for key, wamid in map(_settles, records) if key]
    return [("SET", keys.settled(key), wamid, "EX", REMEMBER_SETTLED_S) for key, wamid in proved]


def _settles(record: dict[str, Any]) -> tuple[str, str]:
    """The reply key that a status proves to be accepted, with its wamid; empty strings for other records."""
    if record.get("record") == "status" and record.get("key"):
        return str(record["key"]), str(record.get("wamid") or "")
    return "", ""
