"""Carries out what takeovers ordered from the helpdesk: open the ticket, add the customer's words, add private notes.

One takeover's jobs go one after another, under a lease, so that several workers may run; a lease is short and
renewed while the call lasts, so that a worker that died holds up nobody for long. Each attempt is put on record before
it is made: whoever comes after a crash or a timeout knows that the helpdesk may have it already, and looks before
repeating. The customer was told long before; nothing here is ever given up because a helpdesk is away.
"""

import json
import logging
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy.engine import Row

from handoff.configuration import HandoffConfiguration
from handoff.helpdesks.interface import Gone, Helpdesk, NewComment, NotAllowed, Refused, RetryLater, Ticket
from handoff.jobs import trouble
from handoff.jobs.first_note import again_note
from handoff.jobs.queue import HelpdeskJob, JobQueue
from handoff.jobs.ticket import draft_of, messages_comment, note_comment, request_from, request_of
from handoff.storage.database import Database
from handoff.storage.queries import add_notices, change_takeover, insert_once, notify_again
from handoff.storage.tables import comments, takeovers
from handoff.takeover.brief import brief_from
from handoff.takeover.follow_up import follow_up, nobody_can_take_it
from privacy import log_lines

log = logging.getLogger(__name__)

RENEW_EVERY_S = 4.0
MAX_BACKOFF_S = 60.0
NOT_ALLOWED_WAIT_S = 60.0
REFUSED_WAIT_S = 600.0
MAX_REFUSALS = 3
REFUSED_TICKET_WAITS_S = (2.0, 10.0)  # before the customer is given back to the assistant


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
        self._queue = JobQueue(db, configuration, clock)
        self.due, self.renew = self._queue.due, self._queue.renew

    def work(self, takeover_id: int, stopping: Callable[[], bool] = lambda: False) -> None:
        """Everything that is due for one takeover; returns when something has to wait, or `stopping` says so."""
        lease = self._queue.take_lease(takeover_id)
        if lease is None:
            return
        try:
            going_on = True
            while going_on:
                takeover, job = self._queue.next(takeover_id, lease)
                going_on = job is not None and self._carry_out(takeover, job) and not stopping()
            self._queue.release(lease)
        finally:
            self._queue.forget(lease)

    def _carry_out(self, takeover: Row, job: HelpdeskJob) -> bool:
        """One call to the helpdesk. True when it succeeded."""
        with log_lines.about(takeover.opened_by):
            return self._attempt(takeover, job)

    def _attempt(self, takeover: Row, job: HelpdeskJob) -> bool:
        try:
            if job.kind == "open":
                self._open(takeover, job)
            else:
                self._comment(takeover, job)
        except RetryLater as error:
            return self._later(
                takeover, job, trouble.RATE_LIMITED if error.after_s else trouble.UNREACHABLE, error, error.after_s
            )
        except NotAllowed as error:
            return self._not_let_in(job, error)
        except Refused as error:
            log.error("handoff.job.refused reference=%s kind=%s error=%s", takeover.reference, job.kind, error)
            if job.kind == "open":
                return self._ticket_refused(takeover, job)
            gone = isinstance(error, Gone) or job.rows[0].attempts + 1 >= MAX_REFUSALS
            return self._continue_elsewhere(takeover, job) if gone else self._comment_refused(takeover, job)
        except Exception as error:
            log.debug("handoff.job.crashed", exc_info=True)
            return self._later(takeover, job, trouble.INTERNAL_ERROR, RuntimeError(type(error).__name__), None)
        if job.rows[0].trouble == trouble.UNREACHABLE:
            self._queue.helpdesk_is_back()
        return True

    def _open(self, takeover: Row, job: HelpdeskJob) -> None:
        ticket = self._helpdesk.open_ticket(
            draft_of(takeover, self._configuration, self._media_key), job.tried_before
        )
        now = self._clock()
        without_transcript = replace(request_of(takeover), transcript=())
        with self._db.write() as connection:
            self._queue.done(connection, job, now)
            change_takeover(
                connection, takeover.id, backend=self._helpdesk.name, ticket_id=ticket.id, ticket_url=ticket.url,
                requester_id=ticket.requester_id, opened_without=" ".join(ticket.without)[:200] or None,
                request=json.dumps(without_transcript.stored()) if takeover.request else None, brief=None,
            )  # fmt: skip
            next_poll_at = now + self._configuration.poll_interval_s
            change_takeover(connection, takeover.id, takeovers.c.next_poll_at.is_(None), next_poll_at=next_poll_at)
            add_notices(connection, takeover.id, self._channels, now)
            if takeover.follows:
                notify_again(connection, takeover.id, now)
        if ticket.without:
            parts = ",".join(ticket.without)
            log.error("handoff.ticket.opened_without reference=%s parts=%s", takeover.reference, parts)
        log.info("handoff.ticket.opened reference=%s backend=%s", takeover.reference, self._helpdesk.name)

    def _comment(self, takeover: Row, job: HelpdeskJob) -> None:
        if takeover.backend not in (None, self._helpdesk.name):
            raise Gone(f"a ticket of {takeover.backend}")  # its number may be a stranger's here
        ticket = Ticket(takeover.ticket_id, takeover.ticket_url or "", takeover.requester_id)
        comment_id = self._helpdesk.add_comment(ticket, self._new_comment(takeover, job), job.tried_before)
        with self._db.write() as connection:
            self._queue.done(connection, job, self._clock())
            if comment_id:
                insert_once(connection, comments, ticket_id=ticket.id, comment_id=comment_id)

    def _new_comment(self, takeover: Row, job: HelpdeskJob) -> NewComment:
        first = job.rows[0]
        bodies = [json.loads(row.body or "{}") for row in job.rows]
        if job.kind == "words":
            known = [body for body in bodies if body]
            return messages_comment(takeover, first.part, known, self._configuration, self._media_key)
        return note_comment(takeover, first.id, self._note(bodies[0]), bodies[0])

    def _note(self, body: dict[str, Any]) -> str:
        if not body.get("again"):
            return str(body.get("note", ""))
        brief = brief_from(body.get("brief"))
        return again_note(request_from(body["again"]), brief, self._configuration, self._media_key)

    def _later(self, takeover: Row, job: HelpdeskJob, why: str, error: Exception, after_s: float | None) -> bool:
        attempts = job.rows[0].attempts + 1
        backoff = min(MAX_BACKOFF_S, 2.0 ** min(attempts - 1, 10)) * random.uniform(0.8, 1.2)  # noqa: S311
        delay = max(after_s or 0.0, backoff)
        log.warning(
            "handoff.job.%s reference=%s kind=%s attempt=%d again_in_s=%.0f error=%s",
            trouble.LABELS[why], takeover.reference, job.kind, attempts, delay, error,
        )  # fmt: skip
        self._queue.change(job, due_at=self._clock() + delay, trouble=why)
        return False

    def _not_let_in(self, job: HelpdeskJob, error: NotAllowed) -> bool:
        """Tried again every minute until an operator has acted. Nothing is given up."""
        log.critical(
            "handoff.helpdesk.not_allowed backend=%s error=%s again_in_s=%.0f: tickets wait until its credentials are"
            " replaced and the worker is started again", self._helpdesk.name, error, NOT_ALLOWED_WAIT_S,
        )  # fmt: skip
        self._queue.change(job, due_at=self._clock() + NOT_ALLOWED_WAIT_S, trouble=trouble.UNAUTHORIZED)
        return False

    def _ticket_refused(self, takeover: Row, job: HelpdeskJob) -> bool:
        """A ticket is asked for until it exists; but the customer does not wait for what only an operator can fix."""
        attempts = job.rows[0].attempts + 1
        if attempts <= len(REFUSED_TICKET_WAITS_S):
            self._queue.change(
                job, due_at=self._clock() + REFUSED_TICKET_WAITS_S[attempts - 1], trouble=trouble.REFUSED
            )
            return False
        self._queue.change(job, due_at=self._clock() + REFUSED_WAIT_S, trouble=trouble.REFUSED)
        self._give_up_waiting(takeover)
        return False

    def _give_up_waiting(self, takeover: Row) -> None:
        now = self._clock()
        with self._db.write() as connection:
            if not nobody_can_take_it(connection, takeover.id, now):
                return
            add_notices(connection, takeover.id, self._channels, now)
        log.critical("handoff.ticket.impossible reference=%s; the customer has the assistant again", takeover.reference)

    def _comment_refused(self, takeover: Row, job: HelpdeskJob) -> bool:
        self._queue.change(job, due_at=self._clock() + 2.0, trouble=trouble.REFUSED)
        self._poll_now(takeover)
        return False

    def _continue_elsewhere(self, takeover: Row, job: HelpdeskJob) -> bool:
        """The ticket takes nothing more. The customer's words get another ticket; a note that only informs does not."""
        if job.kind == "note" and "again" not in json.loads(job.rows[0].body or "{}"):
            self._queue.change(job, state="dead", trouble=trouble.REFUSED)
            self._poll_now(takeover)
            return True
        now = self._clock()
        with self._db.write() as connection:
            outcome = follow_up(connection, takeover, self._helpdesk.name, now)
        log.warning("handoff.ticket.gone reference=%s follow_up=%s", takeover.reference, outcome)
        wait = {"ordered": 0.0, "later": 3.0}.get(outcome, REFUSED_WAIT_S)
        self._queue.change(job, due_at=now + wait, trouble=trouble.REFUSED)
        if outcome == "too_many":
            self._give_up_waiting(takeover)
        return outcome == "ordered"

    def _poll_now(self, takeover: Row) -> None:
        with self._db.write() as connection:
            change_takeover(connection, takeover.id, takeovers.c.state != "closed", next_poll_at=self._clock())
