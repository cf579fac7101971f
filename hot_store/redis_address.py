"""REDIS_URL: one server, a master behind sentinels, or a cluster; and blocking clients of each.

    redis://[user:password@]host:port[/db], rediss://…, unix://[user:password@]/path[?db=…]
    redis+sentinel://[user:password@]h1:p1,h2:p2,h3:p3/service[/db][?sentinel_password=…&sentinel_username=…]
    redis+cluster://[user:password@]h1:p1,h2:p2,…

User and password are those of the Redis servers. `rediss+sentinel` and `rediss+cluster` speak TLS with them all.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import redis
from redis.backoff import ConstantBackoff
from redis.cluster import ClusterNode, RedisCluster
from redis.exceptions import RedisClusterException
from redis.retry import Retry
from redis.sentinel import Sentinel

ONE, SENTINEL, CLUSTER = "one", "sentinel", "cluster"
_SCHEMES = {"redis": ONE, "rediss": ONE, "unix": ONE, "redis+sentinel": SENTINEL, "rediss+sentinel": SENTINEL,
            "redis+cluster": CLUSTER, "rediss+cluster": CLUSTER}
_PORTS = {SENTINEL: 26379, CLUSTER: 6379}
_NODE = re.compile(r"(\[[0-9a-fA-F:.]+\]|[\w.-]+)(?::(\d{1,5}))?")


@dataclass(frozen=True)
class RedisAddress:
    """Where Redis is. `nodes` are the sentinels, or some servers of the cluster; `options` are the servers' own."""

    kind: str
    url: str
    nodes: tuple[tuple[str, int], ...] = ()
    service: str = ""
    options: Mapping[str, Any] = field(default_factory=dict)
    sentinel_options: Mapping[str, Any] = field(default_factory=dict)
    is_tls: bool = False


def parse(url: str) -> RedisAddress:
    """Read REDIS_URL. Raises ValueError; its message names what is wrong, never a value."""
    scheme, _, rest = url.partition("://")
    kind = _SCHEMES.get(scheme.lower())
    if kind is None or not rest:
        raise ValueError("its scheme is none of redis, rediss, unix, redis+sentinel, redis+cluster")
    if kind == ONE:
        try:
            redis.connection.parse_url(url)
        except ValueError:
            raise ValueError("its host, port or an option cannot be read") from None
        return RedisAddress(ONE, url)
    parts = urlsplit(f"//{rest}")
    credentials, _, hosts = parts.netloc.rpartition("@")
    options: dict[str, Any] = {}
    if credentials:
        user, _, password = credentials.partition(":")
        options |= {name: unquote(value) for name, value in (("username", user), ("password", password)) if value}
    path = [unquote(part) for part in parts.path.split("/") if part]
    sentinel_options = _of_sentinels(parts.query)
    if kind == CLUSTER and (path or sentinel_options):
        raise ValueError("a cluster has one database, 0: nothing may follow its hosts")
    if kind == SENTINEL:
        if not 1 <= len(path) <= 2 or (path[1:] and not path[1].isdecimal()):
            raise ValueError("behind the sentinels' hosts must stand /service or /service/db")
        options["db"] = int(path[1]) if path[1:] else 0
    nodes = tuple(_node(host, _PORTS[kind]) for host in hosts.split(","))
    service = path[0] if kind == SENTINEL else ""
    return RedisAddress(kind, url, nodes, service, options, sentinel_options, scheme.lower().startswith("rediss"))


def servers(client: redis.Redis[Any]) -> list[redis.Redis[Any]]:
    """Clients of all servers that hold keys: the one, or the masters of a cluster."""
    if not isinstance(client, RedisCluster):
        return [client]
    return [client.get_redis_connection(node) for node in client.get_primaries()]


def _node(host: str, port: int) -> tuple[str, int]:
    found = _NODE.fullmatch(host.strip())
    if found is None or not 0 < int(found[2] or port) < 65536:
        raise ValueError("its hosts must be host:port, with commas between them")
    return found[1].strip("[]"), int(found[2] or port)


def _of_sentinels(query: str) -> dict[str, Any]:
    known = {"sentinel_password": "password", "sentinel_username": "username"}
    asked = dict(parse_qsl(query))
    if set(asked) - set(known):
        raise ValueError("of options it may have sentinel_username and sentinel_password alone")
    return {known[name]: value for name, value in asked.items()}


def client(url: str, **options: Any) -> redis.Redis[Any]:
    """A blocking client of whatever `url` names; `options` as redis.Redis has them.

    Raises ValueError, and redis.ConnectionError when no server of a cluster answers.
    """
    address = parse(url)
    if address.kind == ONE:
        return redis.Redis.from_url(url, **options)
    tls: dict[str, Any] = {"ssl": True} if address.is_tls else {}
    merged = {**options, **address.options, **tls}
    if address.kind == CLUSTER:
        nodes = [ClusterNode(host, port) for host, port in address.nodes]
        again = Retry(ConstantBackoff(0.3), 3)  # type: ignore[arg-type]  # seconds
        try:
            cluster: Any = RedisCluster(startup_nodes=nodes, cluster_error_retry_attempts=5, retry=again, **merged)
        except RedisClusterException:  # which is no RedisError
            raise redis.ConnectionError("no server of the cluster answers") from None
        return cluster  # speaks as redis.Redis does
    asking = {"socket_timeout": 0.5, "socket_connect_timeout": 0.5, **address.sentinel_options, **tls}
    master: redis.Redis[Any] = Sentinel(address.nodes, sentinel_kwargs=asking, **merged).master_for(address.service)
    return master


