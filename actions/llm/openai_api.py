"""OpenAI's chat completions, or any server that speaks them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from actions.llm.client import MAX_TOKENS, NO_USAGE, LlmClient, LlmFailed, Usage

if TYPE_CHECKING:
    from openai.types.chat import ChatCompletion


class OpenAIApi:
    """The API at `base_url` (None: OpenAI's). One retry at most, and none once the time is up."""

    provider = "openai"

    def __init__(self, api_key: str, base_url: str | None, timeout_s: float) -> None:
        # Imported here and not in the first question's time: it takes a second.
        import openai

        self.sdk = openai
        self.connections = openai.AsyncOpenAI(api_key=api_key, base_url=base_url, timeout=timeout_s, max_retries=1)
        self._completions = self.connections.chat.completions

    async def create(self, **request: Any) -> ChatCompletion:
        completion: ChatCompletion = await self._completions.create(**request)
        return completion

    def usage_of(self, answer: ChatCompletion) -> Usage:
        """The tokens of the completion; some servers do not count them."""
        return Usage(answer.usage.prompt_tokens, answer.usage.completion_tokens) if answer.usage else NO_USAGE

    def text_of(self, answer: ChatCompletion) -> str:
        """The first choice's words."""
        choice = answer.choices[0]
        if choice.message.refusal or choice.finish_reason == "content_filter":
            raise LlmFailed("refusal")
        if choice.finish_reason == "length":
            raise LlmFailed("max_tokens")
        if not choice.message.content:
            raise LlmFailed("empty")
        return choice.message.content

    def structured(self, instructions: str, text: str, schema: dict[str, Any]) -> dict[str, Any]:
        return {
            "max_completion_tokens": MAX_TOKENS,
            "messages": [{"role": "system", "content": instructions}, {"role": "user", "content": text}],
            "response_format": json_format("reading", schema),
        }


def json_format(name: str, wanted: dict[str, Any]) -> Any:
    """The `response_format` of a strict JSON schema."""
    return {"type": "json_schema", "json_schema": {"name": name, "strict": True, "schema": wanted}}


def openai_client(api_key: str, model: str, base_url: str | None = None, timeout_s: float = 8.0) -> LlmClient:
    """A client of one of OpenAI's models, or of another server's."""
    return LlmClient(OpenAIApi(api_key, base_url, timeout_s), model)
