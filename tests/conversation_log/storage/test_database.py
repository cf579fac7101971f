"""Tables, migrations and what happens when there is no database."""

from __future__ import annotations

import subprocess
from contextlib import ExitStack
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import select
from sqlalchemy.engine import Engine

from conversation_log.__main__ import main
from conversation_log.storage import database
from conversation_log.storage.tables import conversations, messages, metadata
from tests.children import child, python
from tests.conversation_log.crowd import plant

pytestmark = pytest.mark.every_database


def test_migrations_make_exactly_the_tables_of_the_code(sql_url: str) -> None:
    engine = database.connect(sql_url)
    database.migrate(engine)
    with engine.connect() as connection:
        context = MigrationContext.configure(
            connection, opts={"version_table": database.VERSION_TABLE, "compare_type": True}
        )
        assert compare_metadata(context, metadata) == []
    engine.dispose()


@pytest.mark.slow
def test_processes_that_start_together_migrate_once(sql_url: str) -> None:
    script = f"from conversation_log.storage import database; database.migrate(database.connect({sql_url!r}))"
    with ExitStack() as stack:
        started = [stack.enter_context(child(python("-c", script), stderr=subprocess.PIPE)) for _ in range(3)]
        errors = [process.communicate(timeout=90)[1].decode() for process in started]
    assert [process.returncode for process in started] == [0, 0, 0], errors
    engine = database.connect(sql_url)
    database.require_current(engine)
    engine.dispose()


def test_migrations_go_down_and_up_again_and_keep_the_conversations(
    sql_url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CONVERSATION_DATABASE_URL", sql_url)
    engine = database.connect(sql_url)
    database.migrate(engine)
    plant(engine, 20, datetime(2026, 11, 1, tzinfo=timezone.utc), days=3)
    before = everything(engine)
    for revision in ("0002", "0001", "0002", "0003"):
        assert main(["migrate", "--to", revision]) == 0
        assert database.applied_revision(engine) == revision
        assert everything(engine) == before
    assert main(["migrate"]) == 0
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"version_table": database.VERSION_TABLE})
        assert compare_metadata(context, metadata) == []
    assert main(["migrate", "--to", "0099"]) == 1
    assert "there are 0001, 0002, 0003" in capsys.readouterr().err
    engine.dispose()


def everything(engine: Engine) -> list[Any]:
    wanted = [select(table).order_by(*table.primary_key) for table in (conversations, messages)]
    with engine.connect() as connection:
        return [connection.execute(one).all() for one in wanted]


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
