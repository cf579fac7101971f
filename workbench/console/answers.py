"""What the console answers, over one running product's databases. Each is opened when first needed, and again later."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timezone
from functools import cached_property
from pathlib import Path
from typing import Any

import redis
from sqlalchemy import select
from sqlalchemy.engine import Engine

from components.escalation.assessment import TurnContext, assess
from components.escalation.examples import NONE, REASONS
from components.escalation.reasons import default_reasons
from components.escalation.settings import default_settings
from conversation_log.archive.parquet_archive import ParquetArchive
from conversation_log.erasure.erase import erase
from conversation_log.ingest import hot_tier
from conversation_log.storage import database
from conversation_log.storage.tables import messages
from settings import Settings
from workbench.console import copies, decisions, journey, live, what_if
from workbench.review.labels import Labels


class NotThere(LookupError):
    """It is not known, or not possible here; the text says so."""


class Answers:
    """`folder`: where copied messages are kept and what allows to start over, as in `make run`; None allows neither."""

    def __init__(self, settings: Settings, folder: Path | None = None) -> None:
        self._settings, self._folder = settings, folder
        self._figures = live.Kept(lambda: live.figures(settings, self._engine))
        self._review = live.Kept(lambda: live.to_review(self._engine))

    @cached_property
    def _engine(self) -> Engine:
        return database.connect(str(self._settings.conversation_database_url))

    @cached_property
    def _redis(self) -> redis.Redis[Any] | None:
        return hot_tier.client(self._settings.redis_url) if self._settings.redis_url else None

    @cached_property
    def _reader(self) -> what_if.Remembering:
        return what_if.Remembering(default_reasons())

    def about(self) -> dict[str, Any]:
        return {"intents": Labels().intents(), "reasons": [*REASONS, NONE], "writes": self._folder is not None}

    def turns(self, customer: str) -> list[dict[str, Any]]:
        return journey.turns(self._engine, self._redis, customer.strip("+ "), decisions.sources)

    def person(self, text: str) -> dict[str, Any]:
        """A message by itself: the probability of each reason, what would call a person, the nearest examples."""
        opinion = self._reader.read(text)
        assessed = assess(TurnContext(text), self._reader)
        return {
            "probabilities": sorted(opinion.probabilities.items(), key=lambda pair: -pair[1]),
            "need": opinion.need,
            "thresholds": dict(default_settings().thresholds),
            "calls": assessed.reason,
            "nearest": self._reader.reader.nearest(text),
        }

    def copy(self, customer: str, wamid: str, kind: str, label: str) -> dict[str, str | None]:
        turn = next((turn for turn in self.turns(customer) if turn["id"] == wamid), None)
        if turn is None:
            raise NotThere("This message is not in the log (any more).")
        text = copies.as_yaml(kind, label, turn)
        path = copies.keep(self._folder, kind, text) if self._folder else None
        return {"yaml": text, "file": str(path) if path else None}

    def figures(self) -> dict[str, Any]:
        return self._figures.get()

    def to_review(self) -> dict[str, Any]:
        return self._review.get()

    def metrics(self) -> dict[str, Any]:
        return live.metrics(f"{self._settings.url_of('RASA_PORT')}/metrics", self._settings.metrics_token)

    def what_if(self, wished: Mapping[str, float]) -> dict[str, Any]:
        return what_if.compared(self._engine, self._reader, default_settings(), wished)

    def logged(self, wamids: list[str]) -> dict[str, Any]:
        """Which of these messages the log does not hold: none, once all are answered or with a person."""
        found = select(messages.c.message_key).where(messages.c.message_key.in_(wamids))
        with self._engine.connect() as connection:
            known = set(connection.execute(found).scalars())
        return {"missing": [wamid for wamid in wamids if wamid not in known]}

    def forget(self, customer: str) -> dict[str, Any]:
        """Everything of a customer of the demo: log, dialogue, takeover. Their next message is their first."""
        if self._folder is None:
            raise NotThere("Only `make run` starts over; `python -m conversation_log erase` forgets a customer.")
        archive = ParquetArchive.at(str(self._settings.archive_url))
        receipt = erase(customer, self._engine, archive, self._redis, datetime.now(timezone.utc))
        return {"removed": sum(receipt.removed.values())}
