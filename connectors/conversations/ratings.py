"""The question how it was with a person: with the words that give the conversation back, once a ticket.

Not after the customer service window, and not of customers who wrote "stop".
"""

import asyncio
import time
from collections.abc import Mapping
from typing import Any

import redis.asyncio

from connectors.message_bus import keys
from connectors.message_bus.commit import WINDOW_S
from connectors.message_bus.turn import Turn
from handoff.storage.database import Database
from handoff.takeover.rating import ask
from handoff.updates.opt_outs import OptOuts
from hot_store import record_versions
from lenient_json import number

WINDOW_MARGIN_S = 120.0


class Ratings:
    """Whether to ask. Methods raise HandoffUnavailable and redis.RedisError."""

    def __init__(self, client: redis.asyncio.Redis, db: Database, opt_outs: OptOuts) -> None:
        self._client, self._db, self._opt_outs = client, db, opt_outs

    async def asks(self, turn: Turn) -> bool:
        """Whether the words of this return ask; a turn that runs again says the same."""
        customer = turn.entry.customer
        if turn.entry.payload.get("reason") != "solved" or not await is_window_open(self._client, customer):
            return False
        if await self._opt_outs.has_stopped([customer]):
            return False
        return await asyncio.to_thread(ask, self._db, customer, turn.entry.id)


async def is_window_open(client: redis.asyncio.Redis, customer: str) -> bool:
    """Whether the customer wrote within the last 24 hours, less a margin for what is on its way."""
    at = number((await last_heard(client, customer)).get("at")) or 0.0
    return at + WINDOW_S - WINDOW_MARGIN_S > time.time()


async def last_heard(client: redis.asyncio.Redis, customer: str) -> Mapping[str, Any]:
    """When the customer wrote last (`at`), and in which `language` they were answered; empty after 30 days."""
    return record_versions.read_kept(await client.get(keys.address(customer)))
