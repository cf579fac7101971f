"""Whether Redis keeps what it takes: version, role, append-only file, memory policy, replicas, clock."""

import time
from collections.abc import Iterator, Mapping
from typing import Any

import redis
from redis.exceptions import RedisError, ResponseError

from hot_store import redis_address
from launch import processes
from launch.console import LaunchError
from settings import Settings
from workbench.doctor.meta import clock_findings
from workbench.shop_check.findings import ERROR, INFORMATION, WARNING, ShopFinding

OLDEST, WAITAOF = (6, 2), (7, 2)
SOON_S = 5.0
FULL = 0.85
"""Share of maxmemory from which on it is time to act."""


def findings(configured: Settings) -> Iterator[ShopFinding]:
    """Each master by itself. The embedded one is looked at while it runs."""
    url = configured.redis_url
    if not url:
        return
    try:
        processes.check_redis(url)
    except LaunchError as error:
        problem, _, remedy = str(error).partition(" Remedy: ")
        if configured.values["REDIS_URL"]:
            yield ShopFinding(ERROR, "redis", "REDIS_URL", problem, remedy)
        return  # the embedded one does not run now
    client: Any = redis_address.client(url, socket_connect_timeout=3, socket_timeout=3)
    try:
        address = redis_address.parse(url)
        kind = address.kind
        of_cluster = list(client.get_primaries()) if kind == redis_address.CLUSTER else [None]
        for node in of_cluster:
            options = {} if node is None else {"target_nodes": node}
            name = f"{node.host}:{node.port}" if node is not None else "server"
            yield from server_findings(name, client.info(**options), configured, kind, _fsync(client, options))
        if kind != redis_address.CLUSTER:
            seconds, micros = client.time()
            yield from clock_findings("Redis", time.time() - seconds - micros / 1e6)
        if kind == redis_address.SENTINEL:
            yield from sentinel_findings(address)
    except (RedisError, redis.ConnectionError) as error:
        yield ShopFinding(WARNING, "redis", "REDIS_URL", f"it tells nothing of itself ({type(error).__name__})",
                          "let its user run INFO and TIME")  # fmt: skip
    finally:
        client.close()


def _fsync(client: Any, options: Mapping[str, Any]) -> str | None:
    try:
        return dict(client.config_get("appendfsync", **options)).get("appendfsync")
    except (ResponseError, TypeError, ValueError):  # hosting services forbid it
        return None


def _periods(address: redis_address.RedisAddress) -> Iterator[Mapping[str, Any]]:
    """What the sentinels tell of their clocks; one older than Redis 7, or that may not be asked, tells nothing."""
    options: dict[str, Any] = {**address.sentinel_options, "ssl": address.is_tls}
    for host, port in address.nodes:
        with redis.Redis(host=host, port=port, socket_timeout=1, decode_responses=True, **options) as sentinel:
            try:
                told = sentinel.execute_command("SENTINEL", "DEBUG")
            except (RedisError, OSError):
                continue
            yield dict(zip(told[::2], told[1::2], strict=False)) if isinstance(told, list) else told


def sentinel_findings(address: redis_address.RedisAddress) -> Iterator[ShopFinding]:
    """Whether a new master may be without its replicas for long."""
    slow_s = [(int(one["INFO-PERIOD"]) + 4 * int(one["PUBLISH-PERIOD"])) / 1000 for one in _periods(address)]
    if max(slow_s, default=0.0) > SOON_S:
        problem = f"after two fail-overs in a row the new master gets no replica for {max(slow_s):.0f} s: 503 till then"
        remedy = "on each of them, after each start: SENTINEL DEBUG info-period 1000 publish-period 500"
        yield ShopFinding(WARNING, "redis", "sentinels", problem, remedy)


def server_findings(
    name: str, told: Mapping[str, Any], configured: Settings, kind: str, fsync: str | None = None
) -> Iterator[ShopFinding]:
    """What INFO tells of one master."""
    said = str(told.get("valkey_version") or told.get("redis_version") or "0")
    version = tuple(int(part) for part in said.split(".")[:2] if part.isdecimal())
    wait_for = configured.redis_wait_for or "auto"
    problems = list(_problems(told, version, wait_for, kind, fsync))
    for level, problem, remedy in problems:
        yield ShopFinding(level, "redis", name, problem, remedy)
    if not problems:
        yield ShopFinding(INFORMATION, "redis", name, f"version {said}, append-only, {told.get('connected_slaves')} "
                          "replicas")  # fmt: skip


def _problems(
    told: Mapping[str, Any], version: tuple[int, ...], wait_for: str, kind: str, fsync: str | None
) -> Iterator[tuple[str, str, str]]:
    replicas = int(told.get("connected_slaves") or 0)
    if version < OLDEST:
        yield ERROR, "it is older than Redis 6.2", "Redis 6.2 or newer, or Valkey"
    elif wait_for == "replica_disk" and version < WAITAOF:
        yield ERROR, "REDIS_WAIT_FOR=replica_disk needs WAITAOF", "Redis 7.2 or Valkey, or REDIS_WAIT_FOR=replica"
    if told.get("role") not in (None, "master"):
        yield ERROR, "it is a replica and takes no writes", "REDIS_URL of the master, or of its sentinels"
    if not told.get("aof_enabled"):
        yield ERROR, "it has no append-only file: a restart loses messages that Meta got a 200 for", "appendonly yes"
    elif told.get("aof_last_write_status") not in (None, "ok"):
        yield ERROR, "its append-only file cannot be written", "free disk space on its machine"
    elif fsync not in (None, "always"):
        yield WARNING, f"appendfsync is {fsync}: a crash of its machine loses the last second", "appendfsync always"
    if told.get("maxmemory") and told.get("maxmemory_policy") != "noeviction":
        yield (ERROR, f"maxmemory-policy is {told.get('maxmemory_policy')}: when full, waiting messages go",
               "maxmemory-policy noeviction")  # fmt: skip
    if told.get("maxmemory") and told.get("used_memory", 0) > FULL * told["maxmemory"]:
        yield WARNING, f"{told['used_memory'] / told['maxmemory']:.0%} of its memory is used", "raise maxmemory"
    if replicas == 0 and wait_for.startswith("replica"):
        yield (ERROR, f"it has no replica, and REDIS_WAIT_FOR={wait_for} waits for one: no message is taken",
               "bring a replica back, or REDIS_WAIT_FOR=auto")  # fmt: skip
    elif replicas == 0 and kind != redis_address.ONE:
        yield WARNING, "it has no replica that could take over", "start one, or bring it back"
