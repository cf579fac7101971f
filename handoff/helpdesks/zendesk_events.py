"""Zendesk's webhooks: are they genuine, and what do they say?

Native events say it in full: a comment was added, the status changed. Trigger webhooks are filled in by Liquid, which
breaks JSON on a quote or a line break, so their body (README) holds only ids and the status; the worker then reads the
ticket itself. Both may come twice and in any order.
"""

import base64
import hashlib
import hmac
import json
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from html import unescape
from typing import Any

from handoff.helpdesks.agent_words import words_and_pictures
from handoff.helpdesks.timestamps import epoch, epoch_or
from handoff.jobs.agent_comments import AgentComment, agent_said, poll_soon
from handoff.storage.database import Database
from handoff.storage.queries import TicketRef
from handoff.takeover.inbox_entries import BACK_TAG, comment_entry_id
from handoff.takeover.takeover_end import HANDED_BACK, status_changed
from lenient_json import as_mapping

REPLAY_WINDOW_S = 300.0
POLL_AFTER_S = 2.0  # for the attachments that a comment's event does not name
MAX_TEXT = 200_000  # Zendesk's comments hold 64 KiB, their HTML more
OPEN = ("new", "open", "pending", "hold", "on-hold")
_ID = re.compile(r"[\w:.-]{1,60}")
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


class NotAnEvent(ValueError):
    """The body is not JSON, or not an object."""


@dataclass(frozen=True)
class TicketEvent:
    """What a webhook says about a ticket: a public comment by staff, a status, or just that something happened."""

    ticket: TicketRef
    comment: AgentComment | None = None
    status: str | None = None
    at: float = 0.0
    native: bool = True


def is_genuine(body: bytes, signature: str | None, timestamp: str | None, secret: str, now: float) -> bool:
    """Whether Zendesk signed this body within the last five minutes. An empty secret matches nothing."""
    if not (secret and signature and timestamp) or not (signature.isascii() and timestamp.isascii()):
        return False
    expected = base64.b64encode(hmac.new(secret.encode(), timestamp.encode() + body, hashlib.sha256).digest())
    if not hmac.compare_digest(expected, signature.encode()):
        return False
    try:
        signed_at = epoch(timestamp)
    except ValueError:
        return False
    return abs(now - signed_at) <= REPLAY_WINDOW_S


def parse_event(body: bytes, now: float | None = None) -> TicketEvent | None:
    """The event; None when it is of a kind that changes nothing. Raises NotAnEvent."""
    now = time.time() if now is None else now
    try:
        content = json.loads(body.decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise NotAnEvent("not JSON") from error
    if not isinstance(content, dict):
        raise NotAnEvent("not an object")
    if str(content.get("type") or "").startswith("zen:event-type:"):
        return _native(content, now)
    return _trigger(content, now)


def _native(content: Mapping[str, Any], now: float) -> TicketEvent | None:
    kind = str(content["type"]).removeprefix("zen:event-type:")
    detail, event = as_mapping(content.get("detail")), as_mapping(content.get("event"))
    ticket = _ticket(detail.get("id") or str(content.get("subject") or "").rpartition(":")[2], detail)
    at = epoch_or(content.get("time"), now)
    if ticket is None:
        return None
    if kind == "ticket.status_changed":
        return TicketEvent(ticket, status=_status(event.get("current") or detail.get("status")), at=at)
    if kind == "ticket.tags_changed":
        # `detail` has all tags of the ticket, for events that do not say which are new.
        added = next((event[name] for name in ("tags_added", "added_tags") if name in event), detail.get("tags"))
        handed_back = isinstance(added, list) and BACK_TAG in added
        return TicketEvent(ticket, status=HANDED_BACK, at=at) if handed_back else None
    if kind == "ticket.comment_added":
        comment = _comment(as_mapping(event.get("comment")), _status(detail.get("status")), at)
        return None if comment is None else TicketEvent(ticket, comment, at=at)
    return None


def _comment(comment: Mapping[str, Any], status: str | None, at: float) -> AgentComment | None:
    """None unless staff said it in public. What is not clearly public counts as private."""
    by_staff = as_mapping(comment.get("author")).get("is_staff") is True
    comment_id = _identifier(comment.get("id"))
    if not (comment.get("is_public") is True and by_staff and comment_id):
        return None
    body, html = (str(comment.get(name) or "")[:MAX_TEXT] for name in ("body", "html_body"))
    text, pictures = words_and_pictures(_UNSTORABLE.sub("", fullest(body, html)))
    if not (text or pictures):
        return None
    author = _UNSTORABLE.sub("", str(as_mapping(comment.get("author")).get("name") or "")[:200])
    ticket_open = status not in ("solved", "closed")
    entry_id = comment_entry_id("zendesk", comment_id)
    return AgentComment(entry_id, comment_id, text, at, pictures, ticket_open=ticket_open, author=author)


def fullest(plain: str, html: str) -> str:
    """Of two spellings of one comment that of which nothing is missing: plain text may have lost where links lead."""
    if not plain.strip():
        return html
    links = re.findall(r'(?:href|src)="(https?://[^"]+)"', html)
    return html if any(unescape(link) not in plain for link in links) else plain


def _trigger(content: Mapping[str, Any], now: float) -> TicketEvent | None:
    ticket = _ticket(content.get("ticket_id"), content)
    return None if ticket is None else TicketEvent(ticket, status=_status(content.get("status")), at=now, native=False)


def take(db: Database, event: TicketEvent, now: float | None = None) -> str:
    """Act on an event; a word for the log. Raises HandoffUnavailable."""
    now = time.time() if now is None else now
    if event.comment is not None:
        outcome = agent_said(db, event.ticket, event.comment, now)
        if outcome == "relayed":
            poll_soon(db, event.ticket, now + POLL_AFTER_S)
        return outcome
    if event.status in ("solved", "closed", HANDED_BACK):
        return status_changed(db, event.ticket, event.status, event.at, now)
    if event.native:
        return status_changed(db, event.ticket, "open", event.at, now) if event.status else "ignored"
    return "poll" if poll_soon(db, event.ticket, now) else "unknown_ticket"


def _ticket(ticket_id: Any, content: Mapping[str, Any]) -> TicketRef | None:
    by_id, external_id = _identifier(ticket_id), _identifier(content.get("external_id"))
    return TicketRef(by_id, external_id, "zendesk") if by_id or external_id else None


def _identifier(value: Any) -> str | None:
    if isinstance(value, bool) or not isinstance(value, (str, int)):
        return None
    return str(value) if _ID.fullmatch(str(value)) else None


def _status(value: Any) -> str | None:
    """open, solved or closed, whatever the spelling; None for a word that Zendesk does not have."""
    named = str(value or "").strip().lower()
    return "open" if named in OPEN else named if named in ("solved", "closed") else None
