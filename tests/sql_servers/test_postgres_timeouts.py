"""A PostgreSQL that hangs, in whatever way, costs a statement and a connection, never a process."""

from __future__ import annotations

import contextlib
import signal
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
import sqlalchemy as sa
from sqlalchemy.exc import OperationalError

from conversation_log.storage import database
from handoff.storage.database import Database, HandoffUnavailable
from sql_servers import postgres_timeouts
from tests.children import suspend


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postgres_timeouts, "GRACE_S", 0.3)


@contextlib.contextmanager
def frozen(engine: sa.engine.Engine) -> Iterator[None]:
    """The server's processes stop answering, but their connections stay."""
    with engine.connect() as connection:
        postmaster = psutil.Process(connection.execute(sa.text("SELECT pg_backend_pid()")).scalar()).parent()
    processes = [postmaster, *postmaster.children()]
    for process in processes:
        suspend(process.pid)
    try:
        yield
    finally:
        for process in processes:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.send_signal(signal.SIGCONT)


def within(seconds: float) -> contextlib.AbstractContextManager[None]:
    @contextlib.contextmanager
    def measured() -> Iterator[None]:
        began = time.monotonic()
        yield
        assert time.monotonic() - began < seconds

    return measured()


def test_a_query_that_hangs_is_stopped_and_the_next_one_answered(postgres_url: str) -> None:
    engine = database.connect(postgres_url, statement_s=0.5)
    with within(5), pytest.raises(OperationalError), engine.connect() as connection:
        connection.execute(sa.text("SELECT pg_sleep(60)"))
    with engine.connect() as connection:
        assert connection.execute(sa.text("SELECT 1")).scalar() == 1
    engine.dispose()


def test_a_lock_that_somebody_keeps_is_not_waited_for_for_ever(postgres_url: str) -> None:
    engine = database.connect(postgres_url, statement_s=0.5)
    with engine.begin() as connection:
        connection.execute(sa.text("CREATE TABLE t (x INTEGER)"))
    holder = sa.create_engine(postgres_url, future=True)
    with holder.begin() as holding:
        holding.execute(sa.text("LOCK TABLE t"))
        with within(5), pytest.raises(OperationalError), engine.begin() as connection:
            connection.execute(sa.text("INSERT INTO t VALUES (1)"))
    engine.dispose()
    holder.dispose()


def test_a_server_that_freezes_is_left_and_found_again(postgres_url: str, quick: None) -> None:
    engine = database.connect(postgres_url, statement_s=0.5)
    with frozen(engine), within(10), pytest.raises(OperationalError), engine.connect() as connection:
        connection.execute(sa.text("SELECT 1"))
    with engine.connect() as connection:
        assert connection.execute(sa.text("SELECT 1")).scalar() == 1
    engine.dispose()


def test_a_commit_that_gets_no_answer_is_left_too(postgres_url: str, quick: None) -> None:
    engine = database.connect(postgres_url, statement_s=0.5)
    other = sa.create_engine(postgres_url, future=True)
    connection = engine.connect()
    connection.execute(sa.text("CREATE TABLE t (x INTEGER)"))
    with frozen(other), within(5), pytest.raises(OperationalError):
        connection.commit()
    connection.invalidate()
    connection.close()
    engine.dispose()
    other.dispose()


@pytest.mark.slow
def test_a_server_that_accepts_and_is_silent_is_left_while_connecting() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        engine = database.connect(f"postgresql://u:p@127.0.0.1:{silent.getsockname()[1]}/d")
        with within(10), pytest.raises(OperationalError), engine.connect():
            pass


def test_takeovers_have_limits_of_their_own(postgres_url: str) -> None:
    takeovers = Database(postgres_url)
    with within(15), pytest.raises(HandoffUnavailable), takeovers.read() as connection:
        connection.execute(sa.text("SELECT pg_sleep(60)"))
    takeovers.close()


def test_a_migration_may_take_longer_and_the_limit_is_back_afterwards(postgres_url: str, quick: None) -> None:
    engine = database.connect(postgres_url, statement_s=0.5)
    with engine.connect() as connection:
        with connection.begin(), postgres_timeouts.longer(connection, 20):
            connection.execute(sa.text("SELECT pg_sleep(1.2)"))
        with pytest.raises(OperationalError):
            connection.execute(sa.text("SELECT pg_sleep(60)"))
    engine.dispose()


def test_connections_of_others_in_the_process_wait_as_before(postgres_url: str) -> None:
    database.connect(postgres_url, statement_s=0.1).dispose()
    plain = sa.create_engine(postgres_url, future=True)
    with plain.connect() as connection:
        assert connection.execute(sa.text("SELECT pg_sleep(0.5), 7")).one()[1] == 7
    plain.dispose()


def test_threads_wait_side_by_side(postgres_url: str) -> None:
    engine = database.connect(postgres_url, statement_s=10)

    def sleep() -> None:
        with engine.connect() as connection:
            connection.execute(sa.text("SELECT pg_sleep(0.5)"))

    with within(2.5):
        threads = [threading.Thread(target=sleep, daemon=True) for _ in range(5)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(10)
    engine.dispose()


def test_a_locked_sqlite_log_is_given_up_in_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "BUSY_TIMEOUT_S", 1)
    engine, other = (database.connect(f"sqlite:///{tmp_path}/log.db") for _ in range(2))
    with database.writing(engine), within(10), pytest.raises(OperationalError), database.writing(other):
        pass
    engine.dispose()
    other.dispose()
