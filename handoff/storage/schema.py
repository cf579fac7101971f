"""The migrations of the tables of takeovers. Every process that needs the tables applies them at its first use."""

from pathlib import Path

from sqlalchemy.engine import Connection

from sql_servers.migrations import Migrations

VERSION_TABLE = "alembic_version_handoff"
MIGRATIONS = Path(__file__).parent / "migrations"
_TABLES = Migrations("handoff", MIGRATIONS, VERSION_TABLE)
REVISIONS = _TABLES.revisions
migrate, applied_revision = _TABLES.move, _TABLES.applied


def is_current(connection: Connection) -> bool:
    """Whether there is nothing to apply."""
    return applied_revision(connection) == REVISIONS[-1]
