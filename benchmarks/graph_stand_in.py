"""A stand-in for the Graph API: accepts messages, reports statuses, and fails at random when it is told to."""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from benchmarks import webhooks


@dataclass(frozen=True)
class Accepted:
    """One message that was accepted; `hidden` when the sender could not learn it from the answer."""

    at: float
    customer: str
    key: str
    wamid: str
    text: str
    hidden: bool


@dataclass(frozen=True)
class Faults:
    """Probabilities of a call to fail."""

    server_error: float = 0.0
    throttled: float = 0.0
    reset: float = 0.0
    accepted_then_reset: float = 0.0
    accepted_then_hang: float = 0.0

    def draw(self, chance: random.Random) -> str | None:
        """The name of the fault that this call meets, or None."""
        point = chance.random()
        for name, probability in self.__dict__.items():
            if point < probability:
                return str(name)
            point -= probability
        return None


@dataclass
class GraphStandIn:
    """Serves `POST /v25.0/{number}/messages` on 127.0.0.1."""

    port: int
    faults: Faults = field(default_factory=Faults)
    chance: random.Random = field(default_factory=lambda: random.Random(7))
    accepted: list[Accepted] = field(default_factory=list)
    calls: int = 0
    read_marks: int = 0
    report_status: Callable[[bytes], Awaitable[Any]] | None = None
    on_accepted: Callable[[Accepted], None] | None = None
    _tasks: set[asyncio.Task[Any]] = field(default_factory=set)
    _runner: web.AppRunner | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v25.0"

    async def start(self) -> None:
        app = web.Application()
        app.router.add_post("/v25.0/{number}/messages", self._messages)
        self._runner = web.AppRunner(app, access_log=None)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self.port, backlog=512).start()

    async def stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        if self._runner is not None:
            await self._runner.cleanup()

    async def _messages(self, request: web.Request) -> web.StreamResponse:
        body = await request.json()
        if body.get("status") == "read":
            self.read_marks += 1
            return web.json_response({"success": True})
        self.calls += 1
        fault = self.faults.draw(self.chance)
        if fault == "server_error":
            return web.json_response({"error": {"code": 131000, "message": "Something went wrong"}}, status=500)
        if fault == "throttled":
            return web.json_response({"error": {"code": 131056, "message": "Pair rate limit"}}, status=400)
        if fault == "reset":
            return _reset(request)
        accepted = self._accept(body, hidden=fault is not None)
        if fault == "accepted_then_reset":
            return _reset(request)
        if fault == "accepted_then_hang":
            await asyncio.sleep(30)
        return web.json_response(
            {
                "messaging_product": "whatsapp",
                "contacts": [{"input": accepted.customer, "wa_id": accepted.customer}],
                "messages": [{"id": accepted.wamid}],
            }
        )

    def _accept(self, body: dict[str, Any], hidden: bool) -> Accepted:
        customer = str(body.get("to") or body.get("recipient"))
        kind = body.get("type")
        text = body["text"]["body"] if kind == "text" else str(body.get(str(kind)))
        key = str(body.get("biz_opaque_callback_data"))
        accepted = Accepted(time.time(), customer, key, f"wamid.out.{len(self.accepted)}", text, hidden)
        self.accepted.append(accepted)
        if self.on_accepted is not None:
            self.on_accepted(accepted)
        if self.report_status is not None:
            task = asyncio.create_task(self._report(accepted))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        return accepted

    async def _report(self, accepted: Accepted) -> None:
        await asyncio.sleep(self.chance.uniform(0.05, 0.5))
        body = webhooks.notification([], [webhooks.status(accepted.wamid, accepted.key, accepted.customer)])
        if self.report_status is not None:
            await self.report_status(body)


def _reset(request: web.Request) -> web.StreamResponse:
    if request.transport is not None:
        request.transport.abort()
    return web.Response()
