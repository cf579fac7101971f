"""Brings the tables of takeovers up to date.

Every process that needs them does this at its first use, so the usual case (nothing to do) reads one row and does not
load Alembic. The conversation log shares the database and has migrations and a version table of its own.
"""

import logging
from pathlib import Path

import sqlalchemy
from sqlalchemy.engine import Connection

log = logging.getLogger(__name__)

VERSION_TABLE = "alembic_version_handoff"
MIGRATIONS = Path(__file__).parent / "migrations"
REVISIONS = tuple(sorted(path.name.partition("_")[0] for path in (MIGRATIONS / "versions").glob("[0-9]*.py")))


class NoSuchRevision(ValueError):
    """The tables cannot be brought there; the message says where they can."""


def migrate(connection: Connection, revision: str = REVISIONS[-1]) -> None:
    """Apply what is missing, inside the caller's transaction, which lets only one process at a time come here.

    Tables of a newer release are left alone: its migrations only add, and a release that is taken back must serve. An
    older `revision` than the tables' takes away what came after it, with what is in there. Raises NoSuchRevision.
    """
    if revision not in REVISIONS:
        raise NoSuchRevision(f"there is no migration {revision}; there are {', '.join(REVISIONS)}")
    applied = applied_revision(connection)
    if applied == revision:
        return
    if applied is not None and applied not in REVISIONS:
        log.warning("handoff.tables.newer revision=%s; this release knows up to %s", applied, REVISIONS[-1])
        return
    from alembic import command
    from alembic.config import Config

    logging.getLogger("alembic").setLevel(logging.WARNING)
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    move = command.downgrade if revision < (applied or "") else command.upgrade
    move(config, revision)
    log.info("handoff.tables.migrated from=%s to=%s", applied, revision)


def is_current(connection: Connection) -> bool:
    """Whether there is nothing to apply."""
    return applied_revision(connection) == REVISIONS[-1]


def applied_revision(connection: Connection) -> str | None:
    """The migration that the database is at; None before the first, and for tables older than migrations."""
    if not sqlalchemy.inspect(connection).has_table(VERSION_TABLE):
        return None
    versions = sqlalchemy.table(VERSION_TABLE, sqlalchemy.column("version_num"))
    return connection.execute(sqlalchemy.select(versions.c.version_num)).scalar()
