"""Keeps, for the message bus, who else speaks to a customer: a person in the phone app, or another app of the business.

Kept in Redis as soon as the webhook comes: from then on no turn answers and no reply goes out, computed before or not.
Whatever is told counts from when it happened, so that what Meta delivers late or again silences nobody anew.
"""

import asyncio
import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import redis.asyncio
from redis.exceptions import RedisError

from connectors.conversations.identity import IdentitiesUnavailable
from connectors.message_bus import keys

# As long as Meta keeps a conversation with an app after the customer wrote last.
APP_SILENCE_S = 24 * 3600.0


@dataclass(frozen=True)
class News:
    """Somebody else speaks to a customer, or not any more; `lua/heard.lua` knows the kinds. `at` is epoch seconds."""

    customer: str
    kind: Literal["phone", "away", "back", "by_ids", "standby"]
    at: float
    previous_app: str = ""
    new_app: str = ""


class VoicesUnavailable(IdentitiesUnavailable):
    """Redis does not take it now: deliver again."""


class OtherVoices:
    """Writes what the webhook told."""

    def __init__(self, client: redis.asyncio.Redis, phone_app_silence_s: float) -> None:
        self._heard = keys.Script(client, "heard")
        self._phone_s = phone_app_silence_s

    async def heard(self, news: Sequence[News]) -> None:
        """Keep it. May be told again. Raises VoicesUnavailable."""
        if not news:
            return
        now = time.time()
        told: dict[str, list[str | int]] = defaultdict(lambda: [str(now)])
        for piece in news:
            lasts_s = self._phone_s if piece.kind == "phone" else APP_SILENCE_S
            # A clock that is ahead of ours must not silence for longer.
            at = str(min(piece.at, now))
            told[piece.customer] += [piece.kind, at, str(lasts_s), piece.previous_app, piece.new_app]
        try:
            await self._heard.many([([keys.voices(customer)], arguments) for customer, arguments in told.items()])
        except (RedisError, OSError, asyncio.TimeoutError) as error:
            raise VoicesUnavailable(type(error).__name__) from error
