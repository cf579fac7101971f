"""Anthropic's Messages API. It rejects `temperature` and its kin."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from actions.llm.client import MAX_TOKENS, LlmClient, LlmFailed, Usage

if TYPE_CHECKING:
    from anthropic.types import Message


class AnthropicApi:
    """The API at `base_url` (None: Anthropic's). One retry at most, and none once the time is up."""

    provider = "anthropic"

    def __init__(self, api_key: str, base_url: str | None, timeout_s: float) -> None:
        # Imported here and not in the first question's time: it takes a second.
        import anthropic

        self.sdk = anthropic
        self.connections = anthropic.AsyncAnthropic(
            api_key=api_key, base_url=base_url, timeout=timeout_s, max_retries=1
        )
        self._messages = self.connections.messages

    async def create(self, **request: Any) -> Message:
        message: Message = await self._messages.create(**request)
        return message

    def usage_of(self, answer: Message) -> Usage:
        return Usage(answer.usage.input_tokens, answer.usage.output_tokens)

    def text_of(self, answer: Message) -> str:
        """All text blocks joined."""
        if answer.stop_reason not in ("end_turn", "stop_sequence"):
            raise LlmFailed(str(answer.stop_reason or "malformed"))
        text = " ".join("".join(block.text for block in answer.content if block.type == "text").split())
        if not text:
            raise LlmFailed("empty")
        return text

    def structured(self, instructions: str, text: str, schema: dict[str, Any]) -> dict[str, Any]:
        """Structured output, with little thought: a customer waits."""
        return {
            "max_tokens": MAX_TOKENS,
            "system": instructions,
            "messages": [{"role": "user", "content": text}],
            "output_config": {"effort": "low", "format": {"type": "json_schema", "schema": schema}},
        }


def anthropic_client(api_key: str, model: str, base_url: str | None = None, timeout_s: float = 8.0) -> LlmClient:
    return LlmClient(AnthropicApi(api_key, base_url, timeout_s), model)
