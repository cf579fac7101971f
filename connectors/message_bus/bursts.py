"""One answer to a burst: what a customer writes in several quick messages is read as one.

People greet, press enter, and go on. A message that is complete is answered at once; a greeting or a fragment waits
for the rest, for `wait_s` at most. What follows an answered message within that time may be the second of five bubbles
or a quick reply: it waits until nothing came for a third of the time. What came meanwhile is one turn: its words are
those of all, one below the other, and everything else is the last one's. Whether a message is complete is told by its
shape alone, so that it holds in any language.
"""

import time
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from dataclasses import replace

from connectors.message_bus.inbox import Entry
from lenient_json import as_mapping, number, text

MAX_MESSAGES = 20
MAX_CHARS = 4096
QUIET = 3  # the part of the wait without a message after which a burst behind an answer has ended
_QUESTION_MARKS = ("?", "？", "؟", "՞")
_WORDS, _CHARS = 4, 24  # from as many on, a message says something by itself; characters for scripts without blanks
_DIGITS = 3  # of an order number
_WORDLESS = ("/send_", "/greet")  # what stands for pictures, voice notes, the opening of a chat


def can_join(entry: Entry) -> bool:
    """Whether a message may be read together with others: typed words and what is sent without any, but no button."""
    said = str(entry.payload.get("text") or "")
    return entry.kind == "message" and not entry.replays and (_is_wordless(said) or not said.startswith("/"))


def is_complete(entry: Entry) -> bool:
    """Whether a message can be answered without waiting for more. Pictures come in albums, so they wait."""
    said = str(entry.payload.get("text") or "")
    if not can_join(entry):
        return True
    if _is_wordless(said) or as_mapping(entry.payload.get("metadata")).get("media"):
        return False
    if said.rstrip().endswith(_QUESTION_MARKS) or len(said) >= _CHARS or len(said.split()) >= _WORDS:
        return True
    return any(sum(map(str.isdigit, word)) >= _DIGITS for word in said.split())


def asks(said: object) -> bool:
    """Whether words of ours end with a question, above the titles of its buttons: then a short reply is complete."""
    lines = [line.strip() for line in text(said).splitlines()]
    last = next((line for line in reversed(lines) if line and not line.startswith("[")), "")
    return last.endswith(_QUESTION_MARKS)


def join(entries: Sequence[Entry]) -> Entry:
    """One entry of several, the last one's but for words, media and quote."""
    last = entries[-1]
    if len(entries) == 1:
        return last
    metadata = [as_mapping(entry.payload.get("metadata")) for entry in entries]
    said = [str(entry.payload.get("text") or "") for entry in entries]
    words = [line for line in said if not _is_wordless(line)]
    merged = {
        **metadata[-1],
        "typed": "\n".join(filter(None, (text(one.get("typed")) for one in metadata)))[:MAX_CHARS],
        "media": [part for one in metadata for part in one.get("media") or []],
        "heard": [part for one in metadata for part in one.get("heard") or []],
        "reply_to": next((one["reply_to"] for one in reversed(metadata) if one.get("reply_to")), None),
        "burst": len(entries),
    }
    return replace(last, payload={"text": "\n".join(words)[:MAX_CHARS] or said[-1], "metadata": merged})


class Bursts:
    """When a message waits, and which ones go together. Everything is counted from when the webhook brought them."""

    def __init__(self, wait_s: float) -> None:
        self.wait_s = wait_s
        self._answered: OrderedDict[str, float] = OrderedDict()  # customer → when their last answered message came

    def gather(self, waiting: Iterable[Entry]) -> tuple[list[Entry], bool]:
        """The first of the waiting entries with those behind it that are one burst by now; whether more follows."""
        entries: list[Entry] = []
        for entry in waiting:
            if entries and not self._joins(entry, entries):
                return entries, True
            entries.append(entry)
        return entries, False

    def _joins(self, entry: Entry, entries: Sequence[Entry]) -> bool:
        if not self.wait_s or len(entries) == MAX_MESSAGES or not can_join(entries[0]) or not can_join(entry):
            return False
        return _came_at(entry) <= _came_at(entries[0]) + self.wait_s

    def delay_s(self, entries: Sequence[Entry], asked: bool) -> float:
        """How long the burst is to wait for the rest; 0: answer it. `asked`: what we said last was a question."""
        first = entries[0]
        if not self.wait_s or not can_join(first):
            return 0.0
        came_at = _came_at(first)
        behind = came_at - self._answered.get(first.customer, 0.0)
        if 0 <= behind < self.wait_s:
            quiet_at = min(_came_at(entries[-1]) + self.wait_s / QUIET, came_at + self.wait_s)
            return max(0.0, min(quiet_at - time.time(), self.wait_s))
        if asked or any(map(is_complete, entries)):
            return 0.0
        # A clock that is ahead of ours must not make anybody wait for longer.
        return max(0.0, min(came_at, time.time()) + self.wait_s - time.time())

    def may_wait(self, entries: Sequence[Entry]) -> bool:
        """Whether it would wait unless it answers a question of ours, which takes asking Redis to know."""
        return self.delay_s(entries, asked=False) > 0 >= self.delay_s(entries, asked=True)

    def answered(self, entry: Entry) -> None:
        """The burst that ends with this entry has its answer."""
        if not self.wait_s:
            return
        now = time.time()
        self._answered[entry.customer] = min(_came_at(entry), now)
        self._answered.move_to_end(entry.customer)
        while self._answered and next(iter(self._answered.values())) < now - self.wait_s:
            self._answered.popitem(last=False)


def _is_wordless(said: str) -> bool:
    return said.startswith(_WORDLESS)


def _came_at(entry: Entry) -> float:
    return number(as_mapping(entry.payload.get("metadata")).get("received_at")) or 0.0
