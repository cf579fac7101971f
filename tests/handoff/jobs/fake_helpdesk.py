"""A helpdesk that keeps what arrives, a clock, and a dispatcher between them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select

from handoff.configuration import HandoffConfiguration
from handoff.helpdesks.interface import (
    Draft,
    NewComment,
    SeenComment,
    Ticket,
    TicketView,
)
from handoff.jobs.dispatcher import Dispatcher
from handoff.storage.database import Database
from handoff.takeover.customer_messages import CustomerMessage, customer_said
from handoff.takeover.state_machine import open_takeover

NOW = 1_800_000_000.0
CUSTOMER = "919876543210"


@dataclass
class FakeHelpdesk:
    """Keeps every ticket and comment that arrived, doubles included. `script` says what happens to each call.

    An entry is an exception to raise instead, or ("after", exception) to raise once it took effect; None is a good day.
    """

    name: str = "fake"
    tickets: list[str] = field(default_factory=list)
    drafts: list[Draft] = field(default_factory=list)
    comments: list[NewComment] = field(default_factory=list)
    script: list[Any] = field(default_factory=list)
    calls: int = 0

    def _do(self, effect: Callable[[], Any]) -> Any:
        self.calls += 1
        step = self.script.pop(0) if self.script else None
        if isinstance(step, BaseException):
            raise step
        result = effect()
        if isinstance(step, tuple):
            raise step[1]
        return result

    def open_ticket(self, draft: Draft, tried_before: bool) -> Ticket:
        def effect() -> Ticket:
            if not (tried_before and draft.external_id in self.tickets):
                self.tickets.append(draft.external_id)
                self.drafts.append(draft)
            return Ticket(str(self.tickets.index(draft.external_id) + 1), "http://desk/1", "77")

        return self._do(effect)  # type: ignore[no-any-return]

    def add_comment(self, ticket: Ticket, comment: NewComment, tried_before: bool) -> str | None:
        def effect() -> str:
            known = [seen.marker for seen in self.comments]
            if not (tried_before and comment.marker in known):
                self.comments.append(comment)
            return f"own-{len(self.comments)}"

        return self._do(effect)  # type: ignore[no-any-return]

    def read_ticket(self, ticket: Ticket) -> TicketView:
        return TicketView("open", tuple(SeenComment("1", "x", NOW, True, False) for _ in self.comments))


class Clock:
    """A time that only moves when told."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> float:
        return self.now


def say(db: Database, configuration: HandoffConfiguration, clock: Clock, number: int, text: str = "hello") -> None:
    message = CustomerMessage(f"wamid.w{number}", f"{text} {number}", clock.now)
    customer_said(db, CUSTOMER, message, configuration, clock.now)


def work(dispatcher: Dispatcher) -> None:
    for takeover_id in dispatcher.due():
        dispatcher.work(takeover_id)


def opened_at(db: Database, request_for: Any, clock: Clock) -> int:
    return open_takeover(db, request_for(), now=clock.now).takeover_id


def state(db: Database, column: Any) -> list[Any]:
    with db.read() as connection:
        key = next(iter(column.table.primary_key))
        return list(connection.execute(select(column).order_by(key)).scalars())
