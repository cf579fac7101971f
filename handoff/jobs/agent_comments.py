"""What an agent does in the helpdesk: words for the customer, and with them control."""

import time
from dataclasses import dataclass
from typing import Any

from sqlalchemy.engine import Connection, Row

from handoff.storage.database import Database
from handoff.storage.queries import (
    TicketRef,
    add_delivery,
    add_job,
    change_control,
    change_takeover,
    is_own_comment,
    lock_control,
    locked_takeover,
)
from handoff.takeover.state_machine import FIRST_POLL_S
from handoff.takeover.takeover_end import WITH_PEOPLE

MAX_NAME = 40
_MARKS = str.maketrans("\n\t", "  ", "*_~`>")
SPEAKS_AGAIN_NOTE = (
    "You have the conversation again. In the meantime the customer talked with the assistant; that part is not in this"
    " ticket. Solve the ticket to give the conversation back."
)


@dataclass(frozen=True)
class AgentComment:
    """A public comment written by a member of the shop's staff. `entry_id` is unique over all tickets.

    `author`: the name by which the helpdesk knows them, empty where it does not say.
    """

    entry_id: str
    comment_id: str
    text: str
    at: float
    media: tuple[str, ...] = ()
    ticket_open: bool = True
    author: str = ""


def agent_said(db: Database, ticket: TicketRef, comment: AgentComment, now: float | None = None) -> str:
    """Queue a public comment for the customer, once, and let the agent own the conversation.

    Returns relayed, seen (an earlier notification brought it), own (we wrote it) or unknown_ticket.
    """
    now = time.time() if now is None else now
    with db.write() as connection:
        takeover = locked_takeover(connection, ticket)
        if takeover is None:
            return "unknown_ticket"
        if takeover.ticket_id and is_own_comment(connection, takeover.ticket_id, comment.comment_id):
            return "own"
        first_words = takeover.state == "waiting" and takeover.return_version is None
        joins = first_words or _speaks_again(connection, takeover, comment)
        payload: dict[str, Any] = {"text": comment.text, "media": list(comment.media)}
        if joins and (name := _first_name(comment.author)):
            payload["joined"] = name  # who it is that speaks now: the customer is told with their first words
        if not add_delivery(connection, takeover, "agent_comment", comment.entry_id, payload, now):
            return "seen"
        if joins:
            _take_control(connection, takeover, now)
        return "relayed"


def _first_name(author: str) -> str:
    """How a customer is told who writes: the first word of the name, without what WhatsApp reads as formatting."""
    words = author.translate(_MARKS).split()
    return words[0][:MAX_NAME] if words else ""


def _speaks_again(connection: Connection, takeover: Row, comment: AgentComment) -> bool:
    """Whether a comment reopens a takeover that is over or about to be: its ticket is open again."""
    if not comment.ticket_open or comment.at <= max(takeover.status_at, takeover.closed_at or 0.0):
        return False
    if takeover.state != "closed":
        return takeover.return_version is not None
    control = lock_control(connection, takeover.customer)
    return bool(control.owner == "bot" and control.takeover_id == takeover.id)


def _take_control(connection: Connection, takeover: Row, now: float) -> None:
    """The agent owns the conversation. A return that was announced is void: its control_version will never come."""
    control = lock_control(connection, takeover.customer)
    values: dict[str, Any] = {"state": "agent", "closed_at": None, "closed_as": None}
    if takeover.state == "closed" or takeover.return_version is not None:
        values |= {"ending": None, "return_version": None, "next_poll_at": now + FIRST_POLL_S}
    if takeover.state == "closed":
        key = f"again:{takeover.external_id}:{control.control_version}"
        add_job(connection, takeover.id, "note", key, {"note": SPEAKS_AGAIN_NOTE, **WITH_PEOPLE}, now)
    change_takeover(connection, takeover.id, **values)
    change_control(connection, takeover.customer, control_version=control.control_version + 1, owner="agent")


def poll_soon(db: Database, ticket: TicketRef, at: float) -> bool:
    """Have the worker read the ticket from time `at` on. False: not a ticket of ours, or over."""
    with db.write() as connection:
        takeover = locked_takeover(connection, ticket)
        if takeover is None or takeover.state == "closed":
            return False
        if takeover.return_version is None:
            change_takeover(connection, takeover.id, next_poll_at=at)
        return True
