"""The route that the shop's own system calls: `POST /webhook` when something happened to an order.

An event is written to SQL and acknowledged; the worker tells the customer. A sender that gets no 200 repeats itself, so
an `event_id` counts once.
"""

from __future__ import annotations

import asyncio
import logging
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

HEADER = "x-shop-signature-256"


class ShopChannel(InputChannel):
    """What the shop reports. Without SHOP_WEBHOOK_SECRET every webhook is refused."""

    def __init__(self, secret: str, events: ShopEvents) -> None:
        self._secret, self._events = secret, events

    @classmethod
    def name(cls) -> str:
        """Prefix of the routes: /webhooks/shop/…"""
        return "shop"

    @classmethod
    def from_credentials(cls, credentials: dict[str, Any] | None) -> ShopChannel:
        """From the environment; credentials.yml only names the channel."""
        configured = settings.load()
        database = Database(configured.values["CONVERSATION_DATABASE_URL"] or "")
        return cls(configured.shop_webhook_secret or "", ShopEvents(database))

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
        """Store an event: 401 unsigned, 400, 413 and 503 as Meta's webhook, else 200."""
        try:
            body = await read_body(request)
        except PayloadTooLarge:
            return text("Payload too large", status=413)
        if not is_genuine(body, request.headers.getall(HEADER, []), self._secret):
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
