"""Replaying trackers with less ado: the tracker's side of `connectors.speedups`.

Every prediction replays the tracker several times, and most of that time went into asking abstract classes whether an
event is theirs. Here a class is asked once; and policies that ask for the same states get copies of the same answer.
"""

from __future__ import annotations

from typing import Any

from rasa.shared.constants import ASSISTANT_ID_KEY
from rasa.shared.core.domain import Domain
from rasa.shared.core.events import (
    ActionExecuted,
    ActionReverted,
    ActiveLoop,
    Event,
    Restarted,
    SessionStarted,
    UserUtteranceReverted,
)
from rasa.shared.core.trackers import DialogueStateTracker
from rasa.shared.nlu.constants import METADATA_MODEL_ID

stock_update = DialogueStateTracker.update
stock_applied_events = DialogueStateTracker.applied_events
stock_past_states = DialogueStateTracker.past_states

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
    last = self.events[-1] if self.events else None
    matters = rule_only_data if ignore_rule_only_turns else None
    kept = self.__dict__.setdefault("_kept_states", {})
    key = (len(self.events), omit_unset_slots, ignore_rule_only_turns)
    found = kept.get(key)
    if found is None or found[0] is not domain or found[1] is not last or found[2] != matters:
        states = stock_past_states(self, domain, omit_unset_slots, ignore_rule_only_turns, rule_only_data)
        if kept and next(iter(kept))[0] != key[0]:
            kept.clear()
        found = kept[key] = (domain, last, matters, states)
    return [{name: dict(part) if isinstance(part, dict) else part for name, part in s.items()} for s in found[3]]


def install() -> None:
    """Put them into the class."""
    DialogueStateTracker.update = update
    DialogueStateTracker.applied_events = applied_events
    DialogueStateTracker.past_states = past_states


def uninstall() -> None:
    """Back to stock."""
    DialogueStateTracker.update = stock_update
    DialogueStateTracker.applied_events = stock_applied_events
    DialogueStateTracker.past_states = stock_past_states
