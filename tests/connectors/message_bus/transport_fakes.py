"""Fakes at the transport's two edges (dialogue, Graph), and a process in a box around a real Redis."""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from typing import Any

import redis.asyncio

from connectors.conversations.entry_handler import EntryHandler
from connectors.conversations.identity import Identities
from connectors.message_bus import keys
from connectors.message_bus.arrivals import Arrivals
from connectors.message_bus.commit import Commits
from connectors.message_bus.consumer import Consumer
from connectors.message_bus.inbox import Entry, Inbox, InboxUnavailable, connect
from connectors.message_bus.sending.outbox import Outbox
from connectors.message_bus.transport import Transport
from connectors.message_bus.turn import Reply, TrackerAppend, Turn
from handoff.takeover.customer_messages import Wish
from handoff.takeover.thread_control import ControlState, Relayed
from hot_store import redis_address

STREAMS = [name(p) for name in (keys.inbox_stream, keys.outbox_stream) for p in range(keys.PARTITIONS)]
COUNTED_S = 0.25
SETTLE_S = 4.0  # as in the product longer than a lease lasts and than Redis is waited for
EMPTY = "for _, stream in ipairs(KEYS) do if redis.call('XLEN', stream) > 0 then return 0 end end return 1"


def message(customer: str, wamid: str, text: str = "hello", at: float | None = None) -> Entry:
    """A customer's message as the channel stores it."""
    metadata = {"wamid": wamid, "customer": customer, "wa_id": customer, "timestamp": int(at or time.time())}
    return Entry("message", customer, wamid, {"text": text, "metadata": metadata})


@dataclass
class FakeSpeaker:
    """Echoes; `on_answer` may do anything first."""

    on_answer: Callable[[Turn], Awaitable[None]] | None = None
    answered: list[tuple[str, str]] = field(default_factory=list)
    restarted: list[str] = field(default_factory=list)
    mute: bool = False
    wishes: dict[str, Wish] = field(default_factory=dict)  # by message
    facts: list[dict[str, Any]] = field(default_factory=list)  # what responses were filled with

    async def answer(self, turn: Turn) -> None:
        self.answered.append((turn.entry.customer, turn.entry.id))
        if self.on_answer is not None:
            await self.on_answer(turn)
        turn.events.append({"event": "user", "text": turn.entry.payload["text"]})
        turn.appends.append(TrackerAppend(turn.entry.customer, ('[{"event":"user"}]',)))
        if not self.mute:
            turn.replies.append(text_reply(f"echo {turn.entry.payload['text']}"))

    async def say(self, turn: Turn, response: str, **facts: Any) -> None:
        turn.replies.append(replace(text_reply(response), metadata={"utter_action": response}))
        self.facts.append(facts)

    async def words(self, turn: Turn, response: str, **facts: Any) -> str:
        return f"{response}: {', '.join(facts.values())}"

    async def wish(self, turn: Turn) -> Wish | None:
        return self.wishes.get(turn.entry.payload["text"])

    async def asks_for_person(self, turn: Turn) -> bool:
        return turn.entry.payload["text"] == "a person please"

    async def restart(self, turn: Turn) -> None:
        self.restarted.append(turn.entry.customer)

    def seen(self, turn: Turn) -> None:
        return None


def text_reply(text: str) -> Reply:
    return Reply({"messaging_product": "whatsapp", "type": "text", "text": {"body": text}}, text)


class BotAlwaysInControl:
    """No takeovers: the assistant always speaks."""

    async def owner(self, customer: str) -> ControlState:
        return ControlState()

    async def admit_reply(self, customer: str, control_version: int, wamid: str | None) -> bool:
        return True

    async def relay(self, customer: str, entry: Entry, wish: Wish | None = None) -> Relayed:
        return Relayed()

    async def not_delivered(self, entry_id: str, why: str) -> None:
        return None

    async def reply_suppressed(self, customer: str, wamid: str, answer: str) -> None:
        return None

    async def accept_return(self, customer: str, entry_id: str) -> ControlState:
        return ControlState()

    async def takeover_opened(self, customer: str, entry_id: str, control_version: int) -> None:
        return None


@dataclass
class FakeGraph:
    """Accepts everything, unless `on_send` raises or hangs."""

    on_send: Callable[[dict[str, Any]], Awaitable[None]] | None = None
    accepted: list[dict[str, Any]] = field(default_factory=list)
    attempts: int = 0

    async def send(self, body: dict[str, Any]) -> str:
        self.attempts += 1
        if self.on_send is not None:
            await self.on_send(body)
        self.accepted.append(body)
        return f"wamid.out.{len(self.accepted)}"

    async def mark_read(self, wamid: str, typing: bool = True) -> None:
        return None

    def texts(self, customer: str) -> list[str]:
        """What this customer got, in order."""
        return [body["text"]["body"] for body in self.accepted if body.get("to") == customer]

    def keys(self) -> dict[str, int]:
        """How often each reply was accepted."""
        counts: dict[str, int] = defaultdict(int)
        for body in self.accepted:
            counts[body["biz_opaque_callback_data"]] += 1
        return dict(counts)


class Process:
    """One server process's transport, with fast clocks. `die()` is kill -9: nothing is given back."""

    def __init__(
        self,
        url: str,
        speaker: FakeSpeaker | None = None,
        graph: FakeGraph | None = None,
        control: Any = None,
        **options: Any,
    ) -> None:
        self.url = url
        self.client = connect(url, connections=600)
        self.inbox = Inbox(self.client)
        self.speaker, self.graph = speaker or FakeSpeaker(), graph or FakeGraph()
        control = control or BotAlwaysInControl()
        consumer = Consumer(
            self.client, EntryHandler(self.client, self.speaker, control, limit=options.get("limit")),
            Commits(self.client, Identities(self.client), "model"),
            turn_timeout_s=options.get("turn_timeout_s", 5), retry_s=0.05,
            burst_wait_s=options.get("burst_wait_s", 0.0), reader=options.get("reader"),
        )  # fmt: skip
        outbox = Outbox(
            self.client, self.graph, control, settle_s=options.get("settle_s", SETTLE_S),
            send_timeout_s=options.get("send_timeout_s", 1), first_backoff_s=0.05, probe_s=0.3,
            unknown_timeout_s=options.get("unknown_timeout_s", 5),
        )  # fmt: skip
        self.arrivals = Arrivals()
        self.transport = Transport(self.client, consumer, outbox, self.arrivals)
        self.transport.partitions._lease_s = 0.8
        self.transport.partitions._tick_s = 0.1
        self._guard: asyncio.Task[None] | None = None

    def start(self) -> Process:
        self.transport.start()
        self._guard = asyncio.create_task(self._cut_with_the_loop())
        return self

    async def _cut_with_the_loop(self) -> None:
        """A test that fails leaves the transport running; its loop cancels once, which a waiting task may survive."""
        try:
            await asyncio.Event().wait()
        finally:
            await self.transport.cut()

    async def deliver(self, entries: list[Entry], timeout_s: float = 20) -> None:
        """As Meta does: again, until it is stored."""

        async def stored() -> bool:
            try:
                await self.inbox.put(entries)
            except InboxUnavailable:
                return False
            return True

        await eventually(stored, timeout_s)

    async def stop(self, timeout_s: float = 2) -> None:
        await self.transport.stop(timeout_s)
        self._unguard()

    async def die(self) -> None:
        await self.transport.cut()
        self._unguard()

    def _unguard(self) -> None:
        if self._guard:
            self._guard.cancel()

    async def drained(self, timeout_s: float = 60) -> None:
        """Wait until inbox and outbox are empty."""
        await eventually(self.empty, timeout_s)

    async def empty(self) -> bool:
        """Whether nothing waits; while Redis does not answer, nobody knows."""
        try:
            if redis_address.parse(self.url).kind != redis_address.CLUSTER:
                return bool(await self.client.eval(EMPTY, len(STREAMS), *STREAMS))
            lengths = await self.client.batch([("XLEN", stream) for stream in STREAMS])
        except redis.exceptions.RedisError:
            return False
        return all(length == 0 for length in lengths)


async def eventually(condition: Callable[[], Awaitable[bool]], timeout_s: float = 60) -> None:
    """Wait until the condition holds; AssertionError when it does not in time.

    A look counts for COUNTED_S at most: while the machine has no time for this process, nothing else gets on either.
    """
    left_s = timeout_s
    while True:
        began = time.monotonic()
        if await condition():
            return
        assert left_s > 0, "did not happen in time"
        await asyncio.sleep(0.02)
        left_s -= min(time.monotonic() - began, COUNTED_S)
