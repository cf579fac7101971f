"""Sends replies through Graph: each customer's in order, each reply once, whatever dies in between.

Graph has no idempotency key. So an attempt is put on record before it is made, and when its outcome is unknown (a
timeout, a crash) the reply waits for a status carrying its key (`biz_opaque_callback_data`) before it is sent again.
"""

from __future__ import annotations

import asyncio
import logging
import random
import secrets
import time
from dataclasses import dataclass
from typing import Any, Protocol

import redis.asyncio
from redis.exceptions import RedisError

from connectors import metrics
from connectors.whatsapp import keys
from connectors.whatsapp.commit import Outgoing, compact, until_redis_answers
from connectors.whatsapp.errors import (
    AccountThrottled,
    BadPayload,
    GraphError,
    MediaFailed,
    NumberThrottled,
    RecipientThrottled,
    RecipientUnreachable,
    Refused,
    Stopped,
    Transient,
    WindowClosed,
)
from connectors.whatsapp.floor import Floor
from connectors.whatsapp.lanes import Again, Item
from handoff.database import HandoffUnavailable

log = logging.getLogger(__name__)

SEND_TIMEOUT_S = 12.0
SETTLE_S = 15.0
FIRST_BACKOFF_S = 0.5
LONGEST_BACKOFF_S = 30.0
OUTAGE_FAILURES = 10
OUTAGE_PROBES = 0.15  # of PROBE_S
PROBE_S = 20.0

FLOOR_LOST = "floor_lost"
# What the log and the agent are told of a reply that will never arrive.
REASONS: dict[type[GraphError], str] = {
    WindowClosed: "window_closed",
    RecipientUnreachable: "recipient",
    BadPayload: "payload",
    MediaFailed: "media",
}


class Graph(Protocol):
    """The Graph client."""

    async def send(self, body: dict[str, Any]) -> str:
        """Send one message and return its wamid. Raises GraphError."""
        ...

    async def mark_read(self, wamid: str, typing: bool = True) -> None:
        """Show that the message was read and is being answered. Raises GraphError."""
        ...


class Gate:
    """Open, or closed for all until a time, with one probe at a time let through after it."""

    def __init__(self) -> None:
        self._closed_until = 0.0
        self._probing = False
        self.reason: str | None = None

    def delay_s(self, parked: int = 0) -> float:
        """0 when the caller may send now (when closed before: as the probe), else how long to wait.

        `parked` is how many ask: the more, the less often each does.
        """
        if self.reason is None:
            return 0.0
        left = self._closed_until - time.monotonic()
        if left > 0 or self._probing:
            return max(left, 0.2) + random.uniform(0, max(0.2, parked / 1000))  # noqa: S311 (jitter)
        self._probing = True
        return 0.0

    def close(self, reason: str, delay_s: float) -> None:
        """Nobody sends for the delay; then one at a time until one succeeds."""
        self.reason, self._closed_until = reason, time.monotonic() + delay_s
        self._probing = False

    def release_probe(self) -> None:
        """The probe ended for a reason of its own and says nothing about the gate."""
        self._probing = False

    def open(self) -> None:
        """A message got through."""
        self.reason, self._probing = None, False


@dataclass
class _Progress:
    """What this process knows about one reply beyond what Redis holds."""

    attempt: str = ""
    failures: int = 0
    settle_until: float = 0.0
    plain: bool = False


class Outbox:
    """`work` sends one reply; what runs when is decided by the lanes."""

    def __init__(
        self,
        client: redis.asyncio.Redis,
        graph: Graph,
        floor: Floor,
        settle_s: float = SETTLE_S,
        send_timeout_s: float = SEND_TIMEOUT_S,
        first_backoff_s: float = FIRST_BACKOFF_S,
        probe_s: float = PROBE_S,
    ) -> None:
        self._graph, self._floor = graph, floor
        self._settle_s, self._send_timeout_s = settle_s, send_timeout_s
        self._first_backoff_s, self._probe_s = first_backoff_s, probe_s
        self._sending = keys.Script(client, "sending")
        self._unmark = keys.Script(client, "unmark")
        self._sent = keys.Script(client, "sent")
        self._progress: dict[str, _Progress] = {}
        self._failures_in_a_row = 0
        self.gate = Gate()

    async def work(self, item: Item) -> Again | None:
        """Send one reply and take it out of the outbox; Again when it has to wait."""
        try:
            reply = Outgoing.from_json(item.text)
        except (ValueError, TypeError):
            log.error("outbox.entry.unreadable partition=%d", item.owned.partition)
            await self._settle_record(item, {"record": "sent", "outcome": "failed", "error": "unreadable"})
            return None
        progress = self._progress.setdefault(item.stream_id, _Progress())
        try:
            again = await self._attempt(item, reply, progress)
        except (RedisError, OSError, asyncio.TimeoutError) as error:
            log.warning("outbox.redis.failed error=%s", type(error).__name__)
            return Again(0.5)
        if again is None:
            self._progress.pop(item.stream_id, None)
        return again

    async def _attempt(self, item: Item, reply: Outgoing, progress: _Progress) -> Again | None:
        if time.time() > reply.expires_at:
            return await self._failed(item, reply, "window_closed")
        delay = self.gate.delay_s(len(self._progress))
        if delay:
            return Again(delay)
        try:
            mine = await self._mark(item, reply, progress)
            if not isinstance(mine, bool):
                self.gate.release_probe()
                return mine
            if not mine:
                self.gate.release_probe()
                return None
            if not await self._floor.admit_reply(reply.customer, reply.epoch, reply.wamid):
                self.gate.release_probe()
                return await self._failed(item, reply, FLOOR_LOST)
        except HandoffUnavailable:
            self.gate.release_probe()
            return Again(1.0)
        except BaseException:
            self.gate.release_probe()
            raise
        return await self._send(item, reply, progress)

    async def _mark(self, item: Item, reply: Outgoing, progress: _Progress) -> bool | Again:
        """Put the attempt on record. True: send now; False: nothing left to do; Again: an outcome is unknown."""
        mine = progress.attempt or secrets.token_hex(6)
        state, marked, wamid = await self._sending(args=[*_where(item), reply.key, mine])
        if state != "mine":
            return False
        if wamid:
            await self._accepted(item, reply, wamid)
            return False
        if not marked or marked == mine:
            progress.attempt = mine
            return True
        now = time.monotonic()
        progress.settle_until = progress.settle_until or now + self._settle_s
        if now < progress.settle_until:
            return Again(min(0.5, progress.settle_until - now + 0.01))
        log.warning("outbox.outcome.unknown key_tail=%s sending again", reply.key[-8:])
        await self._unmark(args=_where(item))
        progress.settle_until, progress.attempt = 0.0, ""
        return Again(0.0)

    async def _send(self, item: Item, reply: Outgoing, progress: _Progress) -> Again | None:
        body = {
            **(plain_text(reply) if progress.plain else reply.body),
            **reply.address,
            "biz_opaque_callback_data": reply.key,
        }
        try:
            wamid = await asyncio.wait_for(self._graph.send(body), self._send_timeout_s)
        except asyncio.TimeoutError:
            self.gate.release_probe()
            return self._unknown(progress)
        except asyncio.CancelledError:
            self.gate.release_probe()
            raise
        except GraphError as error:
            return await self._refused(item, reply, progress, error)
        self.gate.open()
        self._failures_in_a_row = 0
        if reply.asked_at:
            metrics.ANSWER_SECONDS.observe(time.time() - reply.asked_at)
        await self._accepted(item, reply, wamid)
        return None

    def _unknown(self, progress: _Progress) -> Again:
        """The attempt stays on record under a name that is no longer ours."""
        self._notice_outage()
        progress.attempt = ""
        progress.failures += 1
        return Again(0.1)

    async def _refused(
        self, item: Item, reply: Outgoing, progress: _Progress, error: GraphError
    ) -> Again | None:
        metrics.GRAPH_ERRORS.labels(type(error).__name__).inc()
        log.warning("outbox.send.failed class=%s code=%s", type(error).__name__, error.code)
        if error.ambiguous:
            self.gate.release_probe()
            return self._unknown(progress)
        if isinstance(error, Refused):
            self.gate.open()
            if isinstance(error, (BadPayload, MediaFailed)) and reply.text and not progress.plain:
                progress.plain = True
                return Again(0.0)
            return await self._failed(item, reply, REASONS.get(type(error), "refused"))
        progress.failures += 1
        delay = self._delay_s(progress, error)
        if isinstance(error, (NumberThrottled, AccountThrottled, Stopped)):
            self.gate.close(type(error).__name__, delay)
        else:
            self.gate.release_probe()
        if isinstance(error, Transient) and self._notice_outage():
            delay = self._probe_s * OUTAGE_PROBES  # the gate says when, not how often this one was the probe
        if isinstance(error, (AccountThrottled, Stopped)):
            metrics.PARKED.labels(type(error).__name__).inc()
            log.critical("outbox.parked class=%s code=%s next_probe_s=%d", type(error).__name__, error.code, delay)
        if delay > 2:
            await self._unmark(args=_where(item))
        return Again(delay)

    def _notice_outage(self) -> bool:
        """When nothing gets through any more, only a probe every few seconds tries. Whether that is so."""
        self._failures_in_a_row += 1
        if self._failures_in_a_row < OUTAGE_FAILURES:
            return False
        self.gate.close("outage", self._probe_s * OUTAGE_PROBES)
        return True

    def _delay_s(self, progress: _Progress, error: GraphError) -> float:
        """How long to wait after the n-th failure: Graph's own wish, else by class, with jitter."""
        if error.retry_after_s is not None:
            return error.retry_after_s
        doubled = 2.0 ** min(progress.failures - 1, 10)
        if isinstance(error, RecipientThrottled):
            delay = 4.0 ** min(progress.failures - 1, 4)
        elif isinstance(error, AccountThrottled):
            delay = min(60 * doubled, 3600)
        elif isinstance(error, Stopped):
            return self._probe_s
        elif isinstance(error, NumberThrottled):
            delay = min(doubled, LONGEST_BACKOFF_S)
        else:
            delay = min(self._first_backoff_s * doubled, LONGEST_BACKOFF_S)
        return delay * random.uniform(0.8, 1.2)  # noqa: S311 (jitter, not a secret)

    async def _accepted(self, item: Item, reply: Outgoing, wamid: str) -> None:
        await self._settle_record(item, _record(reply, wamid, "accepted", None))

    async def _failed(self, item: Item, reply: Outgoing, error: str) -> Again | None:
        log.warning("outbox.reply.failed error=%s author=%s", error, reply.author)
        try:
            if reply.author == "agent":
                await self._floor.not_delivered(reply.key, error)
            elif error == FLOOR_LOST:
                await self._floor.held_back(reply.customer, reply.wamid, reply.text)
        except HandoffUnavailable:
            return Again(1.0)
        await self._settle_record(item, _record(reply, None, "failed", error))
        return None

    async def _settle_record(self, item: Item, record: dict[str, Any]) -> None:
        metrics.SENT.labels(str(record["outcome"]), str(record.get("author", "unknown"))).inc()
        await until_redis_answers(lambda: self._sent(args=[*_where(item), compact(record)]), "sent")


def plain_text(reply: Outgoing) -> dict[str, Any]:
    """The reply's words as an ordinary text message."""
    return {"messaging_product": "whatsapp", "type": "text", "text": {"body": reply.text[:4096]}}


def _record(reply: Outgoing, wamid: str | None, outcome: str, error: str | None) -> dict[str, Any]:
    return {
        "record": "sent", "customer": reply.customer, "key": reply.key, "wamid": wamid, "at": time.time(),
        "outcome": outcome, "error": error, "text": reply.text, "author": reply.author,
    }  # fmt: skip


def _where(item: Item) -> list[str | int]:
    return [item.owned.partition, item.owned.token, item.stream_id]
