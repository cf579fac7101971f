"""Records of the warm and the cold tier together, each conversation once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

import redis
from sqlalchemy.engine import Engine

from conversation_log.model import identities
from conversation_log.query.export import as_record
from conversation_log.storage import reader
from settings import Settings

if TYPE_CHECKING:
    from conversation_log.archive.parquet_archive import ParquetArchive


@dataclass(frozen=True)
class Period:
    """Conversations that began in [since, until)."""

    since: datetime | None = None
    until: datetime | None = None


def records(
    settings: Settings,
    engine: Engine,
    client: redis.Redis[Any] | None,
    period: Period,
    customer: str | None = None,
) -> Iterator[dict[str, Any]]:
    """The records of a period (and a customer), the archived ones first. One is in memory at a time.

    Conversations may be on their way from one tier to the other meanwhile. So the files that were not settled when
    the reading began are read last, without what the warm tier gave.
    """
    archive = _archive_of(settings)
    names = None
    if customer is not None:
        known = identities.find(customer, engine, client, archive)
        names = known.names | known.customers
    selection = reader.Selection(period.since, period.until, names)
    settled = [manifest for manifest in archive.manifests() if manifest.state == "done"]
    yield from archive.records(selection, settled)
    given: set[int] = set()
    for conversation in reader.read(engine, selection, datetime.now(timezone.utc)):
        given.add(_short(conversation.row["log_id"]))
        yield as_record(conversation)
    names_read = {manifest.name for manifest in settled}
    unread = [m for m in archive.manifests() if m.name not in names_read and m.replaces not in names_read]
    for record in archive.records(selection, unread):
        if _short(record["log_id"]) not in given:
            yield record


def count(settings: Settings, engine: Engine, period: Period) -> int:
    """About how many conversations a period has, for a progress bar: files at its edges count as a whole."""
    from conversation_log.archive import parquet_archive

    selection = reader.Selection(period.since, period.until)
    held = [m.conversations for m in _archive_of(settings).manifests() if parquet_archive.may_hold(m, selection)]
    return reader.count(engine, selection) + sum(held)


def _archive_of(settings: Settings) -> ParquetArchive:
    from conversation_log.archive import parquet_archive

    return parquet_archive.ParquetArchive.at(str(settings.archive_url))


def _short(log_id: str) -> int:
    """64 bits of a log id: a million of them take 60 MB less than the texts."""
    return int(log_id[:8] + log_id[-8:], 16)
