"""Answers by Anthropic's Messages API, with citations.

Each section is a `search_result` block with one text block a sentence, the smallest thing that it can cite; what comes
back as `cited_text` is a real span by the API's guarantee, and is looked up here all the same. Citations and structured
output exclude each other.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from actions.knowledge.answers.prompts import CITED, NOT_COVERED, as_data, for_shop
from actions.knowledge.answers.writing import Draft
from actions.knowledge.pages.documents import Section
from actions.llm.client import LlmClient, LlmFailed, Usage

if TYPE_CHECKING:
    from anthropic.types import Message

MAX_TOKENS = 1500


class AnthropicWriter:
    """The Messages API with the sections as search results."""

    def __init__(self, client: LlmClient) -> None:
        self._client = client
        self.provider, self.model = client.provider, client.model
        self._instructions = for_shop(CITED)

    async def write(self, question: str, sections: Sequence[Section]) -> Draft:
        """Raises LlmFailed."""
        return await self._client.ask(
            lambda message, usage: self._draft(message, sections, usage),
            max_tokens=MAX_TOKENS,
            system=self._instructions,
            messages=[{"role": "user", "content": _content(question, sections)}],
        )

    async def close(self) -> None:
        """Give back the connections."""
        await self._client.close()

    def _draft(self, message: Message, sections: Sequence[Section], usage: Usage) -> Draft:
        text = self._client.api.text_of(message)
        passages = tuple(
            passage
            for block in message.content
            if block.type == "text"
            for citation in block.citations or []
            for passage in _cited(citation, sections)
        )
        return Draft(text, passages, NOT_COVERED not in text, message.model, usage)


def _content(question: str, sections: Sequence[Section]) -> list[Any]:
    results = [
        {
            "type": "search_result",
            "source": section.key,
            "title": f"{section.page_title}: {section.heading}",
            "content": [{"type": "text", "text": sentence} for sentence in section.sentences],
            "citations": {"enabled": True},
        }
        for section in sections
    ]
    return [*results, {"type": "text", "text": as_data(question)}]


def _cited(citation: Any, sections: Sequence[Section]) -> tuple[str, ...]:
    """The sentences that a citation points at; LlmFailed when it points at nothing of ours."""
    index, start, end = citation.search_result_index, citation.start_block_index, citation.end_block_index
    if not 0 <= index < len(sections) or citation.source != sections[index].key:
        raise LlmFailed("wrong_citation")
    sentences = sections[index].sentences[start:end]
    if start < 0 or not sentences or _squeezed("".join(sentences)) != _squeezed(citation.cited_text):
        raise LlmFailed("wrong_citation")
    return sentences


def _squeezed(text: str) -> str:
    return "".join(text.split())
