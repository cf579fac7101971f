"""Signed webhooks as Meta posts them, for load and for statuses."""

import asyncio
import hashlib
import hmac
import json
import time
from dataclasses import dataclass
from typing import Any, cast

from benchmarks import http_lines
from connectors.http_calls import HttpCalls

APP_SECRET = "secret-of-the-stand-ins"
PHONE_NUMBER_ID = "106540352242922"
PATH = "/webhooks/whatsapp/webhook"
MANY = 10_000  # connections: as many calls as are made at once


def text_message(customer: str, wamid: str, text: str) -> dict[str, Any]:
    """One message of a customer."""
    return {"from": customer, "id": wamid, "timestamp": str(int(time.time())), "type": "text", "text": {"body": text}}


def status(wamid: str, key: str, customer: str, name: str = "sent") -> dict[str, Any]:
    """One delivery status, with the key that the message was sent with."""
    return {
        "id": wamid, "status": name, "timestamp": str(int(time.time())), "recipient_id": customer,
        "biz_opaque_callback_data": key,
    }  # fmt: skip


def notification(messages: list[dict[str, Any]], statuses: list[dict[str, Any]] | None = None) -> bytes:
    """The body of one webhook."""
    value: dict[str, Any] = {
        "messaging_product": "whatsapp",
        "metadata": {"display_phone_number": "15550100", "phone_number_id": PHONE_NUMBER_ID},
    }
    if messages:
        senders = dict.fromkeys(str(message["from"]) for message in messages)
        value["contacts"] = [{"wa_id": sender, "profile": {"name": "Customer"}} for sender in senders]
        value["messages"] = messages
    if statuses:
        value["statuses"] = statuses
    change = {"field": "messages", "value": value}
    return json.dumps({"object": "whatsapp_business_account", "entry": [{"id": "1", "changes": [change]}]}).encode()


def calls_of(url: str, timeout_s: float = 120) -> HttpCalls:
    """As the product makes them: a full client's cost would be taken for the product's. Connections are kept for less
    time than Sanic keeps them."""
    return HttpCalls(url, {"Content-Type": "application/json"}, timeout_s, keep_alive_s=3, connections=MANY)


@dataclass
class Meta:
    """Posts webhooks; like Meta, it delivers again what was not answered with 200."""

    url: str
    timeout_s: float = 120
    refused: int = 0

    def __post_init__(self) -> None:
        self._calls = calls_of(self.url, self.timeout_s)

    async def post(self, body: bytes) -> int:
        """One delivery. Returns the status, 0 when there was no answer."""
        try:
            return (await self._calls.post(PATH, body, {"X-Hub-Signature-256": _signature(body)})).status
        except (OSError, asyncio.TimeoutError):
            return 0

    def close(self) -> None:
        """End the connections."""
        self._calls.close()


async def at_once(port: int, bodies: list[bytes]) -> list[float]:
    """Seconds until each is acknowledged, all posted at once, each over a connection of its own.

    An HTTP client would take longer for its own work than the server for its answers. Raises RuntimeError for one that
    is refused.
    """
    requests = [
        http_lines.request("POST", f"127.0.0.1:{port}", PATH, body, {"X-Hub-Signature-256": _signature(body)})
        for body in bodies
    ]
    loop = asyncio.get_running_loop()

    async def one(request: bytes) -> float:
        began, answered = time.perf_counter(), loop.create_future()
        await loop.create_connection(lambda: _Post(request, answered), "127.0.0.1", port)
        if (await answered)[:12] != b"HTTP/1.1 200":
            raise RuntimeError("a webhook was refused")
        return time.perf_counter() - began

    return await asyncio.gather(*map(one, requests))


class _Post(asyncio.Protocol):
    """Sends a request and tells the beginning of the answer; nothing when the connection is lost before."""

    def __init__(self, request: bytes, answered: asyncio.Future[bytes]) -> None:
        self._request, self._answered = request, answered

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is none by its class
        self._transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        if not self._answered.done():
            self._answered.set_result(data)
            self._transport.close()

    def connection_lost(self, error: Exception | None) -> None:
        if not self._answered.done():
            self._answered.set_result(b"")


def _signature(body: bytes) -> str:
    return "sha256=" + hmac.new(APP_SECRET.encode(), body, hashlib.sha256).hexdigest()
