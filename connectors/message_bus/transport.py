"""Everything of one process between inbox and Graph, started and stopped together."""

import asyncio
import logging

from redis.exceptions import RedisError

from connectors.message_bus import keys
from connectors.message_bus.arrivals import Arrivals
from connectors.message_bus.bursts import MAX_MESSAGES
from connectors.message_bus.connections import FollowingRedis
from connectors.message_bus.consumer import Consumer
from connectors.message_bus.keyed_executor import ConcurrencyLimiter, KeyedExecutor, end
from connectors.message_bus.partitions import Owned, Partitions
from connectors.message_bus.sending.outbox import Outbox
from connectors.message_bus.streams import StreamFollower

log = logging.getLogger(__name__)

HAND_OVER_S = 0.15
MAX_ACTIVE_TURNS, MAX_TURNS, TURN_PERMIT_S = 2, 200, 0.2
MAX_ACTIVE_SENDS, MAX_SENDS, SEND_PERMIT_S = 32, 400, 2.0


class Transport:
    """Owns partitions, answers their inbox entries, sends their replies; lets `arrivals` go first."""

    def __init__(
        self, client: FollowingRedis, consumer: Consumer, outbox: Outbox, arrivals: Arrivals | None = None
    ) -> None:
        self.consumer, self.outbox = consumer, outbox
        passed = (arrivals or Arrivals()).passed
        turns = ConcurrencyLimiter(MAX_ACTIVE_TURNS, MAX_TURNS, TURN_PERMIT_S, passed)
        self.turns = KeyedExecutor(consumer.work, turns, together=MAX_MESSAGES)
        self.sends = KeyedExecutor(outbox.work, ConcurrencyLimiter(MAX_ACTIVE_SENDS, MAX_SENDS, SEND_PERMIT_S))
        self._streams = StreamFollower(
            client, {keys.inbox_stream: self.turns}, {keys.outbox_stream: self.sends}, passed
        )
        consumer.commits.on_written = self._streams.wrote
        self.partitions = Partitions(client, self._gained, self._lost)
        self._tasks: list[asyncio.Task[None]] = []

    def start(self) -> None:
        """Begin to take partitions; needs a running event loop."""
        self._tasks.append(asyncio.create_task(self.partitions.run()))

    async def stop(self, timeout_s: float = 10.0) -> None:
        """Finish what runs, within the timeout; everything else stays queued for other processes."""
        try:
            await self.partitions.stop(timeout_s)
        except (RedisError, OSError, asyncio.TimeoutError) as error:
            log.warning("transport.stop.failed error=%s", type(error).__name__)
        await self.cut()

    async def cut(self) -> None:
        """End everything at once, as a crash would; what was not committed runs again elsewhere."""
        await self._streams.cut()
        await end([*self._tasks, *self.turns.cancel(), *self.sends.cancel()])

    def _gained(self, owned: Owned) -> None:
        self._streams.follow(owned)

    async def _lost(self, owned: Owned) -> None:
        """Leave a partition when what runs for it has ended, the replies of its last turns included."""
        self._streams.leave(owned, keys.inbox_stream)
        await self.turns.drop(owned)
        await self.consumer.forget(owned)
        await asyncio.sleep(HAND_OVER_S)
        self._streams.leave(owned, keys.outbox_stream)
        await self.sends.drop(owned)
        await self.outbox.forget(owned)

