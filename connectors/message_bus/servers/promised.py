"""What was promised lately, stored once more when another server has become the master.

That a replica holds a write is no majority's word: sentinels may choose a new master while the old one lives, and a
replica that had just come back confirms what the old one takes until it hears of that, a second or more. All of it is
gone when both follow the new master (https://redis.io/docs/latest/operate/oss_and_stack/management/sentinel/, "Sentinel
… does not guarantee that acknowledged writes are retained"). So whoever promised keeps what it promised for a while.
"""

import asyncio
import logging
import time
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

from redis.exceptions import RedisError

from connectors.message_bus.servers.following import FollowingRedis

log = logging.getLogger(__name__)

KEEP_S = 20.0
MAX_KEPT = 20_000  # batches; at more in `KEEP_S` the oldest are let go
POLL_S = 0.5
Store = Callable[[Sequence[Any], Sequence[Any]], Awaitable[int]]


@dataclass(frozen=True)
class _Batch:
    at: float
    entries: Sequence[Any]
    records: Sequence[Any]


class Promised:
    """Stores through `store`; `again` stores what of it is not there any more."""

    def __init__(self, client: FollowingRedis, store: Store, again: Store) -> None:
        self._client, self._store, self._again = client, store, again
        self._lately: deque[_Batch] = deque(maxlen=MAX_KEPT)
        self._failovers = client.failovers
        self._keeping: asyncio.Task[None] | None = None
        self._watching: asyncio.Task[None] | None = None

    async def store(self, entries: Sequence[Any], records: Sequence[Any]) -> int:
        """Store, after all that was promised before. Returns and raises as `store` does, and redis.RedisError."""
        await self._keep()
        known = self._client.failovers
        stored = await self._store(entries, records)
        while known != self._client.failovers:  # which of the two masters has it nobody can tell
            known = self._client.failovers
            await self._again(entries, records)
        self._lately.append(_Batch(time.monotonic(), entries, records))
        if self._watching is None or self._watching.done():
            self._watching = asyncio.create_task(self._watch())
        return stored

    async def _keep(self) -> None:
        """Store again what the master before may have taken along; all who wait for that share one attempt."""
        await self._client.reach()
        if self._failovers == self._client.failovers:
            return
        if self._keeping is None or self._keeping.done():
            self._keeping = asyncio.create_task(self._store_lately())
            self._keeping.add_done_callback(lambda task: task.cancelled() or task.exception())
        await asyncio.shield(self._keeping)

    async def _store_lately(self) -> None:
        while self._failovers != (now := self._client.failovers):
            entries = [entry for batch in self._lately for entry in batch.entries]
            records = [record for batch in self._lately for record in batch.records]
            lost = await self._again(entries, records)
            log.warning("inbox.stored_again entries=%d lost=%d", len(entries), lost)
            self._failovers = now

    async def _watch(self) -> None:
        """While nobody writes, too. Only what was promised to a master that still answers is forgotten."""
        while self._lately:
            await asyncio.sleep(POLL_S)
            try:
                await self._keep()
            except (RedisError, OSError, asyncio.TimeoutError):
                continue
            while self._lately and self._lately[0].at < time.monotonic() - KEEP_S:
                self._lately.popleft()
