"""Moves batches from the event stream into SQL: read, write, commit, acknowledge, in this order.

Killed between any two of these steps, the next writer reads the batch again and finds it stored or not; both end the
same. A database that is away costs nothing but time; a record that cannot be stored is set aside alone.
"""

import logging
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone

from prometheus_client import Counter
from sqlalchemy import delete, select, update
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.exc import DBAPIError, IntegrityError, InterfaceError, OperationalError, SQLAlchemyError

import tracing
from conversation_log.ingest import projection
from conversation_log.ingest.kafka import Egress, EgressUnavailable
from conversation_log.ingest.parsing import parse
from conversation_log.ingest.stream import Entry, EventStream
from conversation_log.model import judgements
from conversation_log.model.records import BadRecord, Outcome, Record, Turn
from conversation_log.storage import database, reader
from conversation_log.storage.tables import archived_keys, conversations, early_statuses
from privacy import log_lines

log = logging.getLogger(__name__)

CHARGES = Counter("assistant_charged_messages", "Messages by what WhatsApp bills them as", ["category", "billable"])
SET_ASIDE = Counter("assistant_log_set_aside", "Records that the conversation log could not store")

BATCH = 500
BLOCK_MS = 500
ALERT_BACKLOG = 50_000
HELD_S = 1.0  # until another asks again whether the lease is free
MAX_PAUSE_S = 15.0
STATUS_TTL = timedelta(days=7)


def _utc_now() -> datetime:
    return datetime.now(timezone.utc)


@dataclass
class Writer:
    """Writes one stream into one database. Call `step` again and again; it returns what the pause should be.

    Where there is an `egress`, a batch goes there first, and is dropped from Redis once both hold it.
    """

    engine: Engine
    stream: EventStream
    bot_version: str
    now: Callable[[], datetime] = _utc_now
    egress: Egress | None = None
    _failures: int = field(default=0, init=False)
    _away_since: float | None = field(default=None, init=False)
    _migrated: bool = field(default=False, init=False)

    def step(self, block_ms: int = BLOCK_MS) -> float:
        """Store one batch. Returns the seconds to wait before the next step. Raises redis.RedisError."""
        if not self.stream.hold():
            return HELD_S
        entries = self.stream.read(BATCH, block_ms)
        if not entries:
            return 0.0
        try:
            self._append(entries)
            self._store(entries)
        except (OperationalError, InterfaceError, database.LogUnavailable, EgressUnavailable) as error:
            return self._away(error)
        self._back()
        return 0.0

    def _append(self, entries: list[Entry]) -> None:
        if self.egress is None:
            return
        for entry in self.egress.append(entries):
            log.error("log.record.set_aside id=%s reason=too large for the topic", entry.id)
            self.stream.set_aside(entry, "too large for the topic of LOG_KAFKA_URL", drop=False)
            SET_ASIDE.inc()

    def _store(self, entries: list[Entry]) -> None:
        self._prepare()
        parsed = [(entry, self._parsed(entry)) for entry in entries]
        records = [record for _, record in parsed if record is not None and not isinstance(record, BadRecord)]
        try:
            self._write(records)
        except (SQLAlchemyError, ArithmeticError, LookupError, TypeError, ValueError) as error:
            if _is_away(error):
                raise
            log.warning("log.writer.batch_failed error=%s", type(error).__name__)
            self._store_one_by_one(parsed)
            return
        for entry, record in parsed:
            if isinstance(record, BadRecord):
                self._set_aside(entry, record)
        good = [entry for entry, record in parsed if not isinstance(record, BadRecord)]
        if good:
            self.stream.done(good)

    def _prepare(self) -> None:
        if not self._migrated:
            database.migrate(self.engine)
            self._migrated = True

    def _parsed(self, entry: Entry) -> Record | BadRecord | None:
        try:
            return parse(entry.text)
        except BadRecord as error:
            return error

    def _store_one_by_one(self, parsed: list[tuple[Entry, Record | BadRecord | None]]) -> None:
        """Find the record that spoils its batch."""
        for entry, record in parsed:
            try:
                if isinstance(record, BadRecord):
                    raise record
                self._write([] if record is None else [record])
                self.stream.done([entry])
            except (SQLAlchemyError, ArithmeticError, LookupError, TypeError, ValueError) as error:
                if _is_away(error):
                    raise
                self._set_aside(entry, error)

    def _write(self, records: list[Record], attempts: int = 3) -> None:
        """One transaction. When another writer was faster (a lease that ran out), what it wrote is read again."""
        if not records:
            return
        try:
            with _traced(records), database.writing(self.engine) as connection:
                batch = projection.LogProjector(connection, self.bot_version)
                batch.load(records)
                for record in records:
                    batch.apply(record)
                batch.write()
            _tell(records)
            for charge in batch.booked:
                CHARGES.labels(charge["category"], str(charge["billable"]).lower()).inc()
        except IntegrityError:
            if attempts == 1:
                raise
            self._write(records, attempts - 1)

    def _set_aside(self, entry: Entry, error: Exception) -> None:
        reason = str(error) if isinstance(error, BadRecord) else type(error).__name__
        log.error("log.record.set_aside id=%s reason=%s", entry.id, reason)
        self.stream.set_aside(entry, reason)
        SET_ASIDE.inc()

    def _away(self, error: Exception) -> float:
        self.stream.again()
        self._failures += 1
        self._away_since = self._away_since or time.monotonic()
        backlog = self.stream.backlog()
        level = logging.CRITICAL if backlog >= ALERT_BACKLOG else logging.ERROR
        cause = getattr(error, "orig", None) or error
        event = "log.kafka.unavailable" if isinstance(error, EgressUnavailable) else "log.database.unavailable"
        log.log(level, "%s error=%s backlog=%d", event, type(cause).__name__, backlog)
        return min(MAX_PAUSE_S, 0.5 * 2 ** min(self._failures, 6))

    def _back(self) -> None:
        if self.egress is not None:
            self.egress.dropped()
        if self._away_since is not None:
            log.warning(
                "log.database.available away_s=%d backlog=%d",
                time.monotonic() - self._away_since, self.stream.backlog(),
            )  # fmt: skip
        self._failures, self._away_since = 0, None

    def settle_idle(self) -> int:
        """Give conversations that went silent their resolution; forget what is late. Makes the tables if need be."""
        self._prepare()
        with database.writing(self.engine) as connection:
            settled = _settle_idle(connection, self.now())
            # Statuses that never met their message are another system's; of what was archived long ago, no more comes.
            connection.execute(delete(early_statuses).where(early_statuses.c.at < self.now() - STATUS_TTL))
            gone = archived_keys.c.archived_at < self.now() - judgements.LATE
            connection.execute(delete(archived_keys).where(gone))
        return settled


def _settle_idle(connection: Connection, now: datetime, limit: int = 500) -> int:
    """Give conversations that were silent for 60 minutes their resolution. Returns how many."""
    over = (
        select(conversations.c.log_id)
        .where(conversations.c.resolution_status == "open", conversations.c.ended_at <= now - judgements.IDLE)
        .limit(limit)
    )
    ids = list(connection.execute(over).scalars())
    for part in reader.in_parts(ids):
        for log_id, rows in reader.messages_of(connection, part).items():
            still_open = (conversations.c.log_id == log_id) & (conversations.c.resolution_status == "open")
            ended = update(conversations).where(still_open)
            connection.execute(ended.values(resolution_status=judgements.ending(rows)))
    return len(ids)


def _traced(records: list[Record]) -> ExitStack:
    """The transaction as a span of each trace that it stores something of."""
    spans = ExitStack()
    for record in records:
        if isinstance(record, (Turn, Outcome)) and record.trace:
            spans.enter_context(tracing.span("log.store", record.trace, record=type(record).__name__.lower()))
    return spans


def _tell(records: list[Record]) -> None:
    """A line for each message of a customer and each outcome of a reply that stands in the log now."""
    for record in records:
        if isinstance(record, Turn):
            for message in record.messages:
                if message.role == "user":
                    with log_lines.about(message.key):
                        log.info("log.turn.stored messages=%d", len(record.messages))
        elif isinstance(record, Outcome):
            with log_lines.about(record.key.rpartition(":")[0]):
                log.info("log.outcome.stored outcome=%s", record.outcome)


def _is_away(error: Exception) -> bool:
    """Whether the database, rather than the record, is the trouble."""
    if isinstance(error, (OperationalError, InterfaceError, database.LogUnavailable)):
        return True
    return isinstance(error, DBAPIError) and bool(error.connection_invalidated)
