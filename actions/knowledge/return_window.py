"""For how many days an order can go back, as far as the shop's pages say it in figures.

Pages name several windows (clothes, furniture) and other days beside them. The longest is taken, so that what is found
to be over is over by any reading; where no section is about it in plain figures, nothing is known.
"""

import math
from dataclasses import dataclass

from actions.knowledge.grounding.facts import facts_in
from actions.knowledge.pages.documents import Section
from actions.knowledge.retrieval.retriever import Retriever

QUESTION = "how many days after delivery can I return an order?"
MIN_PROBABILITY = 0.8
MAX_DAYS = 1000
_DAYS = {"day": 1.0, "working day": 1.6, "week": 7.0, "month": 31.0, "year": 366.0}
_FORTNIGHT_DAYS = 14


@dataclass(frozen=True)
class ReturnWindow:
    """At most so many days from delivery, by this section."""

    days: int
    section: Section


def return_window(retriever: Retriever) -> ReturnWindow | None:
    """The longest that the pages speak of; None where they do not say it for sure. Raises KnowledgeError."""
    finding = retriever.find(QUESTION)
    if not finding.passages or finding.passages[0].probability < MIN_PROBABILITY:
        return None
    days = [day for section in finding.sections for day in _days(section.text)]
    sure = [day for day in _days(finding.sections[0].text) if day <= MAX_DAYS]
    return ReturnWindow(max(days), finding.sections[0]) if sure and max(days) <= MAX_DAYS else None


def _days(text: str) -> list[int]:
    facts = facts_in(text)
    counted = [fact for fact in facts if fact.unit in _DAYS and fact.value.isdigit()]
    found = [math.ceil(int(fact.value) * _DAYS[fact.unit]) for fact in counted]
    return [*found, *(_FORTNIGHT_DAYS for fact in facts if fact.value == "fortnight")]
