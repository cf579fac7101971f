"""What tests begin with is what the migrations make."""

from __future__ import annotations

import json
from typing import Any

import pytest
import sqlalchemy

from conversation_log.storage.database import TABLES as LOG
from handoff.storage.schema import _TABLES as HANDOFF
from sql_servers.migrations import Migrations
from tests import known_tables


def everything(connection: Any) -> dict[str, str]:
    """Columns, keys, indexes and rows of each table."""
    look = sqlalchemy.inspect(connection)
    return {
        name: json.dumps([
            look.get_columns(name), look.get_pk_constraint(name), look.get_foreign_keys(name), look.get_indexes(name),
            look.get_unique_constraints(name), look.get_check_constraints(name),
            [tuple(row) for row in connection.exec_driver_sql(f"SELECT * FROM {name}")],
        ], default=str)
        for name in sorted(look.get_table_names()) if not name.startswith("sqlite_")
    }  # fmt: skip


@pytest.mark.every_database
@pytest.mark.parametrize("rooms", [(HANDOFF, LOG), (LOG, HANDOFF)], ids=["handoff first", "log first"])
def test_tables_made_again_are_the_migrations_own(
    sql_url: str, rooms: tuple[Migrations, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Migrations, "_apply", known_tables.apply)
    monkeypatch.setattr(known_tables, "_said", {})
    engine = sqlalchemy.create_engine(sql_url, future=True)
    found = []
    for _ in range(2):
        with engine.begin() as connection:
            for room in rooms:
                room.move(connection)
        with engine.begin() as connection:
            found.append(everything(connection))
            for name in sorted(found[0], reverse=True):
                connection.exec_driver_sql(f"DROP TABLE {name}" + (" CASCADE" if "postgres" in sql_url else ""))
    engine.dispose()
    assert found[0] == found[1]
    assert len(found[0]) > 10
