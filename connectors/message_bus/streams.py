"""Follows the streams of the partitions that this process owns and hands each entry on, once, oldest first."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Mapping

from redis.exceptions import RedisError

from connectors.message_bus.connections import FollowingRedis
from connectors.message_bus.keyed_executor import Item, KeyedExecutor, end
from connectors.message_bus.partitions import Owned

log = logging.getLogger(__name__)

COUNT = 200
MAX_LOADED = 20_000
FAILED_WAIT_S = 0.3


class StreamFollower:
    """What is in a stream is not done yet; so a new owner starts at its beginning, then follows its end.

    One server is asked for several partitions at once; in a cluster each is read by itself, as it may be anywhere.
    """

    def __init__(
        self,
        client: FollowingRedis,
        routes: Mapping[Callable[[int], str], KeyedExecutor],
        may_read: Callable[[], Awaitable[None]],
    ) -> None:
        """`client` has a connection for each reader; `routes`: which streams, and who gets their entries.

        `may_read` returns when more may be read.
        """
        self._client, self._routes, self._may_read = client, routes, may_read
        self._cursors: dict[str, str] = {}
        self._owners: dict[str, Owned] = {}
        self._executors: dict[str, KeyedExecutor] = {}
        self._groups: dict[int, set[str]] = {}
        self._tasks: dict[int, asyncio.Task[None]] = {}
        self._told_at = float("-inf")

    def follow(self, owned: Owned) -> None:
        """Begin at the oldest entries of a partition."""
        group = owned.partition % self._client.readers
        for route, executor in self._routes.items():
            name = route(owned.partition)
            self._owners[name], self._cursors[name], self._executors[name] = owned, "0", executor
            self._groups.setdefault(group, set()).add(name)
        if group not in self._tasks or self._tasks[group].done():
            self._tasks[group] = asyncio.create_task(self._follow(self._groups[group]))

    def leave(self, owned: Owned, route: Callable[[int], str]) -> None:
        """No more of this stream of a partition."""
        name = route(owned.partition)
        if self._owners.get(name) == owned:
            del self._owners[name], self._cursors[name]
            self._groups[owned.partition % self._client.readers].discard(name)

    async def cut(self) -> None:
        """Read nothing more."""
        self._owners.clear()
        for group in self._groups.values():
            group.clear()
        await end(self._tasks.values())

    async def _follow(self, names: set[str]) -> None:
        while names:
            await self._may_read()
            if not names or any(self._executors[name].waiting >= MAX_LOADED for name in names):
                await asyncio.sleep(0.05)
                continue
            try:
                await self._read({name: self._cursors[name] for name in names})
            except (RedisError, OSError, asyncio.TimeoutError) as error:
                self._tell(type(error).__name__)
                await asyncio.sleep(FAILED_WAIT_S)
            except Exception:
                log.exception("streams.read.broken")
                await asyncio.sleep(FAILED_WAIT_S)

    async def _read(self, asked: dict[str, str]) -> None:
        owners = {name: self._owners[name] for name in asked}
        for name, entries in await self._client.xread(asked, count=COUNT, block=self._client.block_ms):
            owned = owners[name]
            if self._owners.get(name) != owned:
                continue
            self._cursors[name] = entries[-1][0]
            for stream_id, fields in entries:
                self._executors[name].add(Item(owned, stream_id, fields.get("c", ""), fields.get("e", "")))

    def _tell(self, error: str) -> None:
        """Once a second: all fail together."""
        if time.monotonic() - self._told_at > 1:
            self._told_at = time.monotonic()
            log.warning("streams.read.failed error=%s", error)
