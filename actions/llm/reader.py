"""An LLM as the reader of a conversation: what the newest message means, as commands of a closed list.

Within a time budget, and only redacted words go out. What may come of a command is decided by who asked.
"""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from actions.llm import metrics
from actions.llm.client import LlmClient, LlmFailed, Usage, within
from actions.llm.commands import CANNOT_TELL, Command, instructions, parsed, schema

log = logging.getLogger(__name__)

READ, UNCLEAR, IMPOSSIBLE = "read", "unclear", "impossible"


@dataclass(frozen=True)
class Reading:
    """What came of asking: no commands where the assistant's own reading stands; `verdict` says why, in a word."""

    commands: tuple[Command, ...]
    verdict: str
    provider: str
    model: str
    usage: Usage
    latency_ms: int


class Reader:
    """Asks `client` for at most `budget_s` seconds."""

    def __init__(self, client: LlmClient, budget_s: float) -> None:
        self._client = client
        self._budget_s = budget_s

    async def read(self, conversation: str, possible: Callable[[Command], bool]) -> Reading:
        """The commands for the newest message of `conversation` (redacted), if all of them are `possible`.

        Never raises for what the LLM does.
        """
        started = time.monotonic()
        commands: tuple[Command, ...] = ()
        try:
            commands, usage = await within(self._budget_s, self._asked(conversation))
            verdict = READ
            if any(command.name == CANNOT_TELL for command in commands):
                commands, verdict = (), UNCLEAR
            elif not all(map(possible, commands)):
                commands, verdict = (), IMPOSSIBLE
        except LlmFailed as failure:
            verdict, usage = failure.reason, failure.usage
        seconds = time.monotonic() - started
        provider, model = self._client.provider, self._client.model
        metrics.count(provider, metrics.READING, metrics.outcome_of(verdict), seconds, usage)
        log.info("llm.message.read provider=%s verdict=%s latency_ms=%d", provider, verdict, round(seconds * 1000))
        return Reading(commands, verdict, provider, model, usage, round(seconds * 1000))

    async def _asked(self, conversation: str) -> tuple[tuple[Command, ...], Usage]:
        def read(answer: Any, usage: Usage) -> tuple[tuple[Command, ...], Usage]:
            return parsed(self._client.api.text_of(answer)), usage

        return await self._client.ask(read, **self._client.api.structured(instructions(), conversation, schema()))
