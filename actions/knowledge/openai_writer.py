"""Answers by OpenAI's chat completions, or any server that speaks them, with quotes instead of citations.

The answer comes as JSON by a strict schema. A quote counts only when it stands in its section letter by letter.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from actions.knowledge.documents import Section
from actions.knowledge.prompts import QUOTED, as_data
from actions.knowledge.writing import Draft, Usage, WriterFailed

if TYPE_CHECKING:
    import openai

log = logging.getLogger(__name__)

MOST_TOKENS = 1500
_QUOTE = {
    "type": "object",
    "properties": {"section": {"type": "integer"}, "quote": {"type": "string"}},
    "required": ["section", "quote"],
    "additionalProperties": False,
}
_SCHEMA = {
    "type": "object",
    "properties": {
        "covered": {"type": "boolean"},
        "answer": {"type": "string"},
        "quotes": {"type": "array", "items": _QUOTE},
    },
    "required": ["covered", "answer", "quotes"],
    "additionalProperties": False,
}
_FORMAT: Any = {"type": "json_schema", "json_schema": {"name": "grounded_answer", "strict": True, "schema": _SCHEMA}}


class OpenAIWriter:
    """Chat completions at `base_url` (None: OpenAI's). One retry at most, and none once the time is up."""

    provider = "openai"

    def __init__(self, api_key: str, model: str, base_url: str | None = None, timeout_s: float = 8.0) -> None:
        # Imported here and not in the first question's time: it takes a second.
        import openai

        self.model = model
        self._client = openai.AsyncOpenAI(api_key=api_key, base_url=base_url, timeout=timeout_s, max_retries=1)

    async def write(self, question: str, sections: Sequence[Section]) -> Draft:
        """Raises WriterFailed."""
        import openai

        try:
            completion = await self._client.chat.completions.create(
                model=self.model,
                max_completion_tokens=MOST_TOKENS,
                messages=[
                    {"role": "system", "content": QUOTED},
                    {"role": "user", "content": _content(question, sections)},
                ],
                response_format=_FORMAT,
            )
            return self._draft(completion, sections)
        except openai.APITimeoutError:
            raise WriterFailed("timeout") from None
        except openai.APIConnectionError:
            raise WriterFailed("unreachable") from None
        except openai.APIStatusError as error:
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

    def _draft(self, completion: openai.types.chat.ChatCompletion, sections: Sequence[Section]) -> Draft:
        choice = completion.choices[0]
        if choice.message.refusal or choice.finish_reason == "content_filter":
            raise WriterFailed("refusal")
        if choice.finish_reason == "length":
            raise WriterFailed("max_tokens")
        if not choice.message.content:
            raise WriterFailed("empty")
        reply = json.loads(choice.message.content)
        covered, answer = reply["covered"], reply["answer"]
        if not isinstance(covered, bool) or not isinstance(answer, str):
            raise WriterFailed("malformed")
        passages = tuple(_quoted(quote, sections) for quote in reply["quotes"]) if covered else ()
        usage = completion.usage
        counted = Usage(usage.prompt_tokens, usage.completion_tokens) if usage else Usage()
        return Draft(" ".join(answer.split()), passages, covered, completion.model, counted)


def _content(question: str, sections: Sequence[Section]) -> list[Any]:
    pages = "\n\n".join(
        f'<section number="{number}" title="{section.page_title}: {section.heading}">\n{section.text}\n</section>'
        for number, section in enumerate(sections, 1)
    )
    return [{"type": "text", "text": pages}, {"type": "text", "text": as_data(question)}]


def _quoted(quote: dict[str, Any], sections: Sequence[Section]) -> str:
    """The sentences that hold the quote; WriterFailed when its section does not hold it letter by letter."""
    number, words = quote["section"], " ".join(quote["quote"].split())
    if isinstance(number, bool) or not 1 <= number <= len(sections) or len(words.split()) < 2:
        raise WriterFailed("wrong_citation")
    section = sections[number - 1]
    at = section.text.find(words)
    if at < 0:
        raise WriterFailed("wrong_citation")
    whole, place = [], 0
    for sentence in section.sentences:
        if place < at + len(words) and at < place + len(sentence):
            whole.append(sentence)
        place += len(sentence) + 1
    return " ".join(whole)
