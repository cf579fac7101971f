"""A Graph API on a bad day: it fails at random, sometimes once it has accepted, and reports statuses."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import Any

from benchmarks import webhooks
from benchmarks.graph_stand_in import CONNECTION_LOST, NO_ANSWER, Accepted, Answer, GraphStandIn

FAULTS = {
    "server_error": 0.05, "throttled": 0.01, "unknown": 0.01, "page": 0.01,
    "reset": 0.02, "accepted_then_reset": 0.02, "accepted_then_hang": 0.002,
}  # fmt: skip
"""Probabilities of a call to fail."""
ERRORS: dict[str, Answer] = {
    "server_error": (500, {"error": {"code": 131000, "message": "Something went wrong"}}),
    "throttled": (400, {"error": {"code": 131056, "message": "Pair rate limit"}}),
    "unknown": (400, {"error": {"code": 99999, "message": "(#99999) Something new"}}),
    "page": (400, "<html>Bad Request</html>"),
}
LOST, LATE, SHUFFLED = 0.05, 0.05, 0.1
"""Shares of the replies whose statuses never come, come seconds later, come twice and in the wrong order."""


class FailingGraph(GraphStandIn):
    """`hidden` are the wamids that the sender could not learn from the answer."""

    def __init__(self, port: int, chance: random.Random) -> None:
        super().__init__(port)
        self.hidden: set[str] = set()
        self.report_status: Callable[[bytes], Awaitable[Any]] | None = None
        self._chance, self._tasks = chance, set[asyncio.Task[None]]()

    async def stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        await super().stop()

    def answer(self, body: dict[str, Any]) -> Answer:
        fault = None if body.get("status") == "read" else self._draw()
        if fault in ERRORS:
            return ERRORS[fault]
        if fault == "reset":
            return CONNECTION_LOST
        answer = super().answer(body)
        if fault is None:
            return answer
        self.hidden.add(self.accepted[-1].wamid)
        return CONNECTION_LOST if fault == "accepted_then_reset" else NO_ANSWER

    def accept(self, body: dict[str, Any]) -> Accepted:
        accepted = super().accept(body)
        task = asyncio.create_task(self._report(accepted))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return accepted

    def _draw(self) -> str | None:
        """The fault that this call meets, or None."""
        point = self._chance.random()
        for name, probability in FAULTS.items():
            if point < probability:
                return name
            point -= probability
        return None

    async def _report(self, accepted: Accepted) -> None:
        fate = self._chance.random()
        if fate < LOST or self.report_status is None:
            return
        late = fate < LOST + LATE
        await asyncio.sleep(self._chance.uniform(3, 20) if late else self._chance.uniform(0.05, 0.5))
        names = ("read", "sent", "delivered", "sent") if fate > 1 - SHUFFLED else ("sent",)
        for name in names:
            status = webhooks.status(accepted.wamid, accepted.key, accepted.customer, name)
            await self.report_status(webhooks.notification([], [status]))
