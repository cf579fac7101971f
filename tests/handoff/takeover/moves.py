"""What people and helpdesks do to a takeover, in one call each."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select

from handoff.jobs.agent_comments import AgentComment
from handoff.storage.database import Database
from handoff.storage.queries import lock_control, takeover_by_id
from handoff.storage.tables import deliveries
from handoff.takeover.takeover_end import accept_return, announce_return

NOW = 1_800_000_000.0
CUSTOMER = "919876543210"


def external_id(db: Database, takeover_id: int) -> str:
    with db.read() as connection:
        return str(takeover_by_id(connection, takeover_id).external_id)


def comment(number: int = 1, **values: Any) -> AgentComment:
    given = {"text": "Hello, Meera here", "at": NOW + 10}
    return AgentComment(f"zendesk:comment:{number}", str(number), **(given | values))


def announce(db: Database, takeover_id: int) -> str:
    """The helpdesk says solved; the inbox id of the return."""
    with db.write() as connection:
        lock_control(connection, CUSTOMER)
        announce_return(connection, takeover_by_id(connection, takeover_id), NOW + 90)
        found = select(deliveries.c.entry_id).where(deliveries.c.kind == "conversation_returned")
        return str(connection.execute(found.order_by(deliveries.c.id.desc())).scalars().first())


def end(db: Database, takeover_id: int) -> str:
    entry_id = announce(db, takeover_id)
    accept_return(db, CUSTOMER, entry_id, NOW + 100)
    return entry_id
