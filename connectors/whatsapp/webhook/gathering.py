"""Webhooks that arrive together are stored together.

Each costs the server a millisecond, most of it for asking Redis twice. So what comes while a store is under way is
stored with one step more, and each webhook is acknowledged when the step that held it is done: a burst of thousands
waits a fraction of the time. A lone webhook waits for nobody.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import fields, replace
from itertools import chain
from typing import NamedTuple

import tracing
from connectors.conversations.identity import IdentitiesUnavailable
from connectors.message_bus.arrivals import Arrivals
from connectors.message_bus.inbox import InboxUnavailable
from connectors.whatsapp.webhook.payloads import Notification

Take = Callable[[Notification], Awaitable[int]]

MAX_TOGETHER = 100  # webhooks
MAX_STEPS = 4  # under way at once: a step that hangs does not hold up the next
SLOW_S = 0.02  # of a step: from then on another one takes what came meanwhile
GATHER_S = 0.005  # that a step waits for more in a burst, whose webhooks wait for each other in any case


class _Waiting(NamedTuple):
    notification: Notification
    trace: str | None
    stored: asyncio.Future[None]


class Gathering:
    """Hands notifications to `take`, joined where several wait. They count among the `arrivals` meanwhile."""

    def __init__(self, take: Take, arrivals: Arrivals) -> None:
        self._take, self._arrivals = take, arrivals
        self._waiting: deque[_Waiting] = deque()
        self._steps: set[asyncio.Task[None] | None] = set()
        self._begun, self._watched = 0, False

    async def take(self, notification: Notification) -> None:
        """Return once all of it is stored. Raises what `take` raises."""
        stored: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(_Waiting(notification, tracing.carry(), stored))
        if not self._steps:
            self._steps.add(asyncio.create_task(self._work()))
        elif not self._watched:
            self._watch()
        with self._arrivals.one():
            await stored

    def _watch(self) -> None:
        self._watched = True
        asyncio.get_running_loop().call_later(SLOW_S, self._one_more, self._begun)

    def _one_more(self, begun: int) -> None:
        """Another step, when none has begun since and somebody waits."""
        self._watched = False
        if not self._waiting:
            return
        if begun == self._begun and len(self._steps) < MAX_STEPS:
            self._steps.add(asyncio.create_task(self._work()))
        self._watch()

    async def _work(self) -> None:
        try:
            while self._waiting:
                if self._arrivals.many:
                    await asyncio.sleep(GATHER_S)
                self._begun += 1
                together = [self._waiting.popleft() for _ in range(min(len(self._waiting), MAX_TOGETHER))]
                if together:
                    await self._store(together)
        finally:
            self._steps.remove(asyncio.current_task())  # at once, so that the next webhook finds room for a step

    async def _store(self, together: Sequence[_Waiting]) -> None:
        traces = [one.trace for one in together if one.trace]
        first = traces[0] if traces else None
        try:
            with tracing.span("webhooks.store", first, traces[1:], webhooks=len(together)):
                await self._take(joined([_traced(one) for one in together]))
        except Exception as error:
            if len(together) > 1 and not isinstance(error, (InboxUnavailable, IdentitiesUnavailable)):
                for one in together:  # whatever one of them brought is not the others' trouble
                    await self._store([one])
                return
            _tell(together, error)
        except BaseException as error:
            _tell(together, InboxUnavailable(type(error).__name__))
            raise
        else:
            _tell(together, None)


def _traced(one: _Waiting) -> Notification:
    """What it brought carries its trace."""
    if one.trace is None:
        return one.notification
    messages = tuple(replace(message, trace=one.trace) for message in one.notification.messages)
    return replace(one.notification, messages=messages)


def joined(notifications: Sequence[Notification]) -> Notification:
    """One that holds what they hold, in their order."""
    if len(notifications) == 1:
        return notifications[0]
    names = [field.name for field in fields(Notification)]
    return Notification(*(tuple(chain.from_iterable(getattr(one, name) for one in notifications)) for name in names))


def _tell(together: Sequence[_Waiting], error: Exception | None) -> None:
    for _, _, stored in together:
        if stored.done():  # who posted it is gone
            continue
        if error is None:
            stored.set_result(None)
        else:
            stored.set_exception(error)
