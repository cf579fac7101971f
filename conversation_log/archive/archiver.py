"""Old conversations from the warm tier to the cold one: copy, read back, compare, note, and only then delete.

Killed anywhere, the next run goes on where this one stopped: a file without manifest is swept away and written again, a
file whose manifest says `copied` has its warm rows deleted. In between, readers know of the doubles.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone
from typing import Any

from sqlalchemy import delete, func, insert, select
from sqlalchemy.engine import Connection, Engine

from conversation_log import progress
from conversation_log.archive.parquet_archive import Manifest, ParquetArchive, canonical
from conversation_log.model.judgements import IDLE, LATE, resolution
from conversation_log.query.export import as_record, without_personal_data
from conversation_log.storage import database
from conversation_log.storage.reader import Conversation, Row, in_parts, messages_of
from conversation_log.storage.tables import archived_keys, conversations, messages
from settings import Settings, SettingsError
from settings_values import MAX_DAYS

log = logging.getLogger(__name__)

WARM_DAYS = 90
FILE_CONVERSATIONS = 2000


@dataclass(frozen=True)
class Retention:
    """How long conversations stay: `warm_days` in SQL, `cold_days` in the archive (None: for good)."""

    warm_days: int = WARM_DAYS
    cold_days: int | None = None

    @classmethod
    def of(cls, settings: Settings) -> Retention:
        """RETENTION_WARM_DAYS and RETENTION_COLD_DAYS. Raises SettingsError."""
        warm = settings.values.get("RETENTION_WARM_DAYS")
        cold = settings.values.get("RETENTION_COLD_DAYS")
        return cls(
            _days("RETENTION_WARM_DAYS", warm or str(WARM_DAYS)), _days("RETENTION_COLD_DAYS", cold) if cold else None
        )


def _days(name: str, text: str) -> int:
    if not text.isdecimal() or int(text) > MAX_DAYS:
        raise SettingsError(f"{name} must be a number of days, {MAX_DAYS} at most, not {text!r}.")
    return int(text)


@dataclass(frozen=True)
class Moved:
    """What one run did."""

    conversations: int
    messages: int
    files: int
    forgotten: int


def run(
    engine: Engine,
    archive: ParquetArchive,
    retention: Retention,
    now: datetime,
    progress: Callable[[int], None] = lambda count: None,
) -> Moved:
    """Archive what is due and forget what is past keeping. Raises LogUnavailable."""
    # Whatever the retention, a conversation that may still go on stays.
    before = now - max(timedelta(days=retention.warm_days), IDLE)
    moved: list[Manifest] = []
    with database.exclusive(engine, "archive", wait_s=5):
        resume(engine, archive, now)
        while (day := _oldest_day(engine, before)) is not None:
            manifest, copied = _copy(engine, archive, day, before, now)
            _delete_warm(engine, archive, manifest, now, copied)
            moved.append(manifest)
            progress(manifest.conversations)
        forgotten = _forget(archive, retention, now)
    total = Moved(sum(m.conversations for m in moved), sum(m.messages for m in moved), len(moved), forgotten)
    log.info("log.archive.done conversations=%d files=%d", total.conversations, total.files)
    return total


def resume(engine: Engine, archive: ParquetArchive, now: datetime) -> None:
    """Finish what a killed run left; the caller holds the archive lock."""
    swept = archive.sweep(now)
    if swept:
        log.warning("log.archive.swept files=%d", swept)
    for manifest in archive.manifests():
        # One of which nothing is here may be another installation's, which goes on with it.
        if manifest.state == "copied" and (_is_warm(engine, archive, manifest) or archive.is_old(manifest, now)):
            _delete_warm(engine, archive, manifest, now)


def _is_warm(engine: Engine, archive: ParquetArchive, manifest: Manifest) -> bool:
    """Whether any conversation of a file is here as well."""
    with engine.connect() as connection:
        for part in in_parts(record["log_id"] for record in archive.rows(manifest)):
            found = select(conversations.c.log_id).where(conversations.c.log_id.in_(part)).limit(1)
            if connection.execute(found).first() is not None:
                return True
    return False


def due(engine: Engine, before: datetime) -> int:
    """How many conversations ended before a moment."""
    with engine.connect() as connection:
        statement = select(func.count()).select_from(conversations).where(conversations.c.ended_at < before)
        return int(connection.execute(statement).scalar_one())


def archived(row: Row, said: list[Row], now: datetime) -> dict[str, Any]:
    """A conversation's record as it goes into the archive: without personal data in its texts."""
    settled = {**row, "resolution_status": resolution(row, said, now)}
    return without_personal_data(as_record(Conversation(settled, said)))


def _oldest_day(engine: Engine, before: datetime) -> date | None:
    with engine.connect() as connection:
        oldest = connection.execute(
            select(conversations.c.ended_at)
            .where(conversations.c.ended_at < before)
            .order_by(conversations.c.ended_at)
            .limit(1)
        ).scalar()
    return oldest.astimezone(timezone.utc).date() if oldest else None


Snapshot = dict[str, tuple[Row, list[Row]]]


def _copy(
    engine: Engine, archive: ParquetArchive, day: date, before: datetime, now: datetime
) -> tuple[Manifest, Snapshot]:
    """Write one file of conversations that ended on `day`, and its manifest; with the rows that went into it."""
    begins = datetime(day.year, day.month, day.day, tzinfo=timezone.utc)
    ends = min(begins + timedelta(days=1), before)
    with engine.connect() as connection:
        found = connection.execute(
            select(conversations)
            .where(conversations.c.ended_at >= begins, conversations.c.ended_at < ends)
            .order_by(conversations.c.ended_at, conversations.c.log_id)
            .limit(FILE_CONVERSATIONS)
        )
        rows = _snapshot(connection, [dict(row) for row in found.mappings()])
    records = [archived(row, said, now) for row, said in rows.values()]
    manifest = archive.write(records, day, state="copied")
    archive.write_manifest(manifest)
    return manifest, rows


def _snapshot(connection: Connection, rows: list[Row]) -> Snapshot:
    """log_id → the conversation's row and those of its messages."""
    said: dict[str, list[Row]] = {}
    for part in in_parts(row["log_id"] for row in rows):
        said |= messages_of(connection, part)
    return {row["log_id"]: (row, said[row["log_id"]]) for row in rows}


def _delete_warm(
    engine: Engine, archive: ParquetArchive, manifest: Manifest, now: datetime, copied: Snapshot | None = None
) -> None:
    """Delete the warm rows of a file, those that are still as they were copied, then note that it is done.

    Without `copied` (a run that was killed left the file) the rows are compared with what the file holds.
    """
    frozen = {} if copied else {record["log_id"]: canonical(record) for record in archive.rows(manifest)}

    def is_copied(log_id: str, row: Row, said: list[Row]) -> bool:
        if copied:
            return copied[log_id] == (row, said)
        return canonical(archived(row, said, now)) == frozen[log_id]

    changed: set[str] = set()
    for part in in_parts(copied or frozen):
        with database.writing(engine) as connection:
            changed |= _delete_unchanged(connection, part, is_copied, now)
    if changed:
        # Someone wrote in the meantime (a late status): the warm rows stay, the file goes on without them.
        log.warning("log.archive.changed_meanwhile conversations=%d", len(changed))
        rewrite(archive, manifest, lambda record: record["log_id"] not in changed, state="done")
    else:
        archive.finish(manifest)


def _delete_unchanged(
    connection: Connection, ids: list[str], is_copied: Callable[[str, Row, list[Row]], bool], now: datetime
) -> set[str]:
    """Delete the conversations that equal their copies; returns the others that exist."""
    found = connection.execute(select(conversations).where(conversations.c.log_id.in_(ids)).with_for_update())
    current = _snapshot(connection, [dict(row) for row in found.mappings()])
    same = [log_id for log_id, (row, said) in current.items() if is_copied(log_id, row, said)]
    _remember(connection, [current[log_id] for log_id in same], now)
    connection.execute(delete(messages).where(messages.c.log_id.in_(same)))
    connection.execute(delete(conversations).where(conversations.c.log_id.in_(same)))
    return current.keys() - set(same)


def _remember(connection: Connection, gone: list[tuple[Row, list[Row]]], now: datetime) -> None:
    """Keep the keys of what is young: a record that comes again, or late, must not begin the conversation again."""
    keys = [
        {"message_key": message["message_key"], "customer_id": row["customer_id"], "archived_at": now}
        for row, said in gone
        if row["ended_at"] > now - LATE
        for message in said
    ]
    if keys:
        connection.execute(insert(archived_keys), keys)


def rewrite(
    archive: ParquetArchive, manifest: Manifest, keep: Callable[[dict[str, Any]], bool], state: str | None = None
) -> int:
    """Put a file in the place of another, without some of its conversations. Returns how many are gone."""
    kept = [record for record in archive.rows(manifest) if keep(record)]
    if len(kept) == manifest.conversations:
        return 0
    if kept:
        day = date.fromisoformat(manifest.date)
        archive.write_manifest(archive.write(kept, day, state=state or manifest.state, replaces=manifest.name))
    archive.remove(manifest)
    return manifest.conversations - len(kept)


def _forget(archive: ParquetArchive, retention: Retention, now: datetime) -> int:
    """Remove files of days that are past keeping. Returns how many conversations they held."""
    if retention.cold_days is None:
        return 0
    oldest = (now - timedelta(days=retention.cold_days)).date().isoformat()
    expired = [manifest for manifest in archive.manifests() if manifest.date < oldest]
    for manifest in expired:
        archive.remove(manifest)
    return sum(manifest.conversations for manifest in expired)


def run_command(settings: Settings, engine: Engine, days: int | None, table: str | None) -> int:
    """`archive` on the command line."""
    retention = Retention.of(settings)
    if days is not None:
        retention = Retention(days, retention.cold_days)
    archive = ParquetArchive.at(str(settings.archive_url))
    now = datetime.now(timezone.utc)
    total = due(engine, now - timedelta(days=retention.warm_days))
    started = time.monotonic()
    with progress.progress_bar("Archiving", "Archived", total) as advance:
        moved = run(engine, archive, retention, now, advance)
    took = progress.rate(moved.conversations, time.monotonic() - started)
    print(
        f"Archived {moved.conversations} conversations ({moved.messages} messages) in {moved.files} files in {took}; "
        f"forgot {moved.forgotten} past keeping."
    )
    if table:
        from conversation_log.archive import bigquery

        bigquery.publish(table, str(settings.archive_url))
        print(f"BigQuery table {table} reads the archive.")
    return 0
