"""Understanding a message in a thread of its own, so that the event loop stays free for webhooks.

It is pure computation, of up to some hundred milliseconds for a long message with several sentences, in which stock
Rasa answers nobody. One thread: the components that understand never run beside themselves, as in stock Rasa.
Predicting stays in the event loop: it takes a millisecond by then, since what was embedded is remembered, and handing
it over took a tenth of a turn's processor time. Part of `connectors.rasa_patches.speedups`.
"""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from rasa.core.channels.channel import UserMessage
from rasa.core.processor import MessageProcessor
from rasa.shared.core.trackers import DialogueStateTracker

SWITCH_INTERVAL_S = 0.001
"""How long the event loop waits at most until the thread lets it run; Python's default is 5 ms."""

stock_parse_message = MessageProcessor.parse_message

_thread = ThreadPoolExecutor(1, "graph")


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
    loop = asyncio.get_running_loop()
    asked = message, tracker, only_output_properties
    parsed = await loop.run_in_executor(_thread, self._parse_message_with_graph, *asked)
    self._update_full_retrieval_intent(parsed)
    self._check_for_unseen_features(parsed)
    return dict(parsed)


REPLACED = ((MessageProcessor, "parse_message", parse_message),)
