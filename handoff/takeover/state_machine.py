"""The state machine of a takeover, and its beginning. Each step is one transaction that locks the customer's row.

    bot ─open_takeover→ waiting ─agent_said→ agent ─(helpdesk: solved) announce_return, accept_return→ bot
                        waiting ─(customer: "back to the bot", "it is solved") give_back→ bot
    bot ─agent_said on a ticket that is still open→ agent        the agent speaks again, after a return
    bot ─open_takeover with a ticket that is still open→ waiting the customer had gone back, and waits again: one ticket

`customer_messages.py` holds what customers write meanwhile, `jobs/agent_comments.py` what agents do, and
`takeover_end.py` the way back.
"""

import json
import time
import uuid
from dataclasses import asdict, dataclass, replace
from typing import Any

from sqlalchemy import insert, select, update
from sqlalchemy.engine import Connection, Row

from handoff.storage.database import Database
from handoff.storage.queries import (
    add_job,
    add_media,
    change_control,
    change_takeover,
    lock_control,
    notify_again,
    takeover_by_id,
)
from handoff.storage.tables import jobs, takeovers
from handoff.takeover.brief import Brief
from handoff.takeover.inbox_entries import RETURNED, WITH_ASSISTANT_TAG

FIRST_REFERENCE = 1000
FIRST_POLL_S = 60.0


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
    score_breakdown: tuple[tuple[str, str], ...] = ()  # (signal, weight or value), as the detector scored it
    transcript: tuple[tuple[float, str, str], ...] = ()  # (time, "customer" or "assistant", text)

    def stored(self) -> dict[str, Any]:
        """As the takeover's row and its jobs keep it; `handoff.jobs.ticket.request_from` reads it."""
        # "sheet" is the stored, older name: a release beside this one reads it.
        return {"sheet" if name == "score_breakdown" else name: value for name, value in asdict(self).items()}


@dataclass(frozen=True)
class Opened:
    """`outcome`: opened; same_turn (this turn ran before); already_waiting (a person was called earlier)."""

    takeover_id: int
    reference: str
    outcome: str


def open_takeover(
    db: Database,
    request: Request,
    prefix: str = "MG",
    now: float | None = None,
    brief: Brief | None = None,
    wait_s: float = 0.0,
) -> Opened:
    """Call a person: the takeover and the job that opens its ticket, or nothing. Raises HandoffUnavailable.

    A new ticket is opened `wait_s` from now, or once its brief is complete.
    """
    now = time.time() if now is None else now
    with db.write() as connection:
        control = lock_control(connection, request.customer)
        earlier = connection.execute(
            select(takeovers).where(
                takeovers.c.customer == request.customer, takeovers.c.opened_by == request.wamid
            )
        ).first()
        if earlier is not None:
            return Opened(earlier.id, earlier.reference, "same_turn")
        if control.owner != "bot":
            current = takeover_by_id(connection, control.takeover_id)
            return Opened(current.id, current.reference, "already_waiting")
        left = _left_open(connection, control)
        if left is None:
            return _insert_takeover(connection, control, request, prefix, now, brief or Brief(), wait_s)
        return _wait_again(connection, control, left, request, now, brief or Brief())


def _insert_takeover(
    connection: Connection, control: Row, request: Request, prefix: str, now: float, brief: Brief, wait_s: float
) -> Opened:
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
            request=json.dumps(request.stored()),
            brief=json.dumps(brief.stored()),
            status_at=0.0,
            poll_failures=0,
            leased_until=0.0,
        )
    )
    takeover_id = added.inserted_primary_key[0]
    reference = f"{prefix}-{FIRST_REFERENCE + takeover_id}"
    change_takeover(connection, takeover_id, reference=reference)
    add_job(connection, takeover_id, "open", f"open:{external_id}", None, now, wait_s)
    _take_control(connection, control, takeover_id, request)
    _note_files(connection, takeover_id, brief, now)
    return Opened(takeover_id, reference, "opened")


def _note_files(connection: Connection, takeover_id: int, brief: Brief, now: float) -> None:
    files = [(media_id, name) for media_id, _, name in brief.files]
    add_media(connection, takeover_by_id(connection, takeover_id), files, now)


def _left_open(connection: Connection, control: Row) -> Row | None:
    """The takeover from which the customer went back (or had to), when its ticket is still open, or to be opened."""
    if control.takeover_id is None:
        return None
    last = takeover_by_id(connection, control.takeover_id)
    still_there = last.ticket_id is None or last.next_poll_at is not None
    return last if last.closed_as in ("customer", "unreached", "agent") and still_there else None


def _wait_again(
    connection: Connection, control: Row, left: Row, request: Request, now: float, brief: Brief
) -> Opened:
    """The ticket goes on: it is told of the new request, or is opened with it if nobody tried to open it yet."""
    attempts = select(jobs.c.attempts).where(jobs.c.takeover_id == left.id, jobs.c.kind == "open")
    untried = left.ticket_id is None and not connection.execute(attempts).scalar()
    change_takeover(
        connection, left.id, opened_by=request.wamid, state="waiting", reason=request.reason, priority=request.priority,
        opened_at=now, last_customer_at=request.at, closed_at=None, closed_as=None, poll_failures=0,
        request=json.dumps(request.stored()) if untried else left.request,
        brief=json.dumps(brief.stored()) if untried else left.brief,
        next_poll_at=now + FIRST_POLL_S if left.ticket_id else None,
    )  # fmt: skip
    went_back = (jobs.c.takeover_id == left.id) & jobs.c.key.startswith(RETURNED) & (jobs.c.state == "pending")
    connection.execute(update(jobs).where(went_back, jobs.c.attempts == 0).values(state="done", body=None, done_at=now))
    open_soon = (jobs.c.takeover_id == left.id) & (jobs.c.kind == "open") & (jobs.c.state == "pending")
    connection.execute(update(jobs).where(open_soon).values(due_at=now))
    if not untried:  # a ticket that is tried again must say the same, or its Idempotency-Key is refused
        recent = tuple(line for line in request.transcript if line[0] > (left.closed_at or 0.0))
        again = replace(request, transcript=recent).stored()
        body = {"again": again, "brief": brief.stored(), "status": "open", "remove_tag": WITH_ASSISTANT_TAG}
        add_job(connection, left.id, "note", f"again:{left.external_id}:{control.control_version}", body, now)
        notify_again(connection, left.id, now)
    _take_control(connection, control, left.id, request)
    _note_files(connection, left.id, brief, now)
    return Opened(left.id, left.reference, "opened")


def _take_control(connection: Connection, control: Row, takeover_id: int, request: Request) -> None:
    change_control(
        connection, request.customer, control_version=control.control_version + 1, owner="waiting",
        takeover_id=takeover_id, opened_by=request.wamid,
    )
