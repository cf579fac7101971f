"""To which message a waiting customer's receipt belongs, so that a turn that runs again gives it again."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.add_column("handoff_takeovers", sa.Column("receipt_for", sa.String(300)))


def downgrade() -> None:
    op.drop_column("handoff_takeovers", "receipt_for")
