"""Our tracker store against Rasa's own: the same conversations must lead to the same dialogue."""

from __future__ import annotations

import asyncio
import copy
import time
from collections.abc import Callable
from typing import Any

import pytest
import redis
from hypothesis import HealthCheck, example, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from rasa.core.tracker_store import InMemoryTrackerStore
from rasa.shared.core.domain import Domain
from rasa.shared.core.events import (
    ActionExecuted,
    ActionExecutionRejected,
    ActionReverted,
    ActiveLoop,
    AllSlotsReset,
    BotUttered,
    ConversationPaused,
    ConversationResumed,
    Event,
    FollowupAction,
    LoopInterrupted,
    Restarted,
    SessionStarted,
    SlotSet,
    UserUtteranceReverted,
    UserUttered,
)
from rasa.shared.core.trackers import DialogueStateTracker

from connectors.message_bus import keys
from connectors.message_bus.inbox import Entry
from connectors.message_bus.turn import Turn, current_turn
from connectors.stores.tracker_store import RedisTrackerStore

DOMAIN = Domain.from_yaml(
    """
version: "3.1"
intents: [greet, inform]
entities: [number]
slots:
  number: {type: text, mappings: [{type: from_entity, entity: number}]}
  count: {type: float, initial_value: 0, influence_conversation: false, mappings: [{type: custom}]}
  flag: {type: bool, mappings: [{type: custom}]}
  items: {type: list, influence_conversation: false, mappings: [{type: custom}]}
forms:
  order_form: {required_slots: [number]}
responses:
  utter_hi: [{text: hi}]
  utter_bye: [{text: bye}]
actions: [action_look_up]
"""
)


def user(text: str, intent: str) -> list[Event]:
    parse: Any = {"intent": {"name": intent, "confidence": 0.9}, "entities": [], "text": text}
    return [UserUttered(text, parse["intent"], [], parse, message_id=text, input_channel="whatsapp")]


SLOT_EVENTS = st.one_of(
    st.builds(lambda v: [SlotSet("number", v)], st.sampled_from(["10234", "10235", None])),
    st.builds(lambda v: [SlotSet("count", v)], st.integers(0, 3)),
    st.builds(lambda v: [SlotSet("flag", v)], st.booleans()),
    st.builds(lambda v: [SlotSet("items", v)], st.lists(st.text(max_size=3), max_size=2)),
    st.builds(lambda: [AllSlotsReset()]),
)
ACTIONS = st.one_of(
    st.builds(lambda: [ActionExecuted("utter_hi"), BotUttered("hi", metadata={"utter_action": "utter_hi"})]),
    st.builds(lambda: [ActionExecuted("action_look_up", "RulePolicy", 1.0)]),
    st.builds(lambda: [ActionExecuted("order_form"), ActiveLoop("order_form"), SlotSet("requested_slot", "number")]),
    st.builds(lambda: [ActionExecuted("order_form"), SlotSet("requested_slot", None), ActiveLoop(None)]),
    st.builds(lambda: [ActionExecutionRejected("order_form"), LoopInterrupted(True)]),
    st.builds(lambda: [ConversationPaused()]),
    st.builds(lambda: [ConversationResumed()]),
    st.builds(lambda: [FollowupAction("utter_bye")]),
    st.builds(lambda: [ActionReverted()]),
    SLOT_EVENTS,
)


def turn_of(parts: list[list[Event]], intent: str, ending: str) -> list[Event]:
    events = [*user(f"words {time.monotonic_ns()}", intent)]
    for part in parts:
        events.extend(part)
    if ending == "reverted":
        events.append(UserUtteranceReverted())
    elif ending == "restarted":
        events.append(Restarted())
    return [*events, ActionExecuted("action_listen")]


ENDINGS = st.sampled_from(["plain"] * 12 + ["reverted", "restarted"])
TURNS = st.builds(turn_of, st.lists(ACTIONS, max_size=4), st.sampled_from(["greet", "inform"]), ENDINGS)


def session_start() -> list[Event]:
    return [ActionExecuted("action_session_start"), SessionStarted(), ActionExecuted("action_listen")]


# A session starts over now and then, but most run long enough for their base to move.
STEPS = st.integers(0, 24).flatmap(lambda n: TURNS if n else st.builds(session_start))
CONVERSATIONS = st.lists(STEPS, min_size=1, max_size=45).map(lambda steps: [session_start(), *steps])
LONG_CONVERSATIONS = st.lists(STEPS, min_size=12, max_size=30).map(lambda steps: [session_start(), *steps])
QUICK = hypothesis_settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)


async def play(store: Any, steps: list[list[Event]], sender: str, through_turns: bool) -> None:
    """As the processor does it: read or create the tracker, add a turn's events, save."""
    for number, step in enumerate(steps):
        turn = Turn(Entry("message", sender, f"w{number}", {}), {})
        token = current_turn.set(turn if through_turns else None)
        try:
            tracker = await store.get_or_create_tracker(sender, append_action_listen=False)
            for event in step:
                tracker.update(copy.deepcopy(event), DOMAIN)
            await store.save(tracker)
        finally:
            current_turn.reset(token)
        if through_turns:
            for append in turn.appends:
                await store._write(append)


def state(tracker: DialogueStateTracker) -> dict[str, Any]:
    """What policies and actions can see of a tracker besides its list of events."""
    loop = tracker.active_loop
    return {
        "slots": tracker.current_slot_values(),
        "paused": tracker.is_paused(),
        "followup": tracker.followup_action,
        "latest_action": tracker.latest_action_name,
        "latest_message": tracker.latest_message.text if tracker.latest_message else None,
        "loop": (loop.name, loop.rejected, loop.is_interrupted) if loop else None,
    }


def dicts(events: Any) -> list[dict[str, Any]]:
    return [{k: v for k, v in e.as_dict().items() if k != "timestamp"} for e in events]


@pytest.mark.slow
@QUICK
@given(steps=CONVERSATIONS, through_turns=st.booleans())
def test_it_remembers_what_rasas_own_store_remembers(
    redis_url: str, steps: list[list[Event]], through_turns: bool
) -> None:
    async def scenario() -> None:
        sender = f"c{time.monotonic_ns()}"
        theirs = InMemoryTrackerStore(DOMAIN)
        ours = RedisTrackerStore(DOMAIN, redis_url, kept_turns=10_000, most_turns=20_000)
        await play(theirs, steps, sender, False)
        await play(ours, steps, sender, through_turns)
        expected, found = await theirs.retrieve(sender), await ours.retrieve(sender)
        assert expected is not None
        assert found is not None
        assert dicts(found.events) == dicts(expected.events)
        assert state(found) == state(expected)
        assert dicts(found.copy().events) == dicts(expected.copy().events)
        full = await ours.retrieve_full_tracker(sender)
        assert full is not None
        assert dicts(full.events) == dicts([event for step in steps for event in step])
        await ours._client.close(close_connection_pool=True)

    asyncio.run(scenario())


REJECTED_BEFORE_THE_BASE = [
    session_start(),
    *[turn_of([], "greet", "plain") for _ in range(2)],
    turn_of([[ActionExecuted("order_form"), ActiveLoop("order_form")]], "greet", "plain"),
    *[turn_of([], "greet", "plain") for _ in range(2)],
    turn_of([[ActionExecutionRejected("order_form"), LoopInterrupted(True)]], "greet", "plain"),
    turn_of([[ActionReverted()]], "greet", "plain"),
    *[turn_of([], "greet", "plain") for _ in range(3)],
]


TAKEN_BACK_FROM_BEFORE_THE_BASE = [
    session_start(),
    turn_of([], "greet", "plain"),
    turn_of([[ActionExecuted("utter_hi"), BotUttered("hi")], [SlotSet("items", [])]], "greet", "plain"),
    turn_of([], "greet", "plain"),
    turn_of([[ActionReverted()], [ActionReverted()], [ActionExecuted("utter_hi"), BotUttered("hi")]], "greet", "plain"),
    *[turn_of([], "greet", "plain") for _ in range(3)],
]


@pytest.mark.slow
@QUICK
@example(steps=REJECTED_BEFORE_THE_BASE)
@example(steps=TAKEN_BACK_FROM_BEFORE_THE_BASE)
@given(steps=LONG_CONVERSATIONS)
def test_a_bounded_tail_leads_to_the_same_state_and_the_same_recent_past(
    redis_url: str, steps: list[list[Event]]
) -> None:
    async def scenario() -> None:
        sender = f"c{time.monotonic_ns()}"
        theirs = InMemoryTrackerStore(DOMAIN)
        ours = RedisTrackerStore(DOMAIN, redis_url, kept_turns=4, most_turns=7)
        await play(theirs, steps, sender, False)
        await play(ours, steps, sender, True)
        expected, found = await theirs.retrieve(sender), await ours.retrieve(sender)
        assert expected is not None
        assert found is not None
        assert state(found) == state(expected)
        assert state(found.copy()) == state(expected.copy())
        # Reverts reach back behind the base only if there are more of them than turns kept; then nothing is compared.
        if not any(isinstance(e, (UserUtteranceReverted, ActionReverted)) for step in steps for e in step):
            theirs_past = expected.past_states(DOMAIN)[-4:]
            assert found.past_states(DOMAIN)[-len(theirs_past) :] == theirs_past
        await ours._client.close(close_connection_pool=True)

    asyncio.run(scenario())


@pytest.fixture
def make_store(redis_url: str) -> Callable[..., RedisTrackerStore]:
    return lambda **options: RedisTrackerStore(DOMAIN, redis_url, **options)


@pytest.mark.slow
async def test_a_long_conversation_is_read_as_a_bounded_tail(make_store: Callable[..., RedisTrackerStore]) -> None:
    store = make_store()
    steps = [session_start(), *([turn_of([[SlotSet("count", n)]], "greet", "plain") for n in range(300)])]
    await play(store, steps, "91", False)
    tracker = await store.retrieve("91")
    assert tracker is not None
    assert len(tracker.events) < 90
    assert tracker.get_slot("count") == 299
    full = await store.retrieve_full_tracker("91")
    assert full is not None
    assert len(full.events) == sum(len(step) for step in steps)


async def test_only_new_events_are_written(make_store: Callable[..., RedisTrackerStore], redis_url: str) -> None:
    store = make_store()
    await play(store, [session_start(), *[turn_of([], "greet", "plain") for _ in range(5)]], "91", False)
    chunks = redis.Redis.from_url(redis_url).lrange(keys.tracker("91")[0], 0, -1)
    assert len(chunks) == 6
    assert max(len(chunk) for chunk in chunks) < 1500


async def test_a_tracker_is_forgotten_after_a_day(make_store: Callable[..., RedisTrackerStore], redis_url: str) -> None:
    await play(make_store(), [session_start()], "91", False)
    client = redis.Redis.from_url(redis_url)
    assert 86_000 < client.ttl(keys.tracker("91")[0]) <= 86_400
    assert 86_000 < client.ttl(keys.tracker("91")[1]) <= 86_400


async def test_inside_a_turn_nothing_is_stored_but_what_was_saved_can_be_read(
    make_store: Callable[..., RedisTrackerStore],
) -> None:
    store = make_store()
    turn = Turn(Entry("message", "91", "w", {}), {})
    token = current_turn.set(turn)
    tracker = await store.get_or_create_tracker("91", append_action_listen=False)
    tracker.update_with_events(session_start(), DOMAIN)
    await store.save(tracker)
    again = await store.retrieve("91")
    assert again is not None
    assert dicts(again.events) == dicts(tracker.events)
    again.update(SlotSet("number", "10234"))
    await store.save(again)
    current_turn.reset(token)
    assert await store.retrieve("91") is None
    assert not await store.exists("91")
    assert len(turn.appends) == 2


async def test_a_turn_knows_the_language_of_its_dialogue(redis_url: str) -> None:
    speaks = "slots:\n  language: {type: categorical, values: [en, pt], mappings: [{type: custom}]}"
    store = RedisTrackerStore(DOMAIN.merge(Domain.from_yaml(speaks)), redis_url)
    turn = Turn(Entry("message", "91", "w", {}), {})
    token = current_turn.set(turn)
    tracker = await store.get_or_create_tracker("91")
    assert turn.language is None
    tracker.update(SlotSet("language", "pt"))
    await store.save(tracker)
    current_turn.reset(token)
    assert turn.language == "pt"


async def test_a_tracker_that_was_not_read_from_here_adds_only_what_is_later(
    make_store: Callable[..., RedisTrackerStore],
) -> None:
    store = make_store()
    await play(store, [session_start(), turn_of([], "greet", "plain")], "91", False)
    known = await store.retrieve("91")
    assert known is not None
    foreign = DialogueStateTracker.from_events("91", list(known.events), DOMAIN.slots)
    foreign.update(SlotSet("number", "10234"))
    await store.save(foreign)
    found = await store.retrieve("91")
    assert found is not None
    assert dicts(found.events) == [*dicts(known.events), *dicts(list(foreign.events)[-1:])]


async def test_keys_are_the_sender_ids(make_store: Callable[..., RedisTrackerStore]) -> None:
    store = make_store()
    await play(store, [session_start()], "91", False)
    await play(store, [session_start()], "92", False)
    assert sorted(await store.keys()) == ["91", "92"]
    assert await store.exists("91")


async def test_two_processes_that_append_at_once_lose_nothing(make_store: Callable[..., RedisTrackerStore]) -> None:
    first, second = make_store(), make_store()
    await play(first, [session_start()], "91", False)
    one, other = await first.retrieve("91"), await second.retrieve("91")
    assert one is not None
    assert other is not None
    one.update(SlotSet("number", "1"))
    other.update(SlotSet("count", 2))
    await asyncio.gather(first.save(one), second.save(other))
    merged = await first.retrieve("91")
    assert merged is not None
    assert (merged.get_slot("number"), merged.get_slot("count")) == ("1", 2)
