"""An engine for reading a database that is not ours: read-only, pooled, and never waited for long.

The three kinds differ: SQLite would create a missing file and has no statement timeout, PostgreSQL takes both per
transaction (start-up options do not pass PgBouncer), MySQL takes them per session.
"""

import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy
from sqlalchemy.engine import URL, Connection, Engine, make_url
from sqlalchemy.pool import QueuePool

from settings_values import database_url
from sql_servers import mysql_sessions, postgres_timeouts

CONNECT_TIMEOUT_S = 2
POOL_TIMEOUT_S = 1.5
SQLITE_KEPT_S = 2  # so long at most a file is read on that another took the place of


def read_only_engine(url: str, statement_timeout_s: float) -> Engine:
    """An engine for `url` (sqlite, postgresql or mysql). Connects only when first used."""
    parsed = make_url(database_url(url))
    kind = parsed.get_backend_name()
    options: dict[str, Any] = {"future": True, "hide_parameters": True}
    if kind == "sqlite":
        options |= {"poolclass": QueuePool, "pool_recycle": SQLITE_KEPT_S, "max_overflow": 5}
        return sqlalchemy.create_engine(parsed, creator=lambda: _open_sqlite(parsed), **options)
    options |= {
        "pool_size": 5,
        "max_overflow": 5,
        "pool_timeout": POOL_TIMEOUT_S,
        "pool_pre_ping": True,
        "pool_recycle": 1800,
    }
    if kind == "postgresql":
        options["connect_args"] = postgres_timeouts.connect_args(CONNECT_TIMEOUT_S, statement_timeout_s)
    elif kind == "mysql":
        options["connect_args"] = mysql_sessions.connect_args(CONNECT_TIMEOUT_S, statement_timeout_s) | {
            "init_command": "SET SESSION TRANSACTION READ ONLY"
        }
    return sqlalchemy.create_engine(parsed, **options)


@contextmanager
def reading(engine: Engine, timeout_s: float) -> Iterator[Connection]:
    """A connection in a read-only transaction whose statements are stopped after `timeout_s` where that is possible.

    Raises sqlalchemy.exc.SQLAlchemyError for everything that goes wrong.
    """
    with engine.connect() as connection:
        raw: Any = connection.connection.dbapi_connection
        if engine.dialect.name == "postgresql":
            connection.exec_driver_sql(
                f"SET TRANSACTION READ ONLY; SET LOCAL statement_timeout = {int(timeout_s * 1000)}"
            )
        elif engine.dialect.name == "mysql":
            connection.exec_driver_sql(*mysql_sessions.limit(raw, timeout_s))
        elif engine.dialect.name == "sqlite":
            deadline = time.monotonic() + timeout_s
            raw.set_progress_handler(lambda: time.monotonic() > deadline, 10_000)
        yield connection


def _open_sqlite(url: URL) -> sqlite3.Connection:
    path = Path(url.database or "").expanduser().resolve()
    connection = sqlite3.connect(
        f"{path.as_uri()}?mode=ro", uri=True, timeout=CONNECT_TIMEOUT_S, check_same_thread=False
    )
    # A name in another encoding must not hide the order it belongs to.
    connection.text_factory = lambda raw: raw.decode("utf-8", "replace")
    return connection
