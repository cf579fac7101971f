"""Doing an act: asked again with growing pauses while no answer settles it, inside the time that a customer waits."""

import asyncio
import logging
import time
from dataclasses import dataclass

from prometheus_client import Counter

from actions.self_service.acts import DONE, NOT_DONE, REFUSED, UNKNOWN, Act, Answer, ShopPort

log = logging.getLogger(__name__)

ACTS = Counter(
    "assistant_self_service",
    "What customers confirmed; outcome: done, refused by the shop, unknown or not_done (both became a ticket)",
    ["action", "outcome"],
)
WITHIN_S = 12.0  # Rasa gives an action 20 s, and the order is looked up again before
FIRST_PAUSE_S = 0.4
MAX_PAUSE_S = 3.0
LAST_ATTEMPT = 0.1  # of the time: an attempt that is given less tells nothing


@dataclass(frozen=True)
class Performed:
    """`outcome`: DONE; REFUSED, for `reason`; UNKNOWN or NOT_DONE after `attempts`, the last of them for `why`."""

    outcome: str
    reason: str = ""
    attempts: int = 0
    why: str = ""


class SelfService:
    """The shop's port, and which of its actions `shop.yml` lets the assistant ask for."""

    def __init__(
        self, port: ShopPort, actions: tuple[str, ...], within_s: float = WITHIN_S, pause_s: float = FIRST_PAUSE_S
    ) -> None:
        self._port, self.actions = port, actions
        self._within_s, self._pause_s = within_s, pause_s

    async def perform(self, act: Act) -> Performed:
        """Ask until it is settled or the time is up. Never raises. The log tells of neither address nor reason."""
        began = time.monotonic()
        performed = await self._settled(act, began + self._within_s)
        ACTS.labels(act.action, performed.outcome).inc()
        log.info("self_service.asked action=%s outcome=%s attempts=%d ms=%d why=%s", act.action, performed.outcome,
                 performed.attempts, (time.monotonic() - began) * 1000, performed.why.replace(" ", "_"))  # fmt: skip
        return performed

    async def _settled(self, act: Act, deadline: float) -> Performed:
        outcome, pause_s, attempts = NOT_DONE, self._pause_s, 0
        while True:
            attempts += 1
            answer = await self._attempted(act, deadline - time.monotonic())
            if answer.outcome in (DONE, REFUSED):
                return Performed(answer.outcome, answer.reason, attempts)
            outcome = UNKNOWN if UNKNOWN in (outcome, answer.outcome) else NOT_DONE
            wait_s = max(pause_s, answer.wait_s)
            if answer.final or time.monotonic() + wait_s + self._within_s * LAST_ATTEMPT >= deadline:
                return Performed(outcome, attempts=attempts, why=answer.why)
            await asyncio.sleep(wait_s)
            pause_s = min(2 * pause_s, MAX_PAUSE_S)

    async def _attempted(self, act: Act, within_s: float) -> Answer:
        try:
            return await asyncio.wait_for(self._port.attempt(act), within_s)
        except Exception as error:  # whatever an adapter meets: the shop may have heard of it
            return Answer(UNKNOWN, why=f"no answer ({type(error).__name__})")
