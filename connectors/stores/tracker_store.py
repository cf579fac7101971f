"""Working memory of the dialogue in Redis: append-only, 24 hours, at a cost that does not grow with the conversation.

A tracker is a Redis list with one JSON array of events a turn, and a base: from which array on it is read, and a few
events (the preamble) that put slots, loop and pause into the state that everything older led to. The base moves to
the start of each session, as Rasa's stores return the last session only, and within long sessions behind the last
turns that policies look at.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

from rasa.core.brokers.broker import EventBroker
from rasa.core.tracker_store import TrackerStore
from rasa.shared.core.constants import ACTION_LISTEN_NAME, ACTION_SESSION_START_NAME
from rasa.shared.core.domain import Domain
from rasa.shared.core.events import ActionExecuted, Event, deserialise_events
from rasa.shared.core.trackers import DialogueStateTracker

import settings
from connectors.message_bus import keys
from connectors.message_bus.inbox import connect
from connectors.message_bus.turn import TrackerAppend, current_turn
from connectors.stores.tracker_state import state_as_events

TTL_S = 24 * 3600
KEPT_TURNS = 12
MAX_TURNS = 24


@dataclass(frozen=True)
class _Stored:
    """How much of a tracker object Redis holds: its last stored event, and the sizes of the arrays after the base."""

    last: Event | None = None
    sizes: tuple[int, ...] = ()


class RedisTrackerStore(TrackerStore):
    """Stores new events only and reads a bounded tail. Inside a turn, saving waits for the turn's commit."""

    def __init__(
        self,
        domain: Domain | None = None,
        host: str | None = None,
        event_broker: EventBroker | None = None,
        record_exp: float = TTL_S,
        kept_turns: int = KEPT_TURNS,
        most_turns: int = MAX_TURNS,
        **kwargs: Any,
    ) -> None:
        """`host` is a Redis URL (default: REDIS_URL); `record_exp` the seconds after which a tracker is forgotten."""
        super().__init__(domain, event_broker, **kwargs)
        self._client = connect(host or settings.load().redis_url or "redis://127.0.0.1:6379/0")
        self._ttl_s = int(record_exp)
        self._kept, self._most = kept_turns, most_turns
        self._tail = keys.Script(self._client, "tail")
        self._append = keys.Script(self._client, "append")

    async def retrieve(self, sender_id: str) -> DialogueStateTracker | None:
        """The tracker of the current session, bounded. Raises redis.RedisError."""
        return await self._load(sender_id, everything=False)

    async def retrieve_full_tracker(self, conversation_id: str) -> DialogueStateTracker | None:
        """The tracker with every event of the last 24 hours."""
        return await self._load(conversation_id, everything=True)

    async def exists(self, conversation_id: str) -> bool:
        return bool(await self._client.exists(keys.tracker(conversation_id)[0]))

    async def keys(self) -> Iterable[str]:
        """The sender ids of all trackers."""
        found = [name async for name in self._client.scan_iter("{wa:*}:tracker:*", count=1000, _type="list")]
        return [name.partition(":tracker:")[2] for name in found]

    async def create_tracker(self, sender_id: str, append_action_listen: bool = True) -> DialogueStateTracker:
        """A tracker for a conversation that `retrieve` did not find."""
        tracker = self.init_tracker(sender_id)
        tracker.stored = _Stored()
        if append_action_listen:
            tracker.update(ActionExecuted(ACTION_LISTEN_NAME))
        await self.save(tracker)
        return tracker

    async def save(self, tracker: DialogueStateTracker) -> None:
        """Append what is new, to the current turn or else to Redis. Raises redis.RedisError."""
        if (turn := current_turn.get()) is not None and (language := tracker.slots.get("language")) is not None:
            turn.language = language.value
        stored: _Stored | None = getattr(tracker, "stored", None)
        if stored is None:
            stored, new = await self._compare(tracker)
        else:
            new = _after(tracker, stored.last)
        if not new:
            return
        if self.event_broker is not None:
            await self._stream_new_events(self.event_broker, new, tracker.sender_id)
        append, tracker.stored = self._appendix(tracker, stored, new)
        await self._write(append)

    async def _write(self, append: TrackerAppend) -> None:
        turn = current_turn.get()
        if turn is not None:
            turn.appends.append(append)
            return
        tail = "" if append.tail_chunks is None else append.tail_chunks
        await self._append(keys.tracker(append.sender_id), [self._ttl_s, tail, append.preamble, *append.chunks])

    async def _load(self, sender_id: str, everything: bool) -> DialogueStateTracker | None:
        turn = current_turn.get()
        kept = turn.stored_tracker if turn is not None and turn.entry.customer == sender_id and not everything else None
        preamble, *chunks = kept or await self._tail(keys.tracker(sender_id), [int(everything)])
        preamble, chunks = _with_pending(sender_id, preamble, chunks, everything)
        if not chunks:
            return None
        arrays = [json.loads(chunk) for chunk in chunks]
        tracker = self.init_tracker(sender_id)
        tracker._reset()
        tracker.events.extend(
            deserialise_events([raw for array in [json.loads(preamble), *arrays] for raw in array])
        )
        tracker.replay_events()
        if not everything:
            last = tracker.events[-1] if tracker.events else None
            tracker.stored = _Stored(last, tuple(len(array) for array in arrays))
        return tracker

    async def _compare(self, tracker: DialogueStateTracker) -> tuple[_Stored, list[Event]]:
        """What is new in a tracker that was not read from here: everything later than the last stored event."""
        known = await self.retrieve(tracker.sender_id)
        if known is None or not known.events:
            return _Stored(), list(tracker.events)
        latest = known.events[-1].timestamp
        return replace(known.stored, last=None), [e for e in tracker.events if e.timestamp > latest]

    def _appendix(
        self, tracker: DialogueStateTracker, stored: _Stored, new: list[Event]
    ) -> tuple[TrackerAppend, _Stored]:
        """The new events as they will be stored, with a new base where one is due."""
        pieces, starts_session = _pieces(new)
        chunks = tuple(json.dumps([e.as_dict() for e in piece], separators=(",", ":")) for piece in pieces)
        sizes = (*stored.sizes, *(len(piece) for piece in pieces))
        if starts_session:
            base = TrackerAppend(tracker.sender_id, chunks, tail_chunks=1)
            return base, _Stored(new[-1], sizes[-1:])
        if len(sizes) > self._most and tracker._max_event_history is None:
            kept, head = self._compact(tracker, sizes)
            tail = list(tracker.events)[-sum(sizes[-kept:]) :]
            if self._leads_to(tracker, [*head, *tail]):
                preamble = json.dumps([e.as_dict() for e in head], separators=(",", ":"))
                rebased = TrackerAppend(tracker.sender_id, chunks, kept, preamble)
                return rebased, _Stored(new[-1], sizes[-kept:])
        return TrackerAppend(tracker.sender_id, chunks), _Stored(new[-1], sizes)

    def _leads_to(self, tracker: DialogueStateTracker, events: list[Event]) -> bool:
        """Whether these events bring a tracker to this one's state: what is taken back may lie before them."""
        again = self.init_tracker(tracker.sender_id)
        again._reset()
        again.events.extend(events)
        again.replay_events()
        return _told(again) == _told(tracker)

    def _compact(self, tracker: DialogueStateTracker, sizes: tuple[int, ...]) -> tuple[int, list[Event]]:
        """How many arrays stay, and the events for the rest. Prefers a cut where no loop is active."""
        events = list(tracker.events)
        replayed = self.init_tracker(tracker.sender_id)
        position = 0
        kept, head = self._kept, list[Event]()
        start = len(events) - sum(sizes)
        for dropped in range(1, len(sizes) - self._kept + 1):
            end = start + sum(sizes[:dropped])
            for event in events[position:end]:
                replayed.update(event)
            position = end
            if replayed.active_loop is None or dropped == len(sizes) - self._kept:
                if replayed.active_loop is not None and kept != self._kept:
                    break
                kept = len(sizes) - dropped
                head = state_as_events(replayed)
        return kept, head


def _told(tracker: DialogueStateTracker) -> list[dict[str, Any]]:
    """The state as plain values, whenever it came to be."""
    return [{**event.as_dict(), "timestamp": None} for event in state_as_events(tracker)]


def _after(tracker: DialogueStateTracker, last: Event | None) -> list[Event]:
    """The events behind `last`, which is told by identity: many events equal each other."""
    new = []
    for event in reversed(tracker.events):
        if event is last:
            break
        new.append(event)
    return new[::-1]


def _pieces(new: list[Event]) -> tuple[list[list[Event]], bool]:
    """The new events, split where the last session starts; and whether one does."""
    for index in range(len(new) - 1, -1, -1):
        event = new[index]
        if isinstance(event, ActionExecuted) and event.action_name == ACTION_SESSION_START_NAME:
            return [piece for piece in (new[:index], new[index:]) if piece], True
    return [new], False


def _with_pending(
    sender_id: str, preamble: str, chunks: list[str], everything: bool
) -> tuple[str, list[str]]:
    """What Redis holds plus what the current turn will add to it."""
    turn = current_turn.get()
    for append in islice(turn.appends if turn else (), None):
        if append.sender_id != sender_id:
            continue
        chunks = [*chunks, *append.chunks]
        if append.tail_chunks is not None and not everything:
            preamble, chunks = append.preamble, chunks[-append.tail_chunks :]
    return preamble, chunks
