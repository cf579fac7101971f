"""What customers wrote that deserves a designer's look: uncertain, rejected and escalated messages, grouped by wording.

Only the messages of the SQL tier are read, newest first. Texts leave this module redacted.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import and_, exists, or_, select
from sqlalchemy.engine import Engine
from sqlalchemy.sql import Select

from conversation_log.report import message_groups
from conversation_log.storage.tables import messages
from privacy.redaction import redact

REJECTED = ("nlu_fallback", "out_of_scope")
MIN_CONFIDENCE = 0.6  # what was understood with less confidence is worth a look, though it was answered
NEWEST = 5000  # messages looked at; more would say the same
_PRESSED = ("button_reply", "list_reply")  # chosen from what we offered, not worded by the customer
_WITHOUT_WORDS = re.compile(r"(?:\[\w+\]\s*)*")
_NUMBER = re.compile(r"\d+")

IsNew = Callable[[str, datetime], bool]
"""Whether a redacted wording, written at that moment, has not been reviewed yet."""


@dataclass(frozen=True)
class Case:
    """One message with the reasons to look at it: of "rejected", "uncertain", "asked back", "escalated"."""

    text: str
    at: datetime
    intent: str
    confidence: float
    reasons: tuple[str, ...]


@dataclass(frozen=True)
class Wording:
    """One way in which it was said, numbers and capitals aside, and how often."""

    text: str
    cases: tuple[Case, ...]


@dataclass(frozen=True)
class Cluster:
    """Wordings that say about the same, the one most like the others first."""

    wordings: tuple[Wording, ...]

    @property
    def cases(self) -> tuple[Case, ...]:
        """Every message of the cluster."""
        return tuple(case for found in self.wordings for case in found.cases)

    @property
    def count(self) -> int:
        return len(self.cases)

    @property
    def reasons(self) -> Counter[str]:
        """How many messages are here for which reason; one message may have several."""
        return Counter(reason for case in self.cases for reason in case.reasons)

    @property
    def intents(self) -> Counter[str]:
        """What the messages were taken for when they came."""
        return Counter(case.intent for case in self.cases)

    @property
    def latest(self) -> datetime:
        return max(case.at for case in self.cases)


def cases(engine: Engine, since: datetime | None = None, newest: int = NEWEST) -> list[Case]:
    """The messages worth a look, newest first."""
    with engine.connect() as connection:
        rows = connection.execute(_statement(since).limit(newest)).mappings().all()
    found = []
    for row in rows:
        text = " ".join(redact(row["content"]).split())
        if not _WITHOUT_WORDS.fullmatch(text):
            confidence = float(row["confidence"] or 0.0)
            found.append(Case(text, row["sent_at"], row["intent"], confidence, _reasons(row, confidence)))
    return found


def clusters(found: Iterable[Case], is_new: IsNew) -> list[Cluster]:
    """The cases that are new, grouped by wording; the most frequent group first."""
    by_wording: dict[str, list[Case]] = defaultdict(list)
    for case in found:
        if is_new(case.text, case.at):
            by_wording[wording_key(case.text)].append(case)
    spelled = {same[0].text: Wording(same[0].text, tuple(same)) for same in by_wording.values()}
    groups = message_groups.group(text for text, said in spelled.items() for _ in said.cases)
    return [Cluster(tuple(spelled[text] for text in group.texts)) for group in groups]


def wording_key(text: str) -> str:
    """What makes two messages the same wording: the words, but not their capitals, numbers and blanks."""
    return _NUMBER.sub("#", " ".join(text.lower().split()))


def _statement(since: datetime | None) -> Select:
    asked, reply = messages.alias("asked"), messages.alias("reply")
    answered = and_(reply.c.log_id == asked.c.log_id, reply.c.turn == asked.c.turn, reply.c.role == "assistant")
    escalated = exists().where(answered, reply.c.escalated.is_(True))
    asked_back = exists().where(answered, reply.c.feature == "clarification")
    statement = (
        select(
            asked.c.content, asked.c.intent, asked.c.confidence, asked.c.sent_at,
            escalated.label("escalated"), asked_back.label("asked_back"),
        )
        .where(asked.c.role == "user", asked.c.intent.isnot(None))
        .where(or_(asked.c.kind.is_(None), asked.c.kind.notin_(_PRESSED)))
        .where(or_(asked.c.intent.in_(REJECTED), asked.c.confidence < MIN_CONFIDENCE, escalated, asked_back))
        .order_by(asked.c.sent_at.desc(), asked.c.message_key)
    )  # fmt: skip
    return statement if since is None else statement.where(asked.c.sent_at >= since)


def _reasons(row: object, confidence: float) -> tuple[str, ...]:
    assert hasattr(row, "__getitem__")
    rejected = row["intent"] in REJECTED
    judged = {
        "rejected": rejected,
        "uncertain": not rejected and confidence < MIN_CONFIDENCE,
        "asked back": not rejected and bool(row["asked_back"]),
        "escalated": bool(row["escalated"]),
    }
    return tuple(reason for reason, holds in judged.items() if holds)
