"""Acknowledgements go first: while many webhooks wait for theirs, no new turn begins.

Webhooks and turns share an event loop, and a turn takes as much of it as thirty acknowledgements. A burst is
acknowledged sooner when the turns that it brings begin behind it; they lose nothing, since all of it has to be worked
off anyway. Held for HOLD_S in a row, turns are let go on for as long: webhooks without end stop nobody.
"""

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager

MANY = 10  # more than a busy server has at work at once
QUIET_S = 0.03
HOLD_S = 2.0


class Arrivals:
    """Counts the webhooks that are being taken in; `passed` is when turns may begin."""

    def __init__(self) -> None:
        self._waiting = 0
        self._many_at = self._held_at = self._freed_at = float("-inf")
        self._free = asyncio.Event()
        self._free.set()

    @contextmanager
    def one(self) -> Iterator[None]:
        """Around the work on one webhook, until it can be acknowledged."""
        self._waiting += 1
        if self.many:
            self._hold()
        try:
            yield
        finally:
            self._waiting -= 1

    @property
    def many(self) -> bool:
        """Whether more are being taken in than a busy server has at work at once."""
        return self._waiting >= MANY

    async def passed(self) -> None:
        """Return when no burst is being taken in, within HOLD_S."""
        await self._free.wait()

    def _hold(self) -> None:
        self._many_at = time.monotonic()
        if self._free.is_set() and self._many_at >= self._freed_at + HOLD_S:
            self._held_at = self._many_at
            self._free.clear()
            self._settle_later()

    def _settle_later(self) -> None:
        asyncio.get_running_loop().call_later(QUIET_S, self._settle)

    def _settle(self) -> None:
        now = time.monotonic()
        if self.many:
            self._many_at = now
        if now < min(self._many_at + QUIET_S, self._held_at + HOLD_S):
            self._settle_later()
            return
        self._free.set()
        if now >= self._held_at + HOLD_S:
            self._freed_at = now
