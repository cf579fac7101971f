"""The SQL database of takeovers: SQLite by default, PostgreSQL, MySQL or MariaDB where several machines share it.

SQLite: write-ahead log, so readers never wait for a writer; a transaction that will write takes the write lock
at its start (`BEGIN IMMEDIATE`).
The servers: the caller locks the customer's row, and then sees what is committed.
"""

import contextlib
import logging
import sqlite3
from collections.abc import Iterator
from typing import Any

from sqlalchemy.engine import Connection, Engine, make_url
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, InterfaceError, OperationalError, SQLAlchemyError
from sqlalchemy.pool import QueuePool

from handoff.storage.schema import REVISIONS, is_current, migrate
from settings_values import database_url
from sql_servers import engines, mysql_sessions

log = logging.getLogger(__name__)

CONNECT_TIMEOUT_S = 3
STATEMENT_TIMEOUT_S = 5.0
LOCK_TIMEOUT_S = 4.0
MIGRATION_TIMEOUT_S = 60  # others may be at it on a slow disk
_SCHEMA_LOCK = 0x48414E44  # any number that no other advisory lock of this database uses


class HandoffUnavailable(Exception):
    """The database of takeovers cannot be reached or does not answer; nothing was changed."""


class Unstorable(HandoffUnavailable):
    """The database is there and does not take these values: asking again helps only against another's write."""


class Database:
    """`write()` and `read()` are transactions; errors of the driver arrive as HandoffUnavailable."""

    def __init__(self, url: str) -> None:
        self.url = make_url(database_url(url))
        self.sqlite, self.mysql = (self.url.get_backend_name() == name for name in ("sqlite", "mysql"))
        if file := engines.sqlite_file(self.url):
            file.parent.mkdir(parents=True, exist_ok=True)
        self._writing = self._engine(execution_options={"writes": True})
        self._reading = self._engine(isolation_level="AUTOCOMMIT")
        self.prepared = False  # the tables are up to date
        self._kept: Any = None  # the connection of `first_row`

    def _engine(self, **options: Any) -> Engine:
        # SQLAlchemy 1.4 reopens a SQLite file for every statement unless told to keep connections.
        options |= {"poolclass": QueuePool, "pool_size": 4, "max_overflow": 8, "pool_timeout": CONNECT_TIMEOUT_S}
        return engines.engine(self.url, CONNECT_TIMEOUT_S, STATEMENT_TIMEOUT_S, LOCK_TIMEOUT_S, **options)

    def prepare(self) -> None:
        """Bring the tables up to date. Several processes may do this at once."""
        if self.prepared:
            return
        with _translated():
            with self._reading.connect() as connection:
                current = is_current(connection)
            if not current:
                self._migrate()
        self.prepared = True

    def move_to(self, revision: str) -> None:
        """Bring the tables to a migration, up or down. Raises NoSuchRevision and HandoffUnavailable."""
        with _translated():
            self._migrate(revision)

    def _migrate(self, revision: str = REVISIONS[-1]) -> None:
        with self._writing.begin() as connection, engines.longer(connection, MIGRATION_TIMEOUT_S):
            if self.mysql:
                with mysql_sessions.locked(connection, "handoff migration", MIGRATION_TIMEOUT_S):
                    migrate(connection, revision)
                return
            if not self.sqlite:
                connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_SCHEMA_LOCK})")
            migrate(connection, revision)

    @contextlib.contextmanager
    def write(self) -> Iterator[Connection]:
        """One transaction, committed at the end of the block."""
        self.prepare()
        with _translated(), self._writing.begin() as connection:
            yield connection

    @contextlib.contextmanager
    def read(self) -> Iterator[Connection]:
        """Statements that each see what is committed at that moment."""
        self.prepare()
        with _translated(), self._reading.connect() as connection:
            yield connection

    def first_row(self, statement: str, *values: Any) -> Any:
        """What SQLite finds first, over a connection that stays: for one thread, in a tenth of the time of `read`."""
        try:
            self._kept = self._kept or self._reading.raw_connection()
            rows = self._kept.execute(statement, values).fetchall()
        except (SQLAlchemyError, sqlite3.Error) as error:
            self._kept = None
            raise HandoffUnavailable(type(error).__name__) from None
        return rows[0] if rows else None

    def close(self) -> None:
        """Give the connections back."""
        self._kept = None
        self._writing.dispose()
        self._reading.dispose()


@contextlib.contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except SQLAlchemyError as error:
        # Not chained: the driver's message may hold the row that was being written, and a traceback would show it.
        if isinstance(error, (DataError, IntegrityError)):
            raise Unstorable(type(error).__name__) from None
        if isinstance(error, DBAPIError) and not isinstance(error, (OperationalError, InterfaceError)):
            state = getattr(error.orig, "pgcode", None) or next(iter(getattr(error.orig, "args", None) or ()), None)
            log.error(
                "handoff.database.refused error=%s code=%s: no outage; a table, column or privilege is missing, see"
                " `python -m handoff migrate`", type(error).__name__, state if len(str(state)) <= 8 else None,
            )  # fmt: skip
        raise HandoffUnavailable(type(error).__name__) from None
