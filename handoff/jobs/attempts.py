"""What the assistant tried before it called a person, in lines for the agent; read from a Rasa tracker's events.

Which skill a response belongs to and whether it helped is the designers' word (`domain.yml`, skills.py), so that a new
skill is told of without a line here.
"""

from collections.abc import Iterable, Mapping
from typing import Any

import skills

MAX_LINES = 12
MAX_QUESTION = 120
UNTOLD = frozenset({skills.SMALL_TALK, "escalation"})
DONE = {skills.HELPED: "Answered", skills.ASKS: "Asked back"}


def tried(events: Iterable[Mapping[str, Any]], known: skills.Skills | None = None) -> tuple[str, ...]:
    """The latest lines, oldest first; the same thing tried again stands once, with how often."""
    known = known or skills.load()
    lines: list[str] = []
    times: dict[str, int] = {}
    asked = ""
    for event in events:
        metadata = event.get("metadata") or {}
        if event.get("event") == "user":
            asked = " ".join(str(metadata.get("typed") or event.get("text") or "").split())
        if event.get("event") == "rewind":
            asked = ""
        response = metadata.get("utter_action") if event.get("event") == "bot" else None
        line = _line(str(response), metadata, asked, known) if response else ""
        if line:
            times[line] = times.get(line, 0) + 1
            lines = [*(one for one in lines if one != line), line]
    return tuple(f"{line} ({times[line]} times)" if times[line] > 1 else line for line in lines[-MAX_LINES:])


def _line(response: str, metadata: Mapping[str, Any], asked: str, known: skills.Skills) -> str:
    counting = known.counting(response)
    if counting.feature in UNTOLD:
        return ""
    done = DONE.get(counting.counts_as, "Could not help")
    topic = counting.feature.replace("_", " ")
    what = response.removeprefix("utter_").removeprefix(f"{counting.feature}_").replace("_", " ")
    numbers = metadata.get("order_number") or metadata.get("order_numbers")
    about = [f"order {numbers}"] if isinstance(numbers, str) else []
    pages = metadata.get("policy_sections") or ()
    about += [f"from {', '.join(map(str, pages))}"] if isinstance(pages, (list, tuple)) and pages else []
    if done == "Could not help" and asked and not asked.startswith("/"):
        about.append(f"“{asked[:MAX_QUESTION]}”")
    detail = f" ({'; '.join(about)})" if about else ""
    return f"{done}: {topic}, {what}{detail}"
