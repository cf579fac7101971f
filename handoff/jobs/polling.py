"""Reads open tickets in the helpdesk: finds what webhooks lost, and gives solved conversations back."""

import logging
import time
from collections.abc import Callable

from sqlalchemy import select
from sqlalchemy.engine import Row

from handoff.configuration import HandoffConfiguration
from handoff.helpdesks.interface import Gone, Helpdesk, HelpdeskError, Refused, SeenComment, Ticket
from handoff.jobs.agent_comments import AgentComment, agent_said
from handoff.jobs.deliveries import files_of
from handoff.storage.database import Database
from handoff.storage.queries import TicketRef, change_takeover, lock_control, takeover_by_id
from handoff.storage.tables import takeovers
from handoff.takeover.follow_up import follow_up, has_messages_waiting
from handoff.takeover.inbox_entries import comment_entry_id
from handoff.takeover.takeover_end import announce_return

log = logging.getLogger(__name__)

CLAIM_S = 20.0  # two that read the same ticket do nothing twice
ENDING_RETRY_S = 1.0
MAX_ENDING_FAILURES = 3
WAIT_FOR_TICKET_S = 3.0
MAX_WAITS_FOR_TICKET = 20
MAX_REFUSALS = 5
MAX_GONE = 2
MESSAGES_FIRST_S = 5.0
POLL_AFTER_RETURN_S = 3 * 24 * 3600.0  # a ticket left open by a customer who went back to the assistant


class TicketPoller:
    """`due()` says which tickets to read, `poll(id)` reads one; both block."""

    def __init__(
        self,
        db: Database,
        helpdesk: Helpdesk,
        configuration: HandoffConfiguration,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._db, self._helpdesk, self._configuration, self._clock = db, helpdesk, configuration, clock

    def due(self, limit: int = 20) -> list[int]:
        """Takeovers whose ticket wants reading now."""
        found = (
            select(takeovers.c.id)
            .where(takeovers.c.next_poll_at <= self._clock())
            .order_by(takeovers.c.next_poll_at)
            .limit(limit)
        )
        with self._db.read() as connection:
            return list(connection.execute(found).scalars())

    def poll(self, takeover_id: int) -> None:
        """Hand on every public comment that is new, then end the takeover if its ticket is solved."""
        takeover = self._claim(takeover_id)
        if takeover is None:
            return
        if takeover.state != "closed" and takeover.return_version is not None:
            self._end(takeover)
            return
        if not takeover.ticket_id:
            self._without_ticket(takeover)
            return
        if takeover.backend not in (None, self._helpdesk.name):
            self._move_here(takeover)
            return
        try:
            ticket = Ticket(takeover.ticket_id, takeover.ticket_url or "", takeover.requester_id)
            view = self._helpdesk.read_ticket(ticket)
        except HelpdeskError as error:
            self._failed(takeover, error)
            return
        for comment in view.comments:
            if comment.public and comment.by_staff:
                self._hand_on(takeover, comment, view.status == "open")
        if takeover.state == "closed":
            self._after_return(takeover, view.status == "open")
        elif view.status == "closed":
            self._end_unless_messages_wait(takeover)
        elif view.status == "solved":
            self._end(takeover)
        elif takeover.ending:
            self._end(takeover, only_if_still_ending=True)
        else:
            self._again(takeover, self._clock() + self._pace(takeover))

    def _after_return(self, takeover: Row, ticket_open: bool) -> None:
        """Read a ticket left open again later; after the last time we forget whose it was."""
        if ticket_open and self._clock() - takeover.opened_at < POLL_AFTER_RETURN_S:
            self._again(takeover, self._clock() + 10 * self._configuration.poll_interval_s)
            return
        with self._db.write() as connection:
            over = takeovers.c.state == "closed"
            change_takeover(connection, takeover.id, over, next_poll_at=None, request=None, brief=None)

    def _move_here(self, takeover: Row) -> None:
        """The ticket is in the helpdesk before this one, and its number may be a stranger's here: it is not read."""
        if takeover.state == "closed":
            self._after_return(takeover, ticket_open=False)
        elif takeover.ending:
            self._end(takeover, only_if_still_ending=True)
        else:
            with self._db.write() as connection:
                outcome = follow_up(connection, takeover, self._helpdesk.name, self._clock())
            log.warning("handoff.ticket.elsewhere reference=%s was_in=%s follow_up=%s",
                        takeover.reference, takeover.backend, outcome)  # fmt: skip

    def _without_ticket(self, takeover: Row) -> None:
        """The answer to opening the ticket was lost, but agents work on it: the dispatcher will find it again."""
        if not takeover.ending:
            self._again(takeover, None)
        elif takeover.poll_failures < MAX_WAITS_FOR_TICKET:
            self._again(takeover, self._clock() + WAIT_FOR_TICKET_S, takeover.poll_failures + 1)
        else:
            self._end(takeover, only_if_still_ending=True)

    def _claim(self, takeover_id: int) -> Row | None:
        """The takeover, if nobody else reads its ticket now."""
        now = self._clock()
        with self._db.write() as connection:
            takeover = takeover_by_id(connection, takeover_id)
            if takeover.next_poll_at is None or takeover.next_poll_at > now:
                return None
            change_takeover(connection, takeover_id, next_poll_at=now + CLAIM_S)
            return takeover

    def _pace(self, takeover: Row) -> float:
        """Tickets of customers who wrote lately are read often, quiet ones ten times less."""
        age = self._clock() - takeover.last_customer_at
        return self._configuration.poll_interval_s * (1 if age < 3600 else 3 if age < 24 * 3600 else 10)

    def _hand_on(self, takeover: Row, comment: SeenComment, ticket_open: bool) -> None:
        entry_id = comment_entry_id(takeover.backend, comment.id)
        said = AgentComment(entry_id, comment.id, comment.text, comment.at, comment.media, ticket_open)
        outcome = agent_said(self._db, TicketRef(None, takeover.external_id), said, self._clock())
        if outcome == "relayed":
            log.info("handoff.comment.found reference=%s", takeover.reference)
            return
        known = files_of(self._db, entry_id) if outcome == "seen" else None
        if known is not None and len(comment.media) > known:
            # Webhooks tell of a comment with the pictures in its words, but without its attachments.
            self._hand_on_files(takeover, comment, comment.media[known:], entry_id)

    def _hand_on_files(self, takeover: Row, comment: SeenComment, media: tuple[str, ...], entry_id: str) -> None:
        files = AgentComment(f"{entry_id}:media", f"{comment.id}:media", "", comment.at, media, False)
        agent_said(self._db, TicketRef(None, takeover.external_id), files, self._clock())

    def _failed(self, takeover: Row, error: HelpdeskError) -> None:
        failures = takeover.poll_failures + 1
        log.warning("handoff.poll.failed reference=%s failures=%d error=%s", takeover.reference, failures, error)
        if takeover.ending and failures >= MAX_ENDING_FAILURES:
            self._end(takeover, only_if_still_ending=True)
        elif takeover.state == "closed" and failures >= MAX_REFUSALS:
            self._again(takeover, None)
        elif isinstance(error, Refused) and failures >= (MAX_GONE if isinstance(error, Gone) else MAX_REFUSALS):
            log.error("handoff.ticket.gone reference=%s", takeover.reference)
            self._end_unless_messages_wait(takeover)
        else:
            wait = ENDING_RETRY_S if takeover.ending else min(600.0, self._pace(takeover) * failures)
            self._again(takeover, self._clock() + wait, failures)

    def _end_unless_messages_wait(self, takeover: Row) -> None:
        """What the customer wrote to a ticket that is gone gets another ticket first (the dispatcher's part)."""
        with self._db.read() as connection:
            waiting = has_messages_waiting(connection, takeover.id)
        if waiting:
            self._again(takeover, self._clock() + MESSAGES_FIRST_S, takeover.poll_failures)
        else:
            self._end(takeover)

    def _again(self, takeover: Row, at: float | None, failures: int = 0) -> None:
        with self._db.write() as connection:
            current = takeover_by_id(connection, takeover.id)
            news = bool(current.ending) and not takeover.ending  # solved while we were reading
            at = self._clock() if news else at
            change_takeover(connection, takeover.id, next_poll_at=at, poll_failures=failures)

    def _end(self, takeover: Row, only_if_still_ending: bool = False) -> None:
        with self._db.write() as connection:
            lock_control(connection, takeover.customer)
            current = takeover_by_id(connection, takeover.id)
            if current.state == "closed" or (only_if_still_ending and not current.ending):
                return
            announce_return(connection, current, self._clock())
        log.info("handoff.takeover.ending reference=%s", takeover.reference)
