"""Runs the migrations on the connection that `conversation_log.database.migrate` hands over."""

from alembic import context

from conversation_log.database import VERSION_TABLE
from conversation_log.tables import metadata

connection = context.config.attributes["connection"]
context.configure(connection=connection, target_metadata=metadata, version_table=VERSION_TABLE, render_as_batch=True)
with context.begin_transaction():
    context.run_migrations()
