"""The routes that Meta calls: `GET /` health, `GET /webhook` handshake, `POST /webhook` notifications.

Meta wants its answer within a quarter of a second and counts anything but 200 as failed; then it delivers again
for up to seven days. So a notification is checked, taken apart and stored, and then acknowledged: the turns come later.
"""

from __future__ import annotations

import asyncio
import hmac
import logging
from collections.abc import Awaitable, Callable
from typing import Any

from rasa.core.channels.channel import InputChannel, UserMessage
from sanic import Blueprint
from sanic.exceptions import PayloadTooLarge
from sanic.request import Request
from sanic.response import HTTPResponse, json, text

import tracing
from connectors.conversations.identity import Identities, IdentitiesUnavailable
from connectors.conversations.other_voices import OtherVoices
from connectors.message_bus.arrivals import Arrivals
from connectors.message_bus.inbox import InboxUnavailable, connect
from connectors.whatsapp.webhook import signature
from connectors.whatsapp.webhook.gathering import Gathering
from connectors.whatsapp.webhook.intake import Intake
from connectors.whatsapp.webhook.payload_ids import PayloadSigner
from connectors.whatsapp.webhook.payloads import Notification, NotJson, parse_notification
from connectors.whatsapp.webhook.protocol_guard import GuardedBlueprint, read_body
from handoff.configuration import load_configuration

log = logging.getLogger(__name__)

# Smaller bodies are parsed in less time than handing them to a thread would take.
PARSE_IN_THREAD_BYTES = 64 * 1024
CREDENTIALS = ("verify_token", "app_secret", "access_token", "phone_number_id", "graph_url", "redis_url")


class WhatsAppChannel(InputChannel):
    """Rasa's side of the WhatsApp Cloud API.

    The server that hosts it provides `app.ctx.inbox` (an Inbox), `app.ctx.arrivals` (an Arrivals) and `app.ctx.ready`
    (a function that says whether turns can be taken); until then the channel answers 503.
    """

    def __init__(self, credentials: dict[str, str]) -> None:
        self._credentials = credentials

    def __repr__(self) -> str:
        return f"WhatsAppChannel({self._credentials['phone_number_id']})"

    @classmethod
    def name(cls) -> str:
        """Prefix of the routes: /webhooks/whatsapp/…"""
        return "whatsapp"

    @classmethod
    def from_credentials(cls, credentials: dict[str, Any] | None) -> WhatsAppChannel:
        """From credentials.yml. Raises ValueError naming the missing keys."""
        found = {key: str((credentials or {}).get(key) or "").strip() for key in CREDENTIALS}
        missing = [key for key, value in found.items() if not value]
        if missing:
            raise ValueError(f"credentials.yml: whatsapp lacks {', '.join(missing)}.")
        return cls(found)

    def blueprint(self, on_new_message: Callable[[UserMessage], Awaitable[Any]]) -> Blueprint:
        """The routes. `on_new_message` stays unused: turns start from the inbox, never from the webhook."""
        blueprint = GuardedBlueprint("whatsapp_webhook")

        @blueprint.listener("before_server_start")
        async def open_stores(app: Any, loop: Any) -> None:
            app.ctx.whatsapp_redis = connect(self._credentials["redis_url"])
            app.ctx.whatsapp_identities = Identities(app.ctx.whatsapp_redis)
            silence_s = load_configuration().phone_app_silence_s
            app.ctx.whatsapp_voices = OtherVoices(app.ctx.whatsapp_redis, silence_s)

        @blueprint.listener("after_server_stop")
        async def close_stores(app: Any, loop: Any) -> None:
            await app.ctx.whatsapp_redis.close()

        # Sanic marks handlers with attributes, which bound methods cannot have.
        @blueprint.get("/", name="health")
        async def health(request: Request) -> HTTPResponse:
            return await self.health(request)

        @blueprint.get("/webhook", name="handshake")
        async def handshake(request: Request) -> HTTPResponse:
            return await self.handshake(request)

        @blueprint.post("/webhook", name="receive", stream=True)
        async def receive(request: Request) -> HTTPResponse:
            return await self.receive(request)

        return blueprint

    async def health(self, request: Request) -> HTTPResponse:
        """200 while this very process can store messages and take turns, else 503."""
        context = request.app.ctx
        inbox, ready = getattr(context, "inbox", None), getattr(context, "ready", None)
        if inbox is None or not (ready is None or ready()):
            return json({"status": "starting"}, status=503)
        if not await inbox.can_store():
            return json({"status": "cannot store messages"}, status=503)
        return json({"status": "ok"})

    async def handshake(self, request: Request) -> HTTPResponse:
        """Meta's verification of the endpoint: echo the challenge to whoever knows the verify token."""
        asked = request.args
        token = (asked.get("hub.verify_token") or "").encode("utf-8", "replace")
        challenge = asked.get("hub.challenge")
        expected = self._credentials["verify_token"].encode()
        is_meta = hmac.compare_digest(token, expected) and asked.get("hub.mode") == "subscribe"
        if not is_meta or challenge is None:
            log.warning("whatsapp.handshake.refused")
            return text("Forbidden", status=403)
        return text(challenge)

    async def receive(self, request: Request) -> HTTPResponse:
        """Store a notification. 401, 400, 413 and 503 as in the public contract; 200 "OK" once all is stored."""
        try:
            body = await read_body(request)
        except PayloadTooLarge:
            log.warning("whatsapp.webhook.too_large")
            return text("Payload too large", status=413)
        headers = request.headers.getall(signature.HEADER, [])
        if not signature.is_genuine(body, headers, self._credentials["app_secret"]):
            log.warning("whatsapp.webhook.unsigned bytes=%d", len(body))
            return text("Unauthorized", status=401)
        try:
            notification = await self._parse(body)
        except NotJson as problem:
            log.warning("whatsapp.webhook.not_json problem=%s bytes=%d", problem, len(body))
            return text("Bad request", status=400)
        try:
            messages, statuses = len(notification.messages), len(notification.statuses)
            with tracing.span("webhook", messages=messages, statuses=statuses):
                await self._gathering(request.app.ctx).take(notification)
        except (InboxUnavailable, IdentitiesUnavailable) as problem:
            log.error("whatsapp.webhook.not_stored problem=%s", type(problem).__name__)
            return text("Service unavailable", status=503)
        except Exception:
            # Whatever it was, not everything is stored; 503 has Meta deliver it again.
            log.exception("whatsapp.webhook.not_stored problem=unforeseen")
            return text("Service unavailable", status=503)
        return text("OK")

    async def _parse(self, body: bytes) -> Notification:
        phone_number_id = self._credentials["phone_number_id"]
        if len(body) < PARSE_IN_THREAD_BYTES:
            return parse_notification(body, phone_number_id)
        return await asyncio.to_thread(parse_notification, body, phone_number_id)

    def _gathering(self, context: Any) -> Gathering:
        inbox, known = getattr(context, "inbox", None), getattr(context, "whatsapp_gathering", None)
        if inbox is None:
            raise InboxUnavailable("the server is still starting")
        if known is None or known[0] is not inbox:
            signer = PayloadSigner(self._credentials["app_secret"])
            intake = Intake(inbox, context.whatsapp_identities, context.whatsapp_voices, signer)
            arrivals = getattr(context, "arrivals", None) or Arrivals()
            known = context.whatsapp_gathering = inbox, Gathering(intake.take, arrivals)
        return known[1]
