"""Why an order has to wait, for operators; and who holds a lease, so that it can be short and renewed."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.add_column("handoff_jobs", sa.Column("trouble", sa.String(12)))
    op.add_column("handoff_takeovers", sa.Column("leased_by", sa.String(32)))


def downgrade() -> None:
    op.drop_column("handoff_takeovers", "leased_by")
    op.drop_column("handoff_jobs", "trouble")
