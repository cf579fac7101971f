"""Tables brought to a migration, up or down, by Alembic, which is loaded once there is something to do.

Where nothing is to do, as usual, one row is read. Rooms that share a database have migrations and a version table each.
"""

import logging
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import sqlalchemy
from sqlalchemy.engine import Connection

log = logging.getLogger(__name__)


class NoSuchRevision(ValueError):
    """The tables cannot be brought there; the message says where they can."""


@dataclass(frozen=True)
class Migrations:
    """The migrations in `folder`; `version_table` says which is applied, `tables` what log lines call them."""

    tables: str
    folder: Path
    version_table: str

    @cached_property
    def revisions(self) -> tuple[str, ...]:
        """From the first to the newest."""
        return tuple(sorted(path.name.partition("_")[0] for path in (self.folder / "versions").glob("[0-9]*.py")))

    def applied(self, connection: Connection) -> str | None:
        """The migration that the database is at; None before the first, and for tables older than migrations."""
        if not sqlalchemy.inspect(connection).has_table(self.version_table):
            return None
        versions = sqlalchemy.table(self.version_table, sqlalchemy.column("version_num"))
        return connection.execute(sqlalchemy.select(versions.c.version_num)).scalar()

    def suffice(self, applied: str | None) -> bool:
        """Whether this release can work with tables that are at `applied`: its own newest, or a newer release's.

        Migrations only add, and a release that is taken back must serve.
        """
        return applied == self.revisions[-1] or (applied is not None and applied not in self.revisions)

    def move(self, connection: Connection, revision: str | None = None) -> None:
        """Apply what is missing (to the newest), inside the caller's transaction, which lets one process come here.

        Tables of a newer release are left alone. An older `revision` than the tables' takes away what came after it,
        with what is in there. Raises NoSuchRevision.
        """
        revision, applied = revision or self.revisions[-1], self.applied(connection)
        if revision not in self.revisions:
            raise NoSuchRevision(f"no migration {revision}; there are {', '.join(self.revisions)}")
        if applied == revision:
            return
        if applied is not None and applied not in self.revisions:
            newest = self.revisions[-1]
            log.warning("%s.tables.newer revision=%s; this release knows up to %s", self.tables, applied, newest)
            return
        self._apply(connection, applied, revision)
        log.info("%s.tables.migrated from=%s to=%s", self.tables, applied, revision)

    def _apply(self, connection: Connection, applied: str | None, revision: str) -> None:
        from alembic import command
        from alembic.config import Config

        logging.getLogger("alembic").setLevel(logging.WARNING)
        config = Config()
        config.set_main_option("script_location", str(self.folder).replace("%", "%%"))
        config.attributes["connection"] = connection
        change = command.downgrade if revision < (applied or "") else command.upgrade
        change(config, revision)
