"""Messages as they are logged, like `tail -f`."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from typing import Any

import redis
from rich.console import Console
from rich.text import Text
from sqlalchemy import select
from sqlalchemy.engine import Engine

from conversation_log.model import identities
from conversation_log.query import show
from conversation_log.query.export import message_of
from conversation_log.storage.reader import Row
from conversation_log.storage.tables import conversations, messages
from privacy.pseudonyms import mask_phone
from privacy.redaction import redact

POLL_S = 0.5
# Replies carry their own time, so a row may be written a little behind a later one.
OVERLAP = timedelta(seconds=120)


def new_messages(engine: Engine, since: datetime, customers: frozenset[str] | None) -> Iterator[list[Row]]:
    """For ever: the messages that came since the last look, in order, each once."""
    seen: dict[str, datetime] = {}
    while True:
        columns = (messages, conversations.c.customer_id, conversations.c.customer_phone)
        statement = select(*columns).join(conversations).where(messages.c.sent_at >= since - OVERLAP)
        if customers is not None:
            names = sorted(customers)
            statement = statement.where(
                conversations.c.customer_id.in_(names) | conversations.c.customer_phone.in_(names)
            )
        with engine.connect() as connection:
            ordered = statement.order_by(messages.c.sent_at, messages.c.position)
            rows = [dict(row) for row in connection.execute(ordered).mappings()]
        fresh = [row for row in rows if row["message_key"] not in seen]
        seen = {row["message_key"]: row["sent_at"] for row in rows}
        since = max([since, *(row["sent_at"] for row in rows)])
        yield fresh


def run_command(engine: Engine, client: redis.Redis[Any] | None, customer: str | None, hide: bool) -> int:
    """`follow` on the command line, until Ctrl-C."""
    customers = None
    if customer is not None:
        known = identities.find(customer, engine, client)
        customers = known.names | known.customers
    console = Console(highlight=False)
    console.print("[dim]Following the log; Ctrl-C ends.[/]")
    first = True
    for rows in new_messages(engine, datetime.now(timezone.utc), customers):
        for row in [] if first else rows:
            who = Text(f"{mask_phone(row['customer_phone'] or row['customer_id']):16} ", style="dim")
            said = message_of(row)
            if hide:
                said["content"] = redact(said["content"])
            console.print(who + show.message(said))
        first = False
        time.sleep(POLL_S)
    return 0

