"""Migrations that can be taken up again on MySQL and MariaDB, where every change of a table is committed at once.

What a killed migration left half done is done again from its start, and passes over what is done. Importing this
tells Alembic.
"""

from typing import Any

from alembic.ddl.mysql import MySQLImpl
from sqlalchemy.exc import DBAPIError

_DONE_ALREADY = {1050, 1060, 1061, 1051, 1091}  # table, column, key there; table, column or key gone


class ResumingImpl(MySQLImpl):
    """Alembic's operations, each of which may have been done before."""

    __dialect__ = "mysql"

    def _exec(self, *arguments: Any, **options: Any) -> Any:
        try:
            return super()._exec(*arguments, **options)
        except DBAPIError as error:
            if error.orig is None or error.orig.args[:1][0] not in _DONE_ALREADY:
                raise
            return None
