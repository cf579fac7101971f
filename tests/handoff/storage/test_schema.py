"""Installations of every age end with the same tables, and lose nothing on the way."""

from __future__ import annotations

import runpy
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest
import sqlalchemy
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy.engine import Connection

from handoff.__main__ import main as desk
from handoff.storage.database import Database, HandoffUnavailable
from handoff.storage.schema import MIGRATIONS, REVISIONS, VERSION_TABLE, applied_revision
from handoff.storage.tables import metadata
from handoff.takeover.state_machine import open_takeover
from tests.handoff.samples import request

# MySQL's own way to let a customer have one open takeover; a test of its own sees to it.
ON_MYSQL = ("open_customer", "handoff_one_open_ticket")


def before_migrations(url: str) -> None:
    """The tables as the releases without migrations made them, and a customer who waits."""
    (file,) = (MIGRATIONS / "versions").glob("0001_*.py")
    first = runpy.run_path(str(file))["metadata"]
    engine = sqlalchemy.create_engine(url, future=True)
    with engine.begin() as connection:
        first.create_all(connection)
        connection.execute(
            first.tables["handoff_takeovers"].insert(),
            {
                "external_id": "handoff:old", "reference": "MG-1001", "customer": "919", "opened_by": "wamid.1",
                "state": "waiting", "reason": "complaint", "priority": "CRITICAL", "opened_at": 1.0,
                "last_customer_at": 1.0, "status_at": 0.0, "look_failures": 0, "leased_until": 0.0,
            },
        )  # fmt: skip
        floor = {"customer": "919", "epoch": 1, "holder": "waiting", "takeover_id": 1, "opened_by": "wamid.1"}
        connection.execute(first.tables["handoff_floor"].insert(), floor)
    engine.dispose()


def differences(connection: Connection) -> list[object]:
    def ours(_: object, name: str | None, kind: str, *__: object) -> bool:
        if connection.dialect.name == "mysql" and name in ON_MYSQL:
            return False
        return kind != "table" or (name or "").startswith("handoff_")

    context = MigrationContext.configure(
        connection, opts={"compare_type": True, "include_object": ours, "version_table": VERSION_TABLE}
    )
    return list(compare_metadata(context, metadata))


@pytest.mark.every_database
def test_migrations_make_the_tables_that_the_code_expects(sql_url: str) -> None:
    db = Database(sql_url)
    with db.read() as connection:
        assert differences(connection) == []
        assert applied_revision(connection) == REVISIONS[-1]
    db.close()


def test_an_installation_from_before_migrations_keeps_its_takeovers(sql_url: str) -> None:
    before_migrations(sql_url)
    db = Database(sql_url)
    again = open_takeover(db, request("919", "wamid.2"))
    assert (again.outcome, again.reference) == ("already_waiting", "MG-1001")
    with db.read() as connection:
        assert differences(connection) == []
    db.close()


@pytest.mark.every_database
def test_migrations_go_down_and_up_again_and_keep_the_takeovers(
    sql_url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CONVERSATION_DATABASE_URL", sql_url)
    db = Database(sql_url)
    opened = open_takeover(db, request("919", "wamid.1"))
    with db.write() as connection:
        takeovers = metadata.tables["handoff_takeovers"]
        kept = dict(zip(takeovers.c.keys(), connection.execute(sqlalchemy.select(takeovers)).one(), strict=True))
        rows = [
            {**kept, "id": n, "external_id": f"h{n}", "reference": f"MG-{n}", "opened_by": f"w{n}", "state": state}
            for n, state in ((12, "closed"), (13, "closed"), (14, "waiting"))
        ]
        connection.execute(takeovers.insert(), rows[:2])
    for revision in (*reversed(REVISIONS[:-1]), *REVISIONS[1:]):
        assert desk(["migrate", revision]) == 0
        with sqlalchemy.create_engine(sql_url, future=True).connect() as connection:
            assert applied_revision(connection) == revision
            references = connection.exec_driver_sql("SELECT reference FROM handoff_takeovers ORDER BY id").scalars()
            assert list(references) == [opened.reference, "MG-12", "MG-13"]
    with db.read() as connection:
        assert differences(connection) == []
    assert open_takeover(db, request("919", "wamid.2")).outcome == "already_waiting"
    with pytest.raises(HandoffUnavailable, match="IntegrityError"), db.write() as connection:
        connection.execute(takeovers.insert(), rows[2:])
    assert desk(["migrate", "0099"]) == 1
    assert "there are 0001" in capsys.readouterr().err
    db.close()


def test_many_processes_may_come_first(sql_url: str) -> None:
    before_migrations(sql_url)
    databases = [Database(sql_url) for _ in range(6)]
    with ThreadPoolExecutor(6) as pool:
        list(pool.map(Database.prepare, databases))
    with databases[0].read() as connection:
        assert differences(connection) == []
    for db in databases:
        db.close()


@pytest.mark.every_database
def test_a_release_that_is_taken_back_serves_on_the_newer_tables(
    sql_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    newer = Database(sql_url)
    with newer.write() as connection:
        connection.exec_driver_sql(f"UPDATE {VERSION_TABLE} SET version_num = '9999'")
    newer.close()
    db = Database(sql_url)
    assert open_takeover(db, request("919", "wamid.1")).outcome == "opened"
    assert "handoff.tables.newer revision=9999" in caplog.text
    db.close()


def test_tables_that_are_up_to_date_cost_no_alembic(sql_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    Database(sql_url).prepare()
    monkeypatch.setitem(sys.modules, "alembic.config", None)
    Database(sql_url).prepare()
