"""Answers by OpenAI's chat completions, or any server that speaks them, with quotes instead of citations.

The answer comes as JSON by a strict schema. A quote counts only when it stands in its section letter by letter.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from actions.knowledge.answers.prompts import QUOTED, as_data, for_shop
from actions.knowledge.answers.writing import Draft
from actions.knowledge.pages.documents import Section
from actions.llm.client import LlmClient, LlmFailed, Usage
from actions.llm.openai_api import json_format

if TYPE_CHECKING:
    from openai.types.chat import ChatCompletion

MAX_TOKENS = 1500
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
_FORMAT = json_format("grounded_answer", _SCHEMA)


class OpenAIWriter:
    """Chat completions with a JSON schema for the answer."""

    def __init__(self, client: LlmClient) -> None:
        self._client = client
        self.provider, self.model = client.provider, client.model
        self._instructions = for_shop(QUOTED)

    async def write(self, question: str, sections: Sequence[Section]) -> Draft:
        """Raises LlmFailed."""
        return await self._client.ask(
            lambda completion, usage: self._draft(completion, sections, usage),
            max_completion_tokens=MAX_TOKENS,
            messages=[
                {"role": "system", "content": self._instructions},
                {"role": "user", "content": _content(question, sections)},
            ],
            response_format=_FORMAT,
        )

    async def close(self) -> None:
        """Give back the connections."""
        await self._client.close()

    def _draft(self, completion: ChatCompletion, sections: Sequence[Section], usage: Usage) -> Draft:
        reply = json.loads(self._client.api.text_of(completion))
        covered, answer = reply["covered"], reply["answer"]
        if not isinstance(covered, bool) or not isinstance(answer, str):
            raise LlmFailed("malformed")
        quotes = reply["quotes"] if covered else ()
        passages = tuple(sentence for quote in quotes for sentence in _quoted(quote, sections))
        return Draft(" ".join(answer.split()), passages, covered, completion.model, usage)


def _content(question: str, sections: Sequence[Section]) -> list[Any]:
    pages = "\n\n".join(
        f'<section number="{number}" title="{section.page_title}: {section.heading}">\n'
        + "\n".join(section.sentences)
        + "\n</section>"
        for number, section in enumerate(sections, 1)
    )
    return [{"type": "text", "text": pages}, {"type": "text", "text": as_data(question)}]


def _quoted(quote: dict[str, Any], sections: Sequence[Section]) -> list[str]:
    """The sentences that hold the quote; LlmFailed when its section does not hold it letter by letter."""
    number, words = quote["section"], " ".join(quote["quote"].split())
    if isinstance(number, bool) or not 1 <= number <= len(sections) or len(words.split()) < 2:
        raise LlmFailed("wrong_citation")
    section = sections[number - 1]
    at = section.text.find(words)
    if at < 0:
        raise LlmFailed("wrong_citation")
    whole, place = [], 0
    for sentence in section.sentences:
        if place < at + len(words) and at < place + len(sentence):
            whole.append(sentence)
        place += len(sentence) + 1
    return whole
