"""Records of the warm and the cold tier together, each conversation once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any

import redis
from sqlalchemy.engine import Engine

from conversation_log import identities, reader
from conversation_log.export import as_record
from settings import Settings


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
    """The records of a period (and a customer), the archived ones first. Memory stays flat.

    A conversation that is being moved at this moment may be in both tiers; the warm copy counts.
    """
    from conversation_log import cold

    names = None
    if customer is not None:
        known = identities.find(customer, engine, client)
        names = known.names | known.customers
    selection = reader.Selection(period.since, period.until, names)
    shelf = cold.Shelf.at(str(settings.archive_url))
    moving = shelf.unfinished_ids()
    yield from shelf.records(selection, without=moving)
    now = datetime.now(timezone.utc)
    given: set[str] = set()
    for conversation in reader.read(engine, selection, now):
        if conversation.row["log_id"] in moving:
            given.add(conversation.row["log_id"])
        yield as_record(conversation)
    if moving - given:
        yield from shelf.records(selection, only=moving - given)
