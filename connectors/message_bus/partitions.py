"""Which process serves which customers.

Customers are spread over a fixed number of partitions. A process owns its fair share of them through leases in Redis;
each ownership has a token that is never used again (fencing), and every script that changes something checks it. So
a process that was paused, or thinks that it still owns what another took over, can do no harm.
"""

from __future__ import annotations

import asyncio
import logging
import os
import secrets
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import redis.asyncio
from redis.exceptions import RedisError

from connectors.message_bus import keys

log = logging.getLogger(__name__)

LEASE_S = 4.0
TICK_S = 0.8
_TICKED = [
    keys.MEMBERS, keys.FENCE, *(name(p) for p in range(keys.PARTITIONS) for name in (keys.owner, keys.lease)),
]  # fmt: skip


@dataclass(frozen=True)
class Owned:
    """A partition and the token of this ownership."""

    partition: int
    token: str


class Partitions:
    """Keeps this process's leases alive and its share fair. Calls `gained` and `lost` (which ends when work has)."""

    def __init__(
        self,
        client: redis.asyncio.Redis,
        gained: Callable[[Owned], None],
        lost: Callable[[Owned], Awaitable[None]],
        lease_s: float = LEASE_S,
        tick_s: float = TICK_S,
    ) -> None:
        self.instance = f"{os.getpid()}-{secrets.token_hex(4)}"
        self.owned: dict[int, Owned] = {}
        self._releasing: dict[int, asyncio.Task[None]] = {}
        self._gained, self._lost = gained, lost
        self._lease_s, self._tick_s = lease_s, tick_s
        self._stopping = False
        self._ticked_at = float("-inf")
        self._tick = keys.Script(client, "tick")
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
            await asyncio.sleep(self._tick_s)

    def beats(self) -> bool:
        """Whether the heartbeat got through lately; without it this process serves nobody."""
        return time.monotonic() - self._ticked_at < 3 * self._lease_s

    async def tick(self) -> None:
        """One heartbeat: renew, take what is free, start to give back what is too much."""
        held = [part for owned in self.owned.values() for part in (owned.partition, owned.token)]
        share, lost, taken = await self._tick(
            keys=_TICKED, args=[self.instance, int(self._lease_s * 1000), int(not self._stopping), *held]
        )
        self._ticked_at = time.monotonic()
        for name in lost:
            owned = self.owned.pop(int(name), None)
            if owned is not None:  # else it was given back while the answer was on its way
                log.warning("partitions.lost partition=%s", name)
                self._in_background(owned, self._lost(owned))
        for name, token in zip(taken[::2], taken[1::2], strict=True):
            self._gain(Owned(int(name), token))
        surplus = len(self._kept()) - int(share)
        for owned in self._kept()[: max(0, surplus)]:
            self._in_background(owned, self._give_back(owned))

    async def stop(self, patience_s: float) -> None:
        """Take no more and give everything back, waiting at most `patience_s` for what runs.

        The heartbeat must go on meanwhile: what runs may commit only while the leases are ours.
        """
        self._stopping = True
        await self.tick()
        if self._releasing:
            await asyncio.wait(self._releasing.values(), timeout=patience_s)
        for owned in list(self.owned.values()):
            await self._release([keys.owner(owned.partition), keys.lease(owned.partition)], [owned.token])

    def _gain(self, owned: Owned) -> None:
        self.owned[owned.partition] = owned
        self._gained(owned)

    def _kept(self) -> list[Owned]:
        return [owned for owned in self.owned.values() if owned.partition not in self._still_releasing()]

    def _still_releasing(self) -> set[int]:
        return {p for p, task in self._releasing.items() if not task.done() and p in self.owned}

    def _in_background(self, owned: Owned, work: Awaitable[None]) -> None:
        self._releasing[owned.partition] = asyncio.ensure_future(work)

    async def _give_back(self, owned: Owned) -> None:
        await self._lost(owned)
        # Nobody works on it here any more: from now on no heartbeat renews it, whether it can be released or not.
        if self.owned.get(owned.partition) == owned:
            del self.owned[owned.partition]
        try:
            await self._release([keys.owner(owned.partition), keys.lease(owned.partition)], [owned.token])
        except (RedisError, OSError, asyncio.TimeoutError) as error:
            log.warning("partitions.release.failed error=%s; its lease runs out", type(error).__name__)
