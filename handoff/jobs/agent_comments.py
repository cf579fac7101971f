"""What an agent does in the helpdesk: words for the customer, and with them the floor."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

from sqlalchemy import update
from sqlalchemy.engine import Connection, Row

from handoff.storage.database import Database
from handoff.storage.queries import TicketRef, add_delivery, add_job, is_own_comment, lock_floor, locked_takeover
from handoff.storage.tables import floors, takeovers
from handoff.takeover.state_machine import FIRST_LOOK_S
from handoff.takeover.takeover_end import WITH_PEOPLE

SPEAKS_AGAIN_NOTE = (
    "You have the conversation again. In the meantime the customer talked with the assistant; that part is not in this"
    " ticket. Solve the ticket to give the conversation back."
)


@dataclass(frozen=True)
class AgentComment:
    """A public comment written by a member of the shop's staff. `entry_id` is unique over all tickets."""

    entry_id: str
    comment_id: str
    text: str
    at: float
    media: tuple[str, ...] = ()
    ticket_open: bool = True


def agent_said(db: Database, ticket: TicketRef, comment: AgentComment, now: float | None = None) -> str:
    """Queue a public comment for the customer, once, and let the agent have the floor.

    Returns relayed, seen (an earlier notification brought it), own (we wrote it) or unknown_ticket.
    """
    now = time.time() if now is None else now
    with db.write() as connection:
        takeover = locked_takeover(connection, ticket)
        if takeover is None:
            return "unknown_ticket"
        if takeover.ticket_id and is_own_comment(connection, takeover.ticket_id, comment.comment_id):
            return "own"
        payload = {"text": comment.text, "media": list(comment.media)}
        if not add_delivery(connection, takeover, "agent_comment", comment.entry_id, payload, now):
            return "seen"
        first_words = takeover.state == "waiting" and takeover.return_epoch is None
        if first_words or _speaks_again(connection, takeover, comment):
            _take_floor(connection, takeover, now)
        return "relayed"


def _speaks_again(connection: Connection, takeover: Row, comment: AgentComment) -> bool:
    """Whether a comment begins a takeover anew that is over, or about to be: its ticket is open again."""
    if not comment.ticket_open or comment.at <= max(takeover.status_at, takeover.closed_at or 0.0):
        return False
    if takeover.state != "closed":
        return takeover.return_epoch is not None
    floor = lock_floor(connection, takeover.customer)
    return bool(floor.holder == "bot" and floor.takeover_id == takeover.id)


def _take_floor(connection: Connection, takeover: Row, now: float) -> None:
    """The agent has the floor. A return that was announced is void: its epoch will never come."""
    floor = lock_floor(connection, takeover.customer)
    values: dict[str, Any] = {"state": "agent", "closed_at": None, "closed_as": None}
    if takeover.state == "closed" or takeover.return_epoch is not None:
        values |= {"ending": None, "return_epoch": None, "look_at": now + FIRST_LOOK_S}
    if takeover.state == "closed":
        key = f"again:{takeover.external_id}:{floor.epoch}"
        add_job(connection, takeover.id, "note", key, {"note": SPEAKS_AGAIN_NOTE, **WITH_PEOPLE}, now)
    connection.execute(update(takeovers).where(takeovers.c.id == takeover.id).values(values))
    connection.execute(
        update(floors)
        .where(floors.c.customer == takeover.customer)
        .values(epoch=floor.epoch + 1, holder="agent")
    )


def look_soon(db: Database, ticket: TicketRef, at: float) -> bool:
    """Have the worker read the ticket from time `at` on. False: not a ticket of ours, or over."""
    with db.write() as connection:
        takeover = locked_takeover(connection, ticket)
        if takeover is None or takeover.state == "closed":
            return False
        if takeover.return_epoch is None:
            connection.execute(update(takeovers).where(takeovers.c.id == takeover.id).values(look_at=at))
        return True
