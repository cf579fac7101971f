"""What stands in a ticket: the subject, the private first note, the customer's later words.

Agents work with these texts, so they hold what the customer wrote, unredacted; notifications do not.
"""

import json
from collections.abc import Sequence
from typing import Any

from sqlalchemy.engine import Row

from handoff.byte_limits import cut, size
from handoff.configuration import HandoffConfiguration
from handoff.files.links import file_line
from handoff.helpdesks.interface import Draft, NewComment
from handoff.jobs.first_note import MAX_BODY, clock, first_note, one_line, wants
from handoff.takeover.brief import brief_from
from handoff.takeover.state_machine import Request

MAX_SUBJECT = 150  # bytes, as the others
MAX_NAME = 200
TICKET_PRIORITY = {"MEDIUM": "normal", "HIGH": "high", "CRITICAL": "urgent"}


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


def draft_of(takeover: Row, configuration: HandoffConfiguration, media_key: str = "") -> Draft:
    """The ticket of a takeover."""
    request, brief = request_of(takeover), brief_from(takeover.brief)
    # Said again after a lost answer, a ticket must say the same, or its Idempotency-Key is refused.
    priority = TICKET_PRIORITY[takeover.priority if takeover.follows else request.priority]
    tags = ["whatsapp_assistant", f"reason_{request.reason}"]
    return Draft(
        external_id=takeover.external_id,
        reference=takeover.reference,
        subject=_subject(takeover.reference, request),
        note=first_note(takeover.reference, takeover.follows, request, brief, configuration, media_key),
        priority=priority,
        tags=tuple(tags + (["order_known"] if request.order_number else [])),
        customer=takeover.customer,
        customer_name=cut(one_line(request.profile_name or request.phone or "WhatsApp customer"), MAX_NAME),
        phone=request.phone,
        order_number=request.order_number,
        follows=takeover.follows,
    )


def _subject(reference: str, request: Request) -> str:
    return cut(f"[WhatsApp] {reference}: customer {wants(request)}", MAX_SUBJECT)


def messages_comment(
    takeover: Row, part: int, messages: Sequence[dict[str, Any]], configuration: HandoffConfiguration, media_key: str
) -> NewComment:
    """Messages that travel together. `messages` are CustomerMessage as dictionaries, oldest first."""
    zone = configuration.hours.zone
    marker = f"{takeover.reference}/{part}"
    lines = []
    for message in messages:
        attached = [
            file_line(str(media_id), str(kind), str(filename), configuration.public_url, media_key)
            for media_id, kind, filename in message["media"]
        ]
        lines.append("\n".join([part for part in [message["text"], *attached] if part]))
    first, last = clock(messages[0]["at"], zone), clock(messages[-1]["at"], zone)
    when = first if first == last else f"{first} to {last}"
    foot = f"(WhatsApp, {when}, {marker})"
    return NewComment("customer", cut("\n".join(lines), MAX_BODY - size(foot) - 8) + f"\n\n{foot}", marker)


def note_comment(takeover: Row, job_id: int, text: str, body: dict[str, Any]) -> NewComment:
    """A private note of the assistant, with what else of the ticket changes (status, priority, a tag)."""
    marker = f"{takeover.reference}/note-{job_id}"
    changes = {name: body[name] for name in ("status", "priority", "add_tag", "remove_tag") if name in body}
    return NewComment("assistant", f"{cut(text, MAX_BODY)}\n\n({marker})", marker, **changes)
