"""The routes that Zendesk and its agents call: `POST /webhook` for ticket events, `GET /media/…` for customers' photos.

Zendesk waits ten seconds, repeats what failed, and stops sending altogether when too much fails; so an event is
written to SQL and acknowledged, and the worker carries it to the customer.
"""

from __future__ import annotations

import asyncio
import hmac
import logging
import time
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import quote

from rasa.core.channels.channel import InputChannel, UserMessage
from sanic import Blueprint
from sanic.exceptions import PayloadTooLarge
from sanic.request import Request
from sanic.response import HTTPResponse, json, raw, text

import settings
from connectors.message_bus.sending.errors import AccountBlocked, BadPayload, MediaFailed, SendError
from connectors.whatsapp.graph.client import GraphClient
from connectors.whatsapp.webhook.protocol_guard import read_body
from handoff.configuration import load_configuration
from handoff.files.copies import Copies, copies_of
from handoff.files.file_types import content_type
from handoff.files.links import media_signature
from handoff.helpdesks.zendesk_events import NotAnEvent, is_genuine, parse_event, take
from handoff.storage.database import Database, HandoffUnavailable
from settings import Settings, SettingsError

log = logging.getLogger(__name__)

SHOWN_IN_BROWSER = ("image/jpeg", "image/png", "image/webp", "audio/", "video/mp4", "application/pdf")


class ZendeskChannel(InputChannel):
    """Agents' side of a conversation. Without ZENDESK_WEBHOOK_SECRET every webhook is refused."""

    def __init__(self, configured: Settings, db: Database) -> None:
        self._configured, self._db = configured, db
        self._kept: Copies | None = None

    @classmethod
    def name(cls) -> str:
        """Prefix of the routes: /webhooks/zendesk/…"""
        return "zendesk"

    @classmethod
    def from_credentials(cls, credentials: dict[str, Any] | None) -> ZendeskChannel:
        """From the environment; credentials.yml only names the channel."""
        configured = settings.load()
        return cls(configured, Database(configured.values["CONVERSATION_DATABASE_URL"] or ""))

    def blueprint(self, on_new_message: Callable[[UserMessage], Awaitable[Any]]) -> Blueprint:
        """The routes. `on_new_message` stays unused: agents' words reach the customer through the inbox."""
        blueprint = Blueprint("zendesk_webhook")

        # Sanic marks handlers with attributes, which bound methods cannot have.
        @blueprint.get("/", name="health")
        async def health(request: Request) -> HTTPResponse:
            return json({"status": "ok"})

        @blueprint.post("/webhook", name="receive", stream=True)
        async def receive(request: Request) -> HTTPResponse:
            return await self.receive(request)

        @blueprint.get("/media/<media_id>/<tag>", name="media")
        async def media(request: Request, media_id: str, tag: str) -> HTTPResponse:
            return await self.media(media_id, tag)

        return blueprint

    async def receive(self, request: Request) -> HTTPResponse:
        """Store an event: 401 unsigned or older than five minutes, 400, 413, 503 as the contract says, else 200."""
        try:
            body = await read_body(request)
        except PayloadTooLarge:
            return text("Payload too large", status=413)
        signature = _only(request, "x-zendesk-webhook-signature")
        signed_at = _only(request, "x-zendesk-webhook-signature-timestamp")
        secret = self._configured.zendesk_webhook_secret or ""
        if not is_genuine(body, signature, signed_at, secret, time.time()):
            log.warning("zendesk.webhook.refused bytes=%d", len(body))
            return text("Unauthorized", status=401)
        try:
            event = await asyncio.to_thread(parse_event, body)  # a long comment takes a while to read
        except NotAnEvent:
            log.warning("zendesk.webhook.not_json bytes=%d", len(body))
            return text("Bad request", status=400)
        try:
            outcome = "ignored" if event is None else await asyncio.to_thread(take, self._db, event)
        except HandoffUnavailable:
            log.error("zendesk.webhook.not_stored")
            return text("Service unavailable", status=503, headers={"Retry-After": "5"})
        log.info("zendesk.webhook.taken outcome=%s", outcome)
        return text("OK")

    async def media(self, media_id: str, tag: str) -> HTTPResponse:
        """A customer's file, for whoever has the link from the ticket: our copy, else WhatsApp's own."""
        secret = self._configured.whatsapp_app_secret or ""
        given = tag.encode("utf-8", "replace")
        if not secret or not hmac.compare_digest(given, media_signature(media_id, secret).encode()):
            return text("Not found", status=404)
        try:
            found = await self._found(media_id)
        except (SendError, HandoffUnavailable, SettingsError) as error:
            log.warning("zendesk.media.failed error=%s", type(error).__name__)
            return text("The file is not available just now.", status=503, headers={"Retry-After": "30"})
        if found is None:
            return text("The file is not here (any more). WhatsApp itself keeps files for a week.", status=404)
        content, kind, filename = found
        shown = kind is not None and kind.startswith(SHOWN_IN_BROWSER)
        place = "inline" if shown else "attachment"
        headers = {
            "X-Content-Type-Options": "nosniff",
            "Content-Security-Policy": "sandbox; default-src 'none'",
            "Cache-Control": "private, max-age=3600",
            "Content-Disposition": f"{place}; filename*=UTF-8''{quote(filename, safe='')}" if filename else place,
        }
        return raw(content, content_type=kind if shown else "application/octet-stream", headers=headers)

    async def _found(self, media_id: str) -> tuple[bytes, str | None, str] | None:
        """Content, type (by the content) and name. Where copies are kept, only a ticket's files are handed out."""
        configured = self._configured
        copies = await asyncio.to_thread(self._copies)
        copy = await asyncio.to_thread(copies.find, media_id)
        if configured.media_url and (copy is None or copy.state == "refused"):
            return None
        if copy is not None and copy.state == "kept":
            content = await asyncio.to_thread(copies.read, media_id, copy)
            if content is not None:
                return content, copy.content_type, copy.filename
        graph = GraphClient.from_settings(configured)
        filename = copy.filename if copy else ""
        try:
            content = (await graph.media(media_id, copies.max_bytes)).data
        except (BadPayload, AccountBlocked, MediaFailed):
            return None  # WhatsApp knows no such file, or it is larger than we hand on
        finally:
            await graph.close()
        return content, content_type(content, filename), filename

    def _copies(self) -> Copies:
        if self._kept is None:
            self._kept = copies_of(self._configured, load_configuration(), self._db)
        return self._kept


def _only(request: Request, header: str) -> str | None:
    """A header's value when it was sent exactly once."""
    values = request.headers.getall(header, [])
    return str(values[0]) if len(values) == 1 else None

