"""Connections to PostgreSQL that never wait for ever: psycopg2 itself waits as long as the server likes.

The server's own `statement_timeout` ends a slow query. It does not help when the server is frozen, or when a proxy
keeps the connection of one that is gone: then the client gives up a little later and drops the connection.
"""

import select
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg2
from psycopg2 import extensions
from sqlalchemy.engine import Connection

GRACE_S = 5.0
"""How much longer than the server the client waits: the server's answer says more."""
MAX_POLL_S = 60.0
_installing = threading.Lock()


class TimedConnection(extensions.connection):
    """A connection that waits at most `timeout_s` for each answer of the server (None: for ever)."""

    timeout_s: float | None = None


def connect_args(connect_s: float, statement_s: float) -> dict[str, Any]:
    """psycopg2's arguments for an engine whose connections give up after so long."""
    with _installing:
        extensions.set_wait_callback(_wait)

    class Connection(TimedConnection):
        def __init__(self, *arguments: Any, **options: Any) -> None:
            self.timeout_s = connect_s
            super().__init__(*arguments, **options)
            self.timeout_s = statement_s + GRACE_S

    return {
        "connection_factory": Connection,
        "connect_timeout": max(2, round(connect_s)),  # for the look-up of names, and less is ignored
        "application_name": "support-assistant",
        "keepalives_idle": 10,
        "keepalives_interval": 5,
        "keepalives_count": 3,
        "tcp_user_timeout": round(1000 * min(statement_s, 10.0)),
    }


def limit_statements(connection: Any, statement_s: float, lock_s: float) -> None:
    """Have the server stop what takes longer. Not as a start-up option: those do not pass PgBouncer."""
    with connection.cursor() as cursor:
        cursor.execute(f"SET statement_timeout = {round(1000 * statement_s)}")
        cursor.execute(f"SET lock_timeout = {round(1000 * lock_s)}")
    connection.commit()


@contextmanager
def longer(connection: Connection, statement_s: float) -> Iterator[None]:
    """Let the statements of this transaction take longer (a migration). Other databases than PostgreSQL: as ever."""
    if connection.dialect.name != "postgresql":
        yield
        return
    raw: Any = connection.connection.dbapi_connection
    before, raw.timeout_s = raw.timeout_s, statement_s + GRACE_S
    try:
        for name in ("lock_timeout", "statement_timeout"):
            connection.exec_driver_sql(f"SET LOCAL {name} = {round(1000 * statement_s)}")
        yield
    finally:
        raw.timeout_s = before


def _wait(connection: Any) -> None:
    """psycopg2's wait callback: whatever it does with a server goes through here."""
    timeout_s = getattr(connection, "timeout_s", None)
    deadline = None if timeout_s is None else time.monotonic() + timeout_s
    while (state := connection.poll()) != extensions.POLL_OK:
        left = MAX_POLL_S if deadline is None else deadline - time.monotonic()
        if left <= 0:
            # psycopg2 closes the connection: its state is unknown.
            raise psycopg2.OperationalError(f"no answer within {timeout_s:g} s")
        poller = select.poll()
        poller.register(connection.fileno(), select.POLLIN if state == extensions.POLL_READ else select.POLLOUT)
        poller.poll(1000 * min(left, MAX_POLL_S))
