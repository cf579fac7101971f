"""What the log is told."""

from __future__ import annotations

import json
from typing import Any

import redis


def records(url: str) -> list[dict[str, Any]]:
    client = redis.Redis.from_url(url, decode_responses=True)
    return [json.loads(fields["j"]) for _, fields in client.xrange("log")]
