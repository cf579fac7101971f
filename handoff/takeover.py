"""The state machine of a takeover, and its beginning. Each step is one transaction that locks the customer's floor row.

    bot ─open_takeover→ waiting ─agent_said→ agent ─(helpdesk: solved) announce_return, accept_return→ bot
                        waiting ─(customer: "back to the bot") give_back→ bot
    bot ─agent_said on a ticket that is still open→ agent        the agent speaks again, after a return

`relay.py` holds what customers write meanwhile, `agent.py` what agents do, `ending.py` the way back.
"""

from __future__ import annotations

import json
import time
import uuid
from dataclasses import asdict, dataclass

from sqlalchemy import insert, select, update
from sqlalchemy.engine import Connection, Row

from handoff.database import Database
from handoff.rows import add_job, lock_floor, takeover_by_id
from handoff.tables import floors, takeovers

FIRST_REFERENCE = 1000


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
