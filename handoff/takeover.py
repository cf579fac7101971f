"""The state machine of a takeover. Every function is one transaction that locks the customer's floor row first.

    bot ─open_takeover→ waiting ─agent_said→ agent ─(helpdesk: solved) announce_return, accept_return→ bot
                        waiting ─(customer: "back to the bot") give_back→ bot
    bot ─agent_said on a ticket that is still open→ agent        the agent speaks again, after a return

Solved comes in three steps, so that an agent's last words reach the customer before the assistant speaks, whatever
order webhooks and messages come in: the helpdesk says so (`ending`); the worker reads the ticket once more and queues
the return behind all that the agent said (`return_epoch`); the floor changes when the customer's inbox comes to it.
"""

from __future__ import annotations

import json
import re
import time
import uuid
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import insert, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Connection, Row
from sqlalchemy.sql.schema import Table

from handoff.database import Database
from handoff.tables import comments, deliveries, floors, jobs, takeovers

FIRST_REFERENCE = 1000
FIRST_LOOK_S = 60.0
ANNOUNCE_AGAIN_S = 300.0
SPEAKS_AGAIN_NOTE = (
    "You have the conversation again. In the meantime the customer talked with the assistant; that part is not in this"
    " ticket. Solve the ticket to give the conversation back."
)
RETURNED_NOTE = "The customer chose to go back to the assistant. A public reply here would still reach them."
RETURNED = "returned:"  # begins the inbox id of a conversation_returned entry, which ends in its epoch

_RETURN = re.compile(r"returned:handoff:[0-9a-f-]+:(\d+)(?::\d+)?$")


def comment_entry_id(backend: str, comment_id: str) -> str:
    """The inbox id of an agent's comment."""
    return f"{backend}:comment:{comment_id}"


def epoch_of_return(entry_id: str) -> int:
    """The epoch that a conversation_returned entry (or a reply key made from it) announces; -1 for none."""
    match = _RETURN.match(entry_id)
    return int(match[1]) if match else -1


def is_agents(entry_id: str) -> bool:
    """Whether an inbox id (or a reply key made from it) is an agent's comment."""
    return ":comment:" in entry_id


@dataclass(frozen=True)
class Request:
    """What an escalation hands to the person who will answer. `at` and the lines' times are epoch seconds."""

    customer: str
    wamid: str
    reason: str
    priority: str
    at: float
    phone: str | None = None
    profile_name: str | None = None
    order_number: str | None = None
    sheet: tuple[tuple[str, str], ...] = ()  # (signal, weight or value), as the detector scored it
    transcript: tuple[tuple[float, str, str], ...] = ()  # (time, "customer" or "assistant", text)


@dataclass(frozen=True)
class Opened:
    """`outcome`: opened; same_turn (this turn ran before); already_waiting (a person was called earlier)."""

    takeover_id: int
    reference: str
    outcome: str


@dataclass(frozen=True)
class TicketRef:
    """A ticket as the helpdesk names it. Either may be missing, not both."""

    ticket_id: str | None
    external_id: str | None = None


@dataclass(frozen=True)
class AgentComment:
    """A public comment written by a member of the shop's staff. `entry_id` is unique over all tickets."""

    entry_id: str
    comment_id: str
    text: str
    at: float
    media: tuple[str, ...] = ()
    ticket_open: bool = True


def open_takeover(db: Database, request: Request, prefix: str = "MG", now: float | None = None) -> Opened:
    """Call a person: the takeover and the order to open its ticket, or nothing. Raises HandoffUnavailable."""
    now = time.time() if now is None else now
    with db.write() as connection:
        floor = lock_floor(connection, request.customer)
        earlier = connection.execute(
            select(takeovers).where(
                takeovers.c.customer == request.customer, takeovers.c.opened_by == request.wamid
            )
        ).first()
        if earlier is not None:
            return Opened(earlier.id, earlier.reference, "same_turn")
        if floor.holder != "bot":
            current = takeover_by_id(connection, floor.takeover_id)
            return Opened(current.id, current.reference, "already_waiting")
        return _insert_takeover(connection, floor, request, prefix, now)


def _insert_takeover(connection: Connection, floor: Row, request: Request, prefix: str, now: float) -> Opened:
    external_id = f"handoff:{uuid.uuid4()}"
    added = connection.execute(
        insert(takeovers).values(
            external_id=external_id,
            reference="",
            customer=request.customer,
            opened_by=request.wamid,
            state="waiting",
            reason=request.reason,
            priority=request.priority,
            opened_at=now,
            last_customer_at=request.at,
            request=json.dumps(asdict(request)),
            status_at=0.0,
            look_failures=0,
            leased_until=0.0,
        )
    )
    takeover_id = added.inserted_primary_key[0]
    reference = f"{prefix}-{FIRST_REFERENCE + takeover_id}"
    connection.execute(update(takeovers).where(takeovers.c.id == takeover_id).values(reference=reference))
    add_job(connection, takeover_id, "open", f"open:{external_id}", None, now)
    connection.execute(
        update(floors)
        .where(floors.c.customer == request.customer)
        .values(epoch=floor.epoch + 1, holder="waiting", takeover_id=takeover_id, opened_by=request.wamid)
    )
    return Opened(takeover_id, reference, "opened")


def agent_said(db: Database, ticket: TicketRef, comment: AgentComment, now: float | None = None) -> str:
    """Queue a public comment for the customer, once, and let the agent have the floor.

    Returns relayed, seen (an earlier notification brought it), own (we wrote it) or unknown_ticket.
    """
    now = time.time() if now is None else now
    with db.write() as connection:
        takeover = _locked_takeover(connection, ticket)
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
        add_job(connection, takeover.id, "note", key, {"note": SPEAKS_AGAIN_NOTE}, now)
    connection.execute(update(takeovers).where(takeovers.c.id == takeover.id).values(values))
    connection.execute(
        update(floors)
        .where(floors.c.customer == takeover.customer)
        .values(epoch=floor.epoch + 1, holder="agent")
    )


def status_changed(
    db: Database, ticket: TicketRef, status: str, at: float, now: float | None = None
) -> str:
    """The helpdesk says that a ticket is now open, solved or closed. Older news than the newest is ignored.

    Returns ending, open, stale, over (the takeover had ended already) or unknown_ticket.
    """
    now = time.time() if now is None else now
    with db.write() as connection:
        takeover = _locked_takeover(connection, ticket)
        if takeover is None:
            return "unknown_ticket"
        if at < takeover.status_at:
            return "stale"
        ending = status if status in ("solved", "closed") else None
        values: dict[str, Any] = {"status_at": at}
        if takeover.state != "closed" and takeover.return_epoch is None:
            values |= {"ending": ending, "look_at": now if ending else takeover.look_at}
        connection.execute(update(takeovers).where(takeovers.c.id == takeover.id).values(values))
        if takeover.state == "closed":
            return "over"
        return "ending" if ending else "open"


def look_soon(db: Database, ticket: TicketRef, at: float) -> bool:
    """Have the worker read the ticket from time `at` on. False: not a ticket of ours, or over."""
    with db.write() as connection:
        takeover = _locked_takeover(connection, ticket)
        if takeover is None or takeover.state == "closed":
            return False
        if takeover.return_epoch is None:
            connection.execute(update(takeovers).where(takeovers.c.id == takeover.id).values(look_at=at))
        return True


def announce_return(connection: Connection, takeover: Row, now: float) -> None:
    """Queue the end of the takeover for the customer's inbox, behind all that the agent said; again if it was queued.

    The caller holds the floor row's lock. Nothing changes hands before accept_return.
    """
    epoch = takeover.return_epoch or lock_floor(connection, takeover.customer).epoch + 1
    connection.execute(
        update(takeovers)
        .where(takeovers.c.id == takeover.id)
        .values(return_epoch=epoch, look_at=now + ANNOUNCE_AGAIN_S, look_failures=0)
    )
    entry_id = f"{RETURNED}{takeover.external_id}:{epoch}"
    payload = {"reason": "solved", "reference": takeover.reference}
    if not add_delivery(connection, takeover, "conversation_returned", entry_id, payload, now):
        # It was handed over long ago and nothing came of it (a Redis that lost its data); the inbox knows doubles.
        connection.execute(
            update(deliveries)
            .where(deliveries.c.entry_id == entry_id)
            .values(state="pending", payload=json.dumps(payload))
        )


def accept_return(db: Database, customer: str, entry_id: str, now: float | None = None) -> None:
    """The customer's inbox has come to a return: the assistant has the floor, unless the agent took it again."""
    now = time.time() if now is None else now
    epoch = epoch_of_return(entry_id)
    with db.write() as connection:
        floor = lock_floor(connection, customer)
        if floor.takeover_id is None or floor.holder == "bot":
            return
        takeover = takeover_by_id(connection, floor.takeover_id)
        if takeover.return_epoch == epoch and floor.epoch == epoch - 1:
            give_back(connection, takeover, "solved", now)


def give_back(connection: Connection, takeover: Row, closed_as: str, now: float) -> int:
    """The assistant has the floor now; the new epoch. The caller holds the floor row's lock."""
    epoch = int(lock_floor(connection, takeover.customer).epoch) + 1
    connection.execute(
        update(takeovers)
        .where(takeovers.c.id == takeover.id)
        .values(
            state="closed", closed_at=now, closed_as=closed_as, ending=None, return_epoch=None,
            look_at=now + FIRST_LOOK_S, look_failures=0,
        )
    )  # fmt: skip
    connection.execute(
        update(floors).where(floors.c.customer == takeover.customer).values(epoch=epoch, holder="bot")
    )
    return epoch


def give_back_as_wished(connection: Connection, takeover: Row, now: float) -> None:
    """A waiting customer wants the assistant: at once, because no agent has said anything that could come late."""
    epoch = give_back(connection, takeover, "customer", now)
    payload = {"reason": "customer", "reference": takeover.reference}
    entry_id = f"{RETURNED}{takeover.external_id}:{epoch}"
    add_delivery(connection, takeover, "conversation_returned", entry_id, payload, now)
    add_job(connection, takeover.id, "note", entry_id, {"note": RETURNED_NOTE}, now)


def lock_floor(connection: Connection, customer: str) -> Row:
    """The customer's floor row, created if need be, locked until the transaction ends."""
    statement = insert_once(connection, floors).values(customer=customer, epoch=0, holder="bot")
    found = select(floors).where(floors.c.customer == customer).with_for_update()
    row = connection.execute(found).first()
    if row is None:
        connection.execute(statement.on_conflict_do_nothing())
        row = connection.execute(found).one()
    return row


def takeover_by_id(connection: Connection, takeover_id: int) -> Row:
    """A takeover that is known to exist."""
    return connection.execute(select(takeovers).where(takeovers.c.id == takeover_id)).one()


def _locked_takeover(connection: Connection, ticket: TicketRef) -> Row | None:
    """The takeover of a ticket, read under its customer's lock."""
    found = None
    if ticket.external_id:
        ours = select(takeovers.c.id, takeovers.c.customer).where(takeovers.c.external_id == ticket.external_id)
        found = connection.execute(ours).first()
        if found is None and ticket.external_id.startswith("handoff:"):
            return None  # another installation's
    if found is None and ticket.ticket_id:
        # Newest first: a helpdesk that was set up anew counts from the start again.
        theirs = select(takeovers.c.id, takeovers.c.customer).where(takeovers.c.ticket_id == ticket.ticket_id)
        found = connection.execute(theirs.order_by(takeovers.c.id.desc())).first()
    if found is None:
        return None
    lock_floor(connection, found.customer)
    return takeover_by_id(connection, found.id)


def add_job(
    connection: Connection,
    takeover_id: int,
    kind: str,
    key: str,
    body: dict[str, Any] | None,
    now: float,
    wait_s: float = 0.0,
) -> bool:
    """Order something from the helpdesk, `wait_s` from now; False when `key` was ordered before."""
    statement = insert_once(connection, jobs).values(
        takeover_id=takeover_id,
        kind=kind,
        key=key,
        body=None if body is None else json.dumps(body),
        state="pending",
        attempts=0,
        due_at=now + wait_s,
        created_at=now,
    )
    return bool(connection.execute(statement.on_conflict_do_nothing()).rowcount)


def add_delivery(
    connection: Connection, takeover: Row, kind: str, entry_id: str, payload: dict[str, Any], now: float
) -> bool:
    """Queue something for the customer's inbox; False when `entry_id` was queued before."""
    statement = insert_once(connection, deliveries).values(
        takeover_id=takeover.id,
        customer=takeover.customer,
        kind=kind,
        entry_id=entry_id,
        payload=json.dumps(payload),
        files=len(payload.get("media") or ()),
        state="pending",
        created_at=now,
    )
    return bool(connection.execute(statement.on_conflict_do_nothing()).rowcount)


def is_own_comment(connection: Connection, ticket_id: str, comment_id: str) -> bool:
    """Whether the assistant wrote this comment itself."""
    own = select(comments.c.comment_id).where(
        comments.c.ticket_id == ticket_id, comments.c.comment_id == comment_id
    )
    return connection.execute(own).first() is not None


def insert_once(connection: Connection, table: Table) -> Any:
    """An INSERT that knows ON CONFLICT, which both databases spell alike."""
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    return dialect.insert(table)
