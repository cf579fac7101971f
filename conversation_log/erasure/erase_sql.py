"""Erasing a customer from the conversation database: the log's tables and the takeovers' beside them.

The takeovers' tables (`handoff_*`) belong to another package; they are found in the database itself and followed by
their columns: `customer`, then `takeover_id`, `external_id` and `ticket_id`.
"""

import json
import sqlite3
import time
from typing import Any

from sqlalchemy import MetaData, Table, delete, inspect, or_, select, text
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.exc import SQLAlchemyError

from conversation_log.model import identities
from conversation_log.model.identities import Identities
from conversation_log.storage import database
from conversation_log.storage.reader import in_parts
from conversation_log.storage.tables import archived_keys, conversations, early_statuses, messages, metadata

CHECKPOINT_WAIT_S = 15.0
LOCK_WAIT_MS = 10_000


def wamids_of(engine: Engine, known: Identities) -> set[str]:
    """The ids of the customer's messages, those to them included."""
    warm = select(messages.c.message_id, messages.c.message_key).join(conversations).where(_own(known))
    gone = select(archived_keys.c.message_key).where(archived_keys.c.customer_id.in_(known.names | known.customers))
    with engine.connect() as connection:
        found = [*connection.execute(warm), *connection.execute(gone)]
    return {wamid for row in found for wamid in row if wamid and wamid.startswith("wamid.")}


def erase(engine: Engine, known: Identities, wamids: set[str]) -> tuple[dict[str, int], list[str]]:
    """Delete the customer's rows. Returns table → how many, and the tickets that the helpdesk has of them."""
    removed: dict[str, int] = {}
    with database.writing(engine) as connection:
        own = select(conversations.c.log_id).where(_own(known))
        ids = list(connection.execute(own).scalars())
        for part in in_parts(ids):
            count = connection.execute(delete(messages).where(messages.c.log_id.in_(part))).rowcount
            removed["messages"] = removed.get("messages", 0) + count
            count = connection.execute(delete(conversations).where(conversations.c.log_id.in_(part))).rowcount
            removed["conversations"] = removed.get("conversations", 0) + count
        removed["early_statuses"] = _erase_early(connection, known, wamids)
        kept = archived_keys.c.customer_id.in_(known.names | known.customers)
        removed["archived_keys"] = connection.execute(delete(archived_keys).where(kept)).rowcount
        taken, tickets = _erase_takeovers(connection, known)
    return {name: count for name, count in (removed | taken).items() if count}, tickets


def _own(known: Identities) -> Any:
    names = sorted(known.names | known.customers)
    return or_(conversations.c.customer_id.in_(names), conversations.c.customer_phone.in_(names))


def _erase_early(connection: Connection, known: Identities, wamids: set[str]) -> int:
    own = [
        wamid
        for wamid in connection.execute(select(early_statuses.c.message_id)).scalars()
        if wamid in wamids or identities.mentions(wamid, known.names)
    ]
    for part in in_parts(own):
        connection.execute(delete(early_statuses).where(early_statuses.c.message_id.in_(part)))
    return len(own)


def _erase_takeovers(connection: Connection, known: Identities) -> tuple[dict[str, int], list[str]]:
    """Delete the rows of all `handoff_*` tables that lead to the customer."""
    found = MetaData()
    found.reflect(connection, only=lambda name, _: name.startswith("handoff_"))
    tables = found.tables
    links = _links(connection, tables.get("handoff_takeovers"), known)
    log_tickets = tables.get("handoff_log_tickets")
    own_tickets: list[Any] = []
    if log_tickets is not None:
        links["external_id"] += _left_behind(connection, log_tickets, links["customer"])
        own_tickets = _ids(connection, log_tickets, log_tickets.c.external_id, links["external_id"])
    removed: dict[str, int] = {}
    for name, table in tables.items():
        values = dict(links)
        if name == "handoff_log_comments":
            values["ticket_id"] = own_tickets
        elif name == "handoff_takeovers":
            del values["ticket_id"]  # another helpdesk's ticket of this number is another customer's
        conditions = [table.c[column].in_(wanted) for column, wanted in values.items() if wanted and column in table.c]
        if conditions:
            removed[name] = connection.execute(delete(table).where(or_(*conditions))).rowcount
    return removed, [str(ticket) for ticket in links["elsewhere"]]


def _left_behind(connection: Connection, log_tickets: Table, names: list[str]) -> list[str]:
    """Tickets here that another one continues, in another helpdesk perhaps: their takeover names them no more."""
    theirs = [f'"customer": {json.dumps(name)}' for name in names]
    rows = connection.execute(select(log_tickets.c.external_id, log_tickets.c.content)).all()
    return [row.external_id for row in rows if any(named in (row.content or "") for named in theirs)]


def _links(connection: Connection, takeovers: Table | None, known: Identities) -> dict[str, list[Any]]:
    """Column → the values that mark a row of any table as the customer's."""
    names = sorted(known.names | known.customers)
    links: dict[str, list[Any]] = {"customer": list(names), "takeover_id": [], "external_id": [], "ticket_id": []}
    links["elsewhere"] = []  # tickets that a helpdesk has; no column is called so
    if takeovers is None:
        return links
    for row in connection.execute(select(takeovers).where(takeovers.c.customer.in_(names))).mappings():
        links["takeover_id"].append(row["id"])
        if row.get("ticket_id") and row.get("backend") != "log":
            links["elsewhere"].append(f"{row.get('backend')} {row['ticket_id']}")
        for column in ("external_id", "ticket_id"):
            if row.get(column):
                links[column].append(row[column])
    return links


def _ids(connection: Connection, table: Table, column: Any, values: list[Any]) -> list[Any]:
    return list(connection.execute(select(table.c.id).where(column.in_(values))).scalars()) if values else []


def rewrite_files(engine: Engine) -> list[str]:
    """Have the database drop the deleted rows' bytes. Returns what to tell the operator."""
    try:
        if engine.dialect.name == "sqlite":
            return _rewrite_sqlite(engine)
        if engine.dialect.name == "postgresql":
            return _rewrite_postgres(engine)
        return _rewrite_mysql(engine)
    except (SQLAlchemyError, sqlite3.Error) as error:
        return [f"The database file could not be rewritten now ({type(error).__name__}); it is next time."]


def _rewrite_sqlite(engine: Engine) -> list[str]:
    """VACUUM rewrites every page, the checkpoint empties the write-ahead log behind it."""
    raw = engine.raw_connection()  # neither works inside a transaction
    try:
        cursor = raw.cursor()
        cursor.execute("VACUUM")
        deadline = time.monotonic() + CHECKPOINT_WAIT_S
        while time.monotonic() < deadline:
            if cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0] == 0:
                return ["SQLite's file was rewritten and its write-ahead log emptied."]
            time.sleep(0.1)
    finally:
        raw.close()
    return ["SQLite's file was rewritten; its write-ahead log empties when no reader is left."]


def _rewrite_postgres(engine: Engine) -> list[str]:
    """FULL, because a plain VACUUM leaves the bytes of deleted rows in their pages."""
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        names = [name for name in inspect(connection).get_table_names() if _is_ours(name)]
        # While somebody reads a large table for long, the others must not queue up behind this.
        connection.execute(text(f"SET lock_timeout = {LOCK_WAIT_MS}"))
        try:
            for name in names:
                connection.execute(text(f'VACUUM (FULL, ANALYZE) "{name}"'))
            # The planner's samples of the columns; a database's owner may do this, for others it is passed over.
            connection.execute(text("VACUUM (FULL) pg_catalog.pg_statistic"))
        finally:
            connection.execute(text("RESET lock_timeout"))
    return ["PostgreSQL's tables were rewritten; its write-ahead log and backups are recycled by their own rules."]


def _rewrite_mysql(engine: Engine) -> list[str]:
    """InnoDB builds the table anew for this, and takes no lock for longer than a moment."""
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        for name in filter(_is_ours, inspect(connection).get_table_names()):
            connection.exec_driver_sql(f"OPTIMIZE TABLE `{name}`").close()
    return ["The server's tables were rewritten; its logs and backups are recycled by their own rules."]


def _is_ours(table: str) -> bool:
    return table in metadata.tables or table.startswith("handoff_")
