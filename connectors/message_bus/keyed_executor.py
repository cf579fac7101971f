"""Ordered execution by key: one customer's items run strictly in order, different customers' side by side."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import logging
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from typing import Any

from connectors.message_bus.partitions import Owned

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class RetryAfter:
    """The item is not finished: run it again after the delay, before anything behind it of the same key.

    With `or_more` also as soon as something more of that key arrives, with `when` as soon as that is done.
    """

    delay_s: float
    or_more: bool = False
    when: asyncio.Future[Any] | None = None


@dataclass(frozen=True)
class Finished:
    """So many items of the key are done, the first and those behind it."""

    items: int


@dataclass(frozen=True)
class Item:
    """One stream entry on its way: from which partition, its stream id, whose it is, its text.

    `behind` are the next ones of the same customer, as many as may be worked on together with it.
    """

    owned: Owned
    stream_id: str
    customer: str
    text: str
    behind: tuple[Item, ...] = field(default=(), compare=False)

    @property
    def place(self) -> tuple[Owned, str]:
        """What tells it from every other entry: Redis gives one stream id to entries of several partitions."""
        return self.owned, self.stream_id


Outcome = RetryAfter | Finished | None
Work = Callable[[Item], Awaitable[Outcome]]


class ConcurrencyLimiter:
    """At most `max_active` pieces of work at once, so that they do not crowd the event loop.

    One that waits for another server does not count meanwhile (see `release_during_io`), nor does one that has taken
    longer than `max_hold_s`, up to `max_total` in all; so hanging customers do not stop the others.
    """

    def __init__(
        self, max_active: int, max_total: int, max_hold_s: float, may_begin: Callable[[], Awaitable[None]] | None = None
    ) -> None:
        """`may_begin` returns when more may begin."""
        self._may_begin = may_begin
        self._active = asyncio.Semaphore(max_active)
        self._total = asyncio.Semaphore(max_total)
        self._max_hold_s = max_hold_s

    async def run(self, work: Callable[[], Awaitable[Outcome]]) -> Outcome:
        async with self._total:
            if self._may_begin is not None:
                await self._may_begin()
            async with _Permit(self._active, self._max_hold_s) as permit:
                token = _current_permit.set(permit)
                try:
                    return await work()
                finally:
                    _current_permit.reset(token)


class _Permit:
    """Holds a semaphore, but not for longer than `max_hold_s` at a time."""

    def __init__(self, semaphore: asyncio.Semaphore, max_hold_s: float) -> None:
        self._semaphore = semaphore
        self._max_hold_s = max_hold_s
        self._timer: asyncio.TimerHandle | None = None

    async def acquire(self) -> None:
        """Wait for the semaphore."""
        await self._semaphore.acquire()
        self._timer = asyncio.get_running_loop().call_later(self._max_hold_s, self.release)

    def release(self) -> bool:
        """Release the semaphore; False when that had happened already."""
        if self._timer is None:
            return False
        self._timer.cancel()
        self._timer = None
        self._semaphore.release()
        return True

    async def __aenter__(self) -> _Permit:
        await self.acquire()
        return self

    async def __aexit__(self, *_: object) -> None:
        self.release()


_current_permit: ContextVar[_Permit | None] = ContextVar("current_permit", default=None)


@contextlib.asynccontextmanager
async def release_during_io() -> AsyncIterator[None]:
    """Around a call to another server: the permit is somebody else's until the answer is here."""
    permit = _current_permit.get()
    given = permit is not None and permit.release()
    try:
        yield
    except asyncio.CancelledError:
        given = False
        raise
    finally:
        if given and permit is not None:
            await permit.acquire()


def release_permit() -> None:
    """Give the permit of the current work back for good: what is left of it only waits."""
    permit = _current_permit.get()
    if permit is not None:
        permit.release()


class KeyedExecutor:
    """Runs `work(item)` for every item: in order by key, different keys side by side within the limits.

    A key is (partition token, customer): what a lost partition left behind never runs beside its successor here.
    """

    def __init__(self, work: Work, limiter: ConcurrencyLimiter, together: int = 1) -> None:
        """`together`: how many items of a key `work` may take at once (`Item.behind`); it says by Finished."""
        self._work, self._limiter, self._together = work, limiter, together
        self._queues: dict[tuple[str, str], deque[Item]] = {}
        self._tasks: dict[tuple[str, str], asyncio.Task[None]] = {}
        self._sleeping: dict[tuple[str, str], asyncio.Event] = {}  # set when something more came
        self.waiting = 0

    def add(self, item: Item) -> None:
        """Queue an item behind those of the same customer."""
        key = (item.owned.token, item.customer)
        self.waiting += 1
        if key in self._queues:
            self._queues[key].append(item)
            if key in self._sleeping:
                self._sleeping[key].set()
            return
        self._queues[key] = deque([item])
        self._tasks[key] = asyncio.create_task(self._drain(key))

    async def drop(self, owned: Owned) -> None:
        """Drop what waits for a partition and wait until what runs for it has ended."""
        running = []
        for key, queue in list(self._queues.items()):
            if key[0] != owned.token:
                continue
            self.waiting -= len(queue)
            queue.clear()
            if key in self._sleeping:
                self._tasks[key].cancel()
            running.append(self._tasks[key])
        await asyncio.gather(*running, return_exceptions=True)

    def cancel(self) -> list[asyncio.Task[None]]:
        """Stop everything at once; what was not committed runs again elsewhere. Returns the tasks that are ending."""
        for queue in self._queues.values():
            self.waiting -= len(queue)
            queue.clear()
        for task in self._tasks.values():
            task.cancel()
        return list(self._tasks.values())

    async def _drain(self, key: tuple[str, str]) -> None:
        queue = self._queues[key]
        try:
            while queue:
                outcome = await self._limiter.run(lambda: self._first(queue))
                if isinstance(outcome, RetryAfter):
                    await self._sleep(key, outcome)
                    continue
                for _ in range(min(outcome.items if outcome else 1, len(queue))):
                    queue.popleft()
                    self.waiting -= 1
        finally:
            self.waiting -= len(queue)
            del self._queues[key], self._tasks[key]

    async def _first(self, queue: deque[Item]) -> Outcome:
        """Work on the head of a queue, which may have been dropped while it waited for a permit."""
        if not queue:
            return None
        behind = tuple(itertools.islice(queue, 1, self._together))
        return await self._guarded(replace(queue[0], behind=behind) if behind else queue[0])

    async def _sleep(self, key: tuple[str, str], until: RetryAfter) -> None:
        more = self._sleeping[key] = asyncio.Event()
        woken = more if until.or_more else asyncio.Event()
        if until.when is not None:
            until.when.add_done_callback(lambda _: woken.set())
        try:
            with contextlib.suppress(asyncio.TimeoutError):
                await asyncio.wait_for(woken.wait(), until.delay_s)
        finally:
            del self._sleeping[key]

    async def _guarded(self, item: Item) -> Outcome:
        """An error never stops a key: what it did not foresee is tried again."""
        try:
            return await self._work(item)
        except Exception:
            log.exception("executor.work.failed partition=%d", item.owned.partition)
            return RetryAfter(1.0)


async def end(tasks: Iterable[asyncio.Task[Any]], within_s: float = 3.0) -> None:
    """Cancel tasks until they have ended.

    Once is not enough: redis-py turns a cancellation that arrives together with an answer into a time-out (it
    waits through `async_timeout`), and a loop that survives time-outs would then run for ever.
    """
    deadline = asyncio.get_running_loop().time() + within_s
    pending = {task for task in tasks if not task.done()}
    while pending and asyncio.get_running_loop().time() < deadline:
        for task in pending:
            task.cancel()
        _, pending = await asyncio.wait(pending, timeout=0.1)
