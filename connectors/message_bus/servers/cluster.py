"""A client of a Redis Cluster that speaks as the client of one server does.

Each command goes to the master of its key's slot, over connections as to a single server. What moved is followed at
once (MOVED, ASK), what is being moved or elected is tried again for a moment (TRYAGAIN, CLUSTERDOWN), and a server that
fails has the map asked for anew, which a look every second does as well: it ends connections to whom nobody serves any
more. redis-py's own client would close all connections with each error, and answers to ASK may take another connection.
"""

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
from connectors.message_bus.servers.votes import counted
from hot_store import redis_layout

log = logging.getLogger(__name__)

POLL_S, MIN_POLL_S = 1.0, 0.1
ATTEMPTS, RETRY_S = 8, 0.05
_SOON = ("TRYAGAIN", "CLUSTERDOWN", "LOADING")
_ASKING = ("ASKING",)


class ClusterRedis(FollowingRedis):
    """Commands, scripts and batches whose keys may be on any server; a script's keys are of one slot."""

    readers, block_ms = redis_layout.PARTITIONS, 2000

    def __init__(self, seeds: Sequence[Place], server: Callable[[Place], FollowingRedis]) -> None:
        """`server` makes the client of one of the servers."""
        self._server, self._servers = server, {seeds[0]: server(seeds[0])}
        super().__init__(connection_pool=self._servers[seeds[0]].connection_pool)
        self._map, self._seeds = SlotMap(all=frozenset(seeds)), tuple(seeds)
        self._failovers = 0
        self._polling: asyncio.Task[None] | None = None
        self._polled_at = float("-inf")
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
                self._poll_soon()
                raise
        raise RedisConnectionError("the cluster does not settle")

    async def batch(
        self, commands: Sequence[Sequence[Any]], durably: bool = False, since: int | None = None
    ) -> list[Any]:
        """As of one server; those of one server go together, different servers' side by side.

        What was sent to the wrong server, or too early, goes again with all others of its kind.
        """
        self._require(since)
        answers: list[Any] = [None] * len(commands)
        waiting: dict[int, Place | None] = dict.fromkeys(range(len(commands)))
        for attempt in range(ATTEMPTS):
            await self._ask_each(commands, waiting, answers, durably)
            waiting = {n: self._where_next(answers[n]) for n in waiting if _is_for_later(answers[n])}
            if not waiting or attempt + 1 == ATTEMPTS:
                break
            if since is not None:
                await self._poll()
                self._require(since)
            if any(redirection(answers[n]) is None for n in waiting):
                await asyncio.sleep(RETRY_S * random.uniform(0.5, 1.5))  # noqa: S311 (no secret)
        return answers

    async def _ask_each(
        self, commands: Sequence[Sequence[Any]], where: dict[int, Place | None], answers: list[Any], durably: bool
    ) -> None:
        """Put the answers of these commands into `answers`; `where` says which are to be asked of another server."""
        by_server: dict[FollowingRedis, list[int]] = defaultdict(list)
        for n, place in where.items():
            server = await self._of_slot(slot_of(commands[n])) if place is None else self._at(place)
            by_server[server].append(n)

        async def ask(server: FollowingRedis, numbers: list[int]) -> None:
            sent = [one for n in numbers for one in ([_ASKING] if where[n] else []) + [commands[n]]]
            try:
                found = await server.batch(sent, durably)
            except (RedisError, OSError, asyncio.TimeoutError):
                self._poll_soon()
                raise
            own = (answer for command, answer in zip(sent, found, strict=True) if command is not _ASKING)
            for n, answer in zip(numbers, own, strict=True):
                answers[n] = answer

        tasks = [asyncio.create_task(ask(server, numbers)) for server, numbers in by_server.items()]
        for outcome in await asyncio.gather(*tasks, return_exceptions=True):
            if isinstance(outcome, BaseException):
                raise outcome

    def _where_next(self, error: ResponseError) -> Place | None:
        """Where ASK sends us; None for the server of the command's slot, which MOVED names for good."""
        moved = redirection(error)
        if moved is None or moved[0] == "MOVED":
            self._poll_soon()
        if moved is None:
            return None
        word, slot, place = moved
        if word == "ASK":
            return place
        self._map.masters[slot] = place
        return None

    def _require(self, since: int | None) -> None:
        if since not in (None, self._failovers):
            raise MasterChanged("another server is the master now")

    async def _followed(self, command: Sequence[Any], error: ResponseError, last: bool) -> Any:
        """The answer from where ASK sent us; the error itself when it is to be tried again, else it is raised."""
        if not _is_for_later(error) or last:
            raise error
        place = self._where_next(error)
        if place is None:
            if redirection(error) is None:
                await asyncio.sleep(RETRY_S * random.uniform(0.5, 1.5))  # noqa: S311 (no secret)
            return error
        _, answer = await self._at(place).batch([_ASKING, command])
        if isinstance(answer, ResponseError) and not _is_for_later(answer):
            raise answer
        return answer

    async def scan_iter(self, *arguments: Any, **options: Any) -> AsyncIterator[Any]:
        """Names of all servers' keys."""
        await self._poll()
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
        for task in (self._watching, self._polling):
            if task is not None:
                task.cancel()
        for server in self._servers.values():
            await server.connection_pool.disconnect()

    def _at(self, place: Place) -> FollowingRedis:
        if place not in self._servers:
            self._servers[place] = self._server(place)
        if place not in self._map.with_replicas:
            self._servers[place].durability.has_replicas = False
        return self._servers[place]

    async def _of_slot(self, slot: int | None) -> FollowingRedis:
        if self._watching is None or self._watching.done():
            self._watching = asyncio.create_task(self._watch())
        if slot is None:
            slot = random.randrange(len(self._map.masters))  # noqa: S311 (no secret)
        place = self._map.masters[slot]
        if place is None:
            await self._poll()
            place = self._map.masters[slot]
        if place is None:
            raise RedisConnectionError("no server of the cluster has the slot")
        return self._at(place)

    def _poll_soon(self) -> None:
        if self._polling is None or self._polling.done():
            self._polling = asyncio.create_task(self._ask_for_map())
            self._polling.add_done_callback(lambda task: task.cancelled() or task.exception())

    async def _poll(self) -> None:
        """Have the newest map. Raises redis.ConnectionError when no server answers."""
        self._poll_soon()
        if self._polling is not None:
            await asyncio.shield(self._polling)

    async def _ask_for_map(self) -> None:
        await asyncio.sleep(max(0.0, self._polled_at + MIN_POLL_S - time.monotonic()))
        self._polled_at = time.monotonic()
        known = sorted(self._map.all | set(self._seeds))
        random.shuffle(known)
        for n, place in enumerate(known):
            found = await self._map_from(place)
            if found is None:
                continue
            if self._map.told is None:
                self._take(found)
            elif found.told != self._map.told:
                self._take(await self._most_told(found, known[n + 1 :], len(known)))
            return
        raise RedisConnectionError("no server of the cluster answers")

    async def _map_from(self, place: Place) -> SlotMap | None:
        """The map as this server knows it; None when it does not answer, or knows none."""
        try:
            answer = await asyncio.wait_for(self._at(place).execute_command("CLUSTER SLOTS"), 1.0)
        except (RedisError, OSError, asyncio.TimeoutError):
            return None
        found = SlotMap.from_answer(answer if isinstance(answer, list) else _as_list(answer), place)
        return found if any(found.masters) else None

    async def _most_told(self, first: SlotMap, others: Sequence[Place], known: int) -> SlotMap:
        """The map that most servers tell: who was cut off, or hears late of a new master, tells an old one.

        What they do not agree on is not known yet: then it stays as it was.
        """
        found = {first.told: first}

        async def told_by(place: Place) -> frozenset[Any] | None:
            if one := await self._map_from(place):
                found[one.told] = one
            return one.told if one else None

        votes = await counted(map(told_by, others), known, [first.told])
        (told, most), *rest = votes.most_common()
        agreed = not rest or rest[0][1] < most
        return found[told] if agreed else self._map

    def _take(self, found: SlotMap) -> None:
        if found is self._map:
            return
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
            await asyncio.sleep(POLL_S)
            self._poll_soon()


def _is_for_later(answer: Any) -> bool:
    return isinstance(answer, ResponseError) and (redirection(answer) is not None or str(answer).startswith(_SOON))


def _as_list(slots: dict[Any, Any]) -> list[Any]:
    """CLUSTER SLOTS as redis-py reads it, as the server wrote it."""
    return [[first, last, told["primary"], *told["replicas"]] for (first, last), told in slots.items()]
