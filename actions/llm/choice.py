"""Asking for one label of a closed list. An answer outside the list is a failure, whatever it says."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from actions.llm.client import LlmClient, LlmFailed, Usage

# A model that thinks does so at this expense too.
MOST_TOKENS = 800


@dataclass(frozen=True)
class Chosen:
    """One of the labels, and what the choice cost."""

    label: str
    usage: Usage


def schema(labels: Sequence[str]) -> dict[str, Any]:
    """The JSON schema of {"label": one of `labels`}."""
    return {
        "type": "object",
        "properties": {"label": {"type": "string", "enum": list(labels)}},
        "required": ["label"],
        "additionalProperties": False,
    }


async def choose(client: LlmClient, instructions: str, text: str, labels: Sequence[str]) -> Chosen:
    """The label for `text`. Raises LlmFailed."""

    def read(answer: Any, usage: Usage) -> Chosen:
        label = json.loads(client.api.text_of(answer))["label"]
        if label not in labels:
            raise LlmFailed("wrong_label")
        return Chosen(label, usage)

    return await client.ask(read, **client.api.choice(instructions, text, labels))
