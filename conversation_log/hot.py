"""Where the hot tier is: the operator's Redis, or the embedded one while it runs."""

from __future__ import annotations

from typing import Any

import redis

from settings import Settings


def redis_url(settings: Settings) -> str | None:
    """REDIS_URL, else the address that the launcher left in STATE_DIR, else None."""
    if settings.redis_url:
        return settings.redis_url
    address = settings.state_path / "redis.url"
    try:
        return address.read_text().strip() or None
    except OSError:
        return None


def client(url: str, timeout_s: float = 10.0) -> redis.Redis[Any]:
    """A connection pool that gives bytes, not text: streams may hold anything."""
    return redis.Redis.from_url(
        url, socket_timeout=timeout_s, socket_connect_timeout=3, health_check_interval=30
    )
