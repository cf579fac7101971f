"""Carries out what takeovers ordered from the helpdesk: open the ticket, add the customer's words, add private notes.

One takeover's orders go one after another, under a lease, so that several workers may run; a lease is short and
renewed while the call lasts, so that a worker that died holds up nobody for long. Each attempt is put on record before
it is made: whoever comes after a crash or a timeout knows that the helpdesk may have it already, and looks before
repeating. The customer was told long before; nothing here is ever given up because a helpdesk is away.
"""

from __future__ import annotations

import json
import logging
import random
import secrets
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace

from sqlalchemy import func, select, update
from sqlalchemy.engine import Connection, Row

from handoff.configuration import HandoffConfiguration
from handoff.helpdesks.interface import Gone, Helpdesk, NewComment, NotAllowed, Refused, RetryLater, Ticket
from handoff.jobs.ticket import again_note, draft_of, note_comment, request_from, request_of, words_comment
from handoff.storage.database import Database
from handoff.storage.queries import insert_once, takeover_by_id
from handoff.storage.tables import comments, jobs, notices, takeovers
from handoff.takeover.follow_up import follow_up, nobody_can_take_it

log = logging.getLogger(__name__)

LEASE_S = 15.0
RENEW_EVERY_S = 4.0
LONGEST_BACKOFF_S = 60.0
NOT_ALLOWED_WAIT_S = 60.0
REFUSED_WAIT_S = 600.0
MAX_REFUSALS = 3
BUDGET_WINDOW_S = 600.0
SLOW_COALESCE_S = 30.0
MAX_WORDS = 40_000  # characters of JSON in one comment: after an outage there may be hundreds of messages
REFUSED_TICKET_WAITS_S = (2.0, 10.0)  # before the customer is given back to the assistant


@dataclass(frozen=True)
class Order:
    """Jobs that one call to the helpdesk carries out."""

    kind: str
    jobs: tuple[Row, ...]

    @property
    def tried_before(self) -> bool:
        return self.jobs[0].attempts > 0


class Dispatcher:
    """`due()` says which takeovers wait, `work(id)` does what is due for one; both block.

    Whoever calls `work` calls `renew` every RENEW_EVERY_S meanwhile.
    """

    def __init__(
        self,
        db: Database,
        helpdesk: Helpdesk,
        configuration: HandoffConfiguration,
        channels: Sequence[str] = (),
        media_key: str = "",
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._db, self._helpdesk, self._configuration = db, helpdesk, configuration
        self._channels, self._media_key, self._clock = channels, media_key, clock
        self._leases: set[str] = set()

    def due(self, limit: int = 20) -> list[int]:
        """Takeovers with something to do now that nobody works on."""
        now = self._clock()
        waiting = (
            select(jobs.c.takeover_id)
            .join(takeovers, takeovers.c.id == jobs.c.takeover_id)
            .where(jobs.c.state == "pending", jobs.c.due_at <= now, takeovers.c.leased_until <= now)
            .group_by(jobs.c.takeover_id)
            .order_by(func.min(jobs.c.due_at))
            .limit(limit)
        )
        with self._db.read() as connection:
            return [row.takeover_id for row in connection.execute(waiting)]

    def work(self, takeover_id: int, stopping: Callable[[], bool] = lambda: False) -> None:
        """Everything that is due for one takeover; returns when something has to wait, or `stopping` says so."""
        lease = secrets.token_hex(16)
        if not self._take_lease(takeover_id, lease):
            return
        self._leases.add(lease)
        try:
            going_on = True
            while going_on:
                takeover, order = self._next(takeover_id, lease)
                going_on = order is not None and self._carry_out(takeover, order) and not stopping()
            self._release(lease)
        finally:
            self._leases.discard(lease)

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

    def _take_lease(self, takeover_id: int, lease: str) -> bool:
        """Whether nobody else holds one."""
        now = self._clock()
        with self._db.write() as connection:
            taken = connection.execute(
                update(takeovers)
                .where(takeovers.c.id == takeover_id, takeovers.c.leased_until <= now)
                .values(leased_until=now + LEASE_S, leased_by=lease)
            )
            return bool(taken.rowcount)

    def _release(self, lease: str) -> None:
        with self._db.write() as connection:
            connection.execute(
                update(takeovers).where(takeovers.c.leased_by == lease).values(leased_until=0.0, leased_by=None)
            )

    def _next(self, takeover_id: int, lease: str) -> tuple[Row, Order | None]:
        """The next order that is due, its attempt on record."""
        now = self._clock()
        with self._db.write() as connection:
            takeover = takeover_by_id(connection, takeover_id)
            if takeover.leased_by != lease:
                return takeover, None
            pending = connection.execute(
                select(jobs)
                .where(jobs.c.takeover_id == takeover_id, jobs.c.state == "pending")
                .order_by(jobs.c.id)
            ).all()
            order = self._choose(connection, takeover, pending, now)
            if order is not None:
                ids = [job.id for job in order.jobs]
                connection.execute(
                    update(jobs).where(jobs.c.id.in_(ids)).values(attempts=jobs.c.attempts + 1)
                )
                connection.execute(
                    update(takeovers).where(takeovers.c.id == takeover_id).values(leased_until=now + LEASE_S)
                )
            return takeover, order

    def _choose(self, connection: Connection, takeover: Row, pending: Sequence[Row], now: float) -> Order | None:
        if not pending:
            return None
        first = next((job for job in pending if job.kind == "open"), pending[0])  # a follow-up's comes late
        if first.due_at > now:
            return None
        if first.kind == "open":
            return Order("open", (first,))
        if takeover.ticket_id is None:
            return None
        free_at = self._budget_free_at(connection, takeover.id, now)
        if free_at > now and not first.attempts:
            self._postpone(connection, pending, free_at)
            return None
        if first.kind != "words":
            return Order("note", (first,))
        return Order("words", self._batch(connection, takeover, pending))

    def _batch(self, connection: Connection, takeover: Row, pending: Sequence[Row]) -> tuple[Row, ...]:
        """The words that travel together, numbered so that a repetition holds the same."""
        first = pending[0]
        if first.part is not None:
            return tuple(job for job in pending if job.part == first.part)
        together: list[Row] = []
        room = MAX_WORDS
        for job in pending:
            room -= len(job.body or "")
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

    def _carry_out(self, takeover: Row, order: Order) -> bool:
        """One call to the helpdesk. True when it succeeded."""
        try:
            if order.kind == "open":
                self._open(takeover, order)
            else:
                self._comment(takeover, order)
        except RetryLater as error:
            return self._later(takeover, order, "told" if error.after_s else "away", error, error.after_s)
        except NotAllowed as error:
            return self._not_let_in(order, error)
        except Refused as error:
            log.error("handoff.job.refused reference=%s kind=%s error=%s", takeover.reference, order.kind, error)
            if order.kind == "open":
                return self._ticket_refused(takeover, order)
            gone = isinstance(error, Gone) or order.jobs[0].attempts + 1 >= MAX_REFUSALS
            return self._continue_elsewhere(takeover, order) if gone else self._comment_refused(takeover, order)
        except Exception as error:
            log.debug("handoff.job.crashed", exc_info=True)
            return self._later(takeover, order, "crashed", RuntimeError(type(error).__name__), None)
        if order.jobs[0].trouble == "away":
            self._it_is_back()
        return True

    def _it_is_back(self) -> None:
        """Whatever else waits for the helpdesk to answer again need not wait any longer."""
        now = self._clock()
        with self._db.write() as connection:
            woken = connection.execute(
                update(jobs)
                .where(jobs.c.state == "pending", jobs.c.trouble == "away", jobs.c.due_at > now)
                .values(due_at=now)
            )
        log.info("handoff.helpdesk.back woken=%d", woken.rowcount)

    def _open(self, takeover: Row, order: Order) -> None:
        ticket = self._helpdesk.open_ticket(draft_of(takeover, self._configuration), order.tried_before)
        now = self._clock()
        told = replace(request_of(takeover), transcript=())
        with self._db.write() as connection:
            self._done(connection, order, now)
            connection.execute(
                update(takeovers)
                .where(takeovers.c.id == takeover.id)
                .values(
                    backend=self._helpdesk.name,
                    ticket_id=ticket.id,
                    ticket_url=ticket.url,
                    requester_id=ticket.requester_id,
                    opened_without=" ".join(ticket.without)[:200] or None,
                    request=json.dumps(asdict(told)) if takeover.request else None,
                )
            )
            connection.execute(
                update(takeovers)
                .where(takeovers.c.id == takeover.id, takeovers.c.look_at.is_(None))
                .values(look_at=now + self._configuration.look_every_s)
            )
            for channel in self._channels:
                row = insert_once(connection, notices).values(
                    takeover_id=takeover.id, channel=channel, state="pending", attempts=0, due_at=now
                )
                connection.execute(row.on_conflict_do_nothing())
            if takeover.follows:
                told_anew = update(notices).where(notices.c.takeover_id == takeover.id)
                connection.execute(told_anew.values(state="pending", attempts=0, due_at=now, done_at=None))
        if ticket.without:
            parts = ",".join(ticket.without)
            log.error("handoff.ticket.opened_without reference=%s parts=%s", takeover.reference, parts)
        log.info("handoff.ticket.opened reference=%s backend=%s", takeover.reference, self._helpdesk.name)

    def _comment(self, takeover: Row, order: Order) -> None:
        ticket = Ticket(takeover.ticket_id, takeover.ticket_url or "", takeover.requester_id)
        comment_id = self._helpdesk.add_comment(ticket, self._new_comment(takeover, order), order.tried_before)
        with self._db.write() as connection:
            self._done(connection, order, self._clock())
            if comment_id:
                own = insert_once(connection, comments).values(ticket_id=ticket.id, comment_id=comment_id)
                connection.execute(own.on_conflict_do_nothing())

    def _new_comment(self, takeover: Row, order: Order) -> NewComment:
        first = order.jobs[0]
        bodies = [json.loads(job.body or "{}") for job in order.jobs]
        if order.kind == "words":
            known = [body for body in bodies if body]
            return words_comment(takeover, first.part, known, self._configuration, self._media_key)
        again = bodies[0].get("again")
        text = again_note(request_from(again), self._configuration) if again else bodies[0].get("note", "")
        return note_comment(takeover, first.id, text, bodies[0])

    def _done(self, connection: Connection, order: Order, now: float) -> None:
        ids = [job.id for job in order.jobs]
        connection.execute(
            update(jobs).where(jobs.c.id.in_(ids)).values(state="done", done_at=now, body=None, trouble=None)
        )

    def _later(self, takeover: Row, order: Order, why: str, error: Exception, after_s: float | None) -> bool:
        attempts = order.jobs[0].attempts + 1
        backoff = min(LONGEST_BACKOFF_S, 2.0 ** min(attempts - 1, 10)) * random.uniform(0.8, 1.2)  # noqa: S311
        delay = max(after_s or 0.0, backoff)
        log.warning(
            "handoff.job.%s reference=%s kind=%s attempt=%d again_in_s=%.0f error=%s",
            why, takeover.reference, order.kind, attempts, delay, error,
        )  # fmt: skip
        self._set(order, due_at=self._clock() + delay, trouble=why)
        return False

    def _not_let_in(self, order: Order, error: NotAllowed) -> bool:
        """Tried again every minute until an operator has acted. Nothing is given up."""
        log.critical(
            "handoff.helpdesk.not_allowed backend=%s error=%s again_in_s=%.0f: tickets wait until its credentials are"
            " replaced and the worker is started again", self._helpdesk.name, error, NOT_ALLOWED_WAIT_S,
        )  # fmt: skip
        self._set(order, due_at=self._clock() + NOT_ALLOWED_WAIT_S, trouble="not_allowed")
        return False

    def _ticket_refused(self, takeover: Row, order: Order) -> bool:
        """A ticket is asked for until it exists; but the customer does not wait for what only an operator can mend."""
        attempts = order.jobs[0].attempts + 1
        if attempts <= len(REFUSED_TICKET_WAITS_S):
            self._set(order, due_at=self._clock() + REFUSED_TICKET_WAITS_S[attempts - 1], trouble="refused")
            return False
        self._set(order, due_at=self._clock() + REFUSED_WAIT_S, trouble="refused")
        self._give_up_waiting(takeover)
        return False

    def _give_up_waiting(self, takeover: Row) -> None:
        now = self._clock()
        with self._db.write() as connection:
            if not nobody_can_take_it(connection, takeover.id, now):
                return
            for channel in self._channels:
                row = insert_once(connection, notices).values(
                    takeover_id=takeover.id, channel=channel, state="pending", attempts=0, due_at=now
                )
                connection.execute(row.on_conflict_do_nothing())
        log.critical("handoff.ticket.impossible reference=%s; the customer has the assistant again", takeover.reference)

    def _comment_refused(self, takeover: Row, order: Order) -> bool:
        self._set(order, due_at=self._clock() + 2.0, trouble="refused")
        self._look_now(takeover)
        return False

    def _continue_elsewhere(self, takeover: Row, order: Order) -> bool:
        """The ticket takes nothing more. The customer's words get another ticket; a note that only informs does not."""
        if order.kind == "note" and "again" not in json.loads(order.jobs[0].body or "{}"):
            self._set(order, state="dead", trouble="refused")
            self._look_now(takeover)
            return True
        now = self._clock()
        with self._db.write() as connection:
            outcome = follow_up(connection, takeover.id, now)
        log.warning("handoff.ticket.gone reference=%s follow_up=%s", takeover.reference, outcome)
        wait = {"ordered": 0.0, "later": 3.0}.get(outcome, REFUSED_WAIT_S)
        self._set(order, due_at=now + wait, trouble="refused")
        if outcome == "too_many":
            self._give_up_waiting(takeover)
        return outcome == "ordered"

    def _look_now(self, takeover: Row) -> None:
        with self._db.write() as connection:
            connection.execute(
                update(takeovers)
                .where(takeovers.c.id == takeover.id, takeovers.c.state != "closed")
                .values(look_at=self._clock())
            )

    def _set(self, order: Order, **values: float | str) -> None:
        with self._db.write() as connection:
            connection.execute(
                update(jobs).where(jobs.c.id.in_([job.id for job in order.jobs])).values(**values)
            )
