"""When a customer who waits for a person was last told something, and when to tell them that their words arrived."""

from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.engine import Connection, Row

from handoff.configuration import HandoffConfiguration
from handoff.storage.database import Database
from handoff.storage.queries import change_takeover, lock_control, takeover_by_id
from handoff.storage.tables import deliveries, thread_controls


@dataclass(frozen=True)
class Waiting:
    """A customer whom no person has answered yet. Times are epoch seconds."""

    takeover_id: int
    reference: str
    last_told_at: float
    receipt_due_at: float  # a message of theirs from then on deserves a receipt
    receipt_for: str | None = None  # the message (wamid) that got the last one

    def deserved_by(self, wamid: str, now: float) -> bool:
        """Whether the message is to be answered with a receipt."""
        return self.receipt_for == wamid or now >= self.receipt_due_at


def waiting(db: Database, customer: str, configuration: HandoffConfiguration) -> Waiting | None:
    """None when the assistant or a person talks to this customer. Raises HandoffUnavailable."""
    with db.read() as connection:
        found = select(thread_controls.c.takeover_id).where(
            thread_controls.c.customer == customer, thread_controls.c.owner == "waiting"
        )
        takeover_id = connection.execute(found).scalar()
        return None if takeover_id is None else _waiting(connection, takeover_id, configuration)


def take_receipt(
    db: Database, customer: str, wamid: str, configuration: HandoffConfiguration, now: float
) -> Waiting | None:
    """Claim the receipt that is due now for the message `wamid`, None when none is due.

    One message gets it, and gets it again when its turn runs again; the next one is due later.
    """
    known = waiting(db, customer, configuration)
    if known is None or not known.deserved_by(wamid, now):
        return None  # the usual case takes no lock
    with db.write() as connection:
        control = lock_control(connection, customer)
        if control.owner != "waiting" or control.takeover_id is None:
            return None
        due = _waiting(connection, control.takeover_id, configuration)
        if due is None or not due.deserved_by(wamid, now):
            return None
        if due.receipt_for != wamid:
            claimed = {"receipt_at": now, "receipt_for": wamid}
            change_takeover(connection, due.takeover_id, **claimed)
        return due


def _waiting(connection: Connection, takeover_id: int, configuration: HandoffConfiguration) -> Waiting | None:
    takeover: Row = takeover_by_id(connection, takeover_id)
    if takeover.state != "waiting" or takeover.return_version is not None:
        return None
    # A ticket that continues another one had an agent, whose words the customer has read.
    said = select(func.max(deliveries.c.created_at)).where(deliveries.c.takeover_id == takeover_id)
    last_told = max(takeover.opened_at, takeover.receipt_at or 0.0, connection.execute(said).scalar() or 0.0)
    due = last_told + configuration.receipt_after_s
    if takeover.receipt_at is not None:
        due = max(due, takeover.receipt_at + configuration.receipt_every_s)
    return Waiting(takeover.id, takeover.reference, last_told, due, takeover.receipt_for)
