"""Webhooks that arrive together are stored together.

Each costs the server a millisecond, most of it for asking Redis twice. So what comes while a store is under way is
stored with one step more, and each webhook is acknowledged when the step that held it is done: a burst of thousands
waits a fraction of the time. A lone webhook waits for nobody.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import fields
from itertools import chain

import tracing
from connectors.conversations.identity import IdentitiesUnavailable
from connectors.message_bus.inbox import InboxUnavailable
from connectors.whatsapp.webhook.payloads import Notification

Take = Callable[[Notification], Awaitable[int]]
_Waiting = tuple[Notification, asyncio.Future[None]]

MAX_TOGETHER = 100  # webhooks
MAX_STEPS = 4  # under way at once: a step that hangs does not hold up the next


class Gathering:
    """Hands notifications to `take`, joined where several wait."""

    def __init__(self, take: Take) -> None:
        self._take = take
        self._waiting: deque[_Waiting] = deque()
        self._steps: set[asyncio.Task[None] | None] = set()

    async def take(self, notification: Notification) -> None:
        """Return once all of it is stored. Raises what `take` raises."""
        if tracing.carry():  # its trace goes along with what it brought, so it is stored by itself
            await self._take(notification)
            return
        stored: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((notification, stored))
        if len(self._steps) < MAX_STEPS:
            self._steps.add(asyncio.create_task(self._work()))
        await stored

    async def _work(self) -> None:
        try:
            while self._waiting:
                together = [self._waiting.popleft() for _ in range(min(len(self._waiting), MAX_TOGETHER))]
                await self._store(together)
        finally:
            self._steps.remove(asyncio.current_task())  # at once, so that the next webhook finds room for a step

    async def _store(self, together: Sequence[_Waiting]) -> None:
        try:
            await self._take(joined([notification for notification, _ in together]))
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


def joined(notifications: Sequence[Notification]) -> Notification:
    """One that holds what they hold, in their order."""
    if len(notifications) == 1:
        return notifications[0]
    names = [field.name for field in fields(Notification)]
    return Notification(*(tuple(chain.from_iterable(getattr(one, name) for one in notifications)) for name in names))


def _tell(together: Sequence[_Waiting], error: Exception | None) -> None:
    for _, stored in together:
        if stored.done():  # who posted it is gone
            continue
        if error is None:
            stored.set_result(None)
        else:
            stored.set_exception(error)
