"""What another threshold would change: which logged messages would call a person, and which would not any more.

Each message is weighed as the dialogue weighed it by itself: with what it was understood as, without the messages
before it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from sqlalchemy import select
from sqlalchemy.engine import Engine

from components.escalation.assessment import Assessment, TurnContext, assess
from components.escalation.examples import REASONS
from components.escalation.reasons import Opinion, Reader
from components.escalation.settings import EscalationSettings
from conversation_log.storage.tables import messages
from privacy.redaction import redact

NOT_ANSWERABLE = ("request_human", "request_refund", "file_complaint", "nlu_fallback", "out_of_scope")
"""Intents that speak for a person, or for nothing: as EscalationPolicy sees them, which imports rasa."""
LATEST = 500
SHOWN = 60


@dataclass
class Remembering:
    """A reader that reads each text once: the thresholds change, the opinions do not."""

    reader: Reader
    opinions: dict[str, Opinion] = field(default_factory=dict)

    def read(self, text: str) -> Opinion:
        if text not in self.opinions:
            self.opinions[text] = self.reader.read(text)
        return self.opinions[text]

    def nearest(self, text: str) -> list[tuple[str, str]]:
        return []  # examples decide nothing, and cost most


def compared(
    engine: Engine, reader: Remembering, today: EscalationSettings, wished: Mapping[str, float]
) -> dict[str, Any]:
    """The latest messages under today's thresholds and under the wished ones. Raises ValueError, SQLAlchemyError."""
    thresholds = {**today.thresholds, **wished}
    if set(thresholds) - set(REASONS) or not all(0 < value < 1 for value in thresholds.values()):
        raise ValueError(f"Thresholds between 0 and 1 of {', '.join(REASONS)}.")
    then = replace(today, thresholds=thresholds)
    rows = _latest(engine)
    pairs = [(text, assess(turn, reader, today), assess(turn, reader, then)) for text, turn in rows]
    changed = [(text, before, after) for text, before, after in pairs if before.reason != after.reason]
    return {
        "thresholds": dict(today.thresholds),
        "messages": len(rows),
        "calls_today": sum(before.escalate for _, before, _ in pairs),
        "calls_then": sum(after.escalate for *_, after in pairs),
        "changed": [_shown(text, before, after) for text, before, after in changed[:SHOWN]],
        "near": [[redact(text)[:160], before.score] for text, before, _ in sorted(
            pairs, key=lambda pair: abs(pair[1].score - 0.5))[:5]],
    }  # fmt: skip


def _shown(text: str, before: Assessment, after: Assessment) -> dict[str, Any]:
    return {"text": redact(text)[:200], "today": before.reason, "then": after.reason, "score": before.score}


def _latest(engine: Engine) -> list[tuple[str, TurnContext]]:
    """What customers typed, newest first, each wording once."""
    columns = [messages.c[name] for name in ("content", "intent", "confidence")]
    typed = select(*columns).where(messages.c.role == "user", messages.c.kind == "text", messages.c.content != "")
    found: dict[str, TurnContext] = {}
    with engine.connect() as connection:
        for text, intent, confidence in connection.execute(typed.order_by(messages.c.sent_at.desc()).limit(LATEST)):
            sure = 0.0 if intent in NOT_ANSWERABLE else float(confidence or 0.0)
            found.setdefault(text, TurnContext(text, understood=sure))
    return list(found.items())
