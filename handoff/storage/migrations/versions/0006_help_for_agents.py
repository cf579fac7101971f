"""What helps agents: the brief of a ticket, files in both directions, and how customers found it."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "0006"
down_revision = "0005"

seconds = sa.Float().with_variant(mysql.DOUBLE(asdecimal=False), "mysql")
long_text = sa.Text().with_variant(mysql.LONGTEXT(), "mysql")


def upgrade() -> None:
    op.add_column("handoff_takeovers", sa.Column("brief", long_text))
    op.add_column("handoff_takeovers", sa.Column("rating_for", sa.String(300)))
    op.add_column("handoff_takeovers", sa.Column("rating", sa.Integer))
    op.add_column("handoff_takeovers", sa.Column("rated_by", sa.String(300)))
    op.add_column("handoff_deliveries", sa.Column("uploads", long_text))
    op.create_table(
        "handoff_media",
        sa.Column("media_id", sa.String(200), primary_key=True),
        sa.Column("customer", sa.String(160), nullable=False),
        sa.Column("takeover_id", sa.Integer, nullable=False),
        sa.Column("filename", sa.String(240), nullable=False),
        sa.Column("state", sa.String(8), nullable=False),
        sa.Column("why", sa.String(20)),
        sa.Column("content_type", sa.String(120)),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("due_at", seconds, nullable=False),
        sa.Column("created_at", seconds, nullable=False),
    )
    op.create_index("handoff_media_due", "handoff_media", ["state", "due_at"])


def downgrade() -> None:
    op.drop_table("handoff_media")
    op.drop_column("handoff_deliveries", "uploads")
    for name in ("rated_by", "rating", "rating_for", "brief"):
        op.drop_column("handoff_takeovers", name)
