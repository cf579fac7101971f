"""The names of everything that the transport keeps in Redis, and its Lua scripts."""

from __future__ import annotations

import zlib
from pathlib import Path
from typing import Any

LUA = Path(__file__).parent / "lua"

PARTITIONS = 32
LOG_STREAM = "log"
DEAD_STREAM = "wa:dead"
MEMBERS = "wa:members"


def partition_of(customer: str) -> int:
    """The partition that holds everything of this customer. Must never change: it is where their messages wait."""
    return zlib.crc32(customer.encode()) % PARTITIONS


def inbox_stream(partition: int) -> str:
    """Messages not yet answered, oldest first."""
    return f"wa:in:{partition}"


def outbox_stream(partition: int) -> str:
    """Replies not yet accepted by Graph, oldest first."""
    return f"wa:out:{partition}"


def settled(key: str) -> str:
    """Holds the wamid once a status proved that Graph accepted the reply `key`."""
    return f"wa:settled:{key}"


def address(customer: str) -> str:
    """Where the customer was last heard: JSON with wa_id, user_id and the time of the last message."""
    return f"wa:address:{customer}"


def script(redis: Any, name: str) -> Any:
    """The Lua script `lua/{name}.lua`, callable; a restarted Redis gets it again by itself."""
    return redis.register_script((LUA / f"{name}.lua").read_text())
