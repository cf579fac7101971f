"""What operators watch of takeovers, for `GET /metrics`: read from the database, so that any process can tell it."""

import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.engine import Connection

from handoff.jobs.trouble import LABELS
from handoff.storage.database import Database
from handoff.storage.tables import deliveries, jobs, media, notices, takeovers, thread_controls

KEEP_S = 5.0
FAILED = ("dead", "unknown")


@dataclass(frozen=True)
class Metric:
    """One number; `labels` are as Prometheus writes them inside the braces."""

    name: str
    meaning: str
    value: float
    labels: str = ""


class Metrics:
    """Called, it returns the metrics, no older than KEEP_S seconds. Raises HandoffUnavailable."""

    def __init__(self, db: Database, clock: Callable[[], float] = time.time) -> None:
        self._db, self._clock = db, clock
        self._lock = threading.Lock()
        self._read_at, self._kept = float("-inf"), list[Metric]()

    def __call__(self) -> list[Metric]:
        with self._lock:  # several scrapers, one reading
            now = self._clock()
            if now - self._read_at >= KEEP_S:
                with self._db.read() as connection:
                    self._kept = [*_takeovers(connection, now), *_jobs(connection, now)]
                    self._kept += [*_comments(connection, now), *_files(connection)]
                self._read_at = now
            return self._kept


def _takeovers(connection: Connection, now: float) -> list[Metric]:
    owner = thread_controls.c.owner
    held = dict(connection.execute(select(owner, func.count()).where(owner != "bot").group_by(owner)).all())
    parts = connection.execute(
        select(takeovers.c.opened_without, func.count())
        .where(takeovers.c.opened_without.is_not(None))
        .group_by(takeovers.c.opened_without)
    ).all()
    without: Counter[str] = Counter()
    for named, count in parts:
        without.update(dict.fromkeys(named.split(), count))
    first = select(func.min(takeovers.c.opened_at)).where(takeovers.c.state == "waiting")
    return [
        Metric("assistant_takeovers_open", "Customers who wait for or talk to a person", sum(held.values())),
        Metric("assistant_takeovers_waiting", "Customers whom no agent has answered yet", held.get("waiting", 0)),
        *[Metric("assistant_tickets_opened_without", "Tickets that the helpdesk took only without this part",
                 count, f'part="{part}"') for part, count in sorted(without.items())],
        Metric("assistant_tickets_followed_up", "Tickets that continue one which was closed, merged or deleted",
               connection.execute(select(func.count()).where(takeovers.c.follows.is_not(None))).scalar_one()),
        Metric("assistant_takeovers_waiting_oldest_seconds", "How long the first of them waits",
               _age(connection.execute(first).scalar(), now)),
    ]  # fmt: skip


def _jobs(connection: Connection, now: float) -> list[Metric]:
    rows = connection.execute(
        select(jobs.c.trouble, func.count(), func.min(jobs.c.created_at))
        .where(jobs.c.state == "pending")
        .group_by(jobs.c.trouble)
    ).all()
    depth = {trouble: count for trouble, count, _ in rows}
    unopened = select(func.count()).where(jobs.c.state == "pending", jobs.c.kind == "open")
    lost = select(func.count()).where(jobs.c.state == "dead")
    meaning = "Jobs that wait for the helpdesk, by what kept the last attempt from succeeding"  # the name is older
    return [
        *[Metric("assistant_ticket_orders", meaning, depth.get(trouble, 0), f'trouble="{label}"')
          for trouble, label in LABELS.items()],
        Metric("assistant_ticket_orders_oldest_seconds", "Age of the oldest of them",
               _age(min((first for _, _, first in rows), default=None), now)),
        Metric("assistant_tickets_unopened", "Takeovers whose ticket does not exist yet",
               connection.execute(unopened).scalar_one()),
        Metric("assistant_ticket_orders_given_up", "Comments that the helpdesk refused for good",
               connection.execute(lost).scalar_one()),
    ]  # fmt: skip


def _comments(connection: Connection, now: float) -> list[Metric]:
    count, first = connection.execute(
        select(func.count(), func.min(deliveries.c.created_at)).where(deliveries.c.state == "pending")
    ).one()
    failed = dict(
        connection.execute(
            select(notices.c.channel, func.count()).where(notices.c.state.in_(FAILED)).group_by(notices.c.channel)
        ).all()
    )
    return [
        Metric("assistant_agent_words_depth", "Agents' comments that wait for the customer's inbox", count),
        Metric("assistant_agent_words_oldest_seconds", "Age of the oldest of them", _age(first, now)),
        *[Metric("assistant_notices_failed", "Escalations of which a channel was not notified, or perhaps not",
                 failed.get(channel, 0), f'channel="{channel}"') for channel in ("slack", "email")],
    ]  # fmt: skip


def _files(connection: Connection) -> list[Metric]:
    found = select(media.c.state, func.coalesce(media.c.why, ""), func.count()).group_by(media.c.state, media.c.why)
    return [
        Metric("assistant_customer_files", "Customers' files that tickets link to, by what became of their copy", count,
               f'state="{state}",why="{why}"')
        for state, why, count in connection.execute(found.order_by(media.c.state, media.c.why)).all()
    ]  # fmt: skip


def _age(since: float | None, now: float) -> float:
    return max(0.0, now - since) if since is not None else 0.0
