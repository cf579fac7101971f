"""The warm tier's tables. Change them together with a migration; a test compares the two.

`conversations` has one row a conversation, `messages` one row a message, keyed by the message's id so that a record
that is read twice changes nothing. `early_statuses` keeps delivery statuses that overtook their message,
`archived_keys` for a while the keys of messages that were archived young, should a record of theirs come again;
`charges` what WhatsApp bills, for good.
"""

from datetime import datetime, timezone
from typing import Any

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    DateTime,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
)
from sqlalchemy.dialects import mysql
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator, TypeEngine

KEY_CHARS = 540  # a wamid of at most 512 characters and `:n`

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
    }
)


class UtcDateTime(TypeDecorator[datetime]):
    """A moment: timestamptz on PostgreSQL, UTC without zone where the database has none. Always aware in Python."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        if dialect.name == "mysql":
            return dialect.type_descriptor(mysql.DATETIME(fsp=6))
        return dialect.type_descriptor(DateTime(timezone=True))

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        moment = value.astimezone(timezone.utc)
        return moment if dialect.name == "postgresql" else moment.replace(tzinfo=None)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=timezone.utc) if value.tzinfo is None else value.astimezone(timezone.utc)


LongText = Text().with_variant(mysql.LONGTEXT(), "mysql")

conversations = Table(
    "conversations",
    metadata,
    Column("log_id", String(36), primary_key=True),
    Column("session_id", String(80), nullable=False, unique=True),
    Column("customer_id", String(160), nullable=False),
    Column("customer_phone", String(20)),
    Column("started_at", UtcDateTime, nullable=False),
    Column("ended_at", UtcDateTime, nullable=False),
    Column("resolution_status", String(16), nullable=False),
    Column("escalation_reason", String(32)),
    Column("escalation_priority", String(16)),
    Column("returned_at", UtcDateTime),
    Column("bot_version", String(64), nullable=False),
    Column("model", String(160)),
    Column("total_turns", Integer, nullable=False),
    Column("total_messages", Integer, nullable=False),
    Index(None, "customer_id", "started_at"),
    Index(None, "customer_phone"),
    Index(None, "started_at", "log_id"),
    Index(None, "resolution_status", "ended_at"),
    Index(None, "ended_at"),
)

messages = Table(
    "messages",
    metadata,
    Column("message_key", String(KEY_CHARS), primary_key=True),
    Column("log_id", String(36), ForeignKey("conversations.log_id", ondelete="CASCADE"), nullable=False),
    Column("position", Integer, nullable=False),
    Column("turn", Integer, nullable=False),
    Column("role", String(16), nullable=False),
    Column("kind", String(40)),
    Column("content", LongText, nullable=False),
    Column("sent_at", UtcDateTime, nullable=False),
    Column("received_at", UtcDateTime),
    Column("accepted_at", UtcDateTime),
    Column("message_id", String(KEY_CHARS)),
    Column("intent", String(120)),
    Column("confidence", Float().with_variant(mysql.DOUBLE(asdecimal=False), "mysql")),
    Column("feature", String(20)),
    Column("escalated", Boolean, nullable=False),
    Column("response", String(160)),
    Column("delivery_status", String(12)),
    Column("error", String(400)),
    Column("suppressed", Boolean, nullable=False),
    Column("model", String(160)),
    Column("llm", JSON),
    Column("policy_pages", JSON),
    Column("buttons", JSON),
    Index(None, "log_id", "position"),
    Index(None, "message_id"),
    Index(None, "sent_at"),
)

early_statuses = Table(
    "early_statuses",
    metadata,
    Column("message_id", String(KEY_CHARS), primary_key=True),
    Column("message_key", String(KEY_CHARS)),
    Column("status", String(12), nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("error", String(400)),
    Index(None, "message_key"),
)

archived_keys = Table(
    "archived_keys",
    metadata,
    Column("message_key", String(KEY_CHARS), primary_key=True),
    Column("customer_id", String(160), nullable=False),
    Column("archived_at", UtcDateTime, nullable=False),
    Index(None, "customer_id"),
    Index(None, "archived_at"),
)

charges = Table(
    "charges",
    metadata,
    Column("charge_key", String(64), primary_key=True),  # hash of the message's id: nothing here leads to a customer
    Column("at", UtcDateTime, nullable=False),
    Column("category", String(30), nullable=False),
    Column("billable", Boolean, nullable=False),
    Column("kind", String(40)),
    Column("country", String(2)),
    Column("feature", String(20)),
    Index(None, "at"),
)
