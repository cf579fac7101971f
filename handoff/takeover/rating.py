"""How customers found it: asked once a ticket, when it is solved; the first answer counts."""

import time
from typing import Literal

from sqlalchemy import select
from sqlalchemy.engine import Row

from handoff.storage.database import Database
from handoff.storage.queries import add_job, change_takeover, lock_control, takeover_by_id
from handoff.storage.tables import takeovers
from handoff.takeover.inbox_entries import RETURNED

Score = Literal[1, 2, 3]
FACES = {1: "☹️ not good", 2: "😐 so-so", 3: "🙂 good"}
NOTE = "How the customer found it: {face} ({score} of 3)."


def ask(db: Database, customer: str, entry_id: str) -> bool:
    """Whether this return (its inbox id) is the one with which the customer is asked; asked again, it says the same."""
    with db.write() as connection:
        control = lock_control(connection, customer)
        if control.takeover_id is None:
            return False
        takeover = takeover_by_id(connection, control.takeover_id)
        if takeover.rating_for is not None or takeover.closed_as != "solved":
            return bool(takeover.rating_for == entry_id)
        if not entry_id.startswith(f"{RETURNED}{takeover.external_id}:"):
            return False
        return change_takeover(connection, takeover.id, rating_for=entry_id)


def rate(
    db: Database, customer: str, reference: str | None, score: Score, wamid: str, now: float | None = None
) -> bool:
    """Keep the answer to the question about a ticket (None: the latest) and tell the agents; False when not the first.

    The message `wamid` may be told again. Raises HandoffUnavailable.
    """
    now = time.time() if now is None else now
    with db.write() as connection:
        lock_control(connection, customer)
        asked = select(takeovers).where(takeovers.c.customer == customer, takeovers.c.rating_for.is_not(None))
        if reference is not None:
            asked = asked.where(takeovers.c.reference == reference)
        takeover: Row | None = connection.execute(asked.order_by(takeovers.c.id.desc())).first()
        if takeover is None or takeover.rating is not None:
            return takeover is not None and takeover.rated_by == wamid
        change_takeover(connection, takeover.id, rating=score, rated_by=wamid)
        note = {"note": NOTE.format(face=FACES[score], score=score)}
        add_job(connection, takeover.id, "note", f"rated:{takeover.external_id}", note, now)
        return True
