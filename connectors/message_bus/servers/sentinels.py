"""Asks the sentinels which server is the master now.

Most of them decide: one that was cut off from the others may still name the old master. While most do not answer, the
master stays who it was, unless those that answer name another for a while. A storm of connections, as after a
failover, asks once.
"""

import asyncio
import time
from typing import Any

import redis.asyncio
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError

from connectors.message_bus.servers.votes import counted
from hot_store.redis_address import RedisAddress

ANSWER_S = 0.5
FRESH_S = 0.1
CONFIRM_S = 2.0
Place = tuple[str, int]


class Sentinels:
    """The sentinels of one service."""

    def __init__(self, address: RedisAddress) -> None:
        self._service = address.service
        options: dict[str, Any] = {"ssl": address.is_tls, **address.sentinel_options, "decode_responses": True}
        self._clients = [
            redis.asyncio.Redis(
                host=host, port=port, socket_timeout=ANSWER_S, socket_connect_timeout=ANSWER_S, **options
            )
            for host, port in address.nodes
        ]
        self._asking: asyncio.Task[Place] | None = None
        self._found_at = float("-inf")
        self._known: Place | None = None
        self._doubt: tuple[Place, float] | None = None  # another, named by few of the sentinels, and since when

    async def master(self) -> Place:
        """Host and port of the master. Raises redis.ConnectionError when no sentinel names one."""
        asking = self._asking
        if asking is None or (asking.done() and time.monotonic() - self._found_at > FRESH_S):
            asking = self._asking = asyncio.create_task(self._ask())
        return await asyncio.shield(asking)

    async def _ask(self) -> Place:
        try:
            votes = await counted(map(self._named_by, self._clients), len(self._clients))
        finally:
            self._found_at = time.monotonic()
        if not votes:
            raise RedisConnectionError("no sentinel names a master")
        named, count = max(votes.items(), key=lambda vote: (vote[1], vote[0] == self._known))
        return self._settled(named, by_most=count > len(self._clients) / 2)

    def _settled(self, named: Place, by_most: bool) -> Place:
        """The master, as far as it is certain. To take another for it costs a new beginning of everything."""
        now = time.monotonic()
        if self._known is None or named == self._known or by_most:
            self._known, self._doubt = named, None
        elif self._doubt is None or self._doubt[0] != named:
            self._doubt = named, now
        elif now - self._doubt[1] >= CONFIRM_S:
            self._known, self._doubt = named, None
        return self._known

    async def _named_by(self, client: redis.asyncio.Redis) -> Place | None:
        try:
            found = await client.execute_command("SENTINEL", "GET-MASTER-ADDR-BY-NAME", self._service)
        except (RedisError, OSError, asyncio.TimeoutError):
            return None
        return (str(found[0]), int(found[1])) if found else None
