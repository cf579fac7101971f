"""Events that the shop reports, and who does not want to be told of them."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "0005"
down_revision = "0004"

seconds = sa.Float().with_variant(mysql.DOUBLE(asdecimal=False), "mysql")


def upgrade() -> None:
    op.create_table(
        "handoff_shop_events",
        sa.Column("event_id", sa.String(200), primary_key=True),
        sa.Column("type", sa.String(40), nullable=False),
        sa.Column("order_id", sa.String(80), nullable=False),
        sa.Column("occurred_at", seconds, nullable=False),
        sa.Column("received_at", seconds, nullable=False),
        sa.Column("due_at", seconds, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("state", sa.String(8), nullable=False),
        sa.Column("outcome", sa.String(20)),
        sa.Column("customer", sa.String(160)),
        sa.Column("done_at", seconds),
    )
    op.create_index("handoff_shop_events_due", "handoff_shop_events", ["state", "due_at"])
    op.create_index("handoff_shop_events_order", "handoff_shop_events", ["order_id"])
    op.create_index("handoff_shop_events_customer", "handoff_shop_events", ["customer"])
    op.create_table(
        "handoff_update_opt_outs",
        sa.Column("person", sa.String(64), primary_key=True),
        sa.Column("at", seconds, nullable=False),
    )


def downgrade() -> None:
    op.drop_table("handoff_update_opt_outs")
    op.drop_table("handoff_shop_events")
