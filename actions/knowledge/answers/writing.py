"""What an answer-writing LLM must do for us, whichever company runs it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from actions.knowledge.pages.documents import Section
from actions.llm.client import Usage


@dataclass(frozen=True)
class Draft:
    """What the LLM wrote, and the sentences of the pages that it leans on. `covered` is False: it found no answer."""

    text: str
    passages: tuple[str, ...]
    covered: bool
    model: str
    usage: Usage


class Writer(Protocol):
    """Writes an answer from sections. `provider` and `model` name it in the log."""

    provider: str
    model: str

    async def write(self, question: str, sections: Sequence[Section]) -> Draft:
        """A draft for `question` (already redacted) from `sections`, best first. Raises LlmFailed."""
        ...

    async def close(self) -> None:
        """Give back the connections."""
        ...
