"""A stand-in for the Graph API, which accepts every message."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from aiohttp import web


@dataclass(frozen=True)
class Accepted:
    """One message that was accepted."""

    at: float
    customer: str
    key: str
    wamid: str
    text: str


class GraphStandIn:
    """Serves `POST /v25.0/{number}/messages` on 127.0.0.1."""

    def __init__(self, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}/v25.0"
        self.accepted: list[Accepted] = []
        self.on_accepted: Callable[[Accepted], None] | None = None
        self._port = port
        self._runner: web.AppRunner | None = None

    async def start(self) -> None:
        app = web.Application()
        app.router.add_post("/v25.0/{number}/messages", self.messages)
        self._runner = web.AppRunner(app, access_log=None)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self._port, backlog=512).start()

    async def stop(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()

    async def messages(self, request: web.Request) -> web.StreamResponse:
        body = await request.json()
        if body.get("status") == "read":
            return web.json_response({"success": True})
        accepted = self.accept(body)
        contact = {"input": accepted.customer, "wa_id": accepted.customer}
        return web.json_response(
            {"messaging_product": "whatsapp", "contacts": [contact], "messages": [{"id": accepted.wamid}]}
        )

    def accept(self, body: dict[str, Any]) -> Accepted:
        """Keep it, and say so to whoever waits for it."""
        customer, kind = str(body.get("to") or body.get("recipient")), body.get("type")
        text = body["text"]["body"] if kind == "text" else str(body.get(str(kind)))
        key, wamid = str(body.get("biz_opaque_callback_data")), f"wamid.out.{len(self.accepted)}"
        accepted = Accepted(time.time(), customer, key, wamid, text)
        self.accepted.append(accepted)
        if self.on_accepted is not None:
            self.on_accepted(accepted)
        return accepted
