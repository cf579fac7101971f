"""Never two voices, nothing lost, nothing twice: checked at Graph and in the helpdesk over random schedules.

Customers write, agents comment and solve, webhooks come late, twice or never, the helpdesk is down or loses answers,
and processes die around every commit; then a calm day follows, and everything has to add up.
"""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

from handoff.storage.database import Database
from tests.handoff.world import World
from tests.handoff.world_parts import quick_database
from tests.handoff.world_promises import check

KINDS = ("plain", "plain", "angry", "wish")
AGENTS = ("comment", "comment_and_solve", "solve", "note", "reopen")
PARTS = ("dispatch", "poll", "deliver")
DEATHS = (None, None, None, "before", "after", "put")


@pytest.fixture(scope="module")
def quick_db(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    db = quick_database(f"sqlite:///{tmp_path_factory.mktemp('voice')}/voice.db")
    yield db
    db.close()


def run_schedule(db: Database, seed: int, steps: int) -> None:
    """One random schedule, then the calm day and the count."""
    chance = random.Random(seed)
    world = World(db, seed, customers=2, calls_returned=seed % 3 != 0)
    customers = list(world.lanes)
    for _ in range(steps):
        customer = chance.choice(customers)
        death = chance.choice(DEATHS)
        what = chance.choices(
            ("write", "consume", "send", "agent", "webhook", "worker", "time", "trouble", "kill"),
            (10, 26, 20, 9, 10, 18, 6, 2, 1),
        )[0]
        if what == "write":
            world.step("customer_writes", customer, chance.choice(KINDS))
        elif what in ("consume", "send"):
            world.step(what, customer, dies_at=death)
        elif what == "agent":
            world.step("agent", chance.choice(AGENTS))
        elif what == "webhook":
            world.step("webhook", chance.choice(("once", "once", "twice", "lost")), dies_at=death)
        elif what == "worker":
            world.step("worker", chance.choice(PARTS), dies_at=death)
        elif what == "time":
            world.now += chance.choice((0.5, 5.0, 70.0))
        elif what == "trouble":
            world.desk.down, world.desk.loses = chance.random() < 0.3, chance.random() < 0.5
        else:
            world.step("kill_server")
    world.settle()
    check(world)


@pytest.mark.slow
def test_never_two_voices_over_random_schedules(quick_db: Database) -> None:
    for seed in range(25):
        run_schedule(quick_db, seed, steps=120)


@pytest.mark.marathon
@pytest.mark.timeout(1800)
def test_never_two_voices_over_thousands_of_random_schedules(quick_db: Database) -> None:
    for seed in range(11_000, 13_000):
        run_schedule(quick_db, seed, steps=120)


class Takeovers(RuleBasedStateMachine):
    """Hypothesis chooses the schedule, and shortens one that breaks a promise."""

    db: Database
    world: World

    @initialize(seed=st.integers(0, 2**32), calls_returned=st.booleans())
    def begin(self, seed: int, calls_returned: bool) -> None:
        self.world = World(self.db, seed, customers=1, calls_returned=calls_returned)
        self.customer = next(iter(self.world.lanes))

    @rule(kind=st.sampled_from(KINDS))
    def customer_writes(self, kind: str) -> None:
        self.world.step("customer_writes", self.customer, kind)

    @rule(dies_at=st.sampled_from(DEATHS), times=st.integers(1, 4))
    def consume(self, dies_at: str | None, times: int) -> None:
        for _ in range(times):
            self.world.step("consume", self.customer, dies_at=dies_at)

    @rule(dies_at=st.sampled_from(DEATHS), times=st.integers(1, 3))
    def send(self, dies_at: str | None, times: int) -> None:
        for _ in range(times):
            self.world.step("send", self.customer, dies_at=dies_at)

    @rule(what=st.sampled_from(AGENTS))
    def agent(self, what: str) -> None:
        self.world.step("agent", what)

    @rule(how=st.sampled_from(("once", "twice", "lost")), dies_at=st.sampled_from(DEATHS))
    def webhook(self, how: str, dies_at: str | None) -> None:
        self.world.step("webhook", how, dies_at=dies_at)

    @rule(part=st.sampled_from(PARTS), dies_at=st.sampled_from(DEATHS))
    def worker(self, part: str, dies_at: str | None) -> None:
        self.world.step("worker", part, dies_at=dies_at)

    @rule(seconds=st.sampled_from((0.5, 5.0, 70.0)))
    def time_passes(self, seconds: float) -> None:
        self.world.now += seconds

    @rule(down=st.booleans(), loses=st.booleans())
    def trouble(self, down: bool, loses: bool) -> None:
        self.world.desk.down, self.world.desk.loses = down, loses

    @rule()
    def kill_server(self) -> None:
        self.world.step("kill_server")

    def teardown(self) -> None:
        if hasattr(self, "world"):
            self.world.settle()
            check(self.world)


@pytest.mark.slow
def test_no_sequence_of_events_breaks_a_takeover(quick_db: Database) -> None:
    machine = type("Machine", (Takeovers,), {"db": quick_db})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=20, stateful_step_count=40, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )
