"""A tracker's state as the few events that lead to it, in place of all the events that did."""

from rasa.shared.core.constants import ACTION_LISTEN_NAME, ACTION_SESSION_START_NAME
from rasa.shared.core.events import (
    ActionExecuted,
    ActionExecutionRejected,
    ActiveLoop,
    ConversationPaused,
    Event,
    FollowupAction,
    LoopInterrupted,
    SessionStarted,
    SlotSet,
)
from rasa.shared.core.trackers import DialogueStateTracker


def state_as_events(tracker: DialogueStateTracker) -> list[Event]:
    """Events that bring a blank tracker to the same slots, loop, pause, latest action and follow-up.

    They begin like a session that carries its slots over. The latest message is not among them: it belongs to a turn.
    """
    at = tracker.events[-1].timestamp if tracker.events else None
    events: list[Event] = [ActionExecuted(ACTION_SESSION_START_NAME, timestamp=at), SessionStarted(timestamp=at)]
    for slot in tracker.slots.values():
        if slot.value != slot.initial_value:
            events.append(SlotSet(slot.name, slot.value, timestamp=at))
    loop = tracker.active_loop
    if loop is not None:
        events.append(ActiveLoop(loop.name, timestamp=at))
    if tracker.is_paused():
        events.append(ConversationPaused(timestamp=at))
    latest = (tracker.latest_action or {}).get("action_name") or ACTION_LISTEN_NAME
    rejected = [ActionExecutionRejected(loop.name, timestamp=at)] if loop is not None and loop.rejected else []
    # Before the latest action, where it stands in a conversation: a revert takes back the latest action and no more.
    # The loop's own action would clear it.
    before, after = ([], rejected) if loop is not None and latest == loop.name else (rejected, [])
    events += [*before, ActionExecuted(latest, timestamp=at), *after]
    if loop is not None and loop.is_interrupted:
        events.append(LoopInterrupted(True, timestamp=at))
    if tracker.followup_action:
        events.append(FollowupAction(tracker.followup_action, timestamp=at))
    return events
