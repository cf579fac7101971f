"""Who is notified of an escalation: a Slack channel and a mailbox, once the ticket exists.

Best effort: a notice that fails for a known reason is tried again for an hour; one whose outcome is unknown is not
repeated on Slack (a person would see it twice) and is on e-mail (its Message-ID makes it the same message). Phones
are masked and nothing that the customer wrote is in it. More escalations than usual in a short time become one digest.
"""

import logging
import time
from collections.abc import Callable, Sequence

from sqlalchemy import func, select, update
from sqlalchemy.engine import Row

from handoff.byte_limits import cut
from handoff.configuration import HandoffConfiguration
from handoff.jobs.first_note import MAX_ORDER_NUMBER, REASONS
from handoff.jobs.ticket import request_of
from handoff.notifications.notifiers import Channel, Escalation, NotSent
from handoff.storage.database import Database
from handoff.storage.tables import notices, takeovers
from privacy.pseudonyms import mask_phone

log = logging.getLogger(__name__)

MAX_ATTEMPTS = 12
NO_TICKET = "The helpdesk refuses its ticket; the worker's log names the error."
STUCK_S = 120.0


class Notifier:
    """`work()` sends what is due on each channel; it blocks and never raises for a channel's sake."""

    def __init__(
        self,
        db: Database,
        configuration: HandoffConfiguration,
        channels: Sequence[Channel],
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._db, self._configuration, self._channels, self._clock = db, configuration, channels, clock

    def work(self) -> None:
        for channel in self._channels:
            for rows in self._due(channel.name):
                self._send(channel, rows)

    def _due(self, channel: str) -> list[list[Row]]:
        """Groups of takeovers to notify of, one message each, marked as being sent."""
        now = self._clock()
        with self._db.write() as connection:
            # A worker that died while sending: what it sent is unknown, and once is promised.
            connection.execute(
                update(notices)
                .where(notices.c.channel == channel, notices.c.state == "sending", notices.c.due_at <= now - STUCK_S)
                .values(state="unknown")
            )
            waiting = connection.execute(
                select(takeovers, notices.c.attempts)
                .join(notices, notices.c.takeover_id == takeovers.c.id)
                .where(notices.c.channel == channel, notices.c.state == "pending", notices.c.due_at <= now)
                .order_by(takeovers.c.id)
            ).all()
            if not waiting:
                return []
            recent = connection.execute(
                select(func.count(), func.max(notices.c.done_at)).where(
                    notices.c.channel == channel, notices.c.done_at > now - self._configuration.digest_s
                )
            ).one()
            storm = len(waiting) + recent[0] > self._configuration.digest_above
            ids = [row.id for row in waiting]
            mine = update(notices).where(notices.c.channel == channel, notices.c.takeover_id.in_(ids))
            if storm and recent[0] >= self._configuration.digest_above:
                connection.execute(mine.values(due_at=recent[1] + self._configuration.digest_s))
                return []
            connection.execute(mine.values(state="sending", due_at=now, attempts=notices.c.attempts + 1))
            return [list(waiting)] if storm else [[row] for row in waiting]

    def _send(self, channel: Channel, rows: list[Row]) -> None:
        now = self._clock()
        ids = [row.id for row in rows]
        values: dict[str, float | str] = {"state": "done", "done_at": now}
        try:
            channel.send([_escalation(row) for row in rows])
        except NotSent as error:
            values = self._after(error, rows[0].attempts + 1, now)
            log.warning("handoff.notice.failed channel=%s error=%s then=%s", channel.name, error, values["state"])
        except Exception as error:
            log.error("handoff.notice.crashed channel=%s error=%s", channel.name, type(error).__name__)
            values = {"state": "dead"}
        with self._db.write() as connection:
            connection.execute(
                update(notices)
                .where(notices.c.channel == channel.name, notices.c.takeover_id.in_(ids))
                .values(**values)
            )

    def _after(self, error: NotSent, attempts: int, now: float) -> dict[str, float | str]:
        if error.gone or attempts >= MAX_ATTEMPTS:
            return {"state": "dead"}
        if not error.certain:
            return {"state": "unknown", "done_at": now}
        return {"state": "pending", "due_at": now + max(error.after_s or 0.0, min(600.0, 2.0**attempts))}


def _escalation(takeover: Row) -> Escalation:
    request = request_of(takeover)
    return Escalation(
        reference=takeover.reference,
        priority=takeover.priority,
        reason=REASONS.get(takeover.reason, "needs a person"),
        phone=mask_phone(request.phone),
        order_number=cut(request.order_number, MAX_ORDER_NUMBER) if request.order_number else None,
        url=takeover.ticket_url or (NO_TICKET if takeover.ticket_id is None else ""),
        called_at=takeover.opened_at,
    )
