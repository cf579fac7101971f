"""What takeovers owe the helpdesk, in SQL: what is due, under whose lease, and what goes together.

One takeover's jobs go one after another. A lease is short and renewed while a call lasts, so that several workers may
run and one that died holds up nobody for long. An attempt is on record before it is made.
"""

import logging
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sqlalchemy import func, select, update
from sqlalchemy.engine import Connection, Row

from handoff.byte_limits import size
from handoff.configuration import HandoffConfiguration
from handoff.jobs import trouble
from handoff.storage.database import Database
from handoff.storage.queries import change_takeover, takeover_by_id
from handoff.storage.tables import jobs, takeovers

log = logging.getLogger(__name__)

LEASE_S = 15.0
BUDGET_WINDOW_S = 600.0
SLOW_COALESCE_S = 30.0
KINDS = ("open", "words", "note")  # what a newer release adds waits for a worker of that release
MAX_MESSAGES = 40_000  # bytes of JSON as a helpdesk counts them in one comment: after an outage there may be hundreds


@dataclass(frozen=True)
class HelpdeskJob:
    """What one call to the helpdesk carries out."""

    kind: str
    rows: tuple[Row, ...]

    @property
    def tried_before(self) -> bool:
        return self.rows[0].attempts > 0


class JobQueue:
    """Which takeovers wait, and what is to be done next for one of them."""

    def __init__(self, db: Database, configuration: HandoffConfiguration, clock: Callable[[], float]) -> None:
        self._db, self._configuration, self._clock = db, configuration, clock
        self._leases: set[str] = set()

    def due(self, limit: int = 20) -> list[int]:
        """Takeovers with something to do now that nobody works on; what waits behind a job of a later time is not."""
        now = self._clock()
        before = jobs.alias()
        goes_first = (before.c.kind == "open") | ((before.c.id < jobs.c.id) & (jobs.c.kind != "open"))
        held_up = select(before.c.id).where(
            before.c.takeover_id == jobs.c.takeover_id, before.c.state == "pending", before.c.kind.in_(KINDS),
            before.c.due_at > now, goes_first,
        )  # fmt: skip
        waiting = (
            select(jobs.c.takeover_id)
            .join(takeovers, takeovers.c.id == jobs.c.takeover_id)
            .where(jobs.c.state == "pending", jobs.c.kind.in_(KINDS), jobs.c.due_at <= now, ~held_up.exists())
            .where(takeovers.c.leased_until <= now)
            .group_by(jobs.c.takeover_id)
            .order_by(func.min(jobs.c.due_at))
            .limit(limit)
        )
        with self._db.read() as connection:
            return [row.takeover_id for row in connection.execute(waiting)]

    def renew(self) -> None:
        """Keep the leases of the calls that are under way."""
        held = list(self._leases)
        if held:
            with self._db.write() as connection:
                connection.execute(
                    update(takeovers)
                    .where(takeovers.c.leased_by.in_(held))
                    .values(leased_until=self._clock() + LEASE_S)
                )

    def take_lease(self, takeover_id: int) -> str | None:
        """A lease on the takeover, None while somebody else holds one."""
        lease, now = secrets.token_hex(16), self._clock()
        with self._db.write() as connection:
            free = takeovers.c.leased_until <= now
            taken = change_takeover(connection, takeover_id, free, leased_until=now + LEASE_S, leased_by=lease)
        if not taken:
            return None
        self._leases.add(lease)
        return lease

    def release(self, lease: str) -> None:
        """Somebody else may work on the takeover now."""
        with self._db.write() as connection:
            connection.execute(
                update(takeovers).where(takeovers.c.leased_by == lease).values(leased_until=0.0, leased_by=None)
            )

    def next(self, takeover_id: int, lease: str) -> tuple[Row, HelpdeskJob | None]:
        """The next job that is due, its attempt on record."""
        now = self._clock()
        with self._db.write() as connection:
            takeover = takeover_by_id(connection, takeover_id)
            if takeover.leased_by != lease:
                return takeover, None
            pending = connection.execute(
                select(jobs)
                .where(jobs.c.takeover_id == takeover_id, jobs.c.state == "pending", jobs.c.kind.in_(KINDS))
                .order_by(jobs.c.id)
            ).all()
            job = self._choose(connection, takeover, pending, now)
            if job is not None:
                ids = [row.id for row in job.rows]
                connection.execute(
                    update(jobs).where(jobs.c.id.in_(ids)).values(attempts=jobs.c.attempts + 1)
                )
                change_takeover(connection, takeover_id, leased_until=now + LEASE_S)
            return takeover, job

    def _choose(self, connection: Connection, takeover: Row, pending: Sequence[Row], now: float) -> HelpdeskJob | None:
        if not pending:
            return None
        first = next((job for job in pending if job.kind == "open"), pending[0])  # a follow-up's comes late
        if first.due_at > now:
            return None
        if first.kind == "open":
            return HelpdeskJob("open", (first,))
        if takeover.ticket_id is None:
            return None
        free_at = self._budget_free_at(connection, takeover.id, now)
        if free_at > now and not first.attempts:
            self._postpone(connection, pending, free_at)
            return None
        if first.kind != "words":
            return HelpdeskJob("note", (first,))
        return HelpdeskJob("words", self._batch(connection, takeover, pending))

    def _batch(self, connection: Connection, takeover: Row, pending: Sequence[Row]) -> tuple[Row, ...]:
        """The messages that travel together, numbered so that a repetition holds the same."""
        first = pending[0]
        if first.part is not None:
            return tuple(job for job in pending if job.part == first.part)
        together: list[Row] = []
        room = MAX_MESSAGES
        for job in pending:
            room -= size((job.body or "").replace("\\n", "\n"))
            if job.kind != "words" or (together and room < 0):
                break
            together.append(job)
        last = connection.execute(
            select(func.max(jobs.c.part)).where(jobs.c.takeover_id == takeover.id)
        ).scalar()
        part = (last or 0) + 1
        connection.execute(update(jobs).where(jobs.c.id.in_([job.id for job in together])).values(part=part))
        found = select(jobs).where(jobs.c.id.in_([job.id for job in together])).order_by(jobs.c.id)
        return tuple(connection.execute(found).all())

    def _budget_free_at(self, connection: Connection, takeover_id: int, now: float) -> float:
        """When the ticket may be updated next; a time in the past when it may be now.

        Once half of what the helpdesk allows in ten minutes is used, updates keep a distance, so that a long
        conversation slows down instead of stopping.
        """
        recent = connection.execute(
            select(jobs.c.done_at)
            .where(jobs.c.takeover_id == takeover_id, jobs.c.done_at > now - BUDGET_WINDOW_S, jobs.c.kind != "open")
            .group_by(jobs.c.done_at)
            .order_by(jobs.c.done_at)
        ).scalars().all()  # fmt: skip
        limit = self._configuration.updates_per_10_minutes
        if len(recent) >= limit:
            return float(recent[-limit]) + BUDGET_WINDOW_S
        if len(recent) >= limit / 2:
            return float(recent[-1]) + SLOW_COALESCE_S
        return now

    def _postpone(self, connection: Connection, pending: Sequence[Row], until: float) -> None:
        ids = [job.id for job in pending]
        connection.execute(update(jobs).where(jobs.c.id.in_(ids), jobs.c.due_at < until).values(due_at=until))

    def helpdesk_is_back(self) -> None:
        """Whatever else waits for the helpdesk to answer again need not wait any longer."""
        now = self._clock()
        with self._db.write() as connection:
            woken = connection.execute(
                update(jobs)
                .where(jobs.c.state == "pending", jobs.c.trouble == trouble.UNREACHABLE, jobs.c.due_at > now)
                .values(due_at=now)
            )
        log.info("handoff.helpdesk.back woken=%d", woken.rowcount)

    def done(self, connection: Connection, job: HelpdeskJob, now: float) -> None:
        """The helpdesk has it: part of the caller's transaction."""
        ids = [row.id for row in job.rows]
        connection.execute(
            update(jobs).where(jobs.c.id.in_(ids)).values(state="done", done_at=now, body=None, trouble=None)
        )

    def change(self, job: HelpdeskJob, **values: float | str) -> None:
        """Columns of all its jobs."""
        with self._db.write() as connection:
            connection.execute(
                update(jobs).where(jobs.c.id.in_([row.id for row in job.rows])).values(**values)
            )

    def forget(self, lease: str) -> None:
        """It is not renewed any more."""
        self._leases.discard(lease)
