"""A small assistant for testing the twin: checks signatures, keeps what it was told, answers through Graph."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import hashlib
import hmac
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp import web

from launch.processes import free_port
from twin.app import NETWORK, make_app
from twin.configuration import TwinConfiguration

SECRET = "test-app-secret"
TOKEN = "test-access-token"
NUMBER = "555000111"
ASHA = "+919876543210"
PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="

Answer = Callable[["Assistant", dict[str, Any]], Awaitable[None]]


class Assistant:
    """The other side of the webhook. `statuses` are its next HTTP answers (then 200); `answer` reacts to messages."""

    def __init__(self, graph_url: str, answer: Answer | None = None) -> None:
        self.graph_url = graph_url
        self.answer = answer
        self.statuses: list[int] = []
        self.bodies: list[dict[str, Any]] = []
        self.raws: list[bytes] = []
        self.session: aiohttp.ClientSession | None = None
        self._turns: set[asyncio.Task[None]] = set()

    async def webhook(self, request: web.Request) -> web.Response:
        raw = await request.read()
        expected = "sha256=" + hmac.new(SECRET.encode(), raw, hashlib.sha256).hexdigest()
        if not hmac.compare_digest(expected, request.headers.get("X-Hub-Signature-256", "")):
            return web.Response(status=401)
        if self.statuses:
            status = self.statuses.pop(0)
            if status != 200:
                return web.Response(status=status)
        self.raws.append(raw)
        self.bodies.append(json.loads(raw))
        for message in messages_of([self.bodies[-1]]):
            if self.answer is not None:
                turn = asyncio.create_task(self.answer(self, message))
                self._turns.add(turn)
                turn.add_done_callback(self._turns.discard)
        return web.Response()

    async def handshake(self, request: web.Request) -> web.Response:
        if request.query.get("hub.verify_token") != TOKEN:
            return web.Response(status=403)
        return web.Response(text=request.query["hub.challenge"])

    async def picture(self, request: web.Request) -> web.Response:
        return web.Response(body=base64.b64decode(PIXEL), content_type="image/png")

    async def health(self, request: web.Request) -> web.Response:
        return web.json_response({"status": "ok"})

    async def send(self, body: dict[str, Any], token: str = TOKEN) -> tuple[int, dict[str, Any]]:
        """POST to Graph; the HTTP status and the answer."""
        assert self.session is not None
        full = {"messaging_product": "whatsapp", **body}
        headers = {"Authorization": f"Bearer {token}"}
        async with self.session.post(f"{self.graph_url}/{NUMBER}/messages", json=full, headers=headers) as response:
            return response.status, await response.json(content_type=None)

    async def text(self, to: str, words: str, **more: Any) -> tuple[int, dict[str, Any]]:
        return await self.send({"to": to, "type": "text", "text": {"body": words}, **more})

    @property
    def messages(self) -> list[dict[str, Any]]:
        return messages_of(self.bodies)

    @property
    def delivery_statuses(self) -> list[dict[str, Any]]:
        return [status for value in values_of(self.bodies) for status in value.get("statuses", [])]


def values_of(bodies: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [change["value"] for body in bodies for entry in body["entry"] for change in entry["changes"]]


def messages_of(bodies: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [message for value in values_of(bodies) for message in value.get("messages", [])]


class RunningTwin:
    """A twin on a free port, its assistant, and a client of its control API."""

    def __init__(self, url: str, assistant: Assistant, session: aiohttp.ClientSession, app: web.Application) -> None:
        self.url = url
        self.assistant = assistant
        self.session = session
        self.network = app[NETWORK]
        self.assistant_url = ""

    async def get(self, path: str) -> Any:
        async with self.session.get(self.url + path) as response:
            return await response.json()

    async def post(self, path: str, **data: Any) -> tuple[int, Any]:
        async with self.session.post(self.url + path, json=data) as response:
            return response.status, await response.json(content_type=None)

    async def write(self, customer: str = ASHA, kind: str = "text", **fields: Any) -> str:
        """A customer writes; the wamid."""
        status, answer = await self.post("/control/messages", customer=customer, kind=kind, **fields)
        assert status == 200, answer
        return str(answer["wamid"])

    async def until(self, condition: Callable[[], Any], seconds: float = 5.0) -> None:
        """Wait for the condition; fails when it does not come true."""
        deadline = asyncio.get_running_loop().time() + seconds
        while not condition():
            assert asyncio.get_running_loop().time() < deadline, "it did not come true in time"
            await asyncio.sleep(0.01)


@contextlib.asynccontextmanager
async def running_twin(
    state_dir: Path, answer: Answer | None = None, ticketing: str = "zendesk", inspector_url: str | None = None
) -> AsyncIterator[RunningTwin]:
    """A twin with quick retries and statuses, and an assistant that answers with `answer`."""
    twin_port, assistant_port = free_port(), free_port()
    url, webhooks = f"http://127.0.0.1:{twin_port}", f"http://127.0.0.1:{assistant_port}/webhooks/whatsapp/"
    assistant = Assistant(f"{url}/v25.0", answer)
    shop = TwinConfiguration(
        "127.0.0.1", twin_port, webhooks + "webhook", webhooks, SECRET, TOKEN, NUMBER, state_dir,
        ticketing=ticketing, helpdesk_url=f"{url}/helpdesk", helpdesk_token=TOKEN, shop_name="Marigold",
        time_zone="Asia/Kolkata", inspector_url=inspector_url, inspector_token=TOKEN,
        shop_secret=SECRET, orders_file=state_dir / "orders.db",
        helpdesk_webhook_url=f"http://127.0.0.1:{assistant_port}/webhooks/zendesk/webhook",
    )  # fmt: skip
    theirs = web.Application(client_max_size=8 * 1024 * 1024)
    theirs.router.add_post("/webhooks/whatsapp/webhook", assistant.webhook)
    theirs.router.add_get("/webhooks/whatsapp/webhook", assistant.handshake)
    theirs.router.add_get("/webhooks/whatsapp/", assistant.health)
    theirs.router.add_get("/webhooks/zendesk/media/1/signed", assistant.picture)
    ours = make_app(shop, first_retry_s=0.02)
    runners = [(web.AppRunner(theirs), assistant_port), (web.AppRunner(ours, shutdown_timeout=0.5), twin_port)]
    async with aiohttp.ClientSession() as session:
        assistant.session = session
        for runner, port in runners:
            await runner.setup()
            await web.TCPSite(runner, "127.0.0.1", port).start()
        ours[NETWORK].habits.status_delay_s = 0.01
        try:
            running = RunningTwin(url, assistant, session, ours)
            running.assistant_url = f"http://127.0.0.1:{assistant_port}"
            yield running
        finally:
            for runner, _ in reversed(runners):
                await runner.cleanup()
