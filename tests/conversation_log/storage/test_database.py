"""Tables, migrations and what happens when there is no database."""

from __future__ import annotations

import subprocess
from contextlib import ExitStack
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy.dialects import mysql
from sqlalchemy.schema import CreateTable

from conversation_log.storage import database
from conversation_log.storage.tables import metadata
from tests.children import child, python


def test_migrations_make_exactly_the_tables_of_the_code(sql_url: str) -> None:
    engine = database.connect(sql_url)
    database.migrate(engine)
    with engine.connect() as connection:
        context = MigrationContext.configure(
            connection, opts={"version_table": database.VERSION_TABLE, "compare_type": True}
        )
        assert compare_metadata(context, metadata) == []
    engine.dispose()


def test_processes_that_start_together_migrate_once(sql_url: str) -> None:
    script = f"from conversation_log.storage import database; database.migrate(database.connect({sql_url!r}))"
    with ExitStack() as stack:
        started = [stack.enter_context(child(python("-c", script), stderr=subprocess.PIPE)) for _ in range(3)]
        errors = [process.communicate(timeout=90)[1].decode() for process in started]
    assert [process.returncode for process in started] == [0, 0, 0], errors
    engine = database.connect(sql_url)
    database.require_current(engine)
    engine.dispose()


def test_tables_can_be_created_on_mysql() -> None:
    for table in metadata.sorted_tables:
        CreateTable(table).compile(dialect=mysql.dialect())


def test_missing_database_is_explained_with_its_remedy(tmp_path: Path) -> None:
    with pytest.raises(database.LogUnavailable, match="python -m conversation_log migrate"):
        database.require_current(database.connect(f"sqlite:///{tmp_path}/none.db"))


def test_unreachable_database_is_explained_without_its_password() -> None:
    engine = database.connect("postgresql+psycopg2://someone:hunter2@127.0.0.1:1/x")
    with pytest.raises(database.LogUnavailable) as caught:
        database.require_current(engine)
    assert "hunter2" not in str(caught.value)
    assert "127.0.0.1:1" in str(caught.value)


def test_malformed_url_is_explained() -> None:
    with pytest.raises(database.LogUnavailable, match="CONVERSATION_DATABASE_URL"):
        database.connect("not a url")
