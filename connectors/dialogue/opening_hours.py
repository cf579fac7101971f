"""When people answer next, in the customer's words: the pieces of `domain.yml` that the handover message uses too."""

from typing import Any

from rasa.core.nlg.generator import NaturalLanguageGenerator
from rasa.shared.core.trackers import DialogueStateTracker

import dates
from handoff.takeover.opening_hours import Opening

PIECES = {0: "utter_handoff_piece_opens_today", 1: "utter_handoff_piece_opens_tomorrow"}
LATER = "utter_handoff_piece_opens_on_day"


async def in_words(opening: Opening, nlg: NaturalLanguageGenerator, tracker: DialogueStateTracker, channel: str) -> str:
    """'9 am tomorrow'. Raises LookupError when the domain lacks the piece."""
    language = tracker.slots["language"].value if "language" in tracker.slots else None
    write = dates.weekday if opening.days < 7 else dates.near_day
    facts: dict[str, Any] = {
        "hour": dates.hour(opening.at.time(), language),
        "day": write(opening.at.date(), language),
    }
    name = PIECES.get(opening.days, LATER)
    message = await nlg.generate(name, tracker, channel, **facts)
    if not message:
        raise LookupError(f"domain.yml has no response {name}")
    return str(message["text"])
