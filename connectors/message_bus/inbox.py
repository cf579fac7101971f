"""The door to the inbox: everything that may lead to a turn is stored here before Meta gets its 200.

Meta redelivers for days and may deliver the same message to several processes at once, so an id is accepted once in
eight days, decided in the same atomic step that stores the entry.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import redis.asyncio
from redis.exceptions import RedisError

import record_versions
from connectors.message_bus import keys
from connectors.message_bus.connections import connect

__all__ = ["Entry", "Inbox", "InboxUnavailable", "connect"]

log = logging.getLogger(__name__)

REMEMBER_IDS_S = 8 * 24 * 3600
REMEMBER_SETTLED_S = 2 * 3600
MAX_REPLIES = 100  # of one turn


class InboxUnavailable(RuntimeError):
    """Redis is away, full, read-only or misconfigured: nothing (or nothing certain) was stored; deliver again."""


@dataclass(frozen=True)
class Entry:
    """Something to be handled in the order of its customer.

    `kind` is "message", "agent_comment" or "conversation_returned"; `id` is unique for ever (a wamid for messages).
    `replays` is how often it came back from the dead letters.
    """

    kind: str
    customer: str
    id: str
    payload: dict[str, Any]
    replays: int = 0

    @property
    def first_reply(self) -> int:
        """The number of its first reply. A replay's have numbers of their own: those before may have been sent."""
        return self.replays * MAX_REPLIES + 1

    def as_json(self) -> str:
        """The entry as it stands in the stream."""
        return json.dumps(record_versions.stamped(vars(self)), separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str | bytes) -> Entry:
        """The entry again, whatever fields a newer release added.

        Raises UnknownVersion for one that only a newer release reads, else ValueError, KeyError or TypeError.
        """
        raw = json.loads(text)
        record_versions.check(raw)
        return cls(raw["kind"], raw["customer"], raw["id"], raw["payload"], int(raw.get("replays") or 0))


class Inbox:
    """Stores entries and log records, all or nothing."""

    def __init__(self, client: redis.asyncio.Redis) -> None:
        self._client = client
        self._put = keys.Script(client, "put", even_when_full=False)

    @classmethod
    def from_url(cls, url: str) -> Inbox:
        """An inbox with connections of its own."""
        return cls(connect(url))

    async def put(self, entries: Sequence[Entry], records: Sequence[dict[str, Any]] = ()) -> int:
        """Store all in one atomic step; entries whose id was seen before are left out.

        Returns the number of new entries. Raises InboxUnavailable.
        """
        if not entries and not records:
            return 0
        names: list[str] = [keys.LOG_STREAM]
        arguments: list[str | int] = [REMEMBER_IDS_S, REMEMBER_SETTLED_S, len(entries)]
        for entry in entries:
            names += [keys.seen(entry.id), keys.inbox_stream(keys.partition_of(entry.customer))]
            arguments += [entry.customer, entry.as_json()]
        for record in records:
            key, wamid = _settles(record)
            names.append(keys.settled(key) if key else keys.LOG_STREAM)
            arguments += [wamid, json.dumps(record_versions.stamped(record), separators=(",", ":"))]
        try:
            return int(await self._put(names, arguments, durably=True))
        except (RedisError, OSError, asyncio.TimeoutError) as error:
            log.error("inbox.put.failed entries=%d error=%s", len(entries), type(error).__name__)
            raise InboxUnavailable(f"Redis did not store the messages: {type(error).__name__}") from error


    async def can_store(self) -> bool:
        """Whether an entry could be stored now, over the connections of this process; it tries a write."""
        try:
            await self._client.set(keys.PROBE, 1, ex=60)
        except (RedisError, OSError, asyncio.TimeoutError):
            return False
        return True


def _settles(record: dict[str, Any]) -> tuple[str, str]:
    """The reply key that a status proves to be accepted, with its wamid; empty strings for other records."""
    if record.get("record") == "status" and record.get("key"):
        return str(record["key"]), str(record.get("wamid") or "")
    return "", ""
