"""Every dialogue event on its way to the conversation log, through the Redis stream that the worker reads.

Inside a turn the events wait for its commit, so the log holds what happened and nothing that was rolled back. Outside
of one (a reminder) they are appended at once.
"""

from __future__ import annotations

import json
from asyncio import AbstractEventLoop
from typing import Any

import redis
from rasa.core.brokers.broker import EventBroker
from rasa.utils.endpoints import EndpointConfig

import settings
from connectors.message_bus import keys
from connectors.message_bus.turn import current_turn
from hot_store import record_versions, redis_address


class StreamEventBroker(EventBroker):
    """Appends to the log stream of the customer's partition."""

    def __init__(self, url: str) -> None:
        self._client = redis_address.client(url, socket_timeout=2.5, socket_connect_timeout=1)

    @classmethod
    async def from_endpoint_config(
        cls, broker_config: EndpointConfig, event_loop: AbstractEventLoop | None = None
    ) -> StreamEventBroker:
        """`url` in endpoints.yml, else REDIS_URL."""
        return cls(broker_config.url or settings.load().redis_url or "redis://127.0.0.1:6379/0")

    def publish(self, event: dict[str, Any]) -> None:
        """Take one event. Raises redis.RedisError outside of a turn when Redis is away."""
        turn = current_turn.get()
        body = {name: value for name, value in event.items() if name != "sender_id"}
        if turn is not None:
            turn.events.append(body)
            return
        record: dict[str, Any] = {
            "record": "turn", "customer": event.get("sender_id"), "metadata": {}, "events": [body],
            "model": None, "epoch": 0,
        }  # fmt: skip
        try:
            stream = keys.log_stream(keys.partition_of(str(event.get("sender_id"))))
            self._client.xadd(stream, {"j": json.dumps(record_versions.stamped(record))})
        except redis.RedisError:
            # The endpoint may have moved while this connection stayed with a server that takes nothing.
            self._client.connection_pool.disconnect()
            raise

    async def close(self) -> None:
        self._client.close()
