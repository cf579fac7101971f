"""What one turn produces, kept in memory until it is committed in one step.

While a turn runs, the output channel, the tracker store and the event broker write into the current `Turn` instead
of sending or storing: a crash before the commit leaves nothing behind, and after it nothing is repeated.
"""

from __future__ import annotations

import time
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

from connectors.message_bus.inbox import Entry

DEPENDENCY_TIMEOUT_S, OUTCOME_TIMEOUT_S = 20.0, 300.0
MAX_UNANSWERED = 5


@dataclass(frozen=True)
class Reply:
    """One message for the customer: a Graph body without addressee, its words for the log, what the action passed.

    `otherwise` is a template for the case that the customer service window has closed.
    """

    body: dict[str, Any]
    text: str
    metadata: dict[str, Any] = field(default_factory=dict)
    otherwise: dict[str, Any] | None = None


@dataclass(frozen=True)
class TrackerAppend:
    """New events of one tracker, to be stored with the commit.

    `chunks` are JSON arrays of events. With `tail_chunks` the next read starts that many chunks before the end,
    preceded by the events in `preamble` (a JSON array), which stand for everything older.
    """

    sender_id: str
    chunks: tuple[str, ...]
    tail_chunks: int | None = None
    preamble: str = "[]"


@dataclass(frozen=True)
class OtherVoices:
    """Until when somebody else speaks to the customer: a person in the phone app, or another app. Epoch seconds."""

    phone_until: float = 0.0
    app_until: float = 0.0
    standby_at: float = 0.0  # when a message of the customer was last for that app and not for us

    def silence(self, now: float) -> bool:
        """Whether the assistant has to keep silent."""
        return max(self.phone_until, self.app_until) > now


@dataclass
class Turn:
    """One inbox entry being answered, or several messages of a burst as one.

    `parts` are the entries of a burst in order, none for a single one; `entry` and `metadata` are all of them together.
    """

    entry: Entry
    metadata: dict[str, Any]
    control_version: int = 0
    replies: list[Reply] = field(default_factory=list)
    appends: list[TrackerAppend] = field(default_factory=list)
    events: list[dict[str, Any]] = field(default_factory=list)
    silent: bool = False
    dependency_unavailable: str | None = None
    crashes: int = 0  # runs of it that ended with their process
    unanswered: bool = False  # the server that is away took a call: what it was asked to do may be done
    outcome: str = "answered"
    voices: OtherVoices = OtherVoices()
    parts: tuple[Entry, ...] = ()
    language: str | None = None  # that the dialogue answers in, where it ran
    # As Redis had it when the turn began, None: to be asked for. Nobody else changes it while the turn runs.
    said_last: str | None = None
    stored_tracker: list[str] | None = None

    @property
    def entries(self) -> tuple[Entry, ...]:
        """What came in, each entry as it came."""
        return self.parts or (self.entry,)

    def discard_replies(self) -> None:
        """Nothing of what the turn made so far is to become visible."""
        for made in (self.replies, self.appends, self.events):
            made.clear()
        self.language = None


@dataclass
class Away:
    """What the runs of a turn wait for: since when, and how many of their calls were begun and not answered.

    Where something may have been done already, the answer is waited for longer: who hears "something went wrong" does
    it again, or believes that nothing was done.
    """

    since: float = field(default_factory=time.monotonic)
    unanswered: int = 0

    def is_waited_for(self, turn: Turn) -> bool:
        """Whether this run, which met nobody, is followed by another rather than by an apology."""
        self.unanswered += turn.unanswered
        may_be_done = 0 < self.unanswered + turn.crashes < MAX_UNANSWERED
        return time.monotonic() - self.since < (OUTCOME_TIMEOUT_S if may_be_done else DEPENDENCY_TIMEOUT_S)


current_turn: ContextVar[Turn | None] = ContextVar("current_turn", default=None)
