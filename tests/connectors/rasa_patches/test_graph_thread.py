"""Understanding in a thread: the same steps, and an event loop that runs on."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import pytest
from rasa.core.channels.channel import UserMessage
from rasa.core.processor import MessageProcessor
from rasa.shared.core.trackers import DialogueStateTracker

from connectors.rasa_patches import graph_thread
from tests.connectors.stores.test_tracker_store import DOMAIN


class ScriptedProcessor(MessageProcessor):
    """A processor whose understanding is scripted; it notes what is asked of it."""

    def __init__(self) -> None:
        self.notes: list[str] = []
        self.http_interpreter = None

    def _parse_message_with_graph(self, message: Any, tracker: Any, only_output_properties: bool) -> dict[str, Any]:
        self.notes.append(f"parse {message.text} {tracker.sender_id} {only_output_properties}")
        return {"text": message.text, "intent": {"name": "greet"}, "entities": []}

    def _check_for_unseen_features(self, parse_data: dict[str, Any]) -> None:
        self.notes.append(f"check {parse_data['intent']['name']}")


@pytest.mark.parametrize("tracker", [None, DialogueStateTracker.from_events("92", [], DOMAIN.slots)])
async def test_understanding_in_a_thread_gives_the_same_answer(tracker: DialogueStateTracker | None) -> None:
    ours, theirs = ScriptedProcessor(), ScriptedProcessor()
    message = UserMessage("hello", sender_id="91")
    expected = await graph_thread.stock_parse_message(theirs, message, tracker)
    assert await graph_thread.parse_message(ours, message, tracker) == expected
    assert ours.notes == theirs.notes


async def test_the_event_loop_runs_on_while_a_message_is_understood() -> None:
    processor = ScriptedProcessor()
    processor._parse_message_with_graph = lambda *_: time.sleep(0.2) or {"text": "", "intent": {}, "entities": []}  # type: ignore[method-assign]
    processor._check_for_unseen_features = lambda _: None  # type: ignore[method-assign]
    parsing = asyncio.create_task(graph_thread.parse_message(processor, UserMessage("hi", sender_id="91")))
    ticks = 0
    while not parsing.done():
        await asyncio.sleep(0.01)
        ticks += 1
    assert ticks >= 5
