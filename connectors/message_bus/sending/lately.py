"""What was accepted a moment ago, kept for the case that a fail-over loses it.

The replica that confirmed a turn and its reply need not be the one that becomes master: sentinels may choose another
while the old one lives. Then the turn runs again, and says what the customer has read. So whoever sent it tells the new
master before it lets any partition go, and for a while everybody asks before sending.
"""

import asyncio
import time
from collections import deque

from connectors.message_bus import keys
from connectors.message_bus.connections import FollowingRedis, until_redis_answers
from connectors.message_bus.inbox import REMEMBER_SETTLED_S

KEEP_S, TELL_S = 20.0, 10.0
ASK_S = 120.0  # after a fail-over, and after the start of a process, which saw none


class Lately:
    """The keys and wamids of replies that this process sent in the last seconds."""

    def __init__(self, client: FollowingRedis) -> None:
        self._client = client
        self._sent: deque[tuple[float, str, str]] = deque()
        self._failovers, self._failed_over_at = client.failovers, time.monotonic()
        self._telling = asyncio.Lock()

    def note(self, key: str, wamid: str) -> None:
        """A reply was accepted."""
        now = time.monotonic()
        self._sent.append((now, key, wamid))
        while self._sent[0][0] < now - KEEP_S:
            self._sent.popleft()

    async def proof(self, key: str, in_doubt: bool) -> str | None:
        """The wamid that the reply is proved to have; asked when it is in doubt, or its turn may have run before."""
        failed_over = self._failovers != self._client.failovers or time.monotonic() - self._failed_over_at < ASK_S
        return await self._client.get(keys.settled(key)) if in_doubt or failed_over else None

    async def prove(self, key: str, wamid: str) -> None:
        """Another owns the partition by now, as Redis was too slow to hear of it: what was sent is not its to send."""
        settled = ("SET", keys.settled(key), wamid, "EX", REMEMBER_SETTLED_S)
        await until_redis_answers(lambda: self._client.ask([settled]), "settled")

    async def tell(self) -> None:
        """After a fail-over: have the new master know what was sent. Whoever comes meanwhile waits for it.

        Raises asyncio.TimeoutError, once, where one of a cluster's masters stays away.
        """
        async with self._telling:
            while self._failovers != (now := self._client.failovers):
                self._failovers, self._failed_over_at = now, time.monotonic()
                settled = [
                    ("SET", keys.settled(key), wamid, "EX", REMEMBER_SETTLED_S) for _, key, wamid in self._sent
                ]
                telling = until_redis_answers(lambda: self._client.ask(settled), "settled")  # noqa: B023
                await asyncio.wait_for(telling, TELL_S)
