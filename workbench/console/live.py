"""The report's figures as they are now, what waits for a review, the servers' metrics: for a page that looks again."""

import time
import urllib.request
from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from typing import Any

from sqlalchemy import select
from sqlalchemy.engine import Engine

import shop
from conversation_log.query.tiers import Period
from conversation_log.report import costs, review_queue
from conversation_log.report.command import DEFAULT_PERIOD, gather
from conversation_log.report.figures import Figures
from conversation_log.report.message_groups import group
from conversation_log.report.quantiles import Durations
from conversation_log.storage.tables import messages
from privacy.redaction import redact
from settings import Settings

TOP = 10
SLOW_OF = 2000  # messages
FRESH_S = 2.0
REST_RATIO = 20  # an answer that took a second to make is good for so many seconds


class Kept:
    """An answer that is made anew at most every few seconds, the rarer the longer it takes to make."""

    def __init__(self, make: Callable[[], dict[str, Any]]) -> None:
        self._make = make
        self._until, self._answer = 0.0, dict[str, Any]()

    def get(self) -> dict[str, Any]:
        """What `make` raises is raised, and not kept."""
        began = time.monotonic()
        if began >= self._until:
            self._answer = self._make()
            now = time.monotonic()
            self._until = now + max(FRESH_S, REST_RATIO * (now - began))
        return self._answer


def figures(settings: Settings, engine: Engine) -> dict[str, Any]:
    """The last 30 days. Raises SQLAlchemyError."""
    now = datetime.now(timezone.utc)
    period = Period(now - DEFAULT_PERIOD, None)
    found = gather(settings, engine, period)
    spent = costs.gather(engine, period, shop.load(), now)
    replies = sum(found.delivery.values())
    return {
        "conversations": found.conversations,
        "outcomes": dict(found.outcomes),
        "containment": found.containment,
        "ended": sum(count for name, count in found.outcomes.items() if name != "open"),
        "messages": dict(found.messages),
        "features": found.features.most_common(),
        "refused": found.unresolved_messages,
        "replies": replies,
        "failed": found.delivery["failed"],
        "errors": found.errors.most_common(TOP),
        "escalations": _reasons(found),
        "intents": [[name, count, found.intents_unresolved[name]] for name, count in found.intents.most_common(TOP)],
        "answer_s": _quantiles(found.answers),
        "waiting_s": _quantiles(found.first_agent_words),
        "days": [[day, dict(counts)] for day, counts in sorted(found.by_day.items())[-14:]],
        "llm": {model: [use.calls, use.cost_usd, dict(use.verdicts)] for model, use in found.llm.items()},
        "cost": {"llm_usd": found.cost_usd, "messages": spent.total, "currency": spent.currency,
                 "free_left": spent.free_left},
        "failures": [[one.example, one.count] for one in group(found.unresolved)[:TOP]],
        "ratings": found.ratings.rows(),
        "slowest": _slowest(engine),
    }  # fmt: skip


def _reasons(found: Figures) -> list[tuple[str, int]]:
    reasons: Counter[str] = Counter()
    for (reason, _), count in found.escalations.items():
        reasons[reason] += count
    return reasons.most_common()


def _quantiles(durations: Durations) -> list[float | None]:
    return [durations.quantile(share) for share in (0.5, 0.9, 0.99)]


def _slowest(engine: Engine) -> list[list[Any]]:
    """[seconds, what was asked] of the slowest answers among the latest."""
    columns = [messages.c[name] for name in ("log_id", "turn", "role", "content", "received_at", "accepted_at")]
    latest = select(*columns).order_by(messages.c.sent_at.desc()).limit(SLOW_OF)
    asked: dict[tuple[str, int], tuple[datetime, str]] = {}
    answered: dict[tuple[str, int], datetime] = {}
    with engine.connect() as connection:
        for log_id, turn, role, content, received_at, accepted_at in connection.execute(latest):
            if role == "user" and received_at:
                asked[log_id, turn] = (received_at, content)
            elif role == "assistant" and accepted_at:
                answered[log_id, turn] = min(accepted_at, answered.get((log_id, turn), accepted_at))
    took = [((answered[turn] - at).total_seconds(), text) for turn, (at, text) in asked.items() if turn in answered]
    return [[seconds, redact(text)[:120]] for seconds, text in sorted(took, reverse=True)[:TOP]]


def to_review(engine: Engine) -> dict[str, Any]:
    """What `workbench review` would ask about, of the last 30 days."""
    since = datetime.now(timezone.utc) - timedelta(days=30)
    clusters = review_queue.clusters(review_queue.cases(engine, since), lambda text, at: True)
    return {
        "clusters": [
            {"count": one.count, "reasons": one.reasons.most_common(), "intents": one.intents.most_common(3),
             "texts": [wording.text for wording in one.wordings[:4]]}
            for one in clusters[:50]
        ],
        "messages": sum(one.count for one in clusters),
    }  # fmt: skip


def metrics(url: str, token: str | None = None) -> dict[str, Any]:
    """Counters and gauges of the Rasa server, as [name with labels, value]. Raises OSError."""
    request = urllib.request.Request(url, headers={"Authorization": f"Bearer {token}"} if token else {})  # noqa: S310
    with urllib.request.urlopen(request, timeout=3) as answer:  # noqa: S310 (our own http address)
        lines = answer.read().decode().splitlines()
    rows = [line.rpartition(" ")[::2] for line in lines if line and not line.startswith("#")]
    return {"metrics": [[name, value] for name, value in rows if "_bucket" not in name and "_created" not in name]}
