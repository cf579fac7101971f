"""The channel on a server of its own, with an inbox that keeps what it is given."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Sequence
from typing import Any

import aiohttp
from sanic import Sanic

from connectors.message_bus.inbox import Entry, InboxUnavailable
from connectors.whatsapp.channel import WhatsAppChannel
from connectors.whatsapp.webhook.signature import sign
from tests.conftest import free_port
from tests.connectors.whatsapp.whatsapp_bodies import (
    OUR_NUMBER,
    as_bytes,
)

# Sanic rewrites its own methods when an app starts; only in test mode can a second app start in the same process.
Sanic.test_mode = True
SECRET = "app-secret"


class FakeInbox:
    """Keeps what is put; `broken` makes it refuse."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []
        self.records: list[dict[str, Any]] = []
        self.broken = False

    async def put(self, entries: Sequence[Entry], records: Sequence[dict[str, Any]] = ()) -> int:
        if self.broken:
            raise InboxUnavailable("down")
        json.dumps([entry.payload for entry in entries] + list(records), allow_nan=False)
        self.entries += entries
        self.records += records
        return len(entries)

    async def can_store(self) -> bool:
        return not self.broken


class Server:
    """A real Sanic server with the channel, in a thread of its own."""

    def __init__(self, redis_url: str) -> None:
        self.inbox = FakeInbox()
        self.is_ready = True
        self.port = free_port()
        self.app = Sanic(f"channel_{self.port}")
        credentials = {"verify_token": "let me in", "app_secret": SECRET, "access_token": "t"}
        credentials |= {"phone_number_id": OUR_NUMBER, "graph_url": "http://127.0.0.1:1", "redis_url": redis_url}
        channel = WhatsAppChannel.from_credentials(credentials)

        async def never(_: Any) -> None:
            raise AssertionError("the webhook must not start turns")

        self.app.blueprint(channel.blueprint(never), url_prefix="/webhooks/whatsapp")
        self.app.ctx.inbox = self.inbox
        self.app.ctx.ready = lambda: self.is_ready
        self.url = f"http://127.0.0.1:{self.port}/webhooks/whatsapp"
        self._started = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def start(self) -> None:
        self._thread.start()
        assert self._started.wait(20)

    def stop(self) -> None:
        self._loop.call_soon_threadsafe(self._stopped.set)
        self._thread.join(20)

    def _run(self) -> None:
        asyncio.run(self._serve())

    async def _serve(self) -> None:
        self._loop, self._stopped = asyncio.get_running_loop(), asyncio.Event()
        server = await self.app.create_server(port=self.port, return_asyncio_server=True, access_log=False)
        assert server is not None
        await server.startup()
        await server.before_start()
        await server.after_start()
        self._started.set()
        await self._stopped.wait()
        await server.before_stop()
        await server.close()
        await server.after_stop()


async def post(http: aiohttp.ClientSession, server: Server, body: Any, **headers: str) -> tuple[int, str]:
    raw = body if isinstance(body, bytes) else as_bytes(body)
    signed = {"X-Hub-Signature-256": sign(raw, SECRET), "Content-Type": "application/json", **headers}
    async with http.post(server.url + "/webhook", data=raw, headers=signed) as response:
        return response.status, await response.text()
