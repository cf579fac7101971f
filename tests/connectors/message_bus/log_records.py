"""What the log is told, and what was set aside."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import redis

from connectors.message_bus import keys


def records(url: str) -> list[dict[str, Any]]:
    """The records of all partitions, oldest first."""
    return [json.loads(fields["j"]) for fields in _all(url, keys.log_stream)]


def dead(url: str) -> list[dict[str, str]]:
    """The fields of all partitions' dead letters, oldest first."""
    return _all(url, keys.dead_stream)


def _all(url: str, stream: Callable[[int], str]) -> list[dict[str, str]]:
    client = redis.Redis.from_url(url, decode_responses=True)
    found = [one for partition in range(keys.PARTITIONS) for one in client.xrange(stream(partition))]
    found.sort(key=lambda one: [int(part) for part in one[0].split("-")])
    return [fields for _, fields in found]
