"""Predictions and understanding in a thread: the same steps, and an event loop that runs on."""

from __future__ import annotations

import asyncio
import time
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from rasa.core.channels.channel import UserMessage
from rasa.core.processor import MessageProcessor
from rasa.exceptions import ActionLimitReached
from rasa.shared.core.events import (
    ConversationPaused,
)
from rasa.shared.core.trackers import DialogueStateTracker

from connectors.rasa_patches import graph_thread
from tests.connectors.stores.test_tracker_store import DOMAIN


class ScriptedProcessor(MessageProcessor):
    """A processor whose predictions and actions are scripted; it notes what is asked of it."""

    def __init__(self, script: list[Any]) -> None:
        self.script, self.notes = list(script), []
        self.nlg = self.http_interpreter = None
        self.on_circuit_break = lambda *_: self.notes.append("circuit break")

    def predict_next_with_tracker_if_should(self, tracker: Any) -> Any:
        step = self.script.pop(0) if self.script else "listen"
        self.notes.append(f"predict {step}")
        if step == "limit":
            raise ActionLimitReached
        if step == "broken":
            raise ValueError("no policy")
        return step, SimpleNamespace(is_end_to_end_prediction=step == "e2e")

    async def _run_action(self, action: str, tracker: Any, *_: Any) -> bool:
        self.notes.append(f"run {action}")
        if action == "pause":
            tracker.update(ConversationPaused())
        return action != "listen"

    async def run_action_extract_slots(self, output_channel: Any, tracker: Any) -> Any:
        self.notes.append("extract slots")
        return tracker

    def _parse_message_with_graph(self, message: Any, tracker: Any, only_output_properties: bool) -> dict[str, Any]:
        self.notes.append(f"parse {message.text} {tracker.sender_id} {only_output_properties}")
        return {"text": message.text, "intent": {"name": "greet"}, "entities": []}

    def _check_for_unseen_features(self, parse_data: dict[str, Any]) -> None:
        self.notes.append(f"check {parse_data['intent']['name']}")


async def notes_of(loop: Any, script: list[str]) -> tuple[list[str], str]:
    processor = ScriptedProcessor(script)
    tracker = DialogueStateTracker.from_events("91", [], DOMAIN.slots)
    try:
        await loop(processor, None, tracker)
    except ValueError as error:
        return processor.notes, str(error)
    return processor.notes, ""


@hypothesis_settings(max_examples=50, deadline=None)
@given(script=st.lists(st.sampled_from(["utter", "e2e", "limit", "pause", "broken", "listen"]), max_size=6))
def test_predictions_in_a_thread_take_the_same_steps(script: list[str]) -> None:
    ours = asyncio.run(notes_of(graph_thread.run_prediction_loop, script))
    assert ours == asyncio.run(notes_of(graph_thread.stock_run_prediction_loop, script))


@pytest.mark.parametrize("tracker", [None, DialogueStateTracker.from_events("92", [], DOMAIN.slots)])
async def test_understanding_in_a_thread_gives_the_same_answer(tracker: DialogueStateTracker | None) -> None:
    ours, theirs = ScriptedProcessor([]), ScriptedProcessor([])
    message = UserMessage("hello", sender_id="91")
    expected = await graph_thread.stock_parse_message(theirs, message, tracker)
    assert await graph_thread.parse_message(ours, message, tracker) == expected
    assert ours.notes == theirs.notes


async def test_the_event_loop_runs_on_while_a_message_is_understood() -> None:
    processor = ScriptedProcessor([])
    processor._parse_message_with_graph = lambda *_: time.sleep(0.2) or {"text": "", "intent": {}, "entities": []}  # type: ignore[method-assign]
    processor._check_for_unseen_features = lambda _: None  # type: ignore[method-assign]
    parsing = asyncio.create_task(graph_thread.parse_message(processor, UserMessage("hi", sender_id="91")))
    ticks = 0
    while not parsing.done():
        await asyncio.sleep(0.01)
        ticks += 1
    assert ticks >= 5
