"""What WhatsApp bills: one row a message, without a word on whose it was."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "0003"
down_revision = "0002"

moment = sa.DateTime(timezone=True).with_variant(mysql.DATETIME(fsp=6), "mysql")


def upgrade() -> None:
    op.create_table(
        "charges",
        sa.Column("charge_key", sa.String(64), nullable=False),
        sa.Column("at", moment, nullable=False),
        sa.Column("category", sa.String(30), nullable=False),
        sa.Column("billable", sa.Boolean, nullable=False),
        sa.Column("kind", sa.String(40)),
        sa.Column("country", sa.String(2)),
        sa.Column("feature", sa.String(20)),
        sa.PrimaryKeyConstraint("charge_key", name="pk_charges"),
    )
    op.create_index("ix_charges_at", "charges", ["at"])


def downgrade() -> None:
    op.drop_table("charges")
