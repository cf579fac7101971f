"""Tickets that live only in the conversation database: for a shop without a helpdesk, and for trying things out.

`python -m handoff` lists them, answers and solves them.
"""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict

from sqlalchemy import select, update
from sqlalchemy.engine import Row

from handoff.helpdesks.agent_words import whatsapp_words
from handoff.helpdesks.interface import Draft, Gone, NewComment, RetryLater, SeenComment, Ticket, TicketView
from handoff.storage.database import Database, HandoffUnavailable
from handoff.storage.queries import insert_once
from handoff.storage.tables import log_comments, log_tickets


class LogTickets:
    """A Helpdesk in two tables."""

    name = "log"

    def __init__(self, db: Database) -> None:
        self._db = db

    def open_ticket(self, draft: Draft, tried_before: bool) -> Ticket:
        content = json.dumps(asdict(draft))
        with _reaching(), self._db.write() as connection:
            insert_once(connection, log_tickets, external_id=draft.external_id, status="open", content=content)
            found = select(log_tickets.c.id).where(log_tickets.c.external_id == draft.external_id)
            return Ticket(str(connection.execute(found).scalar_one()))

    def add_comment(self, ticket: Ticket, comment: NewComment, tried_before: bool) -> str | None:
        added = self._add(ticket.id, comment.author, comment.author == "customer", comment.body, comment.marker)
        if comment.status == "solved":
            with _reaching():
                self.set_status(ticket.id, "solved")
        return added

    def reply(self, ticket_id: str, text: str, public: bool = True) -> str:
        """A comment of the shop's staff."""
        return self._add(ticket_id, "agent", public, text, None)

    def set_status(self, ticket_id: str, status: str) -> None:
        """open, solved or closed."""
        with self._db.write() as connection:
            connection.execute(
                update(log_tickets).where(log_tickets.c.id == int(ticket_id)).values(status=status)
            )

    def _add(self, ticket_id: str, author: str, public: bool, body: str, marker: str | None) -> str:
        key = f"{ticket_id}:{marker}" if marker else None
        with _reaching(), self._db.write() as connection:
            status = select(log_tickets.c.status).where(log_tickets.c.id == int(ticket_id))
            if connection.execute(status).scalar() in (None, "closed"):
                raise Gone("the ticket is closed or gone")
            insert_once(
                connection, log_comments, ticket_id=int(ticket_id), author=author, public=int(public), body=body,
                key=key, created_at=time.time(),
            )  # fmt: skip
            newest = select(log_comments.c.id).where(log_comments.c.ticket_id == int(ticket_id))
            newest = newest.where(log_comments.c.key == key) if key else newest
            return str(connection.execute(newest.order_by(log_comments.c.id.desc())).scalars().first())

    def read_ticket(self, ticket: Ticket) -> TicketView:
        said = select(log_comments).where(log_comments.c.ticket_id == int(ticket.id)).order_by(log_comments.c.id)
        with _reaching(), self._db.read() as connection:
            found = select(log_tickets.c.status).where(log_tickets.c.id == int(ticket.id))
            status, rows = connection.execute(found).scalar(), connection.execute(said).all()
        if status is None:
            raise Gone("no such ticket")
        return TicketView(status, tuple(
            SeenComment(str(row.id), _words(row), row.created_at, bool(row.public), row.author != "customer")
            for row in rows
        ))  # fmt: skip


@contextmanager
def _reaching() -> Iterator[None]:
    """A database that does not answer is a helpdesk that does not."""
    try:
        yield
    except HandoffUnavailable as error:
        raise RetryLater(str(error)) from error


def _words(row: Row) -> str:
    return whatsapp_words(row.body or "") if row.author == "agent" else row.body or ""
