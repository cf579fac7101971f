"""Replaying trackers faster: the tracker's side of `connectors.rasa_patches.speedups`.

Every prediction replays the tracker several times, and most of that time went into asking abstract classes whether an
event is theirs. Here a class is asked once; policies that ask for the same states get copies of the same answer; the
copy of a tracker is a copy of its state, not one more replay; and a slot, of which every tracker copies each, is copied
without asking `copyreg` how.
"""

import copy
import operator
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from rasa.shared.constants import ASSISTANT_ID_KEY
from rasa.shared.core.domain import Domain, State
from rasa.shared.core.events import (
    ActionExecuted,
    ActionReverted,
    ActiveLoop,
    Event,
    Restarted,
    SessionStarted,
    UserUtteranceReverted,
)
from rasa.shared.core.slots import Slot
from rasa.shared.core.trackers import AnySlotDict, DialogueStateTracker
from rasa.shared.nlu.constants import METADATA_MODEL_ID

stock_applied_events = DialogueStateTracker.applied_events
stock_past_states = DialogueStateTracker.past_states
stock_copy = DialogueStateTracker.copy

_RESET, _REVERT, _LOOP, _ACTION, _OTHER = range(5)
_kinds: dict[type, int] = {}


def _kind(event_class: type) -> int:
    """What `applied_events` has to do with events of this class."""
    kind = _kinds.get(event_class)
    if kind is None:
        if not issubclass(event_class, Event):
            raise ValueError("event to log must be an instance of a subclass of Event.")
        if issubclass(event_class, (Restarted, SessionStarted)):
            kind = _RESET
        elif issubclass(event_class, (ActionReverted, UserUtteranceReverted)):
            kind = _REVERT
        elif issubclass(event_class, ActiveLoop):
            kind = _LOOP
        else:
            kind = _ACTION if issubclass(event_class, ActionExecuted) else _OTHER
        _kinds[event_class] = kind
    return kind


def update(self: DialogueStateTracker, event: Event, domain: Domain | None = None) -> None:
    """As DialogueStateTracker.update."""
    _kind(type(event))
    if self.model_id and METADATA_MODEL_ID not in event.metadata:
        event.metadata = {**event.metadata, METADATA_MODEL_ID: self.model_id}
    if self.assistant_id and ASSISTANT_ID_KEY not in event.metadata:
        event.metadata = {**event.metadata, ASSISTANT_ID_KEY: self.assistant_id}
    self.events.append(event)
    event.apply_to(self)


def applied_events(self: DialogueStateTracker) -> list[Event]:
    """As DialogueStateTracker.applied_events, which is asked where something is undone or a loop has run."""
    applied: list[Event] = []
    loops = set()
    undoes = False
    for event in self.events:
        kind = _kind(type(event))
        if kind == _RESET:
            applied, undoes = [], False
            continue
        if kind == _REVERT:
            undoes = True
        elif kind == _LOOP and event.name:
            loops.add(event.name)
        applied.append(event)
    if undoes or (loops and any(_kind(type(e)) == _ACTION and e.action_name in loops for e in applied)):
        return list(stock_applied_events(self))
    return applied


def past_states(
    self: DialogueStateTracker,
    domain: Domain,
    omit_unset_slots: bool = False,
    ignore_rule_only_turns: bool = False,
    rule_only_data: dict[str, Any] | None = None,
) -> list[Any]:
    """As DialogueStateTracker.past_states; asked again before anything happened, it copies its last answers."""
    matters = rule_only_data if ignore_rule_only_turns else None
    return _kept(
        self, (omit_unset_slots, ignore_rule_only_turns), (domain, matters),
        lambda: stock_past_states(self, domain, omit_unset_slots, ignore_rule_only_turns, rule_only_data),
    )  # fmt: skip


def latest_states(tracker: DialogueStateTracker, domain: Domain, count: int) -> list[State]:
    """The last `count` of the tracker's past states (all turns, unset slots too); those before are not described."""
    return _kept(tracker, ("latest", count), (domain, None), lambda: _describe_latest(tracker, domain, count))


@dataclass
class _Described:
    """How far a conversation was described: the events, the tracker that they lead to, the latest states before it."""

    given: tuple[Domain, int]
    replayed: DialogueStateTracker
    events: list[Event] = field(default_factory=list)
    states: list[State] = field(default_factory=list)

    def goes_on_with(self, events: list[Event]) -> bool:
        return len(self.events) <= len(events) and all(map(operator.is_, self.events, events))


def _describe_latest(tracker: DialogueStateTracker, domain: Domain, count: int) -> list[State]:
    """Goes on where the prediction before it ended, as long as nothing was undone meanwhile."""
    events, given = tracker.applied_events(), (domain, count)
    known: _Described | None = tracker.__dict__.get("_described")
    if known is None or known.given != given or not known.goes_on_with(events):
        known = tracker.__dict__["_described"] = _Described(given, tracker.init_copy())
    new, known.events = events[len(known.events) :], events
    left_out = sum(_kind(type(event)) == _ACTION for event in new) + 1 - count
    for event in new:
        if _kind(type(event)) == _ACTION:
            if left_out <= 0:
                known.states.append(domain.get_active_state(known.replayed))
            left_out -= 1
        known.replayed.update(event)
    del known.states[:-count]
    return [*known.states, domain.get_active_state(known.replayed)][-count:]


def _kept(
    tracker: DialogueStateTracker, question: tuple[Any, ...], given: tuple[Domain, Any], ask: Callable[[], list[State]]
) -> list[State]:
    """A copy of the answer to a question about a tracker, kept until something happens."""
    last = tracker.events[-1] if tracker.events else None
    kept = tracker.__dict__.setdefault("_kept_states", {})
    key = (len(tracker.events), *question)
    found = kept.get(key)
    if found is None or found[0][0] is not given[0] or found[0][1] != given[1] or found[1] is not last:
        states = ask()
        if kept and next(iter(kept))[0] != key[0]:
            kept.clear()
        found = kept[key] = (given, last, states)
    return [{name: dict(part) if isinstance(part, dict) else part for name, part in s.items()} for s in found[2]]


def copy_tracker(self: DialogueStateTracker) -> DialogueStateTracker:
    """As DialogueStateTracker.copy, which makes a new tracker and replays everything."""
    if not isinstance(self.slots, dict) or isinstance(self.slots, AnySlotDict):
        return stock_copy(self)
    twin = copy.copy(self)
    for ours in ("_kept_states", "_described", "stored"):
        twin.__dict__.pop(ours, None)
    twin.events = copy.copy(self.events)
    twin.slots = {name: copy_slot(slot) for name, slot in self.slots.items()}
    twin.latest_action = copy.copy(self.latest_action)
    twin.active_loop = copy.copy(self.active_loop)
    twin.sender_source = twin.model_id = twin.assistant_id = None
    return twin


def copy_slot(self: Slot) -> Slot:
    """What `copy.copy` makes of an object that does not say how: one of its class with the same attributes."""
    twin: Slot = object.__new__(type(self))
    twin.__dict__.update(self.__dict__)
    return twin


REPLACED = (
    (DialogueStateTracker, "update", update),
    (DialogueStateTracker, "applied_events", applied_events),
    (DialogueStateTracker, "past_states", past_states),
    (DialogueStateTracker, "copy", copy_tracker),
    (Slot, "__copy__", copy_slot),
)
