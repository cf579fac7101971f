"""What is known of a customer's takeovers, taken out of our tables. The helpdesk's copy is the helpdesk's to erase."""

from __future__ import annotations

from sqlalchemy import delete, select, update

from handoff.database import Database
from handoff.tables import comments, deliveries, floors, jobs, log_comments, log_tickets, notices, takeovers


def erase_customer(db: Database, customer: str) -> dict[str, int]:
    """Remove a customer (the conversation's key) from every table; rows removed, by table.

    Open takeovers end with it: nothing more is sent to the helpdesk. Raises HandoffUnavailable.
    """
    with db.write() as connection:
        mine = select(takeovers.c.id).where(takeovers.c.customer == customer)
        found = select(takeovers.c.external_id, takeovers.c.ticket_id).where(takeovers.c.customer == customer)
        rows = connection.execute(found).all()
        external = [row.external_id for row in rows]
        tickets = [row.ticket_id for row in rows if row.ticket_id]
        ours = select(log_tickets.c.id).where(log_tickets.c.external_id.in_(external))
        removed = {
            "handoff_log_comments": delete(log_comments).where(log_comments.c.ticket_id.in_(ours)),
            "handoff_log_tickets": delete(log_tickets).where(log_tickets.c.external_id.in_(external)),
            "handoff_own_comments": delete(comments).where(comments.c.ticket_id.in_(tickets)),
            "handoff_jobs": delete(jobs).where(jobs.c.takeover_id.in_(mine)),
            "handoff_notices": delete(notices).where(notices.c.takeover_id.in_(mine)),
            "handoff_deliveries": delete(deliveries).where(deliveries.c.customer == customer),
            "handoff_takeovers": delete(takeovers).where(takeovers.c.customer == customer),
            "handoff_floor": delete(floors).where(floors.c.customer == customer),
        }
        return {table: connection.execute(statement).rowcount for table, statement in removed.items()}


def forget_requests(db: Database, closed_before: float) -> int:
    """Take phone numbers and names out of takeovers that ended before a time (epoch seconds); how many."""
    old = (
        update(takeovers)
        .where(takeovers.c.state == "closed", takeovers.c.closed_at < closed_before, takeovers.c.request.is_not(None))
        .values(request=None)
    )
    with db.write() as connection:
        return int(connection.execute(old).rowcount)
