"""The rows that takeovers are made of, as every transaction finds and writes them."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import insert, select, update
from sqlalchemy.dialects import mysql, postgresql, sqlite
from sqlalchemy.engine import Connection, Row
from sqlalchemy.exc import IntegrityError
from sqlalchemy.sql.schema import Table

from handoff.storage.tables import comments, deliveries, jobs, media, notices, takeovers, thread_controls
from sql_servers import mysql_sessions


@dataclass(frozen=True)
class TicketRef:
    """A ticket as the helpdesk names it. Either may be missing, not both; `backend`: numbers of this helpdesk alone."""

    ticket_id: str | None
    external_id: str | None = None
    backend: str | None = None


def lock_control(connection: Connection, customer: str) -> Row:
    """The customer's thread control row, created if need be, locked until the transaction ends."""
    found = select(thread_controls).where(thread_controls.c.customer == customer).with_for_update()
    row = connection.execute(found).first()
    if row is None:
        new = {"customer": customer, "control_version": 0, "owner": "bot"}
        if connection.dialect.name == "mysql":
            # One that is there already is locked for us alone: locks shared with others would end in a deadlock.
            connection.execute(mysql.insert(thread_controls).values(new).on_duplicate_key_update(customer=customer))
        else:
            insert_once(connection, thread_controls, **new)
        row = connection.execute(found).one()
    return row


def takeover_by_id(connection: Connection, takeover_id: int) -> Row:
    """A takeover that is known to exist."""
    return connection.execute(select(takeovers).where(takeovers.c.id == takeover_id)).one()


def locked_takeover(connection: Connection, ticket: TicketRef) -> Row | None:
    """The takeover of a ticket, read under its customer's lock."""
    found = None
    if ticket.external_id:
        ours = select(takeovers.c.id, takeovers.c.customer).where(takeovers.c.external_id == ticket.external_id)
        found = connection.execute(ours).first()
        if found is None and ticket.external_id.startswith("handoff:"):
            return None  # another installation's
    if found is None and ticket.ticket_id:
        # Newest first: a helpdesk that was set up again counts from the start again.
        theirs = select(takeovers.c.id, takeovers.c.customer).where(takeovers.c.ticket_id == ticket.ticket_id)
        theirs = theirs.where(takeovers.c.backend == ticket.backend) if ticket.backend else theirs
        found = connection.execute(theirs.order_by(takeovers.c.id.desc())).first()
    if found is None:
        return None
    lock_control(connection, found.customer)
    return takeover_by_id(connection, found.id)


def change_takeover(connection: Connection, takeover_id: int, *only_if: Any, **values: Any) -> bool:
    """Set columns of a takeover, where `only_if` holds too; whether it did."""
    changed = connection.execute(update(takeovers).where(takeovers.c.id == takeover_id, *only_if).values(values))
    return bool(changed.rowcount)


def change_control(connection: Connection, customer: str, *only_if: Any, **values: Any) -> None:
    """Set columns of the customer's thread control row, where `only_if` holds too."""
    connection.execute(update(thread_controls).where(thread_controls.c.customer == customer, *only_if).values(values))


def add_notices(connection: Connection, takeover_id: int, channels: Iterable[str], now: float) -> None:
    """Have each channel notified of the takeover, once."""
    for channel in channels:
        insert_once(
            connection, notices, takeover_id=takeover_id, channel=channel, state="pending", attempts=0, due_at=now
        )


def notify_again(connection: Connection, takeover_id: int, now: float) -> None:
    """Have the channels that were notified of the takeover notified once more."""
    again = update(notices).where(notices.c.takeover_id == takeover_id)
    connection.execute(again.values(state="pending", attempts=0, due_at=now, done_at=None))


def add_job(
    connection: Connection,
    takeover_id: int,
    kind: str,
    key: str,
    body: dict[str, Any] | None,
    now: float,
    wait_s: float = 0.0,
) -> bool:
    """Queue a job for the helpdesk, due `wait_s` from now; False when `key` was queued before."""
    return insert_once(
        connection,
        jobs,
        takeover_id=takeover_id,
        kind=kind,
        key=key,
        body=None if body is None else json.dumps(body),
        state="pending",
        attempts=0,
        due_at=now + wait_s,
        created_at=now,
    )


def add_delivery(
    connection: Connection, takeover: Row, kind: str, entry_id: str, payload: dict[str, Any], now: float
) -> bool:
    """Queue something for the customer's inbox; False when `entry_id` was queued before."""
    return insert_once(
        connection,
        deliveries,
        takeover_id=takeover.id,
        customer=takeover.customer,
        kind=kind,
        entry_id=entry_id,
        payload=json.dumps(payload),
        files=len(payload.get("media") or ()),
        state="pending",
        created_at=now,
    )


def add_media(connection: Connection, takeover: Row, files: Iterable[tuple[str, str]], now: float) -> None:
    """Note the customer's files, (media id, file name), that the takeover's ticket links to; each once."""
    for media_id, filename in files:
        if media_id:
            insert_once(
                connection, media, media_id=media_id[:200], customer=takeover.customer, takeover_id=takeover.id,
                filename=filename[:240], state="pending", attempts=0, due_at=now, created_at=now,
            )  # fmt: skip


def is_own_comment(connection: Connection, ticket_id: str, comment_id: str) -> bool:
    """Whether the assistant wrote this comment itself."""
    own = select(comments.c.comment_id).where(
        comments.c.ticket_id == ticket_id, comments.c.comment_id == comment_id
    )
    return connection.execute(own).first() is not None


def insert_once(connection: Connection, table: Table, **values: Any) -> bool:
    """Insert a row unless its key is there; whether it was not."""
    if connection.dialect.name == "mysql":
        # INSERT IGNORE would also ignore what does not fit. A statement that fails takes nothing else back.
        try:
            connection.execute(insert(table).values(values))
        except IntegrityError as error:
            if error.orig is None or error.orig.args[0] != mysql_sessions.DUPLICATE_KEY:
                raise
            return False
        return True
    dialect: Any = postgresql if connection.dialect.name == "postgresql" else sqlite  # they spell it alike
    return bool(connection.execute(dialect.insert(table).values(values).on_conflict_do_nothing()).rowcount)
