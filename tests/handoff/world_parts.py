"""What stands around the takeover code in `world.py`: a database whose processes die, and a helpdesk with agents."""

from __future__ import annotations

from collections import defaultdict
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import event as sql_event

from handoff.helpdesks.interface import Draft, NewComment, RetryLater, SeenComment, Ticket, TicketView
from handoff.storage.database import Database


class Killed(BaseException):
    """The process dies here."""


class MortalDatabase:
    """A database of processes that may die just before or just after a commit."""

    def __init__(self, real: Database) -> None:
        self.real, self.sqlite = real, real.sqlite
        self.dies_at: str | None = None

    @property
    def prepared(self) -> bool:
        return self.real.prepared

    def read(self) -> Any:
        return self.real.read()

    def first_row(self, statement: str, *values: Any) -> Any:
        return self.real.first_row(statement, *values)

    @contextmanager
    def write(self) -> Any:
        with self.real.write() as connection:
            yield connection
            self._maybe("before")
        self._maybe("after")

    def _maybe(self, moment: str) -> None:
        if self.dies_at == moment:
            self.dies_at = None
            raise Killed


def quick_database(url: str) -> Database:
    """SQLite that does not wait for the disk: here only processes die, not machines."""
    db = Database(url)
    for engine in (db._writing, db._reading):
        sql_event.listen(engine, "connect", lambda raw, _: raw.execute("PRAGMA synchronous = OFF"))
    return db


@dataclass
class AgentsDesk:
    """A helpdesk with agents in it. `down` refuses every call; `loses` takes effect and then fails."""

    name: str = "zendesk"
    tickets: dict[str, str] = field(default_factory=dict)  # external id -> status
    made: list[str] = field(default_factory=list)
    drafts: dict[str, Draft] = field(default_factory=dict)
    comments: dict[str, list[SeenComment]] = field(default_factory=lambda: defaultdict(list))
    down: bool = False
    loses: bool = False
    next_comment: int = 1

    def _trouble(self) -> None:
        if self.down:
            raise RetryLater("down")

    def _lost(self) -> None:
        if self.loses:
            self.loses = False
            raise RetryLater("answer lost")

    def open_ticket(self, draft: Draft, tried_before: bool) -> Ticket:
        self._trouble()
        if not (tried_before and draft.external_id in self.tickets):
            self.made.append(draft.external_id)
            self.tickets[draft.external_id] = "open"
            self.drafts[draft.external_id] = draft
        self._lost()
        return Ticket(f"T{self.made.index(draft.external_id)}", "", "77")

    def add_comment(self, ticket: Ticket, comment: NewComment, tried_before: bool) -> str | None:
        self._trouble()
        there = self.comments[self.made[int(ticket.id[1:])]]
        known = [seen for seen in there if comment.marker in seen.text]
        if tried_before and known:
            return known[0].id
        seen = self.add(self.made[int(ticket.id[1:])], comment.body, comment.author == "customer", False, 0.0)
        self._lost()
        return seen.id

    def read_ticket(self, ticket: Ticket) -> TicketView:
        self._trouble()
        external_id = self.made[int(ticket.id[1:])]
        return TicketView(self.tickets[external_id], tuple(self.comments[external_id]))

    def add(self, external_id: str, text: str, public: bool, by_staff: bool, at: float) -> SeenComment:
        seen = SeenComment(str(self.next_comment), text, at, public, by_staff)
        self.next_comment += 1
        self.comments[external_id].append(seen)
        return seen
