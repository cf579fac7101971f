"""Clients of the Redis that REDIS_URL names: they fail fast, and follow a master that moves.

`servers/following.py` has the connections, `servers/cluster.py` the cluster.
"""

import asyncio
import logging
from typing import Any

from redis.asyncio.connection import Connection, SSLConnection, parse_url
from redis.exceptions import RedisError

from connectors.message_bus.servers.cluster import ClusterRedis
from connectors.message_bus.servers.commands import Answers
from connectors.message_bus.servers.durability import Durability
from connectors.message_bus.servers.following import CLASSES, Endpoint, FollowingRedis, Locate
from connectors.message_bus.servers.pool import SLOW, Pool
from connectors.message_bus.servers.sentinels import Sentinels
from hot_store import redis_address

__all__ = ["FollowingRedis", "connect", "until_redis_answers"]

log = logging.getLogger(__name__)

CONNECT_TIMEOUT_S = 1.0
ANSWER_TIMEOUT_S = 2.5
FIRST_S, MOST_S = 0.1, 0.5  # between two attempts: what waits here holds up its customer after a fail-over


def connect(url: str, answer_timeout_s: float = ANSWER_TIMEOUT_S, connections: int = 64) -> FollowingRedis:
    """A pool of connections that fails fast and reconnects by itself. Raises ValueError."""
    address = redis_address.parse(url)

    def client(options: dict[str, Any], locate: Locate | None = None) -> FollowingRedis:
        pool: Any = Pool(
            **{
                **options,
                "connection_class": CLASSES[options.get("connection_class", Connection)],
                "parser_class": Answers,
                "endpoint": Endpoint(locate, SLOW * answer_timeout_s),
                "max_connections": connections,
                "timeout": answer_timeout_s,
                "socket_connect_timeout": CONNECT_TIMEOUT_S,
                "socket_timeout": answer_timeout_s,
                "decode_responses": True,
            }
        )
        made = FollowingRedis(connection_pool=pool)
        made.durability = Durability.of(address)
        return made

    if address.kind == redis_address.ONE:
        return client(dict(parse_url(url)))
    options = {**address.options, "connection_class": SSLConnection if address.is_tls else Connection}
    if address.kind == redis_address.SENTINEL:
        return client(options, Sentinels(address).master)
    return ClusterRedis(address.nodes, lambda place: client({**options, "host": place[0], "port": place[1]}))


async def until_redis_answers(ask: Any, what: str) -> Any:
    """Ask again until Redis answers; only for scripts that may be run twice."""
    delay = FIRST_S
    while True:
        try:
            return await ask()
        except (RedisError, OSError, asyncio.TimeoutError) as error:
            if delay == FIRST_S:  # everything that waits fails together, again and again
                log.warning("redis.%s.failed error=%s", what, type(error).__name__)
            await asyncio.sleep(delay)
            delay = min(MOST_S, delay * 2)
