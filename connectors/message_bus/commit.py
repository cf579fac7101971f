"""The one step in which a turn becomes visible: tracker, log, replies and the inbox entry, all or nothing."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

import redis.asyncio

import tracing
from connectors.message_bus import keys, quoting
from connectors.message_bus.connections import until_redis_answers
from connectors.message_bus.inbox import Entry
from connectors.message_bus.keyed_executor import Item
from connectors.message_bus.partitions import Owned
from connectors.message_bus.sending.outgoing import Outgoing, compact
from connectors.message_bus.servers.following import MasterChanged
from connectors.message_bus.turn import Turn
from hot_store import record_versions
from lenient_json import as_mapping

TRACKER_TTL_S = 24 * 3600
WINDOW_S = 24 * 3600
LATE_S = 60.0  # of a message that others may have overtaken
OWN_WORDS = ("typed", "media", "heard", "reply_to")  # of the last message of a burst; the turn read those of all


Written = Callable[[Owned, str, str, Sequence[tuple[str, Mapping[str, str]]]], None]
"""Whose, in which stream, the last id before, what."""


class Addresses(Protocol):
    """Where customers can be written to now."""

    async def address(self, customer: str) -> Address:
        """Both ids None when the customer is not known. Raises ConnectionError while that cannot be read."""
        ...


class Address(Protocol):
    """How to reach a customer: the phone when there is one, else the user_id."""

    @property
    def wa_id(self) -> str | None: ...

    @property
    def user_id(self) -> str | None: ...


class Commits:
    """Commits turns of partitions that this process owns."""

    def __init__(self, client: redis.asyncio.Redis, addresses: Addresses, model_id: str | None = None) -> None:
        self._client, self._addresses = client, addresses
        self._commit = keys.Script(client, "commit")
        self.model_id = model_id
        self.on_written: Written = lambda *_: None

    async def commit(self, item: Item, turn: Turn, dead: dict[str, Any] | None = None) -> str:
        """Make the turn visible. Waits out a Redis that is away; returns 'done', 'fenced' or 'gone'."""
        names, arguments = _names(item, turn), await self._arguments(item, turn, dead)

        async def commit() -> list[str]:
            try:
                return list(await self._commit(names, arguments, since=item.owned.failovers))
            except MasterChanged:
                return ["fenced"]

        outcome, *ids = await until_redis_answers(commit, "commit")
        self._tell(item, turn, ids, arguments[len(arguments) - len(turn.replies) :])
        return str(outcome)

    def _tell(self, item: Item, turn: Turn, ids: list[str], replies: list[str | int]) -> None:
        """Have the replies sent that stand in the outbox now; after a lost answer their ids are not known."""
        if turn.replies:
            customer = turn.entry.customer
            entries = [(ids[n], {"c": customer, "e": str(reply)}) for n, reply in enumerate(replies, 1)] if ids else []
            self.on_written(item.owned, keys.outbox_stream(item.owned.partition), ids[0] if ids else "", entries)

    async def _arguments(self, item: Item, turn: Turn, dead: dict[str, Any] | None) -> list[str | int]:
        known = await self._known_address(turn)
        arguments: list[str | int] = [
            item.owned.token, _stream_ids(item, turn), turn.entry.customer, TRACKER_TTL_S,
            compact(dead) if dead else "",
            compact(record_versions.stamped(known)) if turn.entry.kind == "message" else "",
            *quoting.of_customer(turn.entries, turn.replies),
        ]  # fmt: skip
        for append in turn.appends:
            tail = "" if append.tail_chunks is None else append.tail_chunks
            arguments += [tail, append.preamble, len(append.chunks), *append.chunks]
        trace = {"trace": carried} if (carried := tracing.carry()) else {}
        records = [compact(record_versions.stamped(record | trace)) for record in self._records(turn)]
        replies = [reply.as_json() for reply in outgoing(turn, known)]
        return [*arguments, len(records), *records, len(replies), *replies]

    async def _known_address(self, turn: Turn) -> dict[str, Any]:
        """wa_id, user_id and time of the customer's last message, and the language of our last answer.

        From this turn, else as last committed.
        """
        entry, metadata, answered_in = turn.entry, turn.metadata, turn.language
        stored, at = None, float(metadata.get("timestamp") or time.time())
        if entry.kind != "message" or not answered_in or at < time.time() - LATE_S:
            stored = await until_redis_answers(lambda: self._client.get(keys.address(entry.customer)), "address")
        known = dict(record_versions.read_kept(stored)) or {"at": 0}
        if entry.kind == "message":
            spoken = answered_in or known.get("language")
            at = max(at, float(known.get("at") or 0.0))  # what comes late, or again, closes no window
            heard = {"wa_id": metadata.get("wa_id"), "user_id": metadata.get("user_id"), "at": at}
            return {**heard, "language": spoken} if spoken else heard
        # The profile follows number changes; what was committed last may be a number that is a stranger's by now.
        address = await until_redis_answers(lambda: self._addresses.address(entry.customer), "identity")
        if address.wa_id or address.user_id:
            return {**known, "wa_id": address.wa_id, "user_id": address.user_id}
        if stored:
            return known
        name = "wa_id" if entry.customer.isdigit() else "user_id"
        return {name: entry.customer, "at": 0}

    def _records(self, turn: Turn) -> list[dict[str, Any]]:
        *before, last = turn.entries
        if turn.events:
            own = as_mapping(last.payload.get("metadata"))
            metadata = {**turn.metadata, **{name: own.get(name) for name in OWN_WORDS}} if before else turn.metadata
            return [
                {
                    "record": "turn", "customer": turn.entry.customer, "metadata": metadata,
                    "before": [_as_it_came(entry) for entry in before],
                    "events": turn.events, "model": self.model_id, "epoch": turn.control_version,
                    "replies": [{"text": reply.text, "metadata": reply.metadata} for reply in turn.replies],
                    "first_reply": turn.entry.first_reply,
                }
            ]  # fmt: skip
        if turn.entry.kind != "message":
            return []
        return [{"record": "inbound", "customer": entry.customer, **_as_it_came(entry)} for entry in turn.entries]


def _as_it_came(entry: Entry) -> dict[str, Any]:
    return {"metadata": entry.payload.get("metadata") or {}, "text": entry.payload.get("text") or ""}


def _stream_ids(item: Item, turn: Turn) -> str:
    """Those of the entries that the turn answers, by blanks."""
    return " ".join([item.stream_id, *(one.stream_id for one in item.behind[: len(turn.entries) - 1])])


def _names(item: Item, turn: Turn) -> list[str]:
    """The keys that a commit touches, in the script's order."""
    partition, customer = item.owned.partition, turn.entry.customer
    return [
        keys.owner(partition), keys.inbox_stream(partition), keys.runs(partition), keys.failures(partition),
        keys.outbox_stream(partition), keys.log_stream(partition), keys.dead_stream(partition),
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
            control_version=turn.control_version,
            author=author,
            address=address,
            expires_at=time.time() + WINDOW_S if reply.body.get("type") == "template" else window_ends,
            asked_at=float(turn.metadata.get("received_at") or 0),
            about=quoting.about(reply),
            otherwise=reply.otherwise,
            trace=tracing.carry(),
        )
        for number, reply in enumerate(turn.replies, entry.first_reply)
    ]
