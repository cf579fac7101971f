"""Signed webhooks as Meta posts them, for load and for statuses."""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from dataclasses import dataclass
from typing import Any

import aiohttp

APP_SECRET = "secret-of-the-stand-ins"
PHONE_NUMBER_ID = "106540352242922"
PATH = "/webhooks/whatsapp/webhook"


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


@dataclass
class Meta:
    """Posts webhooks; like Meta, it delivers again what was not answered with 200."""

    url: str
    session: aiohttp.ClientSession
    refused: int = 0

    async def post(self, body: bytes) -> int:
        """One delivery. Returns the status, 0 when there was no answer."""
        signature = "sha256=" + hmac.new(APP_SECRET.encode(), body, hashlib.sha256).hexdigest()
        headers = {"X-Hub-Signature-256": signature, "Content-Type": "application/json"}
        try:
            async with self.session.post(self.url + PATH, data=body, headers=headers) as response:
                await response.read()
                return response.status
        except (aiohttp.ClientError, OSError, TimeoutError):
            return 0
