"""An engine for a database that is ours to write: SQLite with a write-ahead log, or a server that is not waited for."""

from contextlib import AbstractContextManager
from pathlib import Path
from types import ModuleType
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import URL, Connection, Engine

from sql_servers import mysql_sessions, postgres_timeouts


def engine(url: URL, connect_s: float, statement_s: float, lock_s: float, **options: Any) -> Engine:
    """An engine whose connections, statements and locks take so long at most; SQLite knows only locks.

    Nothing is opened yet. On SQLite a transaction that writes is one with `execution_options(writes=True)`. Raises what
    `sqlalchemy.create_engine` does.
    """
    options = {"future": True, "hide_parameters": True, **options}  # they are customers' words; errors end up in logs
    kind = url.get_backend_name()
    if kind == "sqlite":
        made = sa.create_engine(url, connect_args={"timeout": lock_s, "check_same_thread": False}, **options)
        sa.event.listen(made, "connect", _prepare_sqlite)
        if options.get("isolation_level") != "AUTOCOMMIT":
            sa.event.listen(made, "begin", _begin_sqlite)
        return made
    sessions = _sessions(kind)
    if kind == "mysql":
        options = {"isolation_level": mysql_sessions.ISOLATION, **options}
    arguments = sessions.connect_args(connect_s, statement_s)
    made = sa.create_engine(url, connect_args=arguments, pool_pre_ping=True, **options)
    if kind == "mysql":
        mysql_sessions.prepare(made, statement_s, lock_s)
    else:
        sa.event.listen(
            made, "connect", lambda raw, _record: postgres_timeouts.limit_statements(raw, statement_s, lock_s)
        )
    return made


def longer(connection: Connection, statement_s: float) -> AbstractContextManager[None]:
    """Let the statements of this transaction take longer (a migration)."""
    return _sessions(connection.dialect.name).longer(connection, statement_s)


def sqlite_file(url: URL) -> Path | None:
    """The file of a SQLite database; None for one in memory and for a server."""
    file = url.database
    return Path(file) if url.get_backend_name() == "sqlite" and file and file != ":memory:" else None


def _sessions(kind: str) -> ModuleType:
    return mysql_sessions if kind == "mysql" else postgres_timeouts


def _prepare_sqlite(connection: Any, _record: object) -> None:
    # The driver's own transactions begin too late for DDL and reads: SQLAlchemy's begin event does it.
    connection.isolation_level = None
    # FULL: what was announced survives a power cut. Deleted securely: erased words don't stay in the file's free pages.
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "secure_delete=ON"):
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: Connection) -> None:
    # A transaction that will write says so at once: two that upgrade from reading would fail instead of waiting.
    mode = "IMMEDIATE" if connection.get_execution_options().get("writes") else "DEFERRED"
    connection.exec_driver_sql(f"BEGIN {mode}")
