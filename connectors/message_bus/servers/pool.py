"""A pool of connections that makes nobody wait for a server which answers nobody.

The first that wait too long tell (`Endpoint.fell_silent`); from then on one task asks, and everybody else is refused at
once until it has an answer.
"""

import asyncio
import contextlib
from typing import Any

import redis.asyncio
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError

from connectors.message_bus.servers.following import Endpoint

PROBE_S = 0.1
SLOW = 0.5  # of the time that an answer may take: after it nobody else is made to wait for this server


class Pool(redis.asyncio.BlockingConnectionPool):
    """redis-py's, of connections that share `endpoint`."""

    def __init__(self, *, endpoint: Endpoint, **options: Any) -> None:
        super().__init__(endpoint=endpoint, **options)
        self._endpoint = endpoint
        self._probing: asyncio.Task[None] | None = None
        endpoint.on_silence = self._begin_to_probe

    async def get_connection(self, command_name: Any, *keys: Any, **options: Any) -> Any:
        if self._endpoint.silent and self._probing is not None:
            await asyncio.wait({self._probing}, timeout=PROBE_S)
        if self._endpoint.silent:
            raise RedisConnectionError("the server does not answer")
        return await super().get_connection(command_name, *keys, **options)

    def _begin_to_probe(self) -> None:
        if self._probing is None or self._probing.done():
            self._probing = asyncio.create_task(self._probe())

    async def _probe(self) -> None:
        """Ask until it answers, something that waits as writes do and needs no key."""
        while self._endpoint.silent:
            with contextlib.suppress(RedisError, OSError, asyncio.TimeoutError):
                connection = await super().get_connection("EVAL")
                try:
                    await connection.send_command("EVAL", "return 1", 0)
                    await connection.read_response()
                finally:
                    await self.release(connection)
            await asyncio.sleep(PROBE_S)

    async def disconnect(self, inuse_connections: bool = True) -> None:
        if self._probing is not None:
            self._probing.cancel()
        await super().disconnect(inuse_connections)
