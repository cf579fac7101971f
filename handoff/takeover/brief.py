"""What an agent needs to know first, as the assistant knew it when it called a person.

Kept beside the request (`handoff_takeovers.brief`) until the ticket has it. A draft reply that an LLM words comes a
moment later: the ticket waits for it, a few seconds, and is opened without it when it does not come.
"""

import json
from dataclasses import asdict, dataclass, fields, replace
from typing import Any

from sqlalchemy import select, update

from handoff.storage.database import Database
from handoff.storage.queries import change_takeover, lock_control, takeover_by_id
from handoff.storage.tables import jobs


@dataclass(frozen=True)
class Brief:
    """All of it may be empty. `order` and `tried` are lines; `reply` is only ever what the verifier let pass.

    `sources` are `page#section`; `files` the customer's own before the person was called: media id, kind, file name.
    """

    language: str = ""
    order_status: str = ""
    order: tuple[str, ...] = ()
    upset: bool = False
    tried: tuple[str, ...] = ()
    reply: str = ""
    sources: tuple[str, ...] = ()
    files: tuple[tuple[str, str, str], ...] = ()

    def stored(self) -> dict[str, Any]:
        """As the takeover's row and its jobs keep it."""
        return asdict(self)


def brief_from(kept: Any) -> Brief:
    """A brief from what `stored` became as JSON, as text or read; what another release wrote is left out."""
    raw = json.loads(kept) if isinstance(kept, str) else kept
    if not isinstance(raw, dict):
        return Brief()
    known = {field.name: raw[field.name] for field in fields(Brief) if field.name in raw}
    return Brief(**{name: _tuples(value) for name, value in known.items()})


def _tuples(value: Any) -> Any:
    return tuple(_tuples(each) for each in value) if isinstance(value, list) else value


def complete(db: Database, takeover_id: int, reply: str, sources: tuple[str, ...], now: float) -> bool:
    """Put a better draft reply (or none) into a ticket that nobody tried to open yet, and have it opened now.

    Raises HandoffUnavailable.
    """
    with db.write() as connection:
        lock_control(connection, takeover_by_id(connection, takeover_id).customer)
        takeover = takeover_by_id(connection, takeover_id)
        opening = (jobs.c.takeover_id == takeover_id) & (jobs.c.kind == "open") & (jobs.c.state == "pending")
        untried = connection.execute(select(jobs.c.id).where(opening, jobs.c.attempts == 0)).first()
        if untried is None or takeover.brief is None:
            return False  # said again, a ticket must say the same
        better = replace(brief_from(takeover.brief), reply=reply, sources=sources)
        change_takeover(connection, takeover_id, brief=json.dumps(better.stored()))
        connection.execute(update(jobs).where(jobs.c.id == untried.id).values(due_at=now))
        return True
