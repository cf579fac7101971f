"""What the log keeps of the event stream: messages, outcomes, statuses."""

import re
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any

import lenient_json

# Keys of what is said when a person gives the conversation back.
RETURNED = "returned:"
_GUARD = "\u2060"
_E164 = re.compile(r"\+[1-9][0-9]{6,14}")


class BadRecord(ValueError):
    """The record cannot be logged; trying again would not help."""


@dataclass(frozen=True)
class Message:
    """One message of anybody. `key` is its wamid, or `wamid:n` for the n-th reply to it."""

    key: str
    role: str
    content: str
    sent_at: datetime
    kind: str | None = None
    received_at: datetime | None = None
    message_id: str | None = None
    intent: str | None = None
    confidence: float | None = None
    feature: str | None = None
    escalated: bool = False
    response: str | None = None
    model: str | None = None
    llm: Any = None
    policy_pages: Any = None
    buttons: Any = None


@dataclass(frozen=True)
class Escalation:
    """A person was asked in."""

    reason: str | None
    priority: str | None


@dataclass(frozen=True)
class Turn:
    """What one inbox entry led to. `answered` is False for messages that gave no turn (takeover, reactions)."""

    customer: str
    phone: str | None
    messages: tuple[Message, ...]
    at: datetime
    answered: bool
    begins_session: bool = False
    escalation: Escalation | None = None
    model: str | None = None
    trace: str | None = None


@dataclass(frozen=True)
class Outcome:
    """What became of one reply (or of an agent's message) at the Graph API."""

    customer: str
    key: str
    message_id: str | None
    at: datetime
    outcome: str
    error: str | None
    text: str
    author: str
    phone: str | None = None
    trace: str | None = None


@dataclass(frozen=True)
class Charge:
    """What WhatsApp bills for a message: no price, but the category and whether it is billed at all."""

    category: str
    billable: bool
    kind: str | None
    country: str | None


@dataclass(frozen=True)
class Status:
    """How far a message got, as Meta says."""

    message_id: str
    key: str | None
    status: str
    at: datetime
    error: str | None
    charge: Charge | None = None


Record = Turn | Outcome | Status


def clean(text: object) -> str:
    """Text as every database can keep it, without our slash guard."""
    found = "" if text is None else str(text)
    return lenient_json.clean(found).removeprefix(_GUARD)


def moment(value: Any) -> datetime:
    """An aware datetime from epoch seconds or ISO 8601. Raises ValueError, TypeError."""
    if isinstance(value, str) and not re.fullmatch(r"\d+(\.\d+)?", value):
        found = datetime.fromisoformat(value.replace("Z", "+00:00"))
        return found if found.tzinfo else found.replace(tzinfo=timezone.utc)
    seconds = float(value)
    if not 0 < seconds < 4_102_444_800:
        raise ValueError(f"not a time: {seconds}")
    return datetime.fromtimestamp(seconds, timezone.utc)


def iso(at: datetime) -> str:
    """RFC 3339 in UTC, to the microsecond."""
    return at.astimezone(timezone.utc).isoformat(timespec="microseconds").replace("+00:00", "Z")


def phone_of(value: Any) -> str | None:
    """`value` if it is an E.164 number, else None."""
    return value if isinstance(value, str) and _E164.fullmatch(value) else None


def without_titles(text: str, buttons: list[str] | None) -> str:
    """The words of a message whose buttons' titles were written below them; the log has those by themselves."""
    for title in reversed(buttons or []):
        text = text.removesuffix(f"\n[{title}]")
    return text
