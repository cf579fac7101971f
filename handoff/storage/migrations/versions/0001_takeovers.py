"""The first tables. Those that an installation had before there were migrations are kept as they are."""

from alembic import op
from sqlalchemy import Column, Computed, Float, Index, Integer, MetaData, String, Table, Text, UniqueConstraint, text
from sqlalchemy.dialects import mysql

revision = "0001"
down_revision = None

ONE_OPEN = "handoff_one_open_ticket"

metadata = MetaData()
seconds = Float().with_variant(mysql.DOUBLE(asdecimal=False), "mysql")
long_text = Text().with_variant(mysql.LONGTEXT(), "mysql")

Table(
    "handoff_floor",
    metadata,
    Column("customer", String(160), primary_key=True),
    Column("epoch", Integer, nullable=False),
    Column("holder", String(8), nullable=False),
    Column("takeover_id", Integer),
    Column("opened_by", String(300)),
)

Table(
    "handoff_takeovers",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("external_id", String(60), nullable=False, unique=True),
    Column("reference", String(40), nullable=False),
    Column("customer", String(160), nullable=False),
    Column("opened_by", String(300), nullable=False),
    Column("state", String(8), nullable=False),
    Column("reason", String(40), nullable=False),
    Column("priority", String(10), nullable=False),
    Column("opened_at", seconds, nullable=False),
    Column("closed_at", seconds),
    Column("closed_as", String(10)),
    Column("last_customer_at", seconds, nullable=False),
    Column("request", long_text),
    Column("backend", String(20)),
    Column("ticket_id", String(60)),
    Column("ticket_url", String(500)),
    Column("requester_id", String(60)),
    Column("status_at", seconds, nullable=False),
    Column("ending", String(10)),
    Column("return_epoch", Integer),
    Column("look_at", seconds),
    Column("look_failures", Integer, nullable=False),
    Column("leased_until", seconds, nullable=False),
    UniqueConstraint("customer", "opened_by", name="handoff_one_takeover_a_turn"),
    Index(
        ONE_OPEN,
        "customer",
        unique=True,
        sqlite_where=text("state <> 'closed'"),
        postgresql_where=text("state <> 'closed'"),
    ),
    Index("handoff_takeovers_ticket", "ticket_id"),
    Index("handoff_takeovers_look", "look_at"),
    sqlite_autoincrement=True,
)

Table(
    "handoff_jobs",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("takeover_id", Integer, nullable=False),
    Column("kind", String(8), nullable=False),
    Column("key", String(340), nullable=False, unique=True),
    Column("body", long_text),
    Column("part", Integer),
    Column("state", String(8), nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("due_at", seconds, nullable=False),
    Column("created_at", seconds, nullable=False),
    Column("done_at", seconds),
    Index("handoff_jobs_due", "state", "due_at"),
    Index("handoff_jobs_takeover", "takeover_id"),
    sqlite_autoincrement=True,
)

Table(
    "handoff_deliveries",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("takeover_id", Integer, nullable=False),
    Column("customer", String(160), nullable=False),
    Column("kind", String(24), nullable=False),
    Column("entry_id", String(200), nullable=False, unique=True),
    Column("payload", long_text),
    Column("files", Integer, nullable=False),
    Column("state", String(8), nullable=False),
    Column("created_at", seconds, nullable=False),
    Index("handoff_deliveries_state", "state"),
    sqlite_autoincrement=True,
)

Table(
    "handoff_own_comments",
    metadata,
    Column("ticket_id", String(60), primary_key=True),
    Column("comment_id", String(60), primary_key=True),
)

Table(
    "handoff_notices",
    metadata,
    Column("takeover_id", Integer, primary_key=True),
    Column("channel", String(10), primary_key=True),
    Column("state", String(8), nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("due_at", seconds, nullable=False),
    Column("done_at", seconds),
    Index("handoff_notices_due", "state", "due_at"),
)

Table(
    "handoff_log_tickets",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("external_id", String(60), nullable=False, unique=True),
    Column("status", String(8), nullable=False),
    Column("content", long_text),
    sqlite_autoincrement=True,
)

Table(
    "handoff_log_comments",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("ticket_id", Integer, nullable=False),
    Column("author", String(10), nullable=False),
    Column("public", Integer, nullable=False),
    Column("body", long_text),
    Column("key", String(340), unique=True),
    Column("created_at", seconds, nullable=False),
    Index("handoff_log_comments_ticket", "ticket_id"),
    sqlite_autoincrement=True,
)


def upgrade() -> None:
    if op.get_bind().dialect.name != "mysql":
        metadata.create_all(op.get_bind())
        return
    for table in metadata.sorted_tables:
        table.indexes = {index for index in table.indexes if index.name != ONE_OPEN}
        op.get_context().impl.create_table(table)
    # No index of MySQL's leaves rows out, but null equals nothing.
    open_customer = Computed("CASE WHEN state <> 'closed' THEN customer END", persisted=False)
    op.add_column("handoff_takeovers", Column("open_customer", String(160), open_customer))
    op.create_index(ONE_OPEN, "handoff_takeovers", ["open_customer"], unique=True)
