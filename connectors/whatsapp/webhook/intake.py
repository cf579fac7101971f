"""From a parsed notification to the inbox: whose conversation, which text, what goes to the log."""

import asyncio
import logging
import time
from typing import Any

from connectors import metrics
from connectors.conversations.identity import Identities, Identity
from connectors.conversations.other_voices import News, OtherVoices
from connectors.message_bus.inbox import Entry, Inbox
from connectors.message_bus.sending.errors import why_not_delivered
from connectors.whatsapp.graph.errors import classify
from connectors.whatsapp.webhook.other_voices import Echo
from connectors.whatsapp.webhook.payload_ids import PayloadSigner
from connectors.whatsapp.webhook.payloads import Message, Notification, Status
from privacy import log_lines

log = logging.getLogger(__name__)

# A batch of a thousand is worked off in slices, so that other webhooks are answered in between.
SLICE = 100
COMMENT = ":comment:"  # in the key of an agent's words


class Intake:
    """Gives every message of a notification to its conversation and stores all of it in one step."""

    def __init__(self, inbox: Inbox, identities: Identities, voices: OtherVoices, signer: PayloadSigner) -> None:
        self._inbox, self._identities, self._voices, self._signer = inbox, identities, voices, signer

    async def take(self, notification: Notification) -> int:
        """Store everything; the number of messages that are new. Raises InboxUnavailable, IdentitiesUnavailable."""
        for error in notification.errors:
            log.error("whatsapp.account.error code=%s title=%s", error.get("code"), error.get("title"))
        for name in notification.others:
            metrics.OTHER_CHANGES.labels(name).inc()
        received_at = time.time()
        identities = await self._identities.resolve(notification.messages)
        entries: list[Entry] = []
        records: list[dict[str, Any]] = [status.record() for status in notification.statuses]
        records += await self._other_voices(notification, received_at)
        standby: list[News] = []
        for position, (message, identity) in enumerate(zip(notification.messages, identities, strict=True), 1):
            metadata = _metadata(message, identity, received_at)
            if message.standby:
                standby.append(News(identity.customer, "standby", metadata["timestamp"]))
            if message.content.text is None:
                records.append(_inbound(message, identity, metadata))
            else:
                payload = {"text": self._turn_text(message, identity), "metadata": metadata}
                entries.append(Entry("message", identity.customer, message.id, payload, trace=message.trace))
            with log_lines.about(message.id):
                log.info("whatsapp.message.received kind=%s", metadata.get("kind"))
            if position % SLICE == 0:
                await asyncio.sleep(0)
        await self._voices.heard(standby)
        entries += [entry for entry in map(_undelivered_comment, notification.statuses) if entry is not None]
        return await self._inbox.put(entries, records)

    async def _other_voices(self, notification: Notification, now: float) -> list[dict[str, Any]]:
        """Be silent where somebody else speaks, from now on; the records of what they wrote."""
        echoes, handovers = notification.echoes, notification.handovers
        known = await self._identities.recipients([echo.recipient for echo in echoes] + [h.customer for h in handovers])
        spoken = list(zip(echoes, known[: len(echoes)], strict=True))
        news = [
            News(identity.customer, "phone", echo.at or now)
            for echo, identity in spoken
            if echo.source == "phone" and not echo.is_change
        ]
        news += [
            News(identity.customer, handover.outcome, handover.at or now, handover.previous_app, handover.new_app)
            for handover, identity in zip(handovers, known[len(echoes) :], strict=True)
        ]
        await self._voices.heard(news)
        return [_written_by_others(echo, identity, now) for echo, identity in spoken]

    def _turn_text(self, message: Message, identity: Identity) -> str:
        """A button's payload when we issued it to this customer, else what was typed or tapped, as text."""
        content = message.content
        if content.reply_id is not None:
            payload = self._signer.verify_payload(identity.customer, content.reply_id)
            if payload is not None:
                return payload
        return content.text or ""


def _written_by_others(echo: Echo, identity: Identity, now: float) -> dict[str, Any]:
    """What somebody else wrote, for the log: as the outcome of an agent's message, which it is."""
    with log_lines.about(echo.id):
        log.info("whatsapp.echo.received source=%s", echo.source)
    return {
        "record": "sent", "kind": "echo", "customer": identity.customer, "key": echo.id, "wamid": echo.id,
        "at": min(echo.at or now, now), "outcome": "accepted", "error": None, "text": echo.text, "author": "agent",
        "phone": identity.phone,
    }  # fmt: skip


def _undelivered_comment(status: Status) -> Entry | None:
    """An agent's words that WhatsApp accepted and then could not deliver: the agent has to hear of it."""
    if status.status != "failed" or COMMENT not in (status.key or ""):
        return None
    code = status.errors[0].get("code") if status.errors else None
    why = why_not_delivered(classify(code if isinstance(code, int) else None, http_status=400))
    return Entry("comment_failed", str(status.key), f"failed:{status.key}", {"key": status.key, "why": why})


def _metadata(message: Message, identity: Identity, received_at: float) -> dict[str, Any]:
    timestamp = message.metadata["timestamp"]
    former = {"former_phone": identity.former_phone} if identity.former_phone else {}
    return {
        **message.metadata,
        **former,
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
