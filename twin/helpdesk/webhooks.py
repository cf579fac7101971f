"""Zendesk's native ticket events, signed and sent to the assistant; twice, out of order or not at all on demand."""

import asyncio
import base64
import contextlib
import hashlib
import hmac
import json
import logging
import uuid
from dataclasses import dataclass
from typing import Any

import aiohttp

from twin.helpdesk.tickets import Ticket, Tickets, timestamp

log = logging.getLogger(__name__)

TIMEOUT_S = 10.0
RETRIES = 5


@dataclass
class Delivery:
    """How webhooks travel: `lost` are never sent, `twice` repeats each, `hold` keeps them, to go out newest first."""

    lost: bool = False
    twice: bool = False
    hold: bool = False


def sign(secret: str, at: str, body: bytes) -> str:
    """X-Zendesk-Webhook-Signature of a body."""
    return base64.b64encode(hmac.new(secret.encode(), at.encode() + body, hashlib.sha256).digest()).decode()


def comment_added(tickets: Tickets, ticket: Ticket, comment: dict[str, Any]) -> dict[str, Any]:
    author = tickets.users.get(comment["author_id"], {})
    return _event(ticket, "ticket.comment_added", {
        "comment": {
            "id": str(comment["id"]),
            "body": comment["body"],
            "is_public": comment["public"],
            "author": {
                "id": str(comment["author_id"]), "name": author.get("name", ""),
                "is_staff": tickets.is_staff(comment["author_id"]),
            },
        },
    })  # fmt: skip


def status_changed(ticket: Ticket, previous: str) -> dict[str, Any]:
    """The event of a new status."""
    change = {"current": ticket.fields["status"].upper(), "previous": previous.upper()}
    return _event(ticket, "ticket.status_changed", change)


def tags_changed(ticket: Ticket, added: list[str]) -> dict[str, Any]:
    """The event of new tags."""
    return _event(ticket, "ticket.tags_changed", {"tags_added": added, "tags_removed": []})


def _event(ticket: Ticket, kind: str, event: dict[str, Any]) -> dict[str, Any]:
    return {
        "account_id": 22129848,
        "id": str(uuid.uuid4()),
        "type": f"zen:event-type:{kind}",
        "subject": f"zen:ticket:{ticket.id}",
        "time": timestamp(),
        "zendesk_event_version": "2022-11-06",
        "detail": {
            "id": str(ticket.id),
            "external_id": ticket.fields["external_id"],
            "status": ticket.fields["status"].upper(),
            "subject": ticket.fields["subject"],
            "priority": (ticket.fields["priority"] or "").upper(),
            "requester_id": str(ticket.fields["requester_id"]),
            "assignee_id": ticket.fields.get("assignee_id") and str(ticket.fields["assignee_id"]),
            "tags": ticket.fields["tags"],
        },
        "event": event,
    }


class Webhooks:
    """Sends events in the background, in order unless told otherwise."""

    def __init__(self, url: str | None, secret: str | None) -> None:
        self.url, self._secret = url, secret
        self.delivery = Delivery()
        self.answers: list[int] = []  # HTTP status of each attempt
        self._held: list[dict[str, Any]] = []
        self._queue: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._task = asyncio.get_running_loop().create_task(self._run())

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    def send(self, event: dict[str, Any]) -> None:
        """Queue an event, as the delivery switches say."""
        if not self.url or self.delivery.lost:
            return
        if self.delivery.hold:
            self._held.append(event)
            return
        for _ in range(2 if self.delivery.twice else 1):
            self._queue.put_nowait(event)

    def release(self) -> None:
        """Send what was held, newest first."""
        self.delivery.hold = False
        for event in reversed(self._held):
            self.send(event)
        self._held.clear()

    async def _run(self) -> None:
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=TIMEOUT_S)) as session:
            while True:
                event = await self._queue.get()
                for attempt in range(RETRIES):
                    if await self._post(session, event):
                        break
                    await asyncio.sleep(0.2 * 2**attempt)

    async def _post(self, session: aiohttp.ClientSession, event: dict[str, Any]) -> bool:
        body, at = json.dumps(event).encode(), timestamp()
        headers = {"Content-Type": "application/json", "X-Zendesk-Webhook-Signature-Timestamp": at}
        if self._secret:
            headers["X-Zendesk-Webhook-Signature"] = sign(self._secret, at, body)
        try:
            async with session.post(str(self.url), data=body, headers=headers) as answer:
                self.answers.append(answer.status)
                return answer.status < 500
        except (aiohttp.ClientError, asyncio.TimeoutError) as error:
            log.warning("helpdesk.webhook.failed error=%s", type(error).__name__)
            return False
