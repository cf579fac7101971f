"""A Graph API on a bad day: it fails at random, sometimes once it has accepted, and reports statuses."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web

from benchmarks import webhooks
from benchmarks.graph_stand_in import Accepted, GraphStandIn

FAULTS = {
    "server_error": 0.05, "throttled": 0.01, "reset": 0.02, "accepted_then_reset": 0.02, "accepted_then_hang": 0.002,
}  # fmt: skip
"""Probabilities of a call to fail."""
ERRORS = {"server_error": (500, 131000, "Something went wrong"), "throttled": (400, 131056, "Pair rate limit")}


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

    async def messages(self, request: web.Request) -> web.StreamResponse:
        body = await request.json()
        fault = None if body.get("status") == "read" else self._draw()
        if fault in ERRORS:
            status, code, message = ERRORS[fault]
            return web.json_response({"error": {"code": code, "message": message}}, status=status)
        if fault == "reset":
            return _reset(request)
        answer = await super().messages(request)
        if fault is not None:
            self.hidden.add(self.accepted[-1].wamid)
        if fault == "accepted_then_reset":
            return _reset(request)
        if fault == "accepted_then_hang":
            await asyncio.sleep(30)
        return answer

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
        await asyncio.sleep(self._chance.uniform(0.05, 0.5))
        if self.report_status is not None:
            status = webhooks.status(accepted.wamid, accepted.key, accepted.customer)
            await self.report_status(webhooks.notification([], [status]))


def _reset(request: web.Request) -> web.StreamResponse:
    if request.transport is not None:
        request.transport.abort()
    return web.Response()
