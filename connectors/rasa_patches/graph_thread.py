"""Understanding and predicting in a thread of their own, so that the event loop stays free for webhooks.

Both are pure computation of some ten milliseconds each, in which stock Rasa answers nobody. One thread: the graph's
components never run beside themselves, as in stock Rasa. Part of `connectors.rasa_patches.speedups`.
"""

import asyncio
import logging
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from rasa.core.channels.channel import OutputChannel, UserMessage
from rasa.core.processor import MessageProcessor
from rasa.exceptions import ActionLimitReached
from rasa.shared.core.trackers import DialogueStateTracker

log = logging.getLogger(__name__)

# How long the event loop waits at most until the thread lets it run; Python's default is 5 ms.
SWITCH_INTERVAL_S = 0.001

stock_parse_message = MessageProcessor.parse_message
stock_run_prediction_loop = MessageProcessor._run_prediction_loop

_thread = ThreadPoolExecutor(1, "graph")


async def _in_thread(function: Callable[..., Any], *arguments: Any) -> Any:
    return await asyncio.get_running_loop().run_in_executor(_thread, function, *arguments)


async def parse_message(
    self: MessageProcessor,
    message: UserMessage,
    tracker: DialogueStateTracker | None = None,
    only_output_properties: bool = True,
) -> dict[str, Any]:
    """As MessageProcessor.parse_message."""
    if self.http_interpreter:
        return dict(await stock_parse_message(self, message, tracker, only_output_properties))
    if tracker is None:
        tracker = DialogueStateTracker.from_events(message.sender_id, [])
    parsed = await _in_thread(self._parse_message_with_graph, message, tracker, only_output_properties)
    self._update_full_retrieval_intent(parsed)
    self._check_for_unseen_features(parsed)
    return dict(parsed)


async def run_prediction_loop(
    self: MessageProcessor, output_channel: OutputChannel, tracker: DialogueStateTracker
) -> None:
    """As MessageProcessor._run_prediction_loop."""
    goes_on = True
    while goes_on and self._should_handle_message(tracker):
        try:
            action, prediction = await _in_thread(self.predict_next_with_tracker_if_should, tracker)
        except ActionLimitReached:
            log.warning("dialogue.actions.too_many")
            if self.on_circuit_break:
                self.on_circuit_break(tracker, output_channel, self.nlg)
            break
        if prediction.is_end_to_end_prediction:
            tracker = await self.run_action_extract_slots(output_channel, tracker)
        goes_on = await self._run_action(action, tracker, output_channel, self.nlg, prediction)


def install() -> None:
    """Put them into the class."""
    sys.setswitchinterval(SWITCH_INTERVAL_S)
    MessageProcessor.parse_message = parse_message
    MessageProcessor._run_prediction_loop = run_prediction_loop


def uninstall() -> None:
    """Back to stock."""
    sys.setswitchinterval(0.005)
    MessageProcessor.parse_message = stock_parse_message
    MessageProcessor._run_prediction_loop = stock_run_prediction_loop
