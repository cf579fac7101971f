"""Runs the migrations on the connection that `conversation_log.storage.database.migrate` hands over."""

from alembic import context

import sql_servers.mysql_migrations  # noqa: F401  (tells Alembic)
from conversation_log.storage.database import VERSION_TABLE
from conversation_log.storage.tables import metadata

connection = context.config.attributes["connection"]
context.configure(connection=connection, target_metadata=metadata, version_table=VERSION_TABLE, render_as_batch=True)
with context.begin_transaction():
    context.run_migrations()
