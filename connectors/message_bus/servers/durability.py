"""When a write counts as stored: on the master alone, or when a replica holds it as well.

A master that dies takes along what no replica has heard of yet. Where replicas exist, whoever promised "stored" asks
the master, over the same connection, to wait for one of them.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any, Protocol

from redis.exceptions import ResponseError
from redis.exceptions import TimeoutError as RedisTimeoutError

import settings
from hot_store import redis_address
from hot_store.redis_address import RedisAddress

WAIT_MS = 700
POLL_S = 2.0
NOTHING, REPLICA, REPLICA_DISK, AUTO = "nothing", "replica", "replica_disk", "auto"


class NotReplicated(RedisTimeoutError):
    """No replica confirmed the write in time: it may be lost with the master, so it does not count as stored."""


class _Client(Protocol):
    async def execute_command(self, *arguments: Any) -> Any: ...


@dataclass
class Durability:
    """What REDIS_WAIT_FOR asks for; `auto`: a replica, wherever there has been one since this process started."""

    wished: str
    has_replicas: bool
    polled_at: float = float("-inf")

    @classmethod
    def of(cls, address: RedisAddress) -> Durability:
        wished = settings.load().redis_wait_for or AUTO
        return cls(wished, address.kind == redis_address.SENTINEL)

    async def command(self, client: _Client) -> tuple[Any, ...] | None:
        """The command to send behind a write, None when the master's word is enough. Raises redis.RedisError."""
        if self.wished == NOTHING:
            return None
        if self.wished == AUTO and not self.has_replicas:
            # Once seen they count for good: a replica that is cut off is the very case that waiting is for.
            if time.monotonic() - self.polled_at < POLL_S:
                return None
            self.polled_at = time.monotonic()
            self.has_replicas = await _has_replicas(client)
            if not self.has_replicas:
                return None
        return ("WAITAOF", 0, 1, WAIT_MS) if self.wished == REPLICA_DISK else ("WAIT", 1, WAIT_MS)


async def _has_replicas(client: _Client) -> bool:
    """Whether one follows: who still fetches a first copy, for seconds after a fail-over, can confirm nothing."""
    try:
        found = await client.execute_command("INFO", "replication")
    except ResponseError:  # not allowed to this user
        return False
    return any(isinstance(one, dict) and one.get("state") == "online" for one in found.values())


def confirm(answer: Any) -> None:
    """Raise NotReplicated unless a replica confirmed; `answer` is that of the command. Raises ResponseError."""
    if isinstance(answer, ResponseError):
        raise answer
    confirmed = answer[-1] if isinstance(answer, list) else answer
    if int(confirmed) < 1:
        raise NotReplicated("no replica confirmed the write in time")
