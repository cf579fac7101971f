"""The tables of takeovers. Times are epoch seconds (UTC), JSON columns are text.

At most one takeover of a customer is open, by a partial unique index (on MySQL by one on a generated column, which is
null once it is closed); a turn (wamid) opens at most one, by a unique
constraint. `handoff_floor` is the row that every decision locks. Ids are never used again, as SQLite would after an
erasure: customers were told numbers made of them, and the inbox remembers comments by them. A change here needs a
migration (`migrations/versions`), which only adds: the release before must go on working.
"""

from sqlalchemy import Column, Float, Index, Integer, MetaData, String, Table, Text, UniqueConstraint, text
from sqlalchemy.dialects import mysql

metadata = MetaData()
Seconds = Float().with_variant(mysql.DOUBLE(asdecimal=False), "mysql")  # MySQL's FLOAT does not tell two minutes apart
LongText = Text().with_variant(mysql.LONGTEXT(), "mysql")

thread_controls = Table(
    "handoff_floor",
    metadata,
    Column("customer", String(160), primary_key=True),
    # `key` is the name in Python. The stored names are older, and a release beside this one reads them.
    Column("epoch", Integer, key="control_version", nullable=False),
    Column("holder", String(8), key="owner", nullable=False),  # bot, waiting, agent
    Column("takeover_id", Integer),  # the latest one, open or closed
    Column("opened_by", String(300)),  # wamid of the turn that opened it
)

takeovers = Table(
    "handoff_takeovers",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("external_id", String(60), nullable=False, unique=True),
    Column("reference", String(40), nullable=False),  # what the customer is told: MG-1042
    Column("customer", String(160), nullable=False),
    Column("opened_by", String(300), nullable=False),
    Column("state", String(8), nullable=False),  # waiting, agent, closed
    Column("reason", String(40), nullable=False),
    Column("priority", String(10), nullable=False),  # MEDIUM, HIGH, CRITICAL
    Column("opened_at", Seconds, nullable=False),
    Column("closed_at", Seconds),
    Column("closed_as", String(10)),  # solved, agent (handed back), customer, settled, unreached (no ticket)
    Column("last_customer_at", Seconds, nullable=False),
    Column("request", LongText),  # JSON of state_machine.Request; emptied when a customer is erased
    Column("backend", String(20)),
    Column("ticket_id", String(60)),
    Column("ticket_url", String(500)),
    Column("requester_id", String(60)),
    Column("status_at", Seconds, nullable=False),  # time of the newest status event that was believed
    Column("ending", String(10)),  # solved, closed or back: the helpdesk said so; the ticket is to be read once more
    # The control version in which the assistant owns the conversation, once the customer's inbox says so.
    Column("return_epoch", Integer, key="return_version"),
    Column("look_at", Seconds, key="next_poll_at"),  # when to read the ticket in the helpdesk; None: no need
    Column("look_failures", Integer, key="poll_failures", nullable=False),
    Column("leased_until", Seconds, nullable=False),
    Column("leased_by", String(32)),  # the dispatcher's call that holds the lease
    Column("follows", String(60)),  # id of the ticket that this one continues, because it is gone
    Column("opened_without", String(200)),  # what of the ticket the helpdesk refused, by blanks
    Column("receipt_at", Seconds),  # when a waiting customer was last told that their words arrived
    Column("receipt_for", String(300)),  # wamid of the message that this was said to
    Column("brief", LongText),  # JSON of handoff.jobs.brief.Brief; emptied once the ticket has it
    Column("rating_for", String(300)),  # id of the return with which the customer was asked how it was
    Column("rating", Integer),  # 1 to 3
    Column("rated_by", String(300)),  # wamid of the answer
    UniqueConstraint("customer", "opened_by", name="handoff_one_takeover_a_turn"),
    Index(
        "handoff_one_open_ticket",
        "customer",
        unique=True,
        sqlite_where=text("state <> 'closed'"),
        postgresql_where=text("state <> 'closed'"),
    ),
    Index("handoff_takeovers_ticket", "ticket_id"),
    Index("handoff_takeovers_look", "next_poll_at"),
    sqlite_autoincrement=True,
)

jobs = Table(
    "handoff_jobs",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("takeover_id", Integer, nullable=False),
    Column("kind", String(8), nullable=False),  # open, words (a customer's messages), note (private)
    Column("key", String(340), nullable=False, unique=True),
    Column("body", LongText),  # JSON; emptied once done
    Column("part", Integer),  # messages sent together carry the same number
    Column("state", String(8), nullable=False),  # pending, done, dead
    Column("attempts", Integer, nullable=False),
    Column("due_at", Seconds, nullable=False),
    Column("created_at", Seconds, nullable=False),
    Column("done_at", Seconds),
    Column("trouble", String(12)),  # why not done yet, see handoff.jobs.trouble
    Index("handoff_jobs_due", "state", "due_at"),
    Index("handoff_jobs_takeover", "takeover_id"),
    sqlite_autoincrement=True,
)

deliveries = Table(
    "handoff_deliveries",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("takeover_id", Integer, nullable=False),
    Column("customer", String(160), nullable=False),
    Column("kind", String(24), nullable=False),  # agent_comment, conversation_returned
    Column("entry_id", String(200), nullable=False, unique=True),
    Column("payload", LongText),  # JSON; emptied once done
    Column("files", Integer, nullable=False),  # how many links to media the payload had
    Column("uploads", LongText),  # JSON of handoff.files.uploads.Upload, one a file; None: not tried, or given up
    Column("state", String(8), nullable=False),  # pending, done, refused
    Column("created_at", Seconds, nullable=False),
    Index("handoff_deliveries_state", "state"),
    sqlite_autoincrement=True,
)

comments = Table(
    "handoff_own_comments",
    metadata,
    Column("ticket_id", String(60), primary_key=True),
    Column("comment_id", String(60), primary_key=True),
)

notices = Table(
    "handoff_notices",
    metadata,
    Column("takeover_id", Integer, primary_key=True),
    Column("channel", String(10), primary_key=True),  # slack, email
    Column("state", String(8), nullable=False),  # pending, done, dead
    Column("attempts", Integer, nullable=False),
    Column("due_at", Seconds, nullable=False),
    Column("done_at", Seconds),
    Index("handoff_notices_due", "state", "due_at"),
)

log_tickets = Table(
    "handoff_log_tickets",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("external_id", String(60), nullable=False, unique=True),
    Column("status", String(8), nullable=False),  # open, solved, closed
    Column("content", LongText),  # JSON of the ticket as opened
    sqlite_autoincrement=True,
)

log_comments = Table(
    "handoff_log_comments",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("ticket_id", Integer, nullable=False),
    Column("author", String(10), nullable=False),  # customer, assistant, agent
    Column("public", Integer, nullable=False),
    Column("body", LongText),
    Column("key", String(340), unique=True),
    Column("created_at", Seconds, nullable=False),
    Index("handoff_log_comments_ticket", "ticket_id"),
    sqlite_autoincrement=True,
)

media = Table(
    "handoff_media",
    metadata,
    Column("media_id", String(200), primary_key=True),  # WhatsApp's
    Column("customer", String(160), nullable=False),
    Column("takeover_id", Integer, nullable=False),
    Column("filename", String(240), nullable=False),
    Column("state", String(8), nullable=False),  # pending, kept, refused
    Column("why", String(20)),  # refused: too_large, type, gone
    Column("content_type", String(120)),  # what the content is, whatever it was called
    Column("attempts", Integer, nullable=False),
    Column("due_at", Seconds, nullable=False),  # pending: when to try next; kept: when to delete
    Column("created_at", Seconds, nullable=False),
    Index("handoff_media_due", "state", "due_at"),
)

shop_events = Table(
    "handoff_shop_events",
    metadata,
    Column("event_id", String(200), primary_key=True),
    Column("type", String(40), nullable=False),
    Column("order_id", String(80), nullable=False),
    Column("occurred_at", Seconds, nullable=False),
    Column("received_at", Seconds, nullable=False),
    Column("due_at", Seconds, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("state", String(8), nullable=False),  # pending, done
    Column("outcome", String(20)),  # told, or why not
    Column("customer", String(160)),  # whom it concerns, once that is known
    Column("done_at", Seconds),
    Index("handoff_shop_events_due", "state", "due_at"),
    Index("handoff_shop_events_order", "order_id"),
    Index("handoff_shop_events_customer", "customer"),
)

update_opt_outs = Table(
    "handoff_update_opt_outs",
    metadata,
    Column("person", String(64), primary_key=True),  # hash of an id: no erasure finds it, on purpose
    Column("at", Seconds, nullable=False),
)
