"""From a parsed notification to the inbox: whose conversation, which text, what goes to the log."""

from __future__ import annotations

import asyncio
import logging
import time
from typing import Any

from connectors.conversations.identity import Identities, Identity
from connectors.message_bus.inbox import Entry, Inbox
from connectors.message_bus.sending.errors import why_not_delivered
from connectors.whatsapp.graph.errors import classify
from connectors.whatsapp.webhook.payload_ids import PayloadSigner
from connectors.whatsapp.webhook.payloads import Message, Notification, Status
from privacy import log_lines

log = logging.getLogger(__name__)

# A batch of a thousand is worked off in slices, so that other webhooks are answered in between.
SLICE = 100
COMMENT = ":comment:"  # in the key of an agent's words


class Intake:
    """Gives every message of a notification to its conversation and stores all of it in one step."""

    def __init__(self, inbox: Inbox, identities: Identities, signer: PayloadSigner) -> None:
        self._inbox = inbox
        self._identities = identities
        self._signer = signer

    async def take(self, notification: Notification) -> int:
        """Store everything; the number of messages that are new. Raises InboxUnavailable, IdentitiesUnavailable."""
        for error in notification.errors:
            log.error("whatsapp.account.error code=%s title=%s", error.get("code"), error.get("title"))
        received_at = time.time()
        identities = await self._identities.resolve(notification.messages)
        entries: list[Entry] = []
        records: list[dict[str, Any]] = [status.record() for status in notification.statuses]
        records += [{"record": "error", "at": received_at, **error} for error in notification.errors]
        for position, (message, identity) in enumerate(zip(notification.messages, identities, strict=True), 1):
            metadata = _metadata(message, identity, received_at)
            if message.content.text is None:
                records.append(_inbound(message, identity, metadata))
            else:
                payload = {"text": self._turn_text(message, identity), "metadata": metadata}
                entries.append(Entry("message", identity.customer, message.id, payload))
            with log_lines.about(message.id):
                log.info("whatsapp.message.received kind=%s", metadata.get("kind"))
            if position % SLICE == 0:
                await asyncio.sleep(0)
        entries += [entry for entry in map(_undelivered_comment, notification.statuses) if entry is not None]
        return await self._inbox.put(entries, records)

    def _turn_text(self, message: Message, identity: Identity) -> str:
        """A button's payload when we issued it to this customer, else what was typed or tapped, as text."""
        content = message.content
        if content.reply_id is not None:
            payload = self._signer.verify_payload(identity.customer, content.reply_id)
            if payload is not None:
                return payload
        return content.text or ""


def _undelivered_comment(status: Status) -> Entry | None:
    """An agent's words that WhatsApp accepted and then could not deliver: the agent has to hear of it."""
    if status.status != "failed" or COMMENT not in (status.key or ""):
        return None
    code = status.errors[0].get("code") if status.errors else None
    why = why_not_delivered(classify(code if isinstance(code, int) else None, http_status=400))
    return Entry("comment_failed", str(status.key), f"failed:{status.key}", {"key": status.key, "why": why})


def _metadata(message: Message, identity: Identity, received_at: float) -> dict[str, Any]:
    timestamp = message.metadata["timestamp"]
    return {
        **message.metadata,
        "customer": identity.customer,
        "phone": identity.phone,
        "timestamp": int(received_at) if timestamp is None else timestamp,
        "received_at": received_at,
    }


def _inbound(message: Message, identity: Identity, metadata: dict[str, Any]) -> dict[str, Any]:
    return {
        "record": "inbound",
        "customer": identity.customer,
        "metadata": metadata,
        "text": message.content.typed,
    }
