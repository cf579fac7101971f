"""Pieces of sentences from `domain.yml`, for answers that depend on what is known.

Customers' words belong to the designers. Where an answer is put together from facts that may be missing (a date,
a carrier), its parts are responses too, named `utter_<topic>_piece_<name>`; the action fills them and passes the
result to the whole response as a placeholder. Rasa sends the domain along with every action call; if
`selective_domain` is ever switched on, actions that use pieces need `send_domain: true`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

PLACEHOLDER = re.compile(r"{(\w+)}")


class Pieces:
    """The pieces of one topic.

    `domain` is what Rasa sends to an action: {"responses": {name: [{"text": ...}, ...]}, ...}.
    """

    def __init__(self, domain: Mapping[str, Any], topic: str) -> None:
        self._responses = domain["responses"]
        self._prefix = f"utter_{topic}_piece_"

    def fill(self, name: str, **facts: Any) -> str:
        """The piece with its placeholders filled. KeyError when the domain lacks it or a fact is missing."""
        text = self._responses[self._prefix + name][0]["text"]
        return PLACEHOLDER.sub(lambda match: str(facts[match.group(1)]), text)
