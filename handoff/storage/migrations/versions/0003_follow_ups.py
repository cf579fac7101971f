"""Which ticket a ticket continues, what it was opened without, and when a waiting customer was last told something."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "0003"
down_revision = "0002"

seconds = sa.Float().with_variant(mysql.DOUBLE(asdecimal=False), "mysql")


def upgrade() -> None:
    op.add_column("handoff_takeovers", sa.Column("follows", sa.String(60)))
    op.add_column("handoff_takeovers", sa.Column("opened_without", sa.String(200)))
    op.add_column("handoff_takeovers", sa.Column("receipt_at", seconds))


def downgrade() -> None:
    for name in ("receipt_at", "opened_without", "follows"):
        op.drop_column("handoff_takeovers", name)
