"""A client of a Redis Cluster that speaks as the client of one server does.

Each command goes to the master of its key's slot, over connections as to a single server. What moved is followed at
once (MOVED, ASK), what is being moved or elected is tried again for a moment (TRYAGAIN, CLUSTERDOWN), and a server that
fails has the map asked for anew, which a look every second does as well: it ends connections to whom nobody serves any
more. redis-py's own client would close all connections with each error, and answers to ASK may take another connection.
"""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any

from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError, ResponseError

from connectors.message_bus.servers.following import FollowingRedis, MasterChanged
from connectors.message_bus.servers.slots import Place, SlotMap, redirection, slot_of
from hot_store import redis_layout

log = logging.getLogger(__name__)

LOOK_S, LOOK_AGAIN_S = 1.0, 0.1
ATTEMPTS, AGAIN_S = 8, 0.05
ALONE_MOST = 32  # of a batch; one by one, thousands would be tried for minutes while nobody serves them
_SOON = ("TRYAGAIN", "CLUSTERDOWN", "LOADING")


class ClusterRedis(FollowingRedis):
    """Commands, scripts and batches whose keys may be on any server; a script's keys are of one slot."""

    readers, block_ms = redis_layout.PARTITIONS, 2000

    def __init__(self, seeds: Sequence[Place], server: Callable[[Place], FollowingRedis]) -> None:
        """`server` makes the client of one of the servers."""
        self._server, self._servers = server, {seeds[0]: server(seeds[0])}
        super().__init__(connection_pool=self._servers[seeds[0]].connection_pool)
        self._map, self._seeds = SlotMap(all=frozenset(seeds)), tuple(seeds)
        self._failovers = 0
        self._looking: asyncio.Task[None] | None = None
        self._looked_at = float("-inf")
        self._watching: asyncio.Task[None] | None = None

    @property
    def failovers(self) -> int:
        return self._failovers

    async def execute_command(self, *arguments: Any, **options: Any) -> Any:
        """One command, where its key is. Raises redis.RedisError."""
        for attempt in range(ATTEMPTS):
            server = await self._of_slot(slot_of(arguments))
            try:
                return await server.execute_command(*arguments, **options)
            except ResponseError as error:
                answer = await self._followed(arguments, error, last=attempt + 1 == ATTEMPTS)
                if not isinstance(answer, ResponseError):
                    name = str(arguments[0]).upper()
                    callback = self.response_callbacks.get(name)
                    return callback(answer, **options) if callback else answer
            except (RedisError, OSError, asyncio.TimeoutError):
                self._look_soon()
                raise
        raise RedisConnectionError("the cluster does not settle")

    async def batch(
        self, commands: Sequence[Sequence[Any]], durably: bool = False, since: int | None = None
    ) -> list[Any]:
        """As of one server; those of one server go together, different servers' side by side."""
        self._require(since)
        answers: list[Any] = [None] * len(commands)
        by_server: dict[FollowingRedis, list[int]] = defaultdict(list)
        for n, command in enumerate(commands):
            by_server[await self._of_slot(slot_of(command))].append(n)

        async def ask(server: FollowingRedis, numbers: list[int]) -> None:
            try:
                found = await server.batch([commands[n] for n in numbers], durably)
            except (RedisError, OSError, asyncio.TimeoutError):
                self._look_soon()
                raise
            for n, answer in zip(numbers, found, strict=True):
                answers[n] = answer

        tasks = [asyncio.create_task(ask(server, numbers)) for server, numbers in by_server.items()]
        for outcome in await asyncio.gather(*tasks, return_exceptions=True):
            if isinstance(outcome, BaseException):
                raise outcome
        failed = {n: answer for n, answer in enumerate(answers) if isinstance(answer, ResponseError)}
        later = {n: error for n, error in failed.items() if _is_for_later(error)}
        if len(later) > ALONE_MOST:
            self._look_soon()
            raise RedisConnectionError("the cluster does not settle")
        if later and since is not None:
            await self._look()
            self._require(since)
        for n, error in later.items():
            answers[n] = await self._alone(commands[n], error, durably)
        return answers

    def _require(self, since: int | None) -> None:
        if since not in (None, self._failovers):
            raise MasterChanged("another server is the master now")

    async def _alone(self, command: Sequence[Any], error: ResponseError, durably: bool) -> Any:
        """A command of a batch that was sent to the wrong place, or too early. An error is an answer."""
        answer: Any = error
        for attempt in range(ATTEMPTS):
            answer = await self._followed(command, answer, last=attempt + 1 == ATTEMPTS, durably=durably)
            if not (isinstance(answer, ResponseError) and _is_for_later(answer)):
                return answer
            server = await self._of_slot(slot_of(command))
            answer = (await server.batch([command], durably))[0]
            if not (isinstance(answer, ResponseError) and _is_for_later(answer)):
                return answer
        return answer

    async def _followed(
        self, command: Sequence[Any], error: ResponseError, last: bool, durably: bool = False
    ) -> Any:
        """The answer from where ASK sent us; the error itself when it is to be tried again, else it is raised."""
        moved = redirection(error)
        if moved is None:
            if not str(error).startswith(_SOON) or last:
                raise error
            self._look_soon()
            await asyncio.sleep(AGAIN_S * random.uniform(0.5, 1.5))  # noqa: S311 (no secret)
            return error
        word, slot, place = moved
        if word == "MOVED":
            self._map.masters[slot] = place
            self._look_soon()
            return error
        _, answer = await self._at(place).batch([("ASKING",), command], durably)
        if isinstance(answer, ResponseError) and not _is_for_later(answer):
            raise answer
        return answer

    async def scan_iter(self, *arguments: Any, **options: Any) -> AsyncIterator[Any]:
        """Names of all servers' keys."""
        await self._look()
        for place in {one for one in self._map.masters if one is not None}:
            async for name in self._at(place).scan_iter(*arguments, **options):
                yield name

    async def reach(self) -> None:
        """Have the map of the servers watched."""
        await self._of_slot(None)

    async def replicas(self) -> int | None:
        """Of the master that has the fewest."""
        masters = [self._at(place) for place in {one for one in self._map.masters if one is not None}]
        counts = await asyncio.gather(*(server.replicas() for server in masters))
        return min((count for count in counts if count is not None), default=None)

    async def close(self, close_connection_pool: Any = None) -> None:
        """End all connections, and the look at the map."""
        for task in (self._watching, self._looking):
            if task is not None:
                task.cancel()
        for server in self._servers.values():
            await server.connection_pool.disconnect()

    def _at(self, place: Place) -> FollowingRedis:
        if place not in self._servers:
            self._servers[place] = self._server(place)
        self._servers[place].durability.has_replicas = place in self._map.with_replicas
        return self._servers[place]

    async def _of_slot(self, slot: int | None) -> FollowingRedis:
        if self._watching is None or self._watching.done():
            self._watching = asyncio.create_task(self._watch())
        if slot is None:
            slot = random.randrange(len(self._map.masters))  # noqa: S311 (no secret)
        place = self._map.masters[slot]
        if place is None:
            await self._look()
            place = self._map.masters[slot]
        if place is None:
            raise RedisConnectionError("no server of the cluster has the slot")
        return self._at(place)

    def _look_soon(self) -> None:
        if self._looking is None or self._looking.done():
            self._looking = asyncio.create_task(self._ask_for_map())
            self._looking.add_done_callback(lambda task: task.cancelled() or task.exception())

    async def _look(self) -> None:
        """Have the newest map. Raises redis.ConnectionError when no server answers."""
        self._look_soon()
        if self._looking is not None:
            await asyncio.shield(self._looking)

    async def _ask_for_map(self) -> None:
        await asyncio.sleep(max(0.0, self._looked_at + LOOK_AGAIN_S - time.monotonic()))
        self._looked_at = time.monotonic()
        known = sorted(self._map.all | set(self._seeds))
        random.shuffle(known)
        for place in known:
            try:
                answer = await asyncio.wait_for(self._at(place).execute_command("CLUSTER SLOTS"), 1.0)
            except (RedisError, OSError, asyncio.TimeoutError):
                continue
            found = SlotMap.told(answer if isinstance(answer, list) else _as_list(answer), place)
            if any(found.masters):
                self._take(found)
                return
        raise RedisConnectionError("no server of the cluster answers")

    def _take(self, found: SlotMap) -> None:
        masters = {place for place in found.masters if place is not None}
        for place in {place for place in self._map.masters if place is not None} - masters:
            server = self._servers.get(place)
            if server is not None:
                log.warning("redis.master.moved host=%s port=%d", *place)
                server.cut()
            self._failovers += 1
        self._map = found

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(LOOK_S)
            self._look_soon()


def _is_for_later(error: ResponseError) -> bool:
    return redirection(error) is not None or str(error).startswith(_SOON)


def _as_list(slots: dict[Any, Any]) -> list[Any]:
    """CLUSTER SLOTS as redis-py reads it, as the server wrote it."""
    return [[first, last, told["primary"], *told["replicas"]] for (first, last), told in slots.items()]
