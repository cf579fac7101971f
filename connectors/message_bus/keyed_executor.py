"""One lane a customer: what is in a lane runs strictly in order, different lanes side by side."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from contextvars import ContextVar
from dataclasses import dataclass

from connectors.message_bus.partitions import Owned

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Again:
    """The item is not finished: run it again after the delay, before anything behind it in its lane."""

    delay_s: float


@dataclass(frozen=True)
class Item:
    """One stream entry on its way: from which partition, its stream id, whose it is, its text."""

    owned: Owned
    stream_id: str
    customer: str
    text: str

    @property
    def place(self) -> tuple[Owned, str]:
        """What tells it from every other entry: Redis gives one stream id to entries of several partitions."""
        return self.owned, self.stream_id


Work = Callable[[Item], Awaitable["Again | None"]]


class Slots:
    """At most `quick` pieces of work at once, so that they do not crowd the event loop.

    One that waits for something outside does not count meanwhile (see `outside`), nor does one that has taken longer
    than `loan_s`, up to `most` in all; so hanging customers do not stop the others.
    """

    def __init__(self, quick: int, most: int, loan_s: float) -> None:
        self._quick = asyncio.Semaphore(quick)
        self._most = asyncio.Semaphore(most)
        self._loan_s = loan_s

    async def run(self, work: Callable[[], Awaitable[Again | None]]) -> Again | None:
        """Run the work inside a slot."""
        async with self._most, _Loan(self._quick, self._loan_s) as loan:
            token = _current_loan.set(loan)
            try:
                return await work()
            finally:
                _current_loan.reset(token)


class _Loan:
    """Holds a semaphore, but not for longer than `loan_s` at a time."""

    def __init__(self, semaphore: asyncio.Semaphore, loan_s: float) -> None:
        self._semaphore = semaphore
        self._loan_s = loan_s
        self._timer: asyncio.TimerHandle | None = None

    async def take(self) -> None:
        """Wait for the semaphore."""
        await self._semaphore.acquire()
        self._timer = asyncio.get_running_loop().call_later(self._loan_s, self.give_back)

    def give_back(self) -> bool:
        """Whether it was still held."""
        if self._timer is None:
            return False
        self._timer.cancel()
        self._timer = None
        self._semaphore.release()
        return True

    async def __aenter__(self) -> _Loan:
        await self.take()
        return self

    async def __aexit__(self, *_: object) -> None:
        self.give_back()


_current_loan: ContextVar[_Loan | None] = ContextVar("current_loan", default=None)


@contextlib.asynccontextmanager
async def outside() -> AsyncIterator[None]:
    """Around a call to another server: the slot is somebody else's until the answer is here."""
    loan = _current_loan.get()
    given = loan is not None and loan.give_back()
    try:
        yield
    except asyncio.CancelledError:
        given = False
        raise
    finally:
        if given and loan is not None:
            await loan.take()


def leave_slot() -> None:
    """What is left of the current work is waiting only."""
    loan = _current_loan.get()
    if loan is not None:
        loan.give_back()


class Lanes:
    """Runs `work(item)` for every item: in order inside a lane, lanes side by side inside the slots.

    A lane is (partition token, customer): what a lost partition left behind never runs beside its successor here.
    """

    def __init__(self, work: Work, slots: Slots) -> None:
        self._work = work
        self._slots = slots
        self._queues: dict[tuple[str, str], deque[Item]] = {}
        self._tasks: dict[tuple[str, str], asyncio.Task[None]] = {}
        self._sleeping: set[tuple[str, str]] = set()
        self.waiting = 0

    def add(self, item: Item) -> None:
        """Queue an item behind those of the same customer."""
        lane = (item.owned.token, item.customer)
        self.waiting += 1
        if lane in self._queues:
            self._queues[lane].append(item)
            return
        self._queues[lane] = deque([item])
        self._tasks[lane] = asyncio.create_task(self._drain(lane))

    async def drop(self, owned: Owned) -> None:
        """Forget what waits for a partition and wait until what runs for it has ended."""
        running = []
        for lane, queue in list(self._queues.items()):
            if lane[0] != owned.token:
                continue
            self.waiting -= len(queue)
            queue.clear()
            if lane in self._sleeping:
                self._tasks[lane].cancel()
            running.append(self._tasks[lane])
        await asyncio.gather(*running, return_exceptions=True)

    def cancel(self) -> list[asyncio.Task[None]]:
        """Stop everything at once; what was not committed runs again elsewhere. Returns the tasks that are ending."""
        for queue in self._queues.values():
            self.waiting -= len(queue)
            queue.clear()
        for task in self._tasks.values():
            task.cancel()
        return list(self._tasks.values())

    async def _drain(self, lane: tuple[str, str]) -> None:
        queue = self._queues[lane]
        try:
            while queue:
                again = await self._slots.run(lambda: self._first(queue))
                if again is not None:
                    await self._sleep(lane, again.delay_s)
                elif queue:
                    queue.popleft()
                    self.waiting -= 1
        finally:
            self.waiting -= len(queue)
            del self._queues[lane], self._tasks[lane]

    async def _first(self, queue: deque[Item]) -> Again | None:
        """Work on the head of a queue, which may have been dropped while it waited for a slot."""
        return await self._guarded(queue[0]) if queue else None

    async def _sleep(self, lane: tuple[str, str], delay_s: float) -> None:
        self._sleeping.add(lane)
        try:
            await asyncio.sleep(delay_s)
        finally:
            self._sleeping.discard(lane)

    async def _guarded(self, item: Item) -> Again | None:
        """Work never ends a lane: what it did not foresee is tried again."""
        try:
            return await self._work(item)
        except Exception:
            log.exception("lanes.work.failed partition=%d", item.owned.partition)
            return Again(1.0)
