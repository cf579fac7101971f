"""When a ticket takes no more words: another one continues it; and when no ticket can be had at all.

A ticket is gone once it is closed for good, merged, deleted or marked as spam. Its takeover goes on with a new ticket,
of a new external id, that names the old one; what waits for the old one goes there. When the helpdesk refuses every
ticket, its job stays (an operator may fix what is refused), and the customer has the assistant again.
"""

import uuid

from sqlalchemy import func, select
from sqlalchemy.engine import Connection, Row

from handoff.storage.queries import add_job, change_control, change_takeover, lock_control, takeover_by_id
from handoff.storage.tables import jobs, thread_controls
from handoff.takeover.takeover_end import give_back_unreached

MAX_TICKETS_AN_HOUR = 4  # of one takeover; more, and something closes them as fast as we open them


def follow_up(connection: Connection, known: Row, backend: str, now: float) -> str:
    """Order a ticket in `backend` that continues the takeover's, which is gone, or was another helpdesk's.

    `known` is the takeover as the caller read it: of two who find out at once, one orders.
    Returns ordered; later (the conversation is being given back: ask again in a moment); or too_many.
    """
    takeover = _locked(connection, known.id)
    if takeover.external_id != known.external_id:
        return "ordered"
    if takeover.state != "closed" and takeover.return_version is not None:
        return "later"
    recent = select(func.count()).where(
        jobs.c.takeover_id == takeover.id, jobs.c.kind == "open", jobs.c.created_at > now - 3600
    )
    if connection.execute(recent).scalar_one() >= MAX_TICKETS_AN_HOUR:
        return "too_many"
    external_id = f"handoff:{uuid.uuid4()}"
    follows = takeover.ticket_id if takeover.backend == backend else None
    change_takeover(
        connection, takeover.id, external_id=external_id, follows=follows, ticket_id=None, ticket_url=None,
        ending=None, next_poll_at=None, poll_failures=0,
        state="closed" if takeover.state == "closed" else "waiting",
    )  # fmt: skip
    with_agent = (thread_controls.c.takeover_id == takeover.id) & (thread_controls.c.owner == "agent")
    change_control(connection, takeover.customer, with_agent, owner="waiting")
    add_job(connection, takeover.id, "open", f"open:{external_id}", None, now)
    return "ordered"


def nobody_can_take_it(connection: Connection, takeover_id: int, now: float) -> bool:
    """Give a customer who waits in vain back to the assistant, once; False when nobody waits."""
    takeover = _locked(connection, takeover_id)
    if takeover.state == "closed" or takeover.return_version is not None:
        return False
    give_back_unreached(connection, takeover, now)
    return True


def has_messages_waiting(connection: Connection, takeover_id: int) -> bool:
    """Whether the customer wrote something that no ticket has yet."""
    waiting = select(jobs.c.id).where(
        jobs.c.takeover_id == takeover_id, jobs.c.kind == "words", jobs.c.state == "pending"
    )
    return connection.execute(waiting.limit(1)).first() is not None


def _locked(connection: Connection, takeover_id: int) -> Row:
    lock_control(connection, takeover_by_id(connection, takeover_id).customer)
    return takeover_by_id(connection, takeover_id)
