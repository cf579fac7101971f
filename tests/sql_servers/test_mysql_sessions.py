"""A real MariaDB keeps what SQLite and PostgreSQL keep, and one that hangs or dies halfway costs nothing."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError, OperationalError

from conversation_log.storage import database
from handoff.storage import queries
from handoff.storage.database import Database, HandoffUnavailable
from handoff.storage.schema import REVISIONS, applied_revision
from handoff.storage.tables import jobs, shop_events, takeovers
from handoff.takeover.state_machine import open_takeover
from sql_servers import mysql_sessions
from tests.children import suspend
from tests.handoff.samples import request

pytestmark = pytest.mark.postgres


class Killed(BaseException):
    """The process dies here."""


def dies_at_a_change(engine: sa.engine.Engine) -> None:
    """The process is gone once it has changed a table, and what it did not commit is lost."""

    def die(*said: object) -> None:
        if str(said[2]).lstrip().startswith(("CREATE", "ALTER")):
            raise Killed

    sa.event.listen(engine, "after_cursor_execute", die)


@pytest.mark.slow
@pytest.mark.parametrize("room", ["handoff", "log"])
def test_a_migration_that_is_killed_after_any_change_is_taken_up_again(mariadb_url: str, room: str) -> None:
    deaths, done = 0, False
    while not done:
        assert deaths < 80
        db = Database(mariadb_url)
        engine = db._writing if room == "handoff" else database.connect(mariadb_url)
        dies_at_a_change(engine)
        try:
            db.prepare() if room == "handoff" else database.migrate(engine)
            done = True
        except Killed:
            deaths += 1
        engine.dispose()
        db.close()
    assert deaths > 12, "each attempt does one thing more"
    engine = sa.create_engine(mariadb_url)
    found = sa.inspect(engine)
    if room == "handoff":
        with engine.connect() as connection:
            assert applied_revision(connection) == REVISIONS[-1]
        assert {index["name"] for index in found.get_indexes("handoff_takeovers")} >= {"handoff_one_open_ticket"}
        assert len(found.get_indexes("handoff_shop_events")) == 3
    else:
        database.require_current(database.connect(mariadb_url))
        assert len(found.get_indexes("conversations")) == 6, found.get_indexes("conversations")
    engine.dispose()


def test_a_killed_migration_keeps_the_customers_of_the_release_before(mariadb_url: str) -> None:
    """Half of the tables of 0005 stand, the version does not say so, and a customer waits."""
    old = Database(mariadb_url)
    open_takeover(old, request("919", "wamid.1"))
    with old.write() as connection:
        connection.exec_driver_sql("UPDATE alembic_version_handoff SET version_num = '0004'")
        connection.exec_driver_sql("DROP TABLE handoff_update_opt_outs")
        connection.exec_driver_sql("ALTER TABLE handoff_takeovers DROP COLUMN rated_by")
    old.close()
    db = Database(mariadb_url)
    assert open_takeover(db, request("919", "wamid.2")).outcome == "already_waiting"
    with db.read() as connection:
        assert applied_revision(connection) == REVISIONS[-1]
        connection.execute(sa.select(takeovers)).all()
    db.close()


def test_ids_that_differ_in_case_are_two_and_what_is_too_long_is_refused_not_cut(mariadb_url: str) -> None:
    db = Database(mariadb_url)
    event = {"type": "order.shipped", "order_id": "1", "occurred_at": 1793534400.125, "received_at": 1.5, "due_at": 1.5,
             "attempts": 0, "state": "pending"}  # fmt: skip
    with db.write() as connection:
        assert [queries.insert_once(connection, shop_events, event_id=key, **event) for key in ("aB", "Ab", "aB")] == [
            True, True, False
        ]  # fmt: skip
        assert connection.execute(sa.select(shop_events.c.occurred_at)).scalars().first() == 1793534400.125
    with pytest.raises(HandoffUnavailable), db.write() as connection:
        queries.insert_once(connection, shop_events, event_id="x" * 201, **event)
    db.close()


def test_words_of_any_script_and_length_come_back_whole_from_a_server_that_defaults_to_latin(mariadb_url: str) -> None:
    db, words = Database(mariadb_url), "где мой заказ? 👨‍👩‍👧 कहाँ है " + "ж" * 100_000
    open_takeover(db, request("919", "wamid.1"))
    with db.write() as connection:
        queries.add_job(connection, 1, "words", "k", {"text": words}, 0.0)
    with db.read() as connection:
        body = connection.execute(sa.select(jobs.c.body).where(jobs.c.key == "k")).scalar_one()
    assert json.loads(body)["text"] == words
    db.close()


def test_a_customer_has_one_open_takeover_whatever_the_code_does(mariadb_url: str) -> None:
    db = Database(mariadb_url)
    open_takeover(db, request("919", "wamid.1"))
    copied = "external_id, reference, customer, opened_by, state, reason, priority, opened_at, last_customer_at, " \
             "status_at, look_failures, leased_until"  # fmt: skip
    values = copied.replace("external_id", "'other'").replace("opened_by", "'wamid.2'")
    again = f"INSERT INTO handoff_takeovers ({copied}) SELECT {values} FROM handoff_takeovers"
    with db._writing.begin() as connection:
        with pytest.raises(IntegrityError, match="handoff_one_open_ticket"):
            connection.exec_driver_sql(again)
        connection.exec_driver_sql("UPDATE handoff_takeovers SET state = 'closed'")
        connection.exec_driver_sql(again)
    db.close()


def test_a_query_that_hangs_is_stopped_and_a_migration_may_take_longer(mariadb_url: str) -> None:
    engine = database.connect(mariadb_url, statement_s=0.3)
    with engine.connect() as connection:
        with connection.begin(), mysql_sessions.longer(connection, 20):
            assert connection.execute(sa.text("SELECT SLEEP(0.7), 7")).one()[1] == 7
        with pytest.raises(OperationalError):
            connection.execute(sa.text("SELECT SLEEP(60) FROM seq_1_to_1000"))
    engine.dispose()


def test_a_server_that_freezes_is_left_and_found_again(mariadb_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mysql_sessions, "GRACE_S", 0.3)
    engine = database.connect(mariadb_url, statement_s=0.5)
    with engine.connect() as connection:
        server = int(Path(connection.execute(sa.text("SELECT @@pid_file")).scalar_one()).read_text())
        suspend(server)
        try:
            with pytest.raises(OperationalError):
                connection.execute(sa.text("SELECT 1"))
        finally:
            os.kill(server, signal.SIGCONT)
    with engine.connect() as connection:
        assert connection.execute(sa.text("SELECT 1")).scalar() == 1
    engine.dispose()


def test_two_shops_on_one_server_do_not_wait_for_each_other(mariadb_server_url: str, mariadb_url: str) -> None:
    admin = sa.create_engine(mariadb_server_url, isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.exec_driver_sql("CREATE DATABASE IF NOT EXISTS another_shop")
    mine, theirs = database.connect(mariadb_url), database.connect(f"{mariadb_server_url}/another_shop")
    held = database.exclusive(mine, "archive", 0), database.exclusive(theirs, "archive", 0)
    with held[0], held[1], pytest.raises(database.LogUnavailable), database.exclusive(mine, "archive", 0):
        pass
    for engine in (admin, mine, theirs):
        engine.dispose()


@pytest.mark.parametrize("scheme", ["mysql", "MariaDB", "mysql+pymysql", "mariadb+pymysql"])
def test_every_way_to_write_its_url_is_understood(scheme: str) -> None:
    url = f"{scheme}://u:p@127.0.0.1:1/d"
    assert database.connect(url).dialect.name == Database(url).url.get_backend_name() == "mysql"
