"""Sends replies through Graph: each customer's in order, each reply once, whatever dies in between.

Graph has no idempotency key. So an attempt is put on record before it is made, and when its outcome is unknown (a
timeout, a crash) the reply waits for a status carrying its key (`biz_opaque_callback_data`) before it is sent again.
"""

import asyncio
import logging
import secrets
import time
from typing import Any

from redis.exceptions import RedisError

import tracing
from connectors import metrics
from connectors.message_bus import keys, quoting
from connectors.message_bus.connections import FollowingRedis, until_redis_answers
from connectors.message_bus.keyed_executor import Item, RetryAfter
from connectors.message_bus.partitions import Owned
from connectors.message_bus.sending.backoff import FIRST_BACKOFF_S, PROBE_S, UNKNOWN_TIMEOUT_S, Progress, delay_s
from connectors.message_bus.sending.errors import (
    AccountThrottled,
    BadPayload,
    MediaFailed,
    NumberThrottled,
    Refused,
    SendError,
    Stopped,
    Transient,
    Unknown,
    why_not_delivered,
)
from connectors.message_bus.sending.gate import Gate, Outage
from connectors.message_bus.sending.lately import Lately
from connectors.message_bus.sending.outgoing import Outgoing, compact
from connectors.message_bus.sending.ports import Authority, Graph
from handoff.storage.database import HandoffUnavailable
from hot_store.record_versions import UnknownVersion
from privacy import log_lines

log = logging.getLogger(__name__)

SEND_TIMEOUT_S, SETTLE_S, STALE_S = 12.0, 15.0, 3.0
OUTAGE_PROBES = 0.15  # of PROBE_S

CONTROL_LOST = "floor_lost"
# What somebody who finds out why may still send: kept with the dead letters.
CURABLE = (BadPayload, MediaFailed, Unknown)


class Outbox:
    """`work` sends one reply; what runs when is decided by the executor."""

    def __init__(
        self,
        client: FollowingRedis,
        graph: Graph,
        control: Authority,
        settle_s: float = SETTLE_S,
        send_timeout_s: float = SEND_TIMEOUT_S,
        first_backoff_s: float = FIRST_BACKOFF_S,
        probe_s: float = PROBE_S,
        unknown_timeout_s: float = UNKNOWN_TIMEOUT_S,
    ) -> None:
        self._client, self._graph, self._control = client, graph, control
        self._settle_s, self._send_timeout_s = settle_s, send_timeout_s
        self._first_backoff_s, self._probe_s = first_backoff_s, probe_s
        self._unknown_timeout_s = unknown_timeout_s
        self._sending = keys.Script(client, "sending")
        self._unmark = keys.Script(client, "unmark")
        self._sent = keys.Script(client, "sent")
        self._progress: dict[tuple[Owned, str], Progress] = {}
        self._outage = Outage()
        self._lately = Lately(client)
        self.gate = Gate()

    async def work(self, item: Item) -> RetryAfter | None:
        """Send one reply and take it out of the outbox; RetryAfter when it has to wait."""
        try:
            reply = Outgoing.from_json(item.text)
        except (ValueError, TypeError) as error:
            return await self._unreadable(item, error)
        progress = self._progress.setdefault(item.place, Progress())
        with log_lines.about(reply.wamid):
            try:
                again = await self._attempt(item, reply, progress)
            except (RedisError, OSError, asyncio.TimeoutError) as error:
                log.warning("outbox.redis.failed error=%s", type(error).__name__)
                return RetryAfter(0.5)
        if again is None:
            self._progress.pop(item.place, None)
        return again

    async def forget(self, owned: Owned) -> None:
        """The partition is another's, and nothing of it is being sent: what this process knew of its replies is over.

        An attempt that was put on record here, as a failover began, and not made must not count as perhaps made there.
        """
        marked = [place for place in list(self._progress) if place[0] == owned and self._progress.pop(place).attempt]
        try:
            await self._lately.tell()
            await self._forget_attempts(marked)
        except (RedisError, OSError, asyncio.TimeoutError) as error:
            log.warning("outbox.attempts.not_forgotten error=%s", type(error).__name__)

    async def _unreadable(self, item: Item, error: Exception) -> RetryAfter | None:
        """Set it aside whole: only a newer release, or a person, can tell what it was meant to be."""
        said = {"reason": str(error) if isinstance(error, UnknownVersion) else "unreadable", "at": time.time()}
        log.error("outbox.entry.set_aside partition=%d reason=%s", item.owned.partition, said["reason"])
        metrics.SENT.labels("failed", "unknown").inc()
        await self._settle(item, {"record": "unreadable_reply", "at": said["at"]}, {"reply": item.text, **said})
        return None

    async def _attempt(self, item: Item, reply: Outgoing, progress: Progress) -> RetryAfter | None:
        if time.time() > reply.expires_at:
            return await self._failed(item, reply, "window_closed")
        delay = self.gate.delay_s(len(self._progress))
        if delay:
            return RetryAfter(delay)
        try:
            ready = await self._ready(item, reply, progress)
        except HandoffUnavailable:
            ready = RetryAfter(1.0)
        except BaseException:
            self.gate.release_probe()
            raise
        if ready is True:
            return await self._send(item, reply, progress)
        self.gate.release_probe()
        return ready or None

    async def _ready(self, item: Item, reply: Outgoing, progress: Progress) -> bool | RetryAfter:
        """Answers as `_mark`, once it is known that the assistant may speak."""
        began = time.monotonic()
        ready = await self._mark(item, reply, progress)
        if ready is not True:
            return ready
        if not await self._control.admit_reply(reply.customer, reply.control_version, reply.wamid):
            return await self._failed(item, reply, CONTROL_LOST) or False
        # While this process stood still, another may have taken over, found no proof that it was sent, and sent it.
        return await self._mark(item, reply, progress) if time.monotonic() - began > STALE_S else True

    async def _mark(self, item: Item, reply: Outgoing, progress: Progress) -> bool | RetryAfter:
        """Put the attempt on record. True: send now; False: nothing left to do; RetryAfter: an outcome is unknown."""
        mine = progress.attempt or secrets.token_hex(6)
        of_partition = (keys.owner, keys.outbox_stream, keys.sending)
        names = [*(name(item.owned.partition) for name in of_partition), keys.voices(reply.customer)]
        wamid = await self._lately.proof(reply.key, progress.in_doubt or bool(reply.replayed))
        now_s = "" if reply.author == "agent" else str(time.time())
        progress.attempt = mine
        # Durably: what is sent must not come up again behind a master that lost the turn that said it.
        arguments = [*_token(item), mine, now_s, wamid or ""]
        state, marked = await self._sending(names, arguments, durably=True, since=item.owned.failovers)
        if state == "silenced":
            return await self._failed(item, reply, CONTROL_LOST) or False
        if state != "mine":
            return False
        if wamid:
            await self._accepted(item, reply, wamid)
            return False
        if not marked or marked == mine:
            return True
        progress.attempt = ""
        if not progress.in_doubt:
            progress.in_doubt = True
            return RetryAfter(0.0)
        now = time.monotonic()
        progress.settle_until = progress.settle_until or now + self._settle_s
        if now < progress.settle_until:
            return RetryAfter(min(0.5, progress.settle_until - now + 0.01))
        log.warning("outbox.outcome.unknown key_tail=%s sending again", reply.key[-8:])
        await self._forget_attempts([item.place])
        progress.settle_until, progress.attempt, progress.in_doubt = 0.0, "", False
        return RetryAfter(0.0)

    async def _forget_attempts(self, places: list[tuple[Owned, str]]) -> None:
        of = [([keys.owner(owned.partition), keys.sending(owned.partition)], [owned.token, at]) for owned, at in places]
        await self._unmark.many(of)

    async def _send(self, item: Item, reply: Outgoing, progress: Progress) -> RetryAfter | None:
        body = {**reply.in_form(progress.form), **reply.address, "biz_opaque_callback_data": reply.key}
        try:
            with tracing.span("graph.send", reply.trace, author=reply.author, form=progress.form):
                wamid = await asyncio.wait_for(self._graph.send(body), self._send_timeout_s)
        except asyncio.TimeoutError:
            self.gate.release_probe()
            return self._in_doubt(reply, progress)
        except asyncio.CancelledError:
            self.gate.release_probe()
            progress.attempt, progress.in_doubt = "", True
            raise
        except SendError as error:
            return await self._refused(item, reply, progress, error)
        self.gate.open()
        self._outage.over()
        if reply.asked_at:
            metrics.ANSWER_SECONDS.observe(time.time() - reply.asked_at)
        await self._accepted(item, reply, wamid)
        return None

    def _in_doubt(self, reply: Outgoing, progress: Progress) -> RetryAfter:
        """The attempt stays on record under a name that is no longer ours."""
        self._notice_outage(reply)
        progress.attempt, progress.in_doubt = "", True
        progress.failures += 1
        return RetryAfter(0.1)

    async def _refused(self, item: Item, reply: Outgoing, progress: Progress, error: SendError) -> RetryAfter | None:
        metrics.GRAPH_ERRORS.labels(type(error).__name__).inc()
        log.warning("outbox.send.failed class=%s code=%s why=%s", type(error).__name__, error.code, error)
        if error.ambiguous:
            self.gate.release_probe()
            return self._in_doubt(reply, progress)
        if isinstance(error, Refused):
            self.gate.open()
            if other := reply.next_form(progress.form, error):
                progress.form = other
                return RetryAfter(0.0)
            return await self._failed(item, reply, why_not_delivered(type(error)), error)
        progress.failures += 1
        alone = self._outage.last_success_at <= progress.unknown_since
        if isinstance(error, Unknown) and progress.given_up(error, self._unknown_timeout_s, alone):
            self.gate.release_probe()
            if reply.text and progress.form == "own" and reply.body.get("type") != "text":
                progress.form = "plain"  # the last thing to try: the same words in the simplest form
                return RetryAfter(0.0)
            return await self._failed(item, reply, why_not_delivered(Unknown), error)
        delay = delay_s(progress.failures, error, self._first_backoff_s, self._probe_s)
        if isinstance(error, (NumberThrottled, AccountThrottled, Stopped)):
            self.gate.close(type(error).__name__, delay)
        else:
            self.gate.release_probe()
        if isinstance(error, (Transient, Unknown)) and self._notice_outage(reply):
            delay = self._probe_s * OUTAGE_PROBES  # the gate says when, not how often this one was the probe
        if isinstance(error, (AccountThrottled, Stopped)):
            metrics.PARKED.labels(type(error).__name__).inc()
            log.critical("outbox.parked class=%s code=%s next_probe_s=%d", type(error).__name__, error.code, delay)
        if delay > 2:
            await self._forget_attempts([item.place])
        return RetryAfter(delay)

    def _notice_outage(self, reply: Outgoing) -> bool:
        """When nothing gets through any more, only a probe every few seconds tries. Whether that is so."""
        if not self._outage.failed(reply.customer):
            return False
        self.gate.close("outage", self._probe_s * OUTAGE_PROBES)
        return True

    async def _accepted(self, item: Item, reply: Outgoing, wamid: str) -> None:
        metrics.SENT.labels("accepted", reply.author).inc()
        log.info("outbox.reply.accepted author=%s", reply.author)
        self._lately.note(reply.key, wamid)
        await self._settle(item, reply.record(wamid, "accepted", None), None, reply, wamid)

    async def _failed(self, item: Item, reply: Outgoing, error: str, why: SendError | None = None) -> RetryAfter | None:
        log.warning("outbox.reply.failed error=%s author=%s", error, reply.author)
        try:
            if reply.author == "agent":
                await self._control.not_delivered(reply.key, error)
            elif error == CONTROL_LOST and not reply.is_receipt:
                await self._control.reply_suppressed(reply.customer, reply.wamid, reply.text)
        except HandoffUnavailable:
            return RetryAfter(1.0)
        metrics.SENT.labels("failed", reply.author).inc()
        dead = None
        if isinstance(why, CURABLE):
            log.error("outbox.reply.set_aside error=%s code=%s http=%s", error, why.code, why.http_status)
            dead = {"reply": item.text, "reason": f"{error}: {why}", "at": time.time()}
        await self._settle(item, reply.record(None, "failed", error), dead)
        return None

    async def _settle(
        self,
        item: Item,
        record: dict[str, Any],
        dead: dict[str, Any] | None,
        reply: Outgoing | None = None,
        wamid: str | None = None,
    ) -> None:
        """Take the reply out of the outbox, in the step that records what became of it."""
        partition = item.owned.partition
        of_partition = (keys.owner, keys.outbox_stream, keys.sending, keys.log_stream, keys.dead_stream)
        names = [*(name(partition) for name in of_partition), keys.quotable(item.customer)]
        arguments = [
            *_token(item), compact(record), compact(dead) if dead else "",
            *quoting.of_reply(wamid, reply.author if reply else "", reply.about if reply else {}),
        ]  # fmt: skip
        state = await until_redis_answers(lambda: self._sent(names, arguments), "sent")
        if state == "fenced" and reply is not None and wamid is not None:
            await self._lately.prove(reply.key, wamid)


def _token(item: Item) -> list[str | int]:
    return [item.owned.token, item.stream_id]
