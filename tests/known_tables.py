"""Tables of an empty database, made by the statements that the migrations said the first time: Alembic takes 0.1 s of a
processor for what a database does in milliseconds, and hundreds of tests begin with an empty one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import sqlalchemy
from sqlalchemy.engine import Connection

from sql_servers.migrations import Migrations

Statement = tuple[str, Any, bool]
"""What a cursor executed, with what parameters, and whether with many."""
READS = ("SELECT", "PRAGMA", "SHOW", "DESCRIBE")
_said: dict[tuple[str, str, frozenset[str]], list[Statement]] = {}


APPLY = Migrations._apply


def apply(migrations: Migrations, connection: Connection, applied: str | None, revision: str) -> None:
    """As `Migrations._apply`; for a database with none of its tables by what was said to one with the same others."""
    there = frozenset(sqlalchemy.inspect(connection).get_table_names())
    if applied is not None or revision != migrations.revisions[-1]:
        return APPLY(migrations, connection, applied, revision)
    before = migrations.version_table, connection.dialect.name, there
    if before not in _said:
        with _listened_to(connection) as said:
            APPLY(migrations, connection, applied, revision)
        _said[before] = said
        return None
    cursor = connection.connection.cursor()
    for statement, parameters, many in _said[before]:
        (cursor.executemany if many else cursor.execute)(statement, parameters)
    cursor.close()
    return None


@contextmanager
def _listened_to(connection: Connection) -> Iterator[list[Statement]]:
    """What is executed on the connection and changes something."""
    said: list[Statement] = []

    def hear(_c: Any, _cursor: Any, statement: str, parameters: Any, _context: Any, many: bool) -> None:
        if not statement.lstrip().upper().startswith(READS):
            said.append((statement, parameters, many))

    sqlalchemy.event.listen(connection, "before_cursor_execute", hear)
    try:
        yield said
    finally:
        sqlalchemy.event.remove(connection, "before_cursor_execute", hear)
