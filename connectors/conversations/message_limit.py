"""How many messages of one customer the assistant answers in ten minutes; whoever writes more is told so, once.

What is not answered is in the log like any other message. Asking for a person is always answered, and nothing is
counted while one has the conversation. The counts are in the memory of the process that owns the customer's
partition: when another takes it over, they begin again, which errs on the customer's side.
"""

import logging
import math
import time
from collections import OrderedDict
from dataclasses import dataclass, field

from connectors.conversations.speaker import Speaker
from connectors.message_bus.inbox import Entry
from connectors.message_bus.turn import Turn
from lenient_json import as_mapping, number

log = logging.getLogger(__name__)

WINDOW_S = 600.0
TOO_MANY = "utter_fallback_many_messages"


@dataclass
class _Window:
    """Ten minutes of one customer: ids of the messages that were let through, and of the one that got the notice."""

    began: float
    used: float = 0.0
    admitted: set[str] = field(default_factory=set)
    noticed: str | None = None


class MessageLimit:
    """Counts by when the webhook brought a message, so that a backlog of ours makes nobody look hasty."""

    def __init__(self, speaker: Speaker, messages: int) -> None:
        self._speaker, self._messages = speaker, messages
        self._windows: OrderedDict[str, _Window] = OrderedDict()  # by customer, the longest unused first

    async def admits(self, turn: Turn) -> bool:
        """Whether the assistant answers this turn; else it has no words, or the notice. Run again, it has the same."""
        if turn.entry.replays:
            return True
        window = self._window(turn.entry)
        ids = {entry.id for entry in turn.entries}
        if ids <= window.admitted or len(window.admitted | ids) <= self._messages:
            window.admitted |= ids
            return True
        if await self._speaker.asks_for_person(turn):
            return True
        turn.outcome = "limited"
        if window.noticed in (None, turn.entry.id):
            window.noticed = turn.entry.id
            minutes = math.ceil((window.began + WINDOW_S - _came_at(turn.entry)) / 60)
            log.warning("conversations.limit.reached minutes=%d", minutes)
            await self._speaker.say(turn, TOO_MANY, minutes=str(max(2, minutes)))
        return False

    def _window(self, entry: Entry) -> _Window:
        now, came_at = time.time(), _came_at(entry)
        while self._windows and next(iter(self._windows.values())).used < now - WINDOW_S:
            self._windows.popitem(last=False)
        window = self._windows.get(entry.customer)
        if window is None or came_at >= window.began + WINDOW_S:
            window = self._windows[entry.customer] = _Window(came_at)
        window.used = now
        self._windows.move_to_end(entry.customer)
        return window


def _came_at(entry: Entry) -> float:
    """When it came in; never later than now, as another machine's clock may say."""
    now = time.time()
    return min(number(as_mapping(entry.payload.get("metadata")).get("received_at")) or now, now)
