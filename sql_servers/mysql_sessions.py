"""Connections to MySQL and MariaDB that keep what the others keep: exact keys, whole values, and no endless waiting.

Left to their defaults these servers take `wamid.aB` and `wamid.Ab` for one key, cut what is too long, and show a
transaction what was true when it began.
"""

import contextlib
from collections.abc import Iterator
from typing import Any

from sqlalchemy import event
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.exc import OperationalError, SQLAlchemyError

GRACE_S = 5.0
"""How much longer than the server the client waits: the server's answer says more."""
ISOLATION = "READ COMMITTED"
DUPLICATE_KEY = 1062
_TABLE = " ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin"
_SQL_MODE = "STRICT_ALL_TABLES,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION"


def connect_args(connect_s: float, statement_s: float) -> dict[str, Any]:
    """PyMySQL's arguments for an engine whose connections give up after so long."""
    timeout_s = statement_s + GRACE_S
    return {"connect_timeout": max(1, round(connect_s)), "read_timeout": timeout_s, "write_timeout": timeout_s}


def prepare(engine: Engine, statement_s: float, lock_s: float) -> None:
    """Have each connection of the engine work strictly and give up in time, and each new table compare byte by byte.

    An engine that writes is to be made with `isolation_level=ISOLATION`.
    """

    def connected(raw: Any, _record: object) -> None:
        raw.usual_limits = [*limit(raw, statement_s), *_lock_limits(lock_s)]
        with raw.cursor() as cursor:
            for statement in (f"SET SESSION sql_mode = '{_SQL_MODE}'", *raw.usual_limits):
                cursor.execute(statement)

    event.listen(engine, "connect", connected)
    event.listen(engine, "before_cursor_execute", _exact_table, retval=True)


def limit(raw: Any, statement_s: float) -> list[str]:
    """What has the server stop statements that take longer. MySQL itself does so only to those that read."""
    if "mariadb" in str(raw.get_server_info()).lower():
        return [f"SET SESSION max_statement_time = {statement_s:g}"]
    return [f"SET SESSION max_execution_time = {round(1000 * statement_s)}"]


@contextlib.contextmanager
def longer(connection: Connection, statement_s: float) -> Iterator[None]:
    """Let the statements of this transaction take longer (a migration). Other databases: as ever."""
    if connection.dialect.name != "mysql":
        yield
        return
    raw: Any = connection.connection.dbapi_connection
    before = raw._read_timeout, raw._write_timeout
    raw._read_timeout = raw._write_timeout = statement_s + GRACE_S
    for statement in (*limit(raw, statement_s), *_lock_limits(statement_s)):
        connection.exec_driver_sql(statement)
    try:
        yield
    finally:
        raw._read_timeout, raw._write_timeout = before
        with contextlib.suppress(SQLAlchemyError):  # a connection that is broken is not used again
            for statement in raw.usual_limits:
                connection.exec_driver_sql(statement)


@contextlib.contextmanager
def locked(connection: Connection, name: str, wait_s: float) -> Iterator[None]:
    """One process at a time. Changes of tables end a transaction and its locks; this one ends with the connection.

    Raises OperationalError when another process is still at it after `wait_s`.
    """
    lock = f"{name} {connection.engine.url.database}"[:64]  # the server's locks are not a database's
    if connection.exec_driver_sql("SELECT GET_LOCK(%s, %s)", (lock, wait_s)).scalar() != 1:
        raise OperationalError("GET_LOCK", None, TimeoutError(f"another process holds {name}"))
    try:
        yield
    finally:
        with contextlib.suppress(SQLAlchemyError):
            connection.exec_driver_sql("SELECT RELEASE_LOCK(%s)", (lock,)).close()


def _lock_limits(lock_s: float) -> list[str]:
    return [f"SET SESSION {name} = {max(1, round(lock_s))}" for name in ("innodb_lock_wait_timeout",
                                                                         "lock_wait_timeout")]  # fmt: skip


def _exact_table(_1: object, _2: object, statement: str, parameters: Any, _3: object, _4: object) -> tuple[str, Any]:
    if statement.lstrip().startswith("CREATE TABLE"):
        return statement.rstrip() + _TABLE, parameters
    return statement, parameters
