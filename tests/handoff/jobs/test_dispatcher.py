"""Orders to the helpdesk: nothing lost, nothing twice, whatever fails or dies in between."""

from __future__ import annotations

import json
import logging
from dataclasses import replace
from typing import Any

import pytest

from handoff.configuration import HandoffConfiguration
from handoff.jobs.agent_comments import AgentComment, agent_said
from handoff.jobs.dispatcher import Dispatcher
from handoff.jobs.queue import BUDGET_WINDOW_S
from handoff.storage.database import Database
from handoff.storage.queries import TicketRef
from handoff.storage.tables import jobs, notices, takeovers
from handoff.takeover.customer_messages import CustomerMessage, customer_said, not_delivered
from handoff.takeover.state_machine import open_takeover
from privacy import log_lines
from tests.handoff.jobs.fake_helpdesk import CUSTOMER, NOW, Clock, FakeHelpdesk, opened_at, say, state, work


def test_a_takeover_becomes_a_ticket_and_a_notice(
    db: Database, dispatcher: Dispatcher, helpdesk: FakeHelpdesk, request_for: Any, clock: Clock
) -> None:
    opened_at(db, request_for, clock)
    work(dispatcher)
    assert len(helpdesk.tickets) == 1
    assert state(db, takeovers.c.ticket_id) == ["1"]
    assert state(db, jobs.c.state) == ["done"]
    assert state(db, notices.c.state) == ["pending"]


def test_what_is_logged_of_a_ticket_carries_the_id_of_the_message_that_called_for_it(
    db: Database, dispatcher: Dispatcher, request_for: Any, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[tuple[str, str | None]] = []
    log = logging.getLogger("handoff.jobs.dispatcher")
    monkeypatch.setattr(log, "info", lambda line, *_: seen.append((line.split()[0], log_lines.current())))
    request = request_for()
    open_takeover(db, request, now=clock.now)
    work(dispatcher)
    assert seen == [("handoff.ticket.opened", request.wamid)]


def test_the_transcript_leaves_our_database_once_the_ticket_has_it(
    db: Database, dispatcher: Dispatcher, request_for: Any, clock: Clock
) -> None:
    opened_at(db, request_for, clock)
    assert "This is fraud" in state(db, takeovers.c.request)[0]
    work(dispatcher)
    assert "This is fraud" not in state(db, takeovers.c.request)[0]


def test_quick_messages_travel_as_one_comment_in_order(
    db: Database, dispatcher: Dispatcher, helpdesk: FakeHelpdesk, configuration: HandoffConfiguration,
    request_for: Any, clock: Clock,
) -> None:  # fmt: skip
    opened_at(db, request_for, clock)
    for number in range(5):
        say(db, configuration, clock, number)
        clock.now += 1
    work(dispatcher)
    assert helpdesk.comments == []
    clock.now += configuration.coalesce_s
    work(dispatcher)
    (comment,) = helpdesk.comments
    assert comment.author == "customer"
    assert [line for line in comment.body.splitlines() if line.startswith("hello")] == [f"hello {n}" for n in range(5)]
    assert comment.body.count(comment.marker) == 1


@pytest.mark.slow
def test_a_chatty_customer_stays_within_what_the_helpdesk_allows(
    db: Database, dispatcher: Dispatcher, helpdesk: FakeHelpdesk, configuration: HandoffConfiguration,
    request_for: Any, clock: Clock,
) -> None:  # fmt: skip
    opened_at(db, request_for, clock)
    times: list[float] = []
    for number in range(160):
        say(db, configuration, clock, number)
        clock.now += 9
        before = len(helpdesk.comments)
        work(dispatcher)
        times += [clock.now] * (len(helpdesk.comments) - before)
    clock.now += 2 * BUDGET_WINDOW_S
    work(dispatcher)
    most = max(sum(start <= at < start + BUDGET_WINDOW_S for at in times) for start in times)
    assert most <= configuration.updates_per_10_minutes
    said = [line for c in helpdesk.comments for line in c.body.splitlines() if line.startswith("hello")]
    assert said == [f"hello {number}" for number in range(160)]


def test_a_private_note_says_what_did_not_reach_the_customer(
    db: Database, dispatcher: Dispatcher, helpdesk: FakeHelpdesk, request_for: Any, clock: Clock
) -> None:
    opened_at(db, request_for, clock)
    work(dispatcher)
    agent_said(db, TicketRef("1"), AgentComment("fake:comment:5", "5", "hi", clock.now), clock.now)
    for key in ("fake:comment:5", "fake:comment:5:1", "fake:comment:6"):
        not_delivered(db, key, "WhatsApp refused it", clock.now)
    work(dispatcher)
    (note,) = helpdesk.comments
    assert note.author == "assistant"
    assert "WhatsApp refused it" in note.body


def test_our_own_comments_are_known_as_ours(
    db: Database, dispatcher: Dispatcher, configuration: HandoffConfiguration, request_for: Any, clock: Clock
) -> None:
    opened_at(db, request_for, clock)
    say(db, configuration, clock, 1)
    clock.now += 10
    work(dispatcher)
    echo = AgentComment("fake:comment:own-1", "own-1", "hello 1", clock.now)
    assert agent_said(db, TicketRef("1"), echo, clock.now) == "own"


def test_what_stands_in_the_ticket(
    db: Database, dispatcher: Dispatcher, helpdesk: FakeHelpdesk, request_for: Any, clock: Clock
) -> None:
    opened_at(db, request_for, clock)
    work(dispatcher)
    (draft,) = helpdesk.drafts
    assert draft.subject == "[WhatsApp] MG-1001: customer complains about order #10234"
    assert (draft.priority, draft.phone, draft.customer_name) == ("urgent", "+919876543210", "Asha Rao")
    assert set(draft.tags) == {"whatsapp_assistant", "reason_complaint", "order_known"}
    said = ("customer: This is fraud", "assistant: How can I help?")
    for part in ("complaint", "CRITICAL", "complaint_words: 2.0", *said):
        assert part in draft.note


@pytest.mark.parametrize(("link", "shown"), [
    ("https://admin.example/orders/{order_number}", "https://admin.example/orders/10234"),
    ("https://admin.example/{shop}/{order_number}?q={}", "https://admin.example/{shop}/10234?q={}"),
])
def test_a_ticket_has_the_order_link_whatever_other_braces_stand_in_it(
    db: Database, helpdesk: FakeHelpdesk, configuration: HandoffConfiguration, request_for: Any, clock: Clock,
    link: str, shown: str,
) -> None:
    opened_at(db, request_for, clock)
    work(Dispatcher(db, helpdesk, replace(configuration, order_link=link), [], "key", clock))
    assert shown in helpdesk.drafts[0].note


@pytest.mark.parametrize("letter", ["'", "\n<"])
def test_no_word_is_cut_however_long_it_is_where_a_helpdesk_counts(
    db: Database, dispatcher: Dispatcher, helpdesk: FakeHelpdesk, configuration: HandoffConfiguration,
    request_for: Any, clock: Clock, letter: str,
) -> None:  # fmt: skip
    opened_at(db, request_for, clock)
    for number in range(12):
        say(db, configuration, clock, number, letter * (3000 // len(letter)))
    for _ in range(12):
        clock.now += 60
        work(dispatcher)
    said = "".join(comment.body for comment in helpdesk.comments)
    assert said.count(letter) == 12 * (3000 // len(letter))
    assert "…" not in said


def test_photos_travel_as_links_where_agents_can_reach_us(
    db: Database, helpdesk: FakeHelpdesk, configuration: HandoffConfiguration, request_for: Any, clock: Clock
) -> None:
    public = replace(configuration, public_url="https://bot.example")
    opened_at(db, request_for, clock)
    photo = CustomerMessage("wamid.p", "see", clock.now, (("9001", "image", ""),))
    customer_said(db, CUSTOMER, photo, public, clock.now)
    clock.now += 10
    work(Dispatcher(db, helpdesk, public, [], "key", clock))
    assert "https://bot.example/webhooks/zendesk/media/9001/" in helpdesk.comments[0].body


def test_a_very_long_conversation_keeps_its_end_and_fits(
    db: Database, dispatcher: Dispatcher, helpdesk: FakeHelpdesk, request_for: Any, clock: Clock
) -> None:
    lines = tuple((NOW + number, "customer", f"line {number} " + "x" * 4000) for number in range(120))
    open_takeover(db, request_for(transcript=lines), now=clock.now)
    work(dispatcher)
    note = helpdesk.drafts[0].note
    assert len(note) <= 60_100
    assert "line 119" in note
    assert "(earlier messages left out)" in note


def test_the_orders_rows_hold_no_words_once_they_are_done(
    db: Database, dispatcher: Dispatcher, configuration: HandoffConfiguration, request_for: Any, clock: Clock
) -> None:
    opened_at(db, request_for, clock)
    say(db, configuration, clock, 1, "my secret")
    clock.now += 10
    work(dispatcher)
    assert json.dumps(state(db, jobs.c.body)) == "[null, null]"
