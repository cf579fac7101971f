"""The keys of messages that were archived while records of theirs may still come."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "0002"
down_revision = "0001"

moment = sa.DateTime(timezone=True).with_variant(mysql.DATETIME(fsp=6), "mysql")


def upgrade() -> None:
    op.create_table(
        "archived_keys",
        sa.Column("message_key", sa.String(540), nullable=False),
        sa.Column("customer_id", sa.String(160), nullable=False),
        sa.Column("archived_at", moment, nullable=False),
        sa.PrimaryKeyConstraint("message_key", name="pk_archived_keys"),
    )
    for column in ("customer_id", "archived_at"):
        op.create_index(f"ix_archived_keys_{column}", "archived_keys", [column])


def downgrade() -> None:
    op.drop_table("archived_keys")
