"""Several workers, killed at any point: one ticket, and every word once."""

from __future__ import annotations

import random
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from handoff.configuration import HandoffConfiguration
from handoff.helpdesks.interface import (
    Draft,
    RetryLater,
    Ticket,
)
from handoff.jobs.dispatcher import Dispatcher
from handoff.jobs.queue import LEASE_S
from handoff.storage.database import Database
from handoff.storage.tables import jobs, takeovers
from handoff.takeover.customer_messages import CustomerMessage, customer_said
from handoff.takeover.state_machine import open_takeover
from tests.examples import examples
from tests.handoff.jobs.fake_helpdesk import CUSTOMER, Clock, FakeHelpdesk, opened_at, state, work

pytestmark = pytest.mark.every_database


class Killed(BaseException):
    """The process dies here."""


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
@settings(max_examples=examples(25), deadline=None)
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
