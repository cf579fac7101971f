"""Follows the streams of the partitions that this process owns and hands each entry on, once, oldest first."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

import redis.asyncio
from redis.exceptions import RedisError

from connectors.message_bus.keyed_executor import Item, KeyedExecutor
from connectors.message_bus.partitions import Owned

log = logging.getLogger(__name__)

BLOCK_MS = 400
COUNT = 200
MAX_LOADED = 20_000


class StreamFollower:
    """What is in a stream is not done yet; so a new owner starts at its beginning, then follows its end."""

    def __init__(
        self,
        client: redis.asyncio.Redis,
        name: Callable[[int], str],
        executor: KeyedExecutor,
    ) -> None:
        """`client` may block for BLOCK_MS."""
        self._client = client
        self._name, self._executor = name, executor
        self._cursors: dict[str, str] = {}
        self._owned: dict[str, Owned] = {}
        self._changed = asyncio.Event()

    def follow(self, owned: Owned) -> None:
        """Begin at the oldest entry of a partition."""
        name = self._name(owned.partition)
        self._owned[name], self._cursors[name] = owned, "0"
        self._changed.set()

    def leave(self, owned: Owned) -> None:
        """No more of this partition."""
        name = self._name(owned.partition)
        if self._owned.get(name) == owned:
            del self._owned[name], self._cursors[name]

    async def run(self) -> None:
        """Read until cancelled."""
        while True:
            if not self._cursors:
                self._changed.clear()
                await self._changed.wait()
            if self._executor.waiting >= MAX_LOADED:
                await asyncio.sleep(0.05)
                continue
            try:
                await self._read()
            except (RedisError, OSError, asyncio.TimeoutError) as error:
                log.warning("streams.read.failed error=%s", type(error).__name__)
                await asyncio.sleep(0.3)
            except Exception:
                log.exception("streams.read.broken")
                await asyncio.sleep(0.3)

    async def _read(self) -> None:
        asked = dict(self._cursors)
        owners = dict(self._owned)
        for name, entries in await self._client.xread(asked, count=COUNT, block=BLOCK_MS):
            owned = owners[name]
            if self._owned.get(name) != owned:
                continue
            self._cursors[name] = entries[-1][0]
            for stream_id, fields in entries:
                self._executor.add(Item(owned, stream_id, fields.get("c", ""), fields.get("e", "")))
