"""Connections to Redis that fail fast, and that follow the endpoint when it moves to another server.

After a failover the address leads to the new master, but connections made before may stay with the old one, which
answers and takes nothing (READONLY and its relatives). Such an answer means that nothing was carried out. So the
connection that got it is dropped, those of its pool made as early are replaced before their next use, and the command
is sent once more.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from typing import Any

import redis.asyncio
from redis.asyncio.connection import Connection, SSLConnection, UnixDomainSocketConnection, parse_url
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import ReadOnlyError, RedisError, ResponseError

log = logging.getLogger(__name__)

CONNECT_TIMEOUT_S = 1.0
ANSWER_TIMEOUT_S = 2.5
# LOADING is not among them: redis-py takes it for a broken connection, and asking again at once would not help.
_ELSEWHERE = ("READONLY", "MASTERDOWN", "CLUSTERDOWN", "NOREPLICAS", "UNBLOCKED", "NOAUTH")


def is_elsewhere(error: ResponseError) -> bool:
    """Whether the answer says that this server is not, or no longer, the one to ask."""
    if isinstance(error, ReadOnlyError):
        return True
    # Redis 6 puts a script's error into the middle of its own.
    return any(str(error).startswith(word) or f"-{word} " in str(error) for word in _ELSEWHERE)


@dataclass
class _Endpoint:
    """How often the endpoint was seen to have moved; shared by the connections of a pool."""

    moves: int = 0


class Following:
    """Mixed into redis-py's connections."""

    def __init__(self, *, endpoint: _Endpoint, **options: Any) -> None:
        super().__init__(**options)
        self._endpoint = endpoint
        self._moves = endpoint.moves

    async def on_connect(self) -> None:
        self._moves = self._endpoint.moves
        await super().on_connect()  # type: ignore[misc]

    async def can_read_destructive(self) -> bool:
        """The pool asks before it gives a connection away, and replaces it when that raises."""
        if self._moves != self._endpoint.moves:
            raise RedisConnectionError("made before the endpoint moved")
        return bool(await super().can_read_destructive())  # type: ignore[misc]

    async def read_response(self, *arguments: Any, **options: Any) -> Any:
        try:
            return await super().read_response(*arguments, **options)  # type: ignore[misc]
        except ResponseError as error:
            if is_elsewhere(error):
                if self._moves == self._endpoint.moves:
                    self._endpoint.moves += 1
                await self.disconnect(nowait=True)  # type: ignore[attr-defined]
            raise


class _Tcp(Following, Connection):
    pass


class _Tls(Following, SSLConnection):
    pass


class _Unix(Following, UnixDomainSocketConnection):
    pass


_CLASSES: dict[Any, Any] = {Connection: _Tcp, SSLConnection: _Tls, UnixDomainSocketConnection: _Unix}


class FollowingRedis(redis.asyncio.Redis):
    """A client that asks once more, over a new connection, when it asked the wrong server."""

    async def execute_command(self, *arguments: Any, **options: Any) -> Any:
        try:
            return await super().execute_command(*arguments, **options)
        except ResponseError as error:
            if not is_elsewhere(error):
                raise
        return await super().execute_command(*arguments, **options)


def connect(url: str, answer_timeout_s: float = ANSWER_TIMEOUT_S, connections: int = 64) -> redis.asyncio.Redis:
    """A pool of connections that fails fast and reconnects by itself. Raises ValueError."""
    parsed: dict[str, Any] = dict(parse_url(url))
    pool: Any = redis.asyncio.BlockingConnectionPool(
        **{
            **parsed,
            "connection_class": _CLASSES[parsed.get("connection_class", Connection)],
            "endpoint": _Endpoint(),
            "max_connections": connections,
            "timeout": answer_timeout_s,
            "socket_connect_timeout": CONNECT_TIMEOUT_S,
            "socket_timeout": answer_timeout_s,
            "decode_responses": True,
        }
    )
    return FollowingRedis(connection_pool=pool)


async def until_redis_answers(ask: Any, what: str) -> Any:
    """Ask again until Redis answers; only for scripts that may be run twice."""
    delay = 0.1
    while True:
        try:
            return await ask()
        except (RedisError, OSError, asyncio.TimeoutError) as error:
            log.warning("redis.%s.failed error=%s", what, type(error).__name__)
            await asyncio.sleep(delay)
            delay = min(2.0, delay * 2)
