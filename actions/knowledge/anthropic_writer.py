"""Answers by Anthropic's Messages API, with citations.

Each section is a `search_result` block with one text block a sentence, the smallest thing that it can cite; what comes
back as `cited_text` is a real span by the API's guarantee, and is looked up here all the same. The API rejects
`temperature` and its kin. Citations and structured output exclude each other.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from actions.knowledge.documents import Section
from actions.knowledge.prompts import CITED, NOT_COVERED, as_data
from actions.knowledge.writing import Draft, Usage, WriterFailed

if TYPE_CHECKING:
    import anthropic

log = logging.getLogger(__name__)

MOST_TOKENS = 1500


class AnthropicWriter:
    """The Messages API at `base_url` (None: Anthropic's). One retry at most, and none once the time is up."""

    provider = "anthropic"

    def __init__(self, api_key: str, model: str, base_url: str | None = None, timeout_s: float = 8.0) -> None:
        # Imported here and not in the first question's time: it takes a second.
        import anthropic

        self.model = model
        self._client = anthropic.AsyncAnthropic(api_key=api_key, base_url=base_url, timeout=timeout_s, max_retries=1)

    async def write(self, question: str, sections: Sequence[Section]) -> Draft:
        """Raises WriterFailed."""
        import anthropic

        try:
            message = await self._client.messages.create(
                model=self.model,
                max_tokens=MOST_TOKENS,
                system=CITED,
                messages=[{"role": "user", "content": _content(question, sections)}],
            )
            return self._draft(message, sections)
        except anthropic.APITimeoutError:
            raise WriterFailed("timeout") from None
        except anthropic.APIConnectionError:
            raise WriterFailed("unreachable") from None
        except anthropic.APIStatusError as error:
            raise WriterFailed(f"status_{error.status_code}") from None
        except WriterFailed:
            raise
        except Exception as error:
            # A body that is not the API's: the SDK builds objects with missing parts and fails anywhere in them.
            log.warning("knowledge.writer.malformed error=%s", type(error).__name__)
            raise WriterFailed("malformed") from None

    async def close(self) -> None:
        """Give back the connections."""
        await self._client.close()

    def _draft(self, message: anthropic.types.Message, sections: Sequence[Section]) -> Draft:
        if message.stop_reason not in ("end_turn", "stop_sequence"):
            raise WriterFailed(str(message.stop_reason or "malformed"))
        blocks = [block for block in message.content if block.type == "text"]
        text = " ".join("".join(block.text for block in blocks).split())
        if not text:
            raise WriterFailed("empty")
        passages = tuple(
            passage
            for block in blocks
            for citation in block.citations or []
            for passage in _cited(citation, sections)
        )
        usage = Usage(message.usage.input_tokens, message.usage.output_tokens)
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
    """The sentences that a citation points at; WriterFailed when it points at nothing of ours."""
    index, start, end = citation.search_result_index, citation.start_block_index, citation.end_block_index
    if not 0 <= index < len(sections) or citation.source != sections[index].key:
        raise WriterFailed("wrong_citation")
    sentences = sections[index].sentences[start:end]
    if start < 0 or not sentences or _squeezed("".join(sentences)) != _squeezed(citation.cited_text):
        raise WriterFailed("wrong_citation")
    return sentences


def _squeezed(text: str) -> str:
    return "".join(text.split())
