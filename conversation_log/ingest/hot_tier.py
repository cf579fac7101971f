"""The hot tier: a client of the operator's Redis, or of the embedded one while it runs."""

from __future__ import annotations

from typing import Any

import redis
from redis.exceptions import AuthenticationError, BusyLoadingError

from hot_store import redis_address
from settings import SettingsError


def client(url: str, timeout_s: float = 10.0) -> redis.Redis[Any]:
    """A connection pool that gives bytes, not text: streams may hold anything. Raises SettingsError."""
    try:
        return redis_address.client(
            url, socket_timeout=timeout_s, socket_connect_timeout=3, health_check_interval=30
        )
    except ValueError as error:
        raise SettingsError(f"REDIS_URL cannot be used: {error}.") from None


def trouble(error: Exception) -> str:
    """Why Redis cannot be used now, and what to do."""
    if isinstance(error, AuthenticationError):
        return "Redis refuses the password in REDIS_URL."
    if isinstance(error, BusyLoadingError):
        return "Redis is still loading its files; try again in a minute."
    return f"Redis does not answer ({type(error).__name__}); start the assistant, or correct REDIS_URL."
