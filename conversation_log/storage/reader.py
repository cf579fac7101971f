"""Conversations out of the warm tier, one at a time, with their messages; memory stays flat."""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import and_, func, or_, select
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.sql import Select

from conversation_log.model import judgements
from conversation_log.storage.tables import conversations, messages

PAGE = 400  # below every database's limit of bound parameters

Row = dict[str, Any]


@dataclass(frozen=True)
class Selection:
    """Which conversations: those that began in [since, until), of these customers (None: of all)."""

    since: datetime | None = None
    until: datetime | None = None
    customers: Collection[str] | None = None


@dataclass(frozen=True)
class Conversation:
    """A conversation's row, with its resolution as of the reading, and the rows of its messages in order."""

    row: Row
    messages: list[Row]


def read(engine: Engine, selection: Selection, now: datetime) -> Iterator[Conversation]:
    """Conversations in the order in which they began."""
    after: tuple[datetime, str] | None = None
    while True:
        with engine.connect() as connection:
            rows = _page(connection, selection, after)
            if not rows:
                return
            found = with_messages(connection, rows, now)
        yield from found
        after = (rows[-1]["started_at"], rows[-1]["log_id"])


def count(engine: Engine, selection: Selection) -> int:
    """How many conversations `read` would give."""
    with engine.connect() as connection:
        statement = _narrowed(select(func.count()).select_from(conversations), selection)
        return int(connection.execute(statement).scalar_one())


def with_messages(connection: Connection, rows: list[Row], now: datetime) -> list[Conversation]:
    """The conversations of these rows (at most a page of them)."""
    by_id = messages_of(connection, [row["log_id"] for row in rows])
    return [
        Conversation({**row, "resolution_status": judgements.resolution(row, said, now)}, said)
        for row in rows
        for said in [by_id[row["log_id"]]]
    ]


def messages_of(connection: Connection, ids: list[str]) -> dict[str, list[Row]]:
    """log_id → the rows of its messages in order, for at most a page of conversations."""
    by_id: dict[str, list[Row]] = {log_id: [] for log_id in ids}
    found = select(messages).where(messages.c.log_id.in_(ids))
    for message in connection.execute(found).mappings():
        by_id[message["log_id"]].append(dict(message))
    return {log_id: sorted(said, key=judgements.spoken) for log_id, said in by_id.items()}


def in_parts(values: Iterable[str]) -> Iterator[list[str]]:
    """Values in order, in lists that fit into one statement."""
    ordered = sorted(values)
    return (ordered[at : at + PAGE] for at in range(0, len(ordered), PAGE))


def _page(connection: Connection, selection: Selection, after: tuple[datetime, str] | None) -> list[Row]:
    statement = _narrowed(select(conversations), selection)
    if after is not None:
        began, log_id = after
        statement = statement.where(
            or_(
                conversations.c.started_at > began,
                and_(conversations.c.started_at == began, conversations.c.log_id > log_id),
            )
        )
    ordered = statement.order_by(conversations.c.started_at, conversations.c.log_id).limit(PAGE)
    return [dict(row) for row in connection.execute(ordered).mappings()]


def _narrowed(statement: Select, selection: Selection) -> Select:
    if selection.since is not None:
        statement = statement.where(conversations.c.started_at >= selection.since)
    if selection.until is not None:
        statement = statement.where(conversations.c.started_at < selection.until)
    if selection.customers is not None:
        ids = list(selection.customers)
        statement = statement.where(or_(conversations.c.customer_id.in_(ids), conversations.c.customer_phone.in_(ids)))
    return statement
