"""Runs the migrations on the connection that `handoff.schema.migrate` hands over."""

from alembic import context

from handoff.schema import VERSION_TABLE
from handoff.tables import metadata

context.configure(
    connection=context.config.attributes["connection"], target_metadata=metadata, version_table=VERSION_TABLE,
    render_as_batch=True,
)  # fmt: skip
with context.begin_transaction():
    context.run_migrations()
