"""The one step in which a turn becomes visible: tracker, log, replies and the inbox entry, all or nothing."""

from __future__ import annotations

import asyncio
import json
import logging
import time
from dataclasses import dataclass, field
from typing import Any

import redis.asyncio
from redis.exceptions import RedisError

from connectors.conversations.identity import Identities, IdentitiesUnavailable
from connectors.message_bus import keys, quoting
from connectors.message_bus.keyed_executor import Item
from connectors.message_bus.turn import Turn

log = logging.getLogger(__name__)

TRACKER_TTL_S = 24 * 3600
WINDOW_S = 24 * 3600


def compact(value: Any) -> str:
    """JSON without spaces."""
    return json.dumps(value, separators=(",", ":"))


@dataclass(frozen=True)
class Outgoing:
    """One reply in the outbox.

    `address` is {"to": ...} or {"recipient": ...}; `expires_at` is the end of the customer service window in epoch
    seconds; `author` is "assistant" or "agent"; `asked_at` is when the message came in that is answered; `about` is
    what a message that quotes the reply is about.
    """

    customer: str
    key: str
    wamid: str
    body: dict[str, Any]
    text: str
    epoch: int
    author: str
    address: dict[str, str]
    expires_at: float
    asked_at: float = 0.0
    about: dict[str, Any] = field(default_factory=dict)

    def as_json(self) -> str:
        return compact(self.__dict__)

    @classmethod
    def from_json(cls, text: str) -> Outgoing:
        """The reply again, whatever a newer version added. Raises ValueError or TypeError when it is none."""
        raw = json.loads(text)
        if not isinstance(raw, dict):
            raise TypeError("no JSON object")
        return cls(**{name: value for name, value in raw.items() if name in cls.__dataclass_fields__})


class Commits:
    """Commits turns of partitions that this process owns."""

    def __init__(self, client: redis.asyncio.Redis, model_id: str | None = None) -> None:
        self._client = client
        self._commit = keys.Script(client, "commit")
        self._identities = Identities(client)
        self.model_id = model_id

    async def commit(self, item: Item, turn: Turn, dead: dict[str, Any] | None = None) -> str:
        """Make the turn visible. Waits out a Redis that is away; returns 'done', 'fenced' or 'gone'."""
        names, arguments = _names(item, turn), await self._arguments(item, turn, dead)
        return await until_redis_answers(lambda: self._commit(names, arguments), "commit")

    async def _arguments(self, item: Item, turn: Turn, dead: dict[str, Any] | None) -> list[str | int]:
        known = await self._known_address(turn)
        arguments: list[str | int] = [
            item.owned.token, item.stream_id, turn.entry.customer, TRACKER_TTL_S,
            compact(dead) if dead else "",
            compact(known) if turn.entry.kind == "message" else "",
            *quoting.of_customer(turn.entry),
        ]  # fmt: skip
        for append in turn.appends:
            tail = "" if append.tail_chunks is None else append.tail_chunks
            arguments += [tail, append.preamble, len(append.chunks), *append.chunks]
        records = [compact(record) for record in self._records(turn)]
        replies = [reply.as_json() for reply in outgoing(turn, known)]
        return [*arguments, len(records), *records, len(replies), *replies]

    async def _known_address(self, turn: Turn) -> dict[str, Any]:
        """wa_id, user_id and time of the customer's last message: from this one, else as last committed."""
        entry, metadata = turn.entry, turn.metadata
        if entry.kind == "message":
            at = metadata.get("timestamp") or time.time()
            return {"wa_id": metadata.get("wa_id"), "user_id": metadata.get("user_id"), "at": at}
        stored = await until_redis_answers(lambda: self._client.get(keys.address(entry.customer)), "address")
        known = dict(json.loads(stored)) if stored else {"at": 0}
        # The profile follows number changes; what was committed last may be a number that is a stranger's by now.
        address = await until_redis_answers(lambda: self._identities.address(entry.customer), "identity")
        if address.wa_id or address.user_id:
            return {**known, "wa_id": address.wa_id, "user_id": address.user_id}
        if stored:
            return known
        name = "wa_id" if entry.customer.isdigit() else "user_id"
        return {name: entry.customer, "at": 0}

    def _records(self, turn: Turn) -> list[dict[str, Any]]:
        if turn.events:
            return [
                {
                    "record": "turn", "customer": turn.entry.customer, "metadata": turn.metadata,
                    "events": turn.events, "model": self.model_id, "epoch": turn.epoch,
                    "replies": [{"text": reply.text, "metadata": reply.metadata} for reply in turn.replies],
                    "first_reply": turn.entry.first_reply,
                }
            ]  # fmt: skip
        if turn.entry.kind != "message":
            return []
        text = turn.entry.payload.get("text") or ""
        return [
            {"record": "inbound", "customer": turn.entry.customer, "metadata": turn.metadata, "text": text}
        ]


def _names(item: Item, turn: Turn) -> list[str]:
    """The keys that a commit touches, in the script's order."""
    partition, customer = item.owned.partition, turn.entry.customer
    return [
        keys.owner(partition), keys.inbox_stream(partition), keys.runs(partition), keys.failures(partition),
        keys.outbox_stream(partition), keys.LOG_STREAM, keys.DEAD_STREAM,
        keys.address(customer), keys.quotable(customer),
        *(name for append in turn.appends for name in keys.tracker(append.sender_id)),
    ]  # fmt: skip


def outgoing(turn: Turn, known: dict[str, Any]) -> list[Outgoing]:
    """The turn's replies as they go into the outbox, numbered."""
    entry = turn.entry
    address = {"to": str(known["wa_id"])} if known.get("wa_id") else {"recipient": str(known.get("user_id"))}
    author = "agent" if entry.kind == "agent_comment" else "assistant"
    # When the customer last wrote is not known after a day or two without Redis; then Graph decides.
    window_ends = float(known.get("at") or time.time()) + WINDOW_S
    return [
        Outgoing(
            customer=entry.customer,
            key=f"{entry.id}:{number}",
            wamid=entry.id,
            body=reply.body,
            text=reply.text,
            epoch=turn.epoch,
            author=author,
            address=address,
            expires_at=time.time() + WINDOW_S if reply.body.get("type") == "template" else window_ends,
            asked_at=float(turn.metadata.get("received_at") or 0),
            about=quoting.about(reply),
        )
        for number, reply in enumerate(turn.replies, entry.first_reply)
    ]


async def until_redis_answers(ask: Any, what: str) -> Any:
    """Ask again until Redis answers; only for scripts that may be run twice."""
    delay = 0.1
    while True:
        try:
            return await ask()
        except (RedisError, OSError, asyncio.TimeoutError, IdentitiesUnavailable) as error:
            log.warning("redis.%s.failed error=%s", what, type(error).__name__)
            await asyncio.sleep(delay)
            delay = min(2.0, delay * 2)
