"""The shop changes its helpdesk: ticket numbers of the one before are somebody else's tickets in the new one."""

from __future__ import annotations

import json
from typing import Any

from handoff.configuration import HandoffConfiguration
from handoff.helpdesks.interface import NewComment, SeenComment, Ticket, TicketView
from handoff.helpdesks.zendesk_events import parse_event, take
from handoff.jobs.dispatcher import Dispatcher
from handoff.jobs.polling import TicketPoller
from handoff.storage.database import Database
from handoff.storage.queries import takeover_by_id
from handoff.storage.tables import deliveries, jobs, takeovers, thread_controls
from handoff.takeover.follow_up import follow_up
from tests.handoff.jobs.fake_helpdesk import NOW, Clock, FakeHelpdesk, opened_at, say, state, work


class WithStrangers(FakeHelpdesk):
    """Ticket 1 is a stranger's, and agents answered it."""

    def __init__(self, name: str) -> None:
        super().__init__(name, tickets=["a stranger's"])
        self.commented: list[str] = []

    def add_comment(self, ticket: Ticket, comment: NewComment, tried_before: bool) -> str | None:
        self.commented.append(ticket.id)
        return super().add_comment(ticket, comment, tried_before)

    def read_ticket(self, ticket: Ticket) -> TicketView:
        if ticket.id != "1":
            return TicketView("open")
        return TicketView("solved", (SeenComment("9", "Dear stranger, your new PIN is 1234", NOW, True, True),))


def test_a_takeover_of_the_helpdesk_before_gets_a_ticket_in_the_new_one_and_nothing_of_a_strangers(
    db: Database, dispatcher: Dispatcher, configuration: HandoffConfiguration, request_for: Any, clock: Clock
) -> None:
    opened_at(db, request_for, clock)
    work(dispatcher)
    assert state(db, takeovers.c.ticket_id) == ["1"]
    desk = WithStrangers("zendesk")
    poller = TicketPoller(db, desk, configuration, clock)
    new = Dispatcher(db, desk, configuration, [], "key", clock)
    clock.now += 400
    for number in poller.due():
        poller.poll(number)
    say(db, configuration, clock, 1)
    for _ in range(3):
        clock.now += 30
        work(new)
    assert state(db, deliveries.c.kind) == []
    assert (state(db, takeovers.c.ticket_id), state(db, takeovers.c.backend)) == (["2"], ["zendesk"])
    assert desk.commented == ["2"]
    assert desk.drafts[0].follows is None, "its number means another ticket here"
    assert state(db, thread_controls.c.owner) == ["waiting"]


def test_words_that_wait_for_a_ticket_of_the_helpdesk_before_never_stand_in_a_strangers(
    db: Database, dispatcher: Dispatcher, configuration: HandoffConfiguration, request_for: Any, clock: Clock
) -> None:
    opened_at(db, request_for, clock)
    work(dispatcher)
    say(db, configuration, clock, 1)
    clock.now += 30
    desk = WithStrangers("zendesk")
    new = Dispatcher(db, desk, configuration, [], "key", clock)
    for _ in range(3):
        work(new)
        clock.now += 30
    assert desk.commented == ["2"]


def test_a_webhook_about_a_ticket_with_the_number_of_one_elsewhere_reaches_no_customer(
    db: Database, dispatcher: Dispatcher, request_for: Any, clock: Clock
) -> None:
    opened_at(db, request_for, clock)
    work(dispatcher)
    said = {"id": "9", "body": "Dear stranger", "is_public": True, "author": {"is_staff": True}}
    event = {"type": "zen:event-type:ticket.comment_added", "detail": {"id": "1"}, "event": {"comment": said}}
    told = parse_event(json.dumps(event).encode(), clock.now)
    assert told is not None
    assert take(db, told, clock.now) == "unknown_ticket"
    assert state(db, deliveries.c.kind) == []


def test_dispatcher_and_poller_that_find_out_at_once_order_one_ticket(
    db: Database, dispatcher: Dispatcher, request_for: Any, clock: Clock
) -> None:
    takeover_id = opened_at(db, request_for, clock)
    work(dispatcher)
    with db.read() as connection:
        seen_by_both = takeover_by_id(connection, takeover_id)
    for _ in range(2):
        with db.write() as connection:
            assert follow_up(connection, seen_by_both, "zendesk", clock.now) == "ordered"
    assert state(db, jobs.c.state) == ["done", "pending"]
