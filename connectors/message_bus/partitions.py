"""Which process serves which customers.

Customers are spread over a fixed number of partitions. A process says by a heartbeat that it is alive, and owns its
fair share of them: each partition holds the token of its owner, which is never used again (fencing), and every script
that changes something checks it. Who is not alive any more loses what they own to whoever is quicker; a process that
was paused, or thinks that it still owns what another took over, can do no harm.
"""

import asyncio
import logging
import os
import random
import secrets
import time
from collections.abc import Callable, Coroutine, Iterable, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Any

from redis.exceptions import RedisError

from connectors.message_bus import keys
from connectors.message_bus.connections import FollowingRedis

log = logging.getLogger(__name__)

LEASE_S = 3.5
TICK_S = 0.5
# A failover may lose who took a partition last; until this is noticed, its entries wait.
POLL_EVERY_TICKS, POLL_ALL_EVERY_TICKS = 8, 40
POLL_S = 0.1


@dataclass(frozen=True)
class Owned:
    """A partition and the token of this ownership, taken after so many failovers.

    What is done in a customer's order is done on the master that it was read from: the next one may not have heard of
    the last turns, so who goes on there begins at the head of the stream.
    """

    partition: int
    token: str
    failovers: int = 0


class Partitions:
    """Keeps this process's leases alive and its share fair. Calls `gained` and `lost` (which ends when work has)."""

    def __init__(
        self,
        client: FollowingRedis,
        gained: Callable[[Owned], None],
        lost: Callable[[Owned], Coroutine[Any, Any, None]],
        lease_s: float = LEASE_S,
        tick_s: float = TICK_S,
    ) -> None:
        self.instance = f"{os.getpid()}-{secrets.token_hex(4)}"
        self._client = client
        self._failovers = client.failovers
        self._ticks, self._tokens = count(), count(1)
        self.owned: dict[int, Owned] = {}
        self._releasing: dict[int, asyncio.Task[None]] = {}
        self._again: list[asyncio.Task[None]] = []  # what is given back after a failover, to be taken anew
        self._unreleased: list[Owned] = []  # given up here, but Redis did not hear of it yet
        self._gained, self._lost = gained, lost
        self._lease_s, self._tick_s = lease_s, tick_s
        self._stopping = False
        self._ticked_at = float("-inf")
        self._tick = keys.Script(client, "tick")
        self._claim = keys.Script(client, "claim")
        self._release = keys.Script(client, "release")

    async def run(self) -> None:
        """Heartbeat until cancelled."""
        while True:
            try:
                await self.tick()
            except (RedisError, OSError, asyncio.TimeoutError) as error:
                log.warning("partitions.tick.failed error=%s", type(error).__name__)
            except Exception:
                # Without its heartbeat this process would serve nobody and not know it.
                log.exception("partitions.tick.broken")
            await self._pause()

    async def _pause(self) -> None:
        """Until the next heartbeat; after a failover it comes at once, and again when all can be taken anew."""
        until = time.monotonic() + self._tick_s
        while (left := until - time.monotonic()) > 0 and self._failovers == self._client.failovers:
            if self._again and all(task.done() for task in self._again):
                self._again = []
                return
            await asyncio.sleep(min(left, POLL_S))

    def beats(self) -> bool:
        """Whether the heartbeat got through lately; without it this process serves nobody."""
        return time.monotonic() - self._ticked_at < 3 * self._lease_s

    async def tick(self) -> None:
        """One heartbeat: say that we are alive, take what is free, start to give back what is too much."""
        arguments: list[str | int] = [self.instance, int(self._lease_s * 1000), int(not self._stopping)]
        was_alive, serving, leaving = await self._tick([keys.MEMBERS, keys.LEAVING], arguments)
        self._ticked_at = time.monotonic()
        await self._free()
        if self._failovers != self._client.failovers:
            self._begin_again()
        ticks = next(self._ticks)
        if not was_alive or ticks % POLL_EVERY_TICKS == 0:
            await self._poll(range(keys.PARTITIONS) if ticks % POLL_ALL_EVERY_TICKS == 0 else list(self.owned))
        share = _share(self.instance, sorted(serving))
        kept = self._kept()
        if len(kept) < share:
            await self._take(share - len(kept), frozenset((*serving, *leaving)))
        for owned in kept[: max(0, len(kept) - share)]:
            self._in_background(owned, self._give_back(owned))

    def _begin_again(self) -> None:
        """Give everything back, to take it anew: another server is the master now.

        It may not have heard what the last one did in its last moment. An entry that was done there is then still in
        its stream, and only who takes the partition reads that from its beginning.
        """
        self._failovers = self._client.failovers
        self._again = [self._in_background(owned, self._give_back(owned)) for owned in self._kept()]

    async def _poll(self, partitions: Sequence[int]) -> None:
        """Find out which of these are another's by now, and which are said to be ours and are not.

        Nobody else takes what is said to belong to a living process, so that is given back.
        """
        held = {partition: self.owned.get(partition) for partition in partitions}
        for partition, token in zip(partitions, await self._owners(partitions), strict=True):
            owned = held[partition]
            if owned is None:
                if _instance_of(token) == self.instance and partition not in self.owned:
                    self._unreleased.append(Owned(partition, str(token)))
            elif token != owned.token and self.owned.get(partition) == owned:
                log.warning("partitions.lost partition=%d", partition)
                del self.owned[partition]
                self._in_background(owned, self._lost(owned))

    async def _take(self, wanted: int, alive: frozenset[str]) -> None:
        """Take up to so many partitions whose owner is not alive; others look for some at the same time.

        What is ours by a claim whose answer never came is free, too.
        """
        others = [p for p in range(keys.PARTITIONS) if p not in self.owned]
        random.shuffle(others)
        tokens = await self._owners(others)
        served_by = alive - {self.instance}
        free = [(p, token) for p, token in zip(others, tokens, strict=True) if _instance_of(token) not in served_by]
        chosen = [(p, old or "", f"{self.instance}:{next(self._tokens)}") for p, old in free[:wanted]]
        claims = [([keys.owner(p)], [old, token]) for p, old, token in chosen]
        try:
            taken = await self._claim.many(claims, since=self._failovers)
        except BaseException:  # some may have been carried out
            self._unreleased += [Owned(p, token) for p, _, token in chosen]
            raise
        for (partition, _, token), won in zip(chosen, taken, strict=True):
            if won:
                self._gain(Owned(partition, token, self._failovers))

    async def _owners(self, partitions: Iterable[int]) -> list[str | None]:
        """The tokens of these partitions' owners. Raises redis.RedisError."""
        return await self._client.ask([("GET", keys.owner(partition)) for partition in partitions])

    async def stop(self, timeout_s: float) -> None:
        """Take no more and give everything back, waiting at most `timeout_s` for what runs.

        The heartbeat must go on meanwhile: what runs may commit only while the leases are ours.
        """
        self._stopping = True
        await self.tick()
        if self._releasing:
            await asyncio.wait(self._releasing.values(), timeout=timeout_s)
        self._unreleased += self.owned.values()
        await self._free()

    def _gain(self, owned: Owned) -> None:
        self.owned[owned.partition] = owned
        self._gained(owned)

    def _kept(self) -> list[Owned]:
        releasing = {p for p, task in self._releasing.items() if not task.done()}
        return [owned for owned in self.owned.values() if owned.partition not in releasing]

    def _in_background(self, owned: Owned, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = self._releasing[owned.partition] = asyncio.create_task(work)
        return task

    async def _give_back(self, owned: Owned) -> None:
        await self._lost(owned)
        if self.owned.get(owned.partition) == owned:
            del self.owned[owned.partition]
        self._unreleased.append(owned)
        await asyncio.sleep(0)  # those that end together are given up together, in one round trip
        await self._free()

    async def _free(self) -> None:
        """Let others take what nobody works on here any more. Tried again with the next heartbeat when it fails."""
        given_up, self._unreleased = self._unreleased, []
        try:
            if given_up:
                await self._release.many([([keys.owner(owned.partition)], [owned.token]) for owned in given_up])
        except (RedisError, OSError, asyncio.TimeoutError) as error:
            log.warning("partitions.release.failed error=%s", type(error).__name__)
            self._unreleased += given_up


def _share(instance: str, alive: list[str]) -> int:
    """How many partitions this process should own; none when it is not among those that serve."""
    if instance not in alive:
        return 0
    each, left = divmod(keys.PARTITIONS, len(alive))
    return each + (alive.index(instance) < left)


def _instance_of(token: str | None) -> str | None:
    return token.rpartition(":")[0] if token else None


async def unserved(client: Any) -> int:
    """How many partitions no living process owns: their customers' messages wait. Raises redis.RedisError."""
    seconds, _ = await client.time()
    since = (seconds - LEASE_S) * 1000
    alive = {one for key in (keys.MEMBERS, keys.LEAVING) for one in await client.zrangebyscore(key, since, "+inf")}
    tokens = await client.ask([("GET", keys.owner(partition)) for partition in range(keys.PARTITIONS)])
    return sum(_instance_of(token) not in alive for token in tokens)
