"""Orders to the helpdesk: nothing lost, nothing twice, whatever fails or dies in between."""

from __future__ import annotations

import json
import logging
import random
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from handoff.configuration import HandoffConfiguration
from handoff.helpdesks.byte_limits import size
from handoff.helpdesks.interface import (
    Draft,
    Gone,
    NewComment,
    NotAllowed,
    Refused,
    RetryLater,
    SeenComment,
    Ticket,
    TicketView,
)
from handoff.jobs.agent_comments import AgentComment, agent_said
from handoff.jobs.dispatcher import Dispatcher
from handoff.jobs.queue import BUDGET_WINDOW_S, LEASE_S
from handoff.storage.database import Database
from handoff.storage.queries import TicketRef
from handoff.storage.tables import deliveries, jobs, notices, takeovers, thread_controls
from handoff.takeover.customer_messages import CustomerMessage, customer_said, not_delivered
from handoff.takeover.state_machine import open_takeover
from privacy import log_lines

NOW = 1_800_000_000.0
CUSTOMER = "919876543210"


class Killed(BaseException):
    """The process dies here."""


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


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def helpdesk() -> FakeHelpdesk:
    return FakeHelpdesk()


@pytest.fixture
def dispatcher(
    db: Database, helpdesk: FakeHelpdesk, configuration: HandoffConfiguration, clock: Clock
) -> Dispatcher:
    return Dispatcher(db, helpdesk, configuration, ["slack"], "key", clock)


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


@pytest.mark.slow
def test_a_helpdesk_that_is_down_for_hours_gets_the_ticket_when_it_is_back(
    db: Database, dispatcher: Dispatcher, helpdesk: FakeHelpdesk, configuration: HandoffConfiguration,
    request_for: Any, clock: Clock,
) -> None:  # fmt: skip
    helpdesk.script = [RetryLater("down")] * 200
    opened_at(db, request_for, clock)
    say(db, configuration, clock, 1)
    for _ in range(120):
        work(dispatcher)
        clock.now += 30
    assert 40 < helpdesk.calls < 80, "it backs off, but goes on trying"
    helpdesk.script.clear()
    for _ in range(4):
        clock.now += 120
        work(dispatcher)
    assert len(helpdesk.tickets) == 1
    assert len(helpdesk.comments) == 1


@pytest.mark.slow
def test_the_first_ticket_that_is_opened_after_an_outage_brings_the_others(
    db: Database, dispatcher: Dispatcher, helpdesk: FakeHelpdesk, request_for: Any, clock: Clock
) -> None:
    helpdesk.script = [RetryLater("down")] * 40
    for number in range(4):
        open_takeover(db, request_for(str(number), wamid=f"wamid.{number}"), now=clock.now)
    while helpdesk.script:
        clock.now = min(due for due in state(db, jobs.c.due_at))
        work(dispatcher)
    clock.now = min(due for due in state(db, jobs.c.due_at))
    work(dispatcher)
    work(dispatcher)
    assert len(helpdesk.tickets) == 4


def test_an_order_that_was_told_when_to_come_again_is_not_woken(
    db: Database, dispatcher: Dispatcher, helpdesk: FakeHelpdesk, request_for: Any, clock: Clock
) -> None:
    helpdesk.script = [RetryLater("too many", 500.0), RetryLater("down")]
    for number in range(2):
        open_takeover(db, request_for(str(number), wamid=f"wamid.{number}"), now=clock.now)
    work(dispatcher)
    clock.now += 2
    work(dispatcher)
    work(dispatcher)
    assert len(helpdesk.tickets) == 1


def test_a_429_is_waited_out_as_long_as_it_asks(
    db: Database, dispatcher: Dispatcher, helpdesk: FakeHelpdesk, request_for: Any, clock: Clock
) -> None:
    helpdesk.script = [RetryLater("HTTP 429", 90.0)]
    opened_at(db, request_for, clock)
    work(dispatcher)
    clock.now += 89
    assert dispatcher.due() == []
    clock.now += 2
    work(dispatcher)
    assert len(helpdesk.tickets) == 1


@pytest.mark.parametrize("error", [NotAllowed("HTTP 401"), Refused("HTTP 422"), ValueError("bug")])
def test_a_ticket_is_asked_for_until_it_exists(
    db: Database, dispatcher: Dispatcher, helpdesk: FakeHelpdesk, request_for: Any, clock: Clock, error: Exception
) -> None:
    helpdesk.script = [error] * 5
    opened_at(db, request_for, clock)
    for _ in range(200):
        work(dispatcher)
        clock.now += 60
    assert len(helpdesk.tickets) == 1


@pytest.mark.parametrize("refusals", [[Gone("closed")], [Refused("5000 comments")] * 3])
def test_words_that_a_ticket_refuses_for_good_get_another_ticket_and_block_nothing(
    db: Database, dispatcher: Dispatcher, helpdesk: FakeHelpdesk, configuration: HandoffConfiguration,
    request_for: Any, clock: Clock, refusals: list[Exception],
) -> None:  # fmt: skip
    opened_at(db, request_for, clock)
    work(dispatcher)
    helpdesk.script = [*refusals]
    say(db, configuration, clock, 1)
    for number in range(20):
        clock.now += 10
        work(dispatcher)
        if number == 10:
            say(db, configuration, clock, 2)
    assert len(helpdesk.tickets) == 2
    assert helpdesk.drafts[1].follows == "1"
    assert "#1" in helpdesk.drafts[1].note
    said = [line for comment in helpdesk.comments for line in comment.body.splitlines() if line.startswith("hello")]
    assert said == ["hello 1", "hello 2"]
    assert set(state(db, jobs.c.state)) == {"done"}


def test_a_note_that_only_informs_is_not_worth_another_ticket(
    db: Database, dispatcher: Dispatcher, helpdesk: FakeHelpdesk, request_for: Any, clock: Clock
) -> None:
    opened_at(db, request_for, clock)
    work(dispatcher)
    agent_said(db, TicketRef("1"), AgentComment("fake:comment:5", "5", "hi", clock.now), clock.now)
    not_delivered(db, "fake:comment:5", "recipient", clock.now)
    helpdesk.script = [Gone("deleted")]
    work(dispatcher)
    assert len(helpdesk.tickets) == 1
    assert state(db, takeovers.c.next_poll_at)[0] <= clock.now, "the ticket is read to find out what happened"


def test_a_shop_whose_helpdesk_closes_every_ticket_is_not_flooded_with_more(
    db: Database, dispatcher: Dispatcher, helpdesk: FakeHelpdesk, configuration: HandoffConfiguration,
    request_for: Any, clock: Clock,
) -> None:  # fmt: skip
    opened_at(db, request_for, clock)
    work(dispatcher)
    say(db, configuration, clock, 1)
    clock.now += 10
    helpdesk.script = [step for _ in range(10) for step in (Gone("deleted"), None)]
    for _ in range(60):
        work(dispatcher)
        clock.now += 5
    assert len(helpdesk.tickets) == 4
    assert state(db, takeovers.c.closed_as) == ["unreached"], "the customer is told, and has the assistant"


def test_a_customer_whose_ticket_is_refused_has_the_assistant_within_a_minute_and_the_ticket_comes_later(
    db: Database, dispatcher: Dispatcher, helpdesk: FakeHelpdesk, configuration: HandoffConfiguration,
    request_for: Any, clock: Clock,
) -> None:  # fmt: skip
    helpdesk.script = [Refused("HTTP 422")] * 4
    opened_at(db, request_for, clock)
    say(db, configuration, clock, 1)
    for _ in range(10):
        work(dispatcher)
        clock.now += 6
    assert state(db, thread_controls.c.owner) == ["bot"]
    (returned,) = state(db, deliveries.c.payload)
    assert json.loads(returned)["reason"] == "unreachable"
    assert state(db, notices.c.channel) == ["slack"], "people are told that it waits"
    for _ in range(30):
        clock.now += 60
        work(dispatcher)
    assert len(helpdesk.tickets) == 1
    assert "hello 1" in "".join(comment.body for comment in helpdesk.comments)
    assert state(db, deliveries.c.kind) == ["conversation_returned"], "told once"


@pytest.mark.slow
def test_after_an_outage_hundreds_of_messages_stand_in_comments_that_the_helpdesk_keeps_whole(
    db: Database, dispatcher: Dispatcher, helpdesk: FakeHelpdesk, configuration: HandoffConfiguration,
    request_for: Any, clock: Clock,
) -> None:  # fmt: skip
    opened_at(db, request_for, clock)
    for number in range(60):
        say(db, configuration, clock, number, "ऑर्डर कहाँ है 😡" * 250)
    clock.now += 60
    for _ in range(60):
        work(dispatcher)
        clock.now += 60
    assert all(size(comment.body) <= 64_000 for comment in helpdesk.comments)
    said = "".join(comment.body for comment in helpdesk.comments)
    assert [number for number in range(60) if f"😡 {number}\n" not in said] == []


def test_two_workers_do_not_do_the_same_twice(
    db: Database, configuration: HandoffConfiguration, request_for: Any, clock: Clock
) -> None:
    helpdesk = FakeHelpdesk()
    for number in range(8):
        open_takeover(db, request_for(str(number), wamid=f"wamid.{number}"), now=clock.now)
    workers = [Dispatcher(db, helpdesk, configuration, [], "key", clock) for _ in range(4)]
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(work, workers))
    for worker in workers:
        work(worker)
    assert sorted(helpdesk.tickets) == sorted(set(helpdesk.tickets))
    assert len(helpdesk.tickets) == 8


def test_a_worker_that_died_holds_nobody_up_for_long(
    db: Database, dispatcher: Dispatcher, helpdesk: FakeHelpdesk, request_for: Any, clock: Clock
) -> None:
    opened_at(db, request_for, clock)
    helpdesk.script = [("after", Killed())]
    with pytest.raises(Killed):
        work(dispatcher)
    assert dispatcher.due() == [], "its lease still runs"
    clock.now += LEASE_S + 2
    work(dispatcher)
    assert len(helpdesk.tickets) == 1
    assert state(db, takeovers.c.ticket_id) == ["1"]


def test_a_call_that_outlasts_its_lease_keeps_it_while_the_worker_lives(
    db: Database, configuration: HandoffConfiguration, request_for: Any, clock: Clock
) -> None:
    opened_at(db, request_for, clock)
    helpdesk = FakeHelpdesk()
    mine, theirs = (Dispatcher(db, helpdesk, configuration, [], "key", clock) for _ in range(2))
    open_ticket, others_saw = helpdesk.open_ticket, []

    def slowly(draft: Draft, tried_before: bool) -> Ticket:
        for _ in range(5):
            clock.now += LEASE_S - 1
            mine.renew()
            others_saw.append(theirs.due())
        return open_ticket(draft, tried_before)

    helpdesk.open_ticket = slowly  # type: ignore[method-assign]
    work(mine)
    assert others_saw == [[]] * 5
    assert len(helpdesk.tickets) == 1


FAULT = st.sampled_from([None, RetryLater("x"), ("after", RetryLater("lost")), Killed(), ("after", Killed())])


@pytest.mark.slow
@given(faults=st.lists(FAULT, max_size=12), seed=st.integers(0, 1000))
@settings(max_examples=25, deadline=None)
def test_killed_or_failing_at_any_point_there_is_one_ticket_and_every_word_once(
    tmp_path_factory: pytest.TempPathFactory, faults: list[Any], seed: int
) -> None:
    from tests.handoff.samples import always_open, request

    chance = random.Random(seed)
    db = Database(f"sqlite:///{tmp_path_factory.mktemp('crash')}/x.db")
    helpdesk, clock, configuration = FakeHelpdesk(script=list(faults)), Clock(), always_open()
    db = _dying_writes(db, chance, len(faults))
    dispatcher = Dispatcher(db, helpdesk, configuration, ["slack"], "key", clock)
    open_takeover(db.real, request(), now=clock.now)  # type: ignore[attr-defined]
    for number in range(6):
        words = CustomerMessage(f"wamid.w{number}", f"hello {number}", clock.now)
        customer_said(db.real, CUSTOMER, words, configuration, clock.now)  # type: ignore[attr-defined]
        _survive(dispatcher)
        clock.now += chance.choice([1, 5, LEASE_S + 2])
    for _ in range(60):
        clock.now += LEASE_S + 400
        _survive(dispatcher)
        if set(state(db.real, jobs.c.state)) == {"done"}:  # type: ignore[attr-defined]
            break
    assert len(helpdesk.tickets) == 1
    said = [line for c in helpdesk.comments for line in c.body.splitlines() if line.startswith("hello")]
    assert said == [f"hello {number}" for number in range(6)]
    db.real.close()  # type: ignore[attr-defined]


def _survive(dispatcher: Dispatcher) -> None:
    try:
        work(dispatcher)
    except Killed:
        return


def _dying_writes(db: Database, chance: random.Random, deaths: int) -> Any:
    """The database of a process that dies now and then just before or just after a commit."""

    class Dying:
        def __init__(self) -> None:
            self.real, self.sqlite, self.left = db, db.sqlite, deaths

        def read(self) -> Any:
            return db.read()

        def write(self) -> Any:
            return self._write()

        def _write(self) -> Any:
            import contextlib

            @contextlib.contextmanager
            def block() -> Any:
                with db.write() as connection:
                    yield connection
                    if self._dies():
                        raise Killed
                if self._dies():
                    raise Killed

            return block()

        def _dies(self) -> bool:
            if self.left > 0 and chance.random() < 0.15:
                self.left -= 1
                return True
            return False

    return Dying()


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


def test_a_ticket_with_an_order_link_has_it(
    db: Database, helpdesk: FakeHelpdesk, configuration: HandoffConfiguration, request_for: Any, clock: Clock
) -> None:
    linked = replace(configuration, order_link="https://admin.example/orders/{order_number}")
    opened_at(db, request_for, clock)
    work(Dispatcher(db, helpdesk, linked, [], "key", clock))
    assert "https://admin.example/orders/10234" in helpdesk.drafts[0].note


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
