"""Follows the streams of the partitions that this process owns and hands each entry on, once, oldest first."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from redis.exceptions import RedisError

from connectors.message_bus.connections import FollowingRedis
from connectors.message_bus.keyed_executor import Item, KeyedExecutor, end
from connectors.message_bus.partitions import Owned

log = logging.getLogger(__name__)

COUNT = 200
MAX_LOADED = 20_000
FAILED_WAIT_S = 0.3
LOOK_EVERY = 2.5  # times the wait of a blocking read


@dataclass(eq=False)
class _Followed:
    """A stream of a partition that is ours: everything up to the cursor was handed on."""

    owned: Owned
    executor: KeyedExecutor
    group: int
    told: bool
    cursor: str = "0"

    def take(self, entries: Iterable[tuple[str, Mapping[str, str]]]) -> None:
        """Hand on what was not yet, and keep in mind how far it went."""
        for stream_id, fields in entries:
            if _place(stream_id) > _place(self.cursor):
                self.cursor = stream_id
                self.executor.add(Item(self.owned, stream_id, fields.get("c", ""), fields.get("e", "")))


def _place(stream_id: str) -> tuple[int, int]:
    milliseconds, _, number = stream_id.partition("-")
    return int(milliseconds), int(number or 0)


class StreamFollower:
    """What is in a stream is not done yet; so a new owner starts at its beginning, then follows its end.

    One server is asked for several partitions at once; in a cluster each is read by itself, as it may be anywhere. To
    what only the owner of a partition writes there is no need to listen: `wrote` hands it on, and a look now and then
    finds what came from elsewhere (a dead letter that is replayed) or whose writer had no answer.
    """

    def __init__(
        self,
        client: FollowingRedis,
        routes: Mapping[Callable[[int], str], KeyedExecutor],
        told: Mapping[Callable[[int], str], KeyedExecutor],
        may_read: Callable[[], Awaitable[None]],
    ) -> None:
        """`client` has a connection for each reader; `routes`: which streams, and who gets their entries.

        `told`: those that only their owner writes to. `may_read` returns when more may be read.
        """
        self._client, self._routes, self._told, self._may_read = client, routes, told, may_read
        self._followed: dict[str, _Followed] = {}
        self._groups: dict[int, set[str]] = {}
        self._tasks: dict[int, asyncio.Task[None]] = {}
        self._looking: asyncio.Task[None] | None = None
        self._unread: set[str] = set()
        self._news = asyncio.Event()
        self._complained_at = float("-inf")

    def follow(self, owned: Owned) -> None:
        """Begin at the oldest entries of a partition."""
        group = owned.partition % self._client.readers
        for route, executor in self._routes.items():
            self._followed[route(owned.partition)] = _Followed(owned, executor, group, told=False)
            self._groups.setdefault(group, set()).add(route(owned.partition))
        for route, executor in self._told.items():
            self._followed[route(owned.partition)] = _Followed(owned, executor, group, told=True)
            self._read_soon(route(owned.partition))
        if group not in self._tasks or self._tasks[group].done():
            self._tasks[group] = asyncio.create_task(self._follow(self._groups[group]))
        if self._looking is None or self._looking.done():
            self._looking = asyncio.create_task(self._look())

    def wrote(self, owned: Owned, name: str, before: str, entries: Sequence[tuple[str, Mapping[str, str]]]) -> None:
        """The owner appended entries to a stream, whose last id was `before`; without entries: what, is not known."""
        stream = self._followed.get(name)
        if stream is None or stream.owned != owned:
            return
        if entries and before == stream.cursor and stream.executor.waiting < MAX_LOADED:
            stream.take(entries)
        else:
            self._read_soon(name)

    def leave(self, owned: Owned, route: Callable[[int], str]) -> None:
        """No more of this stream of a partition."""
        name = route(owned.partition)
        if name in self._followed and self._followed[name].owned == owned:
            self._groups.get(self._followed.pop(name).group, set()).discard(name)

    async def cut(self) -> None:
        """Read nothing more."""
        self._followed.clear()
        for group in self._groups.values():
            group.clear()
        await end([*self._tasks.values(), *([self._looking] if self._looking else [])])

    def _read_soon(self, name: str) -> None:
        self._unread.add(name)
        self._news.set()

    async def _follow(self, names: set[str]) -> None:
        while names:
            await self._may_read()
            if not names or any(self._followed[name].executor.waiting >= MAX_LOADED for name in names):
                await asyncio.sleep(0.05)
                continue
            await self._read(names, self._client.block_ms)

    async def _look(self) -> None:
        """Read what is told of by its writer where that is not enough."""
        while True:
            try:
                await asyncio.wait_for(self._news.wait(), LOOK_EVERY * self._client.block_ms / 1000)
            except asyncio.TimeoutError:
                self._unread |= {name for name, one in self._followed.items() if one.told}
            self._news.clear()
            await self._may_read()
            unread, self._unread = self._unread & self._followed.keys(), set()
            groups: dict[int, list[str]] = {}
            for name in unread:
                if self._followed[name].executor.waiting < MAX_LOADED:
                    groups.setdefault(self._followed[name].group, []).append(name)
            for names in groups.values():
                await self._read(names, None)

    async def _read(self, names: Iterable[str], block_ms: int | None) -> None:
        """Hand on what is new in streams; failing that, wait a moment."""
        asked = {name: self._followed[name] for name in names if name in self._followed}
        cursors: dict[Any, Any] = {name: stream.cursor for name, stream in asked.items()}
        try:
            found = await self._client.xread(cursors, count=COUNT, block=block_ms) if cursors else ()
        except (RedisError, OSError, asyncio.TimeoutError) as error:
            self._complain(type(error).__name__)
        except Exception:
            log.exception("streams.read.broken")
        else:
            for name, entries in found:
                if self._followed.get(name) is asked[name]:
                    asked[name].take(entries)
                    if block_ms is None and len(entries) == COUNT:
                        self._read_soon(name)
            return
        if block_ms is None:
            self._unread |= asked.keys()
            self._news.set()
        await asyncio.sleep(FAILED_WAIT_S)

    def _complain(self, error: str) -> None:
        """Once a second: all fail together."""
        if time.monotonic() - self._complained_at > 1:
            self._complained_at = time.monotonic()
            log.warning("streams.read.failed error=%s", error)
