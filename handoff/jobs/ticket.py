"""What stands in a ticket: the subject, the private first note, the customer's later words.

Agents work with these texts, so they hold what the customer wrote, unredacted; notifications do not.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
import json
from collections.abc import Sequence
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy.engine import Row

from handoff.configuration import HandoffConfiguration
from handoff.helpdesks.byte_limits import cut, size
from handoff.helpdesks.interface import Draft, NewComment
from handoff.takeover.state_machine import Request

MAX_SUBJECT = 150  # bytes, as the others
MAX_BODY = 60_000  # Zendesk cuts at 64 KiB without a word
MAX_NAME = 200
MAX_LAST_WORDS = 600
MAX_ORDER_NUMBER = 60
TICKET_PRIORITY = {"MEDIUM": "normal", "HIGH": "high", "CRITICAL": "urgent"}
CONTINUES = (
    "This continues ticket #{ticket}, which takes no more words: it was closed, merged, deleted or marked as spam. What"
    " the customer wrote since stands below."
)
REASONS = {
    "refund_request": "asks for a refund",
    "complaint": "complains",
    "frustration": "is frustrated",
    "repeated_failure": "was not understood several times",
    "human_requested": "asks for a person",
}


def request_of(takeover: Row) -> Request:
    """The request that opened a takeover; bare when its customer was erased since."""
    if not takeover.request:
        return Request("erased", takeover.opened_by, takeover.reason, takeover.priority, takeover.opened_at)
    return request_from(json.loads(takeover.request))


def request_from(raw: dict[str, Any]) -> Request:
    """A request from what its dictionary became as JSON, whatever fields a newer release added."""
    raw = {name: value for name, value in raw.items() if name == "sheet" or name in Request.__dataclass_fields__}
    raw["score_breakdown"] = tuple((name, value) for name, value in raw.pop("sheet"))
    raw["transcript"] = tuple((at, author, text) for at, author, text in raw["transcript"])
    return Request(**raw)


def draft_of(takeover: Row, configuration: HandoffConfiguration) -> Draft:
    """The ticket of a takeover."""
    request = request_of(takeover)
    # Said again after a lost answer, a ticket must say the same, or its Idempotency-Key is refused.
    priority = TICKET_PRIORITY[takeover.priority if takeover.follows else request.priority]
    tags = ["whatsapp_assistant", f"reason_{request.reason}"]
    return Draft(
        external_id=takeover.external_id,
        reference=takeover.reference,
        subject=_subject(takeover.reference, request),
        note=_note(takeover, request, configuration),
        priority=priority,
        tags=tuple(tags + (["order_known"] if request.order_number else [])),
        customer=takeover.customer,
        customer_name=cut(_one_line(request.profile_name or request.phone or "WhatsApp customer"), MAX_NAME),
        phone=request.phone,
        order_number=request.order_number,
        follows=takeover.follows,
    )


def _subject(reference: str, request: Request) -> str:
    return cut(f"[WhatsApp] {reference}: customer {_wants(request)}", MAX_SUBJECT)


def _note(takeover: Row, request: Request, configuration: HandoffConfiguration) -> str:
    lines = [f"{takeover.reference}: a WhatsApp customer {_wants(request)}."]
    if takeover.follows:
        lines += ["", CONTINUES.format(ticket=takeover.follows)]
    lines += _reasons(request, configuration)
    lines += ["", "Your public replies go to the customer on WhatsApp, private notes do not. Solve the ticket to give"]
    lines += ["the conversation back to the assistant.", "", "Conversation:"]
    head = cut("\n".join(lines), MAX_BODY // 2)
    return f"{head}\n{_conversation(request, configuration.hours.zone, MAX_BODY - size(head) - 4)}"


def again_note(request: Request, configuration: HandoffConfiguration) -> str:
    """For a ticket whose customer went back to the assistant, and now waits for a person once more."""
    lines = [f"The customer waits for a person again: {_wants(request)}.", *_reasons(request, configuration)]
    head = cut("\n".join([*lines, "", "Meanwhile with the assistant:"]), MAX_BODY // 2)
    return f"{head}\n{_conversation(request, configuration.hours.zone, MAX_BODY - size(head) - 4)}"


def _wants(request: Request) -> str:
    number = cut(_one_line(request.order_number or ""), MAX_ORDER_NUMBER)
    about = f" about order #{number}" if number else ""
    return f"{REASONS.get(request.reason, request.reason)}{about}"


def _reasons(request: Request, configuration: HandoffConfiguration) -> list[str]:
    lines = [
        *_last_words(request),
        "",
        f"Reason: {request.reason}, priority {request.priority}",
        f"Customer: {_one_line(request.profile_name or 'name unknown')}, {request.phone or 'phone unknown'}",
    ]
    if request.order_number and configuration.order_link:
        lines.append(f"Order: {configuration.order_link.format(order_number=request.order_number)}")
    elif request.order_number:
        lines.append(f"Order: #{request.order_number}")
    if request.score_breakdown:
        lines += [
            "",
            "Why the assistant called you:",
            *[f"  {name}: {value}" for name, value in request.score_breakdown],
        ]
    return lines


def _last_words(request: Request) -> list[str]:
    said = [text for _, author, text in request.transcript if author == "customer"]
    return [f"Last words: “{cut(_one_line(said[-1]), MAX_LAST_WORDS)}”"] if said else []


def _conversation(request: Request, zone: ZoneInfo, room: int) -> str:
    """The latest lines that fit."""
    kept: list[str] = []
    for at, author, text in reversed(request.transcript):
        line = f"[{_clock(at, zone)}] {author}: {text}"
        room -= size(line) + 4
        if room < 40:
            kept.append("(earlier messages left out)")
            break
        kept.append(line)
    return "\n".join(reversed(kept)) or "(no earlier messages)"


def messages_comment(
    takeover: Row, part: int, messages: Sequence[dict[str, Any]], configuration: HandoffConfiguration, media_key: str
) -> NewComment:
    """Messages that travel together. `messages` are CustomerMessage as dictionaries, oldest first."""
    zone = configuration.hours.zone
    marker = f"{takeover.reference}/{part}"
    lines = []
    for message in messages:
        attached = [
            _attachment(str(media_id), str(kind), str(filename), configuration.public_url, media_key)
            for media_id, kind, filename in message["media"]
        ]
        lines.append("\n".join([part for part in [message["text"], *attached] if part]))
    first, last = _clock(messages[0]["at"], zone), _clock(messages[-1]["at"], zone)
    when = first if first == last else f"{first} to {last}"
    foot = f"(WhatsApp, {when}, {marker})"
    return NewComment("customer", cut("\n".join(lines), MAX_BODY - size(foot) - 8) + f"\n\n{foot}", marker)


def note_comment(takeover: Row, job_id: int, text: str, body: dict[str, Any]) -> NewComment:
    """A private note of the assistant, with what else of the ticket changes (status, priority, a tag)."""
    marker = f"{takeover.reference}/note-{job_id}"
    changes = {name: body[name] for name in ("status", "priority", "add_tag", "remove_tag") if name in body}
    return NewComment("assistant", f"{cut(text, MAX_BODY)}\n\n({marker})", marker, **changes)


def _attachment(media_id: str, kind: str, filename: str, public_url: str | None, media_key: str) -> str:
    name = f"{kind} {filename}".strip()
    if not (public_url and media_id):
        return f"[{name}]"
    return f"[{name}: {public_url}/webhooks/zendesk/media/{media_id}/{media_signature(media_id, media_key)}]"


def media_signature(media_id: str, key: str) -> str:
    """What makes a link to a customer's photo ours; the link works for as long as Meta keeps the file."""
    return hmac.new(key.encode(), f"media:{media_id}".encode(), hashlib.sha256).hexdigest()[:40]


def _clock(at: float, zone: ZoneInfo) -> str:
    return dt.datetime.fromtimestamp(at, zone).strftime("%d %b %H:%M")


def _one_line(text: str) -> str:
    return " ".join(text.split())
