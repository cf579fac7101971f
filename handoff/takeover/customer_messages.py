"""What the customer writes while a person has the conversation: into the ticket, or the way back to the assistant."""

import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

from sqlalchemy import select
from sqlalchemy.engine import Connection, Row

from handoff.configuration import HandoffConfiguration, normalised
from handoff.jobs.ticket import TICKET_PRIORITY
from handoff.storage.database import Database, HandoffUnavailable
from handoff.storage.queries import add_job, add_media, change_takeover, lock_control, takeover_by_id
from handoff.storage.tables import deliveries
from handoff.takeover.inbox_entries import RETURNED
from handoff.takeover.takeover_end import give_back_as_wished

# The longest message that can be a wish for the assistant: "ok never mind, back to the bot please".
_WISH_MAX_WORDS = 8
_POLITE = {"ok", "okay", "please", "pls", "thanks", "thank", "you", "no", "hi", "hey", "then", "now", "i", "want", "to"}


# What a waiting customer's message was understood to say: the assistant will do, with or without something more to be
# answered; it is solved and nobody needs to come.
Wish = Literal["assistant", "assistant_and_more", "settled"]

URGENCY = {"MEDIUM": 1, "HIGH": 2, "CRITICAL": 3}
RAISED = "What the customer added is graver than what called you. The priority is {priority} now."
UNDELIVERED = "Your last public reply did not reach the customer on WhatsApp: {why}"
SUPPRESSED_REPLY = (
    "The customer had written once more before a person took over. The assistant was about to answer as follows, and"
    " did not:\n\n{answer}"
)
WHY = {
    "window_closed": "their last message is more than 24 hours old. Reach them another way, or wait until they write.",
    "recipient": "this number cannot receive it (no WhatsApp, or the business is blocked).",
    "payload": "WhatsApp refused the message as it was written.",
    "media": "WhatsApp could not send the attachment.",
    "refused": "WhatsApp refused it.",
    "marketing": "WhatsApp holds it back as marketing.",
    "set_aside": "it could not be put into a message, and is kept for the operator. Please send it again, shorter or"
    " without files.",
}


class ControlReturned(HandoffUnavailable):
    """The assistant got control back before the message could be handed on: ask `owner` again and answer it."""


@dataclass(frozen=True)
class CustomerMessage:
    """One message of a customer for the ticket. `at` is epoch seconds; media are (id, kind, file name or '')."""

    wamid: str
    text: str
    at: float
    media: tuple[tuple[str, str, str], ...] = ()
    priority: str | None = None  # MEDIUM, HIGH or CRITICAL, when these words alone would have called a person
    wish: Wish | None = None


def customer_said(
    db: Database, customer: str, message: CustomerMessage, configuration: HandoffConfiguration, now: float | None = None
) -> str:
    """Queue a message for the ticket, once. A wish gives the conversation back as long as no person has written.

    Returns ticket; returned or settled, when the assistant is to say that it is back; or answerable, when the assistant
    owns the conversation and the message is its own to answer.
    Raises ControlReturned when no person owns the conversation, HandoffUnavailable when the database does not answer.
    """
    now = time.time() if now is None else now
    with db.write() as connection:
        control = lock_control(connection, customer)
        if control.owner == "bot":
            raise ControlReturned("the assistant owns the conversation")
        takeover = takeover_by_id(connection, control.takeover_id)
        if takeover.opened_by == message.wamid:
            return "ticket"  # the transcript holds it already
        key = f"words:{message.wamid}"
        if add_job(connection, takeover.id, "words", key, asdict(message), now, configuration.coalesce_s):
            _raise_priority(connection, takeover, message, now)
            add_media(connection, takeover, [(media_id, name) for media_id, _, name in message.media], now)
        newest = max(takeover.last_customer_at, message.at)
        change_takeover(connection, takeover.id, last_customer_at=newest)
        wish = message.wish or ("assistant" if wants_assistant(message.text, configuration) else None)
        if wish is None or takeover.state != "waiting" or takeover.return_version is not None:
            return "ticket"
        give_back_as_wished(connection, takeover, wish, now)
        return {"assistant": "returned", "settled": "settled"}.get(wish, "answerable")


def _raise_priority(connection: Connection, takeover: Row, message: CustomerMessage, now: float) -> None:
    """What a customer adds may be graver than what called the person; it is never less grave."""
    if message.priority is None or URGENCY[message.priority] <= URGENCY[takeover.priority]:
        return
    change_takeover(connection, takeover.id, priority=message.priority)
    note = {"note": RAISED.format(priority=message.priority), "priority": TICKET_PRIORITY[message.priority]}
    add_job(connection, takeover.id, "note", f"priority_raised:{message.wamid}", note, now)


def wants_assistant(text: str, configuration: HandoffConfiguration) -> bool:
    """Whether a message says that the assistant will do: one of the shop's phrases and hardly anything else."""
    said = normalised(text)
    if not said or len(said.split()) > _WISH_MAX_WORDS:
        return False
    if said in configuration.back_to_assistant:
        return True
    for phrase in configuration.back_to_assistant:
        if f" {phrase} " in f" {said} ":
            rest = f" {said} ".replace(f" {phrase} ", " ", 1).split()
            if all(word in _POLITE or word in configuration.back_to_assistant for word in rest):
                return True
    return False


def message_of(entry_id: str, payload: Mapping[str, Any]) -> CustomerMessage:
    """A message entry of the inbox as the ticket shows it. `payload`: text and metadata, as the channel stored them."""
    metadata = payload.get("metadata") or {}
    text = str(metadata.get("typed") or "")
    if not text and not str(payload.get("text") or "").startswith("/"):
        text = str(payload.get("text") or "")
    media = tuple(
        (str(part.get("id") or ""), str(part.get("kind") or "file"), str(part.get("filename") or ""))
        for part in metadata.get("media") or []
        if isinstance(part, Mapping)
    )
    parts = [text, _place(metadata.get("location"))]
    text = "\n".join(part for part in parts if part)
    if not text and not media:
        text = f"[{metadata.get('kind') or 'message without words'}]"
    return CustomerMessage(entry_id, text, float(metadata.get("timestamp") or time.time()), media)


def _place(location: Any) -> str:
    if not isinstance(location, Mapping):
        return ""
    point = f"{location.get('latitude')},{location.get('longitude')}"
    named = ", ".join(str(location[key]) for key in ("name", "address") if location.get(key))
    return f"[location: {named} https://maps.google.com/?q={point}]".replace("  ", " ")


def reply_suppressed(db: Database, customer: str, wamid: str, answer: str, now: float | None = None) -> bool:
    """Show the agent, in a private note, what the assistant was about to answer; False when no person is in control."""
    if wamid.startswith(RETURNED):
        return False  # the words of a return that came to nothing answer no message
    now = time.time() if now is None else now
    with db.write() as connection:
        control = lock_control(connection, customer)
        if control.owner == "bot":
            return False
        note = {"note": SUPPRESSED_REPLY.format(answer=answer)}
        add_job(connection, control.takeover_id, "note", f"held:{wamid}", note, now)
        return True


def not_delivered(db: Database, entry_id: str, why: str, now: float | None = None) -> bool:
    """Tell the agent, in a private note, that a comment of theirs did not reach the customer. Once per comment.

    `entry_id` is the comment's inbox id, or the key of one of its replies (the id, a colon and a number); `why` is a
    sentence, or the channel's name for the reason.
    """
    now = time.time() if now is None else now
    note = {"note": UNDELIVERED.format(why=WHY.get(why, why))}
    of_its_reply = entry_id.rpartition(":")[0]
    with db.write() as connection:
        row = connection.execute(
            select(deliveries.c.takeover_id, deliveries.c.entry_id).where(
                deliveries.c.entry_id.in_([entry_id, of_its_reply]), deliveries.c.kind == "agent_comment"
            )
        ).first()
        if row is None:
            return False
        return add_job(connection, row.takeover_id, "note", f"undelivered:{row.entry_id}", note, now)

