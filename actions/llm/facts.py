"""What the conversation log keeps of a call."""

from typing import Protocol

from actions.llm.client import Usage


class Account(Protocol):
    """A result that an LLM may have had a part in. `verdict` tells what became of its answer."""

    @property
    def provider(self) -> str: ...
    @property
    def model(self) -> str | None: ...
    @property
    def verdict(self) -> str: ...
    @property
    def usage(self) -> Usage: ...
    @property
    def latency_ms(self) -> int: ...


def facts(account: Account) -> dict[str, str | int | None]:
    """The account as it goes along with a reply, under `llm`."""
    return {
        "provider": account.provider,
        "model": account.model,
        "verdict": account.verdict,
        "latency_ms": account.latency_ms,
        "input_tokens": account.usage.input_tokens,
        "output_tokens": account.usage.output_tokens,
    }
