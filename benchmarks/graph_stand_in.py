"""A stand-in for the Graph API, which accepts every message."""

import asyncio
import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from benchmarks import http_lines

Answer = tuple[int, Any]
NO_ANSWER, CONNECTION_LOST = (0, None), (-1, None)


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
        self._server: asyncio.Server | None = None

    async def start(self) -> None:
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: _Connection(self), "127.0.0.1", self._port, backlog=512)

    async def stop(self) -> None:
        if self._server is not None:
            self._server.close()

    def answer(self, body: dict[str, Any]) -> Answer:
        """Status and answer of a call, or what comes in their place."""
        if body.get("status") == "read":
            return 200, {"success": True}
        accepted = self.accept(body)
        contact = {"input": accepted.customer, "wa_id": accepted.customer}
        return 200, {"messaging_product": "whatsapp", "contacts": [contact], "messages": [{"id": accepted.wamid}]}

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


class _Connection(http_lines.Messages):
    def __init__(self, graph: GraphStandIn) -> None:
        super().__init__()
        self._graph = graph

    def came(self, line: str, body: bytes) -> None:
        if not (line.startswith("POST /v25.0/") and line.partition("?")[0].split(" ")[1].endswith("/messages")):
            self.transport.write(http_lines.response(404, {}))
            return
        answer = self._graph.answer(json.loads(body))
        if answer == CONNECTION_LOST:
            self.transport.abort()
        elif answer != NO_ANSWER:
            self.transport.write(http_lines.response(*answer))
