"""Runs the migrations on the connection that `handoff.storage.schema.migrate` hands over."""

from alembic import context

import sql_servers.mysql_migrations  # noqa: F401  (tells Alembic)
from handoff.storage.schema import VERSION_TABLE
from handoff.storage.tables import metadata

context.configure(
    connection=context.config.attributes["connection"], target_metadata=metadata, version_table=VERSION_TABLE,
    render_as_batch=True,
)  # fmt: skip
with context.begin_transaction():
    context.run_migrations()
