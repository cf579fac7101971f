"""The route that the shop's own system calls: `POST /webhook` when something happened to an order.

An event is written to SQL and acknowledged; the worker tells the customer. A sender that gets no 200 repeats itself, so
an `event_id` counts once.
"""

from __future__ import annotations

import asyncio
import logging
import re
import time
from collections.abc import Awaitable, Callable
from typing import Any

from rasa.core.channels.channel import InputChannel, UserMessage
from sanic import Blueprint
from sanic.exceptions import PayloadTooLarge
from sanic.request import Request
from sanic.response import HTTPResponse, json, text

import settings
from connectors.whatsapp.webhook.protocol_guard import read_body
from connectors.whatsapp.webhook.signature import is_genuine
from handoff.storage.database import Database, HandoffUnavailable
from handoff.updates.events import NotAnEvent, ShopEvents, parse_event

log = logging.getLogger(__name__)

HEADER, TIMESTAMP = "x-shop-signature-256", "x-shop-timestamp"
WINDOW_S = 300.0  # for those that say when they were sent, unless SHOP_WEBHOOK_MAX_AGE_S says otherwise


class ShopChannel(InputChannel):
    """What the shop reports. Without SHOP_WEBHOOK_SECRET every webhook is refused."""

    def __init__(self, secret: str, events: ShopEvents, max_age_s: float = 0.0) -> None:
        """`max_age_s`: older webhooks are refused, and those that do not say when they were sent; 0: they need not."""
        self._secret, self._events, self._max_age_s = secret, events, max_age_s

    @classmethod
    def name(cls) -> str:
        """Prefix of the routes: /webhooks/shop/…"""
        return "shop"

    @classmethod
    def from_credentials(cls, credentials: dict[str, Any] | None) -> ShopChannel:
        """From the environment; credentials.yml only names the channel."""
        configured = settings.load()
        database = Database(configured.values["CONVERSATION_DATABASE_URL"] or "")
        max_age_s = configured.number("SHOP_WEBHOOK_MAX_AGE_S")
        return cls(configured.shop_webhook_secret or "", ShopEvents(database), max_age_s)

    def blueprint(self, on_new_message: Callable[[UserMessage], Awaitable[Any]]) -> Blueprint:
        """The routes. `on_new_message` stays unused: an event reaches its customer through the inbox."""
        blueprint = Blueprint("shop_webhook")

        # Sanic marks handlers with attributes, which bound methods cannot have.
        @blueprint.get("/", name="health")
        async def health(request: Request) -> HTTPResponse:
            return json({"status": "ok"})

        @blueprint.post("/webhook", name="receive", stream=True)
        async def receive(request: Request) -> HTTPResponse:
            return await self.receive(request)

        return blueprint

    async def receive(self, request: Request) -> HTTPResponse:
        """Store an event: 401 unsigned or late, 400, 413 and 503 as Meta's webhook, else 200."""
        try:
            body = await read_body(request)
        except PayloadTooLarge:
            return text("Payload too large", status=413)
        if not self._is_genuine(body, request):
            log.warning("shop.webhook.unsigned bytes=%d", len(body))
            return text("Unauthorized", status=401)
        try:
            event = parse_event(body)
        except NotAnEvent as wrong:
            log.warning("shop.webhook.no_event wrong=%s bytes=%d", wrong, len(body))
            return text(f"Bad request: {wrong}", status=400)
        try:
            is_new = await asyncio.to_thread(self._events.store, event)
        except HandoffUnavailable:
            log.error("shop.webhook.not_stored")
            return text("Service unavailable", status=503, headers={"Retry-After": "5"})
        log.info("shop.event.received type=%s new=%s", event.type, is_new)
        return text("OK")

    def _is_genuine(self, body: bytes, request: Request) -> bool:
        """Signed by the shop, and lately where it says when: the signature then covers `{timestamp}.{body}`."""
        signatures, times = request.headers.getall(HEADER, []), request.headers.getall(TIMESTAMP, [])
        if not times:
            return not self._max_age_s and is_genuine(body, signatures, self._secret)
        if len(times) > 1 or not re.fullmatch(r"[0-9]{1,12}", times[0]):
            return False
        if abs(time.time() - int(times[0])) > (self._max_age_s or WINDOW_S):
            log.warning("shop.webhook.late")
            return False
        return is_genuine(times[0].encode() + b"." + body, signatures, self._secret)
