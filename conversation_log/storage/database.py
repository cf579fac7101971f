"""Connections to the log's SQL database, and its migrations."""

import fcntl
import os
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import text
from sqlalchemy.engine import Connection, Engine, make_url
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from conversation_log.storage import remedies
from settings_values import database_url
from sql_servers import engines
from sql_servers.migrations import Migrations, NoSuchRevision

VERSION_TABLE = "log_alembic_version"
TABLES = Migrations("log", Path(__file__).parent / "migrations", VERSION_TABLE)
BUSY_TIMEOUT_S = 30
CONNECT_TIMEOUT_S = 5.0
COMMANDS_STATEMENT_S = 600.0
"""How long one statement of a command (export, report, archive) may take."""
WRITERS_STATEMENT_S = 30.0
"""The same for the worker's writer: its statements take milliseconds, and one that hangs must not stop it for good."""
MIGRATION_WAIT_S = 60.0


class LogUnavailable(RuntimeError):
    """The conversation database cannot be used; the message says why and what to do."""


class Busy(LogUnavailable):
    """Another process does it just now."""


def connect(url: str, statement_s: float = COMMANDS_STATEMENT_S) -> Engine:
    """An engine for the log's database, whose statements may take so long; nothing is opened yet.

    Raises LogUnavailable for a URL that cannot be used.
    """
    try:
        parsed = make_url(database_url(url))
    except ArgumentError:
        raise LogUnavailable(
            "CONVERSATION_DATABASE_URL is not an SQLAlchemy URL; write sqlite:///path or "
            "postgresql://user:password@host/database."
        ) from None
    options = {"executemany_mode": "values_plus_batch"} if parsed.get_backend_name() == "postgresql" else {}
    try:
        return engines.engine(parsed, CONNECT_TIMEOUT_S, statement_s, min(statement_s, BUSY_TIMEOUT_S), **options)
    except (ArgumentError, ImportError):
        raise LogUnavailable(
            f"CONVERSATION_DATABASE_URL asks for {parsed.drivername}, whose driver is not here; use sqlite, "
            "postgresql or mysql."
        ) from None


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """A transaction that writes; committed at the end, rolled back when the block raises."""
    with engine.connect().execution_options(writes=True) as connection, connection.begin():
        yield connection


def migrate(engine: Engine) -> None:
    """Bring the tables up to date; safe when several processes start at once. Raises LogUnavailable."""
    try:
        if file := engines.sqlite_file(engine.url):
            file.parent.mkdir(parents=True, exist_ok=True)
        with exclusive(engine, "migration", MIGRATION_WAIT_S):
            if applied_revision(engine) != TABLES.revisions[-1]:
                _move(engine)
    except (SQLAlchemyError, OSError) as error:
        raise LogUnavailable(remedies.of_database(error, engine.url)) from error


def require_current(engine: Engine) -> None:
    """Raise LogUnavailable, naming the remedy, unless the database exists with all migrations applied."""
    file = engines.sqlite_file(engine.url)
    if file and not file.exists():
        raise LogUnavailable(
            f"There is no conversation database at {file} yet. It is created when the assistant first runs "
            "(`make run` or `make serve`), or by `python -m conversation_log migrate`."
        )
    try:
        applied = applied_revision(engine)
    except SQLAlchemyError as error:
        raise LogUnavailable(remedies.of_database(error, engine.url)) from error
    if not TABLES.suffice(applied):
        raise LogUnavailable(
            "The conversation database lacks the newest tables. Run `python -m conversation_log migrate`."
        )


def applied_revision(engine: Engine) -> str | None:
    """The migration that the database is at, None before the first."""
    with engine.connect() as connection:
        return TABLES.applied(connection)


def move_to(engine: Engine, revision: str) -> None:
    """Bring the tables to a migration, up or down; down takes away what came after it, with what is in there.

    Raises LogUnavailable, also for a migration that there is not.
    """
    try:
        with exclusive(engine, "migration", MIGRATION_WAIT_S):
            _move(engine, revision)
    except NoSuchRevision as error:
        raise LogUnavailable(f"The log has {error}.") from None
    except SQLAlchemyError as error:
        raise LogUnavailable(remedies.of_database(error, engine.url)) from error


def _move(engine: Engine, revision: str | None = None) -> None:
    with writing(engine) as connection, engines.longer(connection, COMMANDS_STATEMENT_S):
        TABLES.move(connection, revision)


@contextmanager
def exclusive(engine: Engine, purpose: str, wait_s: float) -> Iterator[None]:
    """Do something that only one process may do at a time. A killed process frees it at once.

    Raises Busy when another one is still at it after `wait_s`.
    """
    deadline = time.monotonic() + wait_s
    with _lock_of(engine, purpose) as (take, free):
        while not take():
            if time.monotonic() >= deadline:
                raise Busy(f"Another process holds the {purpose} lock. Try again when it is done.")
            time.sleep(0.1)
        try:
            yield
        finally:
            free()


@contextmanager
def _lock_of(engine: Engine, purpose: str) -> Iterator[tuple[Callable[[], bool], Callable[[], None]]]:
    """How to try to take a lock, and how to free it: the server's own, or a file beside SQLite's."""
    name, file = engine.dialect.name, engines.sqlite_file(engine.url)
    if name == "sqlite":
        if file is None:
            yield (lambda: True), (lambda: None)
            return
        with open(f"{file}.{purpose}.lock", "w") as lock:
            os.chmod(lock.name, 0o600)
            yield (lambda: _try_flock(lock.fileno())), (lambda: fcntl.flock(lock, fcntl.LOCK_UN))
        return
    take, free = {
        "postgresql": ("SELECT pg_try_advisory_lock(:id)", "SELECT pg_advisory_unlock(:id)"),
        "mysql": ("SELECT GET_LOCK(:id, 0)", "SELECT RELEASE_LOCK(:id)"),
    }[name]
    number: int | str = zlib.crc32(f"conversation_log {purpose}".encode())
    if name == "mysql":  # its locks are the server's: two shops' databases on it have one each
        number = f"{number} {engine.url.database}"[:64]
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        yield (
            lambda: bool(connection.execute(text(take), {"id": number}).scalar()),
            lambda: connection.execute(text(free), {"id": number}).close(),
        )


def _try_flock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
