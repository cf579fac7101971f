"""Forgetting a customer in every tier, with a receipt of what was removed where.

Redis first, because it feeds the database; then SQL, copies of files and the archive; then all but the archive once
more for what was on its way in the meantime. Afterwards the files are rewritten (Redis' append-only file, SQLite's
pages), so that nothing lingers in places that are no longer read.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Any

import redis
from sqlalchemy.engine import Engine

from conversation_log.archive import archiver
from conversation_log.archive.parquet_archive import ParquetArchive
from conversation_log.erasure import erase_media, erase_redis, erase_sql
from conversation_log.ingest.kafka import Egress, EgressUnavailable
from conversation_log.model import identities
from conversation_log.model.identities import Identities
from conversation_log.storage import database
from privacy.pseudonyms import mask_phone
from settings import Settings

ARCHIVE_WAIT_S = 120.0
PASSES = 3

NOT_COVERED = (
    "The shop's orders database (the assistant only reads it), Meta's and the LLM provider's copies, backups, and "
    "older versions that an object store keeps must be handled where they are."
)


@dataclass
class Receipt:
    """What was removed: (tier, what) → how many. `open_ends` are what the operator still has to do."""

    customer: str
    at: datetime
    removed: Counter[tuple[str, str]] = field(default_factory=Counter)
    notes: list[str] = field(default_factory=list)
    open_ends: list[str] = field(default_factory=list)

    def add(self, tier: str, counts: Mapping[str, int]) -> int:
        """Count what one pass removed in one tier. Returns the sum."""
        for what, count in counts.items():
            if count:
                self.removed[(tier, what)] += count
        return sum(counts.values())

    def lines(self) -> list[str]:
        """The receipt as text, the customer masked."""
        who = mask_phone(self.customer)
        if not self.removed:
            text = [f"Nothing was found of {who} ({self.at:%Y-%m-%d %H:%M:%S} UTC)."]
        else:
            text = [f"Erased customer {who} at {self.at:%Y-%m-%d %H:%M:%S} UTC."]
        text += [f"  {tier:8} {what:44} {count:6}" for (tier, what), count in sorted(self.removed.items())]
        text += [f"  note     {note}" for note in self.notes]
        text += [f"  TO DO    {todo}" for todo in self.open_ends]
        return [*text, f"  {NOT_COVERED}"]


def erase(
    customer: str,
    engine: Engine,
    archive: ParquetArchive,
    client: redis.Redis[Any] | None,
    now: datetime,
    media_url: str | None = None,
    egress: Egress | None = None,
) -> Receipt:
    """Remove everything of a customer. May be run again at any time; then it finishes what was left.

    Raises LogUnavailable, SQLAlchemyError, redis.RedisError; what was removed until then stays removed.
    """
    receipt = Receipt(customer, now)
    known = identities.find(customer, engine, client, archive)
    wamids: set[str] = set()
    with database.exclusive(engine, "archive", wait_s=ARCHIVE_WAIT_S):
        archiver.resume(engine, archive, now)
        for number in range(PASSES):
            wamids |= erase_sql.wamids_of(engine, known)
            found = 0
            if client is not None:
                found += receipt.add("redis", erase_redis.erase(client, known, wamids))
                erase_redis.wait_for_writer(client)
            counts, tickets = erase_sql.erase(engine, known, wamids)
            found += receipt.add("sql", counts)
            receipt.notes += [f"ticket in the helpdesk, to be erased there: {ticket}" for ticket in tickets]
            # After the rows that say what to copy: what is copied at this moment finds its row gone.
            found += receipt.add("media", erase_media.erase(media_url, known))
            if number == 0:
                receipt.add("archive", _erase_cold(archive, known))
            if not found:
                break
        else:
            receipt.open_ends.append("The customer is writing right now; run this again when they are done.")
    receipt.notes += erase_sql.rewrite_files(engine)
    if egress is not None:
        _tell_readers(egress, known, receipt)
    if client is not None:
        receipt.notes += erase_redis.rewrite_streams(client)
        receipt.notes += erase_redis.rewrite_files(client)
    return receipt


def _tell_readers(egress: Egress, known: Identities, receipt: Receipt) -> None:
    """A tombstone in the topic of the log; last, when nothing of the customer can be appended behind it."""
    try:
        receipt.add("kafka", {"tombstones for those who read the topic": egress.forget(sorted(known.customers))})
        receipt.notes.append("records in the topic of LOG_KAFKA_URL go when its retention ends")
    except EgressUnavailable:
        receipt.open_ends.append("The topic of LOG_KAFKA_URL got no tombstone: run this again when Kafka answers.")


def _erase_cold(archive: ParquetArchive, known: Identities) -> dict[str, int]:
    names = known.names | known.customers
    removed = 0
    files = 0
    for manifest in archive.manifests():
        if not identities.carrying(archive.owners_in(manifest), names):
            continue
        files += 1
        removed += archiver.rewrite(
            archive, manifest, lambda r: r["customer_id"] not in names and r["customer_phone"] not in names
        )
    return {"conversations": removed, "files rewritten": files}


def run_command(settings: Settings, engine: Engine, client: redis.Redis[Any] | None, customer: str) -> int:
    """`erase` on the command line: 0 only when every tier was reached."""
    archive = ParquetArchive.at(str(settings.archive_url))
    egress = Egress.from_url(settings.log_kafka_url) if settings.log_kafka_url else None
    receipt = erase(customer, engine, archive, client, datetime.now(timezone.utc), settings.media_url, egress)
    if client is None and (settings.redis_url or (settings.state_path / "redis").exists()):
        receipt.open_ends.append(
            "Redis does not run, so its files may still hold the customer's last messages: start the assistant, "
            "then run this again."
        )
    print("\n".join(receipt.lines()))
    if receipt.open_ends:
        print("conversation_log: the erasure is NOT complete, see TO DO above", file=sys.stderr)
        return 1
    return 0
