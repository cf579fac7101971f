"""What has to be done to the log from time to time: judge conversations that went silent, forget what is late."""

from datetime import datetime

from sqlalchemy import delete, select, update
from sqlalchemy.engine import Connection

from conversation_log.model import judgements
from conversation_log.storage import reader
from conversation_log.storage.tables import archived_keys, conversations, early_statuses


def forget_early(connection: Connection, before: datetime) -> int:
    """Delete statuses that never met their message (another system's messages on the same number)."""
    return int(connection.execute(delete(early_statuses).where(early_statuses.c.at < before)).rowcount)


def forget_archived(connection: Connection, before: datetime) -> int:
    """Delete the keys of messages that were archived so long ago that no record of theirs comes any more."""
    return int(connection.execute(delete(archived_keys).where(archived_keys.c.archived_at < before)).rowcount)


def settle_idle(connection: Connection, now: datetime, limit: int = 500) -> int:
    """Give conversations that were silent for 60 minutes their resolution. Returns how many."""
    over = (
        select(conversations.c.log_id)
        .where(conversations.c.resolution_status == "open", conversations.c.ended_at <= now - judgements.IDLE)
        .limit(limit)
    )
    ids = list(connection.execute(over).scalars())
    by_id: dict[str, list[reader.Row]] = {}
    for part in reader.in_parts(ids):
        by_id |= reader.messages_of(connection, part)
    for log_id, rows in by_id.items():
        still_open = (conversations.c.log_id == log_id) & (conversations.c.resolution_status == "open")
        connection.execute(update(conversations).where(still_open).values(resolution_status=judgements.ending(rows)))
    return len(ids)
