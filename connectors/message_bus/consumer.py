"""Takes inbox entries in the order of their customers and turns each into one committed turn.

A turn that raises is tried again, then set aside as a dead letter with an apology; a turn that ends without words
gets the apology at once. Only what the commit made visible has happened: until then a turn can run again unnoticed.
"""

from __future__ import annotations

import asyncio
import logging
import time
from typing import Any, Protocol

import redis.asyncio
from redis.exceptions import RedisError

import tracing
from connectors import metrics
from connectors.message_bus import keys, quoting
from connectors.message_bus.bursts import Bursts, asks, join
from connectors.message_bus.commit import Commits
from connectors.message_bus.inbox import Entry
from connectors.message_bus.keyed_executor import Finished, Item, Outcome, RetryAfter, release_permit
from connectors.message_bus.partitions import Owned
from connectors.message_bus.turn import Away, OtherVoices, Turn, current_turn
from handoff.storage.database import HandoffUnavailable, Unstorable
from hot_store.record_versions import UnknownVersion
from lenient_json import as_mapping
from privacy import log_lines

log = logging.getLogger(__name__)

TURN_TIMEOUT_S = 40.0
UNREAD_S = 60.0  # far longer than a reader takes
MAX_FAILURES = 3
MAX_CRASHES = 5
READ_ON_S = 0.05
UNREADABLE = "unreadable"  # the kind of an entry that this release cannot read: set aside at once, whole


class DependencyUnavailable(RuntimeError):
    """Something that a turn needs is away for now, as while it restarts: the action server, the model."""


class Handler(Protocol):
    """What an entry leads to; the consumer only sees to it that it happens once."""

    async def handle(self, turn: Turn) -> None:
        """Fill the turn with what the entry leads to: replies, events, appends."""
        ...

    def is_urgent(self, entry: Entry) -> bool:
        """Whether a message must be taken up at once, however little it says."""
        ...

    async def apologise(self, turn: Turn) -> None:
        """Add words to a turn that could not be answered, or tell whose words it was.

        Raises only when Redis is away, and HandoffUnavailable.
        """
        ...

    async def before_commit(self, turn: Turn) -> None:
        """Do what has to stand before anybody can see the turn."""
        ...


class Reader(Protocol):
    """Finds out what an entry says where that takes a while: what is spoken in it, what a picture shows."""

    def read(self, entry: Entry) -> Entry | asyncio.Future[Entry]:
        """The entry with its words; until they are known, what will be it. Called again, it reads nothing twice."""
        ...

    async def close(self) -> None:
        """Stop; what was being read is read again by others."""
        ...


class Consumer:
    """`work` answers one entry; what runs when is decided by the executor."""

    def __init__(
        self,
        client: redis.asyncio.Redis,
        handler: Handler,
        commits: Commits,
        turn_timeout_s: float = TURN_TIMEOUT_S,
        retry_s: float = 0.5,
        burst_wait_s: float = 0.0,
        reader: Reader | None = None,
    ) -> None:
        self._client, self._handler, self.commits, self.reader = client, handler, commits, reader
        self._bursts = Bursts(burst_wait_s)
        self._turn_timeout_s, self._retry_s = turn_timeout_s, retry_s
        self._begin, self._end = keys.Script(client, "begin"), keys.Script(client, "end")
        self._fail = keys.Script(client, "fail")
        self._away: dict[tuple[Owned, str], Away] = {}
        # On record as begun, or perhaps so: Redis failed while they were worked on.
        self._not_ended: set[tuple[Owned, str]] = set()

    async def work(self, item: Item) -> Outcome:
        """Answer one entry, or the burst that begins with it, and commit; RetryAfter when it has to wait."""
        entries, followed = self._bursts.gather(map(_entry, (item, *item.behind)))
        with log_lines.about(entries[-1].id):
            outcome = await self._watched(item, entries, followed)
        if outcome is None:
            self._away.pop(item.place, None)
        return outcome

    async def _watched(self, item: Item, entries: list[Entry], followed: bool) -> Outcome:
        try:
            entries, unread = self._read(entries)
            delay_s = 0.0 if followed else await self._delay_s(entries)
            if delay_s > 0:
                return RetryAfter(delay_s, or_more=True)
            if unread is not None:
                return RetryAfter(UNREAD_S, when=unread)
            again = await self._work(item, entries)
        except (RedisError, OSError, asyncio.TimeoutError) as error:
            log.warning("consumer.redis.failed error=%s", type(error).__name__)
            self._not_ended.add(item.place)
            return RetryAfter(self._retry_s)
        except HandoffUnavailable as error:  # of an entry that is set aside
            return await self._control_unknown(item, error)
        self._not_ended.discard(item.place)
        return again

    def _read(self, entries: list[Entry]) -> tuple[list[Entry], asyncio.Future[Entry] | None]:
        """The entries with what is said in them, and the first of which that is not known yet.

        Waiting for it holds neither permit nor record, as a burst does not: what runs meanwhile runs, and the
        partition can be given away.
        """
        if self.reader is None:
            return entries, None
        read = [self.reader.read(entry) for entry in entries]
        unread = next((one for one in read if isinstance(one, asyncio.Future)), None)
        return [one if isinstance(one, Entry) else entry for one, entry in zip(read, entries, strict=True)], unread

    async def _delay_s(self, entries: list[Entry]) -> float:
        """How long a burst waits for the rest; a short answer to a question of ours does not."""
        if any(map(self._handler.is_urgent, entries)):
            return 0.0
        if not self._bursts.may_wait(entries):
            return self._bursts.delay_s(entries, asked=False)
        said = await quoting.latest(self._client, entries[0].customer)
        asked = said.get("author") == "assistant" and asks(said.get("text"))
        return self._bursts.delay_s(entries, asked)

    async def _work(self, item: Item, entries: list[Entry]) -> Outcome:
        # With the permit: what is begun is on record, and a crash must not count against what only waited.
        partition, ids = item.owned.partition, [item.stream_id, *(one.stream_id for one in item.behind)]
        customer = entries[0].customer
        names = [
            keys.owner(partition), keys.inbox_stream(partition), keys.runs(partition), keys.failures(partition),
            keys.voices(customer), keys.quotable(customer), *keys.tracker(customer),
        ]  # fmt: skip
        arguments = [*_token(item), ids[len(entries) - 1]]
        state, crashes, *rest = await self._begin(names, arguments, since=item.owned.failovers)
        if state != "mine":
            return None
        last, *voices, said, tracker = rest
        together = ids.index(last) + 1 if last in ids else 1
        parts, unread = self._read([_entry(one) for one in (item, *item.behind)[:together]])
        if unread is not None or last not in ids:  # begun before with more than was read by now
            await self._ended(*item.place)
            return RetryAfter(READ_ON_S, when=unread)
        entry = join(parts)
        metadata = dict(as_mapping(entry.payload.get("metadata")))
        several = tuple(parts) if len(parts) > 1 else ()
        turn = Turn(entry, metadata, voices=OtherVoices(*map(float, voices)), parts=several)
        turn.said_last, turn.stored_tracker, turn.crashes = said, tracker, int(crashes)
        if entry.kind == UNREADABLE:
            await self._set_aside(item, turn, entry.payload["reason"])
            return None
        if turn.crashes >= MAX_CRASHES:
            await self._set_aside(item, turn, "ended the process each time")
            return None
        links = [part.trace for part in parts[1:]]
        with tracing.span("turn", parts[0].trace, links, kind=entry.kind, messages=len(parts)) as span:
            again = await self._attempt(item, turn)
            span.set(outcome="again" if again else turn.outcome, replies=len(turn.replies))
        if again is None:
            self._bursts.answered(parts[-1])
        return again or Finished(len(parts))

    async def forget(self, owned: Owned) -> None:
        """The partition is another's: what was begun here and did not end must not count as crashed there."""
        for place in [place for place in self._away if place[0] == owned]:
            del self._away[place]
        for place in [place for place in self._not_ended if place[0] == owned]:
            self._not_ended.discard(place)
            await self._ended(*place)

    async def _ended(self, owned: Owned, stream_id: str) -> None:
        """A run ended without a commit; best effort, a missing note counts as one crash of five."""
        try:
            await self._end([keys.runs(owned.partition)], [owned.token, stream_id])
        except (RedisError, OSError, asyncio.TimeoutError) as error:
            log.warning("consumer.end.not_noted error=%s", type(error).__name__)

    async def _attempt(self, item: Item, turn: Turn) -> RetryAfter | None:
        current_turn.set(turn)
        began = time.perf_counter()
        try:
            await asyncio.wait_for(self._handler.handle(turn), self._turn_timeout_s)
        except (RedisError, ConnectionError):
            raise
        except Unstorable as error:
            log.error("consumer.turn.unstorable error=%s", error)
            return await self._failed(item, turn, error)
        except HandoffUnavailable as error:
            return await self._control_unknown(item, error)
        except DependencyUnavailable as error:
            log.warning("consumer.turn.waits error=%s", error)
            return await self._wait_for_dependency(item, turn)
        except Exception as error:
            log.error("consumer.turn.failed error=%s", type(error).__name__)
            log.debug("consumer.turn.failed", exc_info=True)
            return await self._failed(item, turn, error)
        finally:
            current_turn.set(None)
        await self._finish(item, turn)
        seconds = time.perf_counter() - began
        metrics.TURN_SECONDS.observe(seconds)
        log.info("consumer.turn.finished outcome=%s replies=%d ms=%d", turn.outcome, len(turn.replies), seconds * 1000)
        return None

    async def _control_unknown(self, item: Item, error: Exception) -> RetryAfter:
        log.warning("consumer.thread_control.unknown error=%s", type(error).__name__)
        await self._ended(*item.place)
        return RetryAfter(self._retry_s)

    async def _finish(self, item: Item, turn: Turn, dead: dict[str, Any] | None = None) -> None:
        release_permit()
        await self._handler.before_commit(turn)
        outcome = await self.commits.commit(item, turn, dead)
        if outcome == "fenced":
            await self._ended(*item.place)
        metrics.TURNS.labels("set_aside" if dead else turn.outcome if outcome == "done" else outcome).inc()

    async def _wait_for_dependency(self, item: Item, turn: Turn) -> RetryAfter | None:
        """Patience with what is being restarted; then the apology, and the dialogue goes on as far as it came."""
        if self._away.setdefault(item.place, Away()).is_waited_for(turn):
            await self._ended(*item.place)
            return RetryAfter(1.0)
        if not turn.replies:
            await self._handler.apologise(turn)
        await self._finish(item, turn)
        return None

    async def _failed(self, item: Item, turn: Turn, error: Exception) -> RetryAfter | None:
        partition = item.owned.partition
        failures = int(await self._fail([keys.owner(partition), keys.failures(partition)], _token(item)))
        await self._ended(*item.place)
        if failures < 0:
            return None
        metrics.TURNS.labels("failed").inc()
        if failures < MAX_FAILURES:
            return RetryAfter(self._retry_s * 3 ** (failures - 1))
        await self._set_aside(item, turn, type(error).__name__)
        return None

    async def _set_aside(self, item: Item, turn: Turn, reason: str) -> None:
        """Keep the entry as a dead letter; the customer gets an apology for a message, the agent a note for theirs."""
        fresh = Turn(turn.entry, turn.metadata, turn.control_version)
        log.error("consumer.entry.set_aside kind=%s reason=%s", turn.entry.kind, reason)
        await self._handler.apologise(fresh)
        dead = {"entry": turn.entry.as_json() if turn.parts else item.text, "reason": reason, "at": time.time()}
        await self._finish(item, fresh, dead)


def _token(item: Item) -> list[str | int]:
    return [item.owned.token, item.stream_id]


def _entry(item: Item) -> Entry:
    try:
        entry = Entry.from_json(item.text)
        entry.payload.get("metadata")
        return entry
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        reason = str(error) if isinstance(error, UnknownVersion) else UNREADABLE
        return Entry(UNREADABLE, item.customer, f"{item.owned.partition}-{item.stream_id}", {"reason": reason})
