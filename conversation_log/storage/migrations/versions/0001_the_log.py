"""The first tables: conversations, messages, early statuses."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "0001"
down_revision = None

moment = sa.DateTime(timezone=True).with_variant(mysql.DATETIME(fsp=6), "mysql")
long_text = sa.Text().with_variant(mysql.LONGTEXT(), "mysql")


def upgrade() -> None:
    op.create_table(
        "conversations",
        sa.Column("log_id", sa.String(36), nullable=False),
        sa.Column("session_id", sa.String(80), nullable=False),
        sa.Column("customer_id", sa.String(160), nullable=False),
        sa.Column("customer_phone", sa.String(20)),
        sa.Column("started_at", moment, nullable=False),
        sa.Column("ended_at", moment, nullable=False),
        sa.Column("resolution_status", sa.String(16), nullable=False),
        sa.Column("escalation_reason", sa.String(32)),
        sa.Column("escalation_priority", sa.String(16)),
        sa.Column("returned_at", moment),
        sa.Column("bot_version", sa.String(64), nullable=False),
        sa.Column("model", sa.String(160)),
        sa.Column("total_turns", sa.Integer(), nullable=False),
        sa.Column("total_messages", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("log_id", name="pk_conversations"),
        sa.UniqueConstraint("session_id", name="uq_conversations_session_id"),
    )
    for columns in (
        ["customer_id", "started_at"],
        ["customer_phone"],
        ["started_at", "log_id"],
        ["resolution_status", "ended_at"],
        ["ended_at"],
    ):
        op.create_index(f"ix_conversations_{'_'.join(columns)}", "conversations", columns)
    op.create_table(
        "messages",
        sa.Column("message_key", sa.String(540), nullable=False),
        sa.Column("log_id", sa.String(36), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("turn", sa.Integer(), nullable=False),
        sa.Column("role", sa.String(16), nullable=False),
        sa.Column("kind", sa.String(40)),
        sa.Column("content", long_text, nullable=False),
        sa.Column("sent_at", moment, nullable=False),
        sa.Column("received_at", moment),
        sa.Column("accepted_at", moment),
        sa.Column("message_id", sa.String(540)),
        sa.Column("intent", sa.String(120)),
        sa.Column("confidence", sa.Float().with_variant(mysql.DOUBLE(asdecimal=False), "mysql")),
        sa.Column("feature", sa.String(20)),
        sa.Column("escalated", sa.Boolean(), nullable=False),
        sa.Column("response", sa.String(160)),
        sa.Column("delivery_status", sa.String(12)),
        sa.Column("error", sa.String(400)),
        sa.Column("suppressed", sa.Boolean(), nullable=False),
        sa.Column("model", sa.String(160)),
        sa.Column("llm", sa.JSON()),
        sa.Column("policy_pages", sa.JSON()),
        sa.Column("buttons", sa.JSON()),
        sa.PrimaryKeyConstraint("message_key", name="pk_messages"),
        sa.ForeignKeyConstraint(["log_id"], ["conversations.log_id"], name="fk_messages_log_id", ondelete="CASCADE"),
    )
    for columns in (["log_id", "position"], ["message_id"], ["sent_at"]):
        op.create_index(f"ix_messages_{'_'.join(columns)}", "messages", columns)
    op.create_table(
        "early_statuses",
        sa.Column("message_id", sa.String(540), nullable=False),
        sa.Column("message_key", sa.String(540)),
        sa.Column("status", sa.String(12), nullable=False),
        sa.Column("at", moment, nullable=False),
        sa.Column("error", sa.String(400)),
        sa.PrimaryKeyConstraint("message_id", name="pk_early_statuses"),
    )
    op.create_index("ix_early_statuses_message_key", "early_statuses", ["message_key"])


def downgrade() -> None:
    for table in ("early_statuses", "messages", "conversations"):
        op.drop_table(table)
