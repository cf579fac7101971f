"""How customers found it with a person: who was asked, who answered, and what."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from conversation_log.model.judgements import ASKED_FOR_RATING, RATED, RATINGS

FACES = {3: "🙂 good", 2: "😐 so-so", 1: "☹️ not good"}


@dataclass
class Ratings:
    """Feed it conversations with `take`. A ticket is asked about once, and its first answer counts."""

    asked: int = 0
    scores: Counter[int] = field(default_factory=Counter)

    @property
    def answers(self) -> int:
        return sum(self.scores.values())

    @property
    def mean(self) -> float | None:
        """Of 1 to 3."""
        return sum(score * count for score, count in self.scores.items()) / self.answers if self.answers else None

    def take(self, record: Mapping[str, Any]) -> None:
        """Count one conversation."""
        given: dict[int, int] = {}
        for message in record["messages"]:
            score = RATINGS.get(message.get("intent_detected") or "")
            if score:
                given[message["turn"]] = score
            elif message.get("response") == RATED and message["turn"] in given:
                self.scores[given.pop(message["turn"])] += 1
            elif message.get("response") == ASKED_FOR_RATING and message.get("delivery_status") != "failed":
                self.asked += 1

    def rows(self) -> list[tuple[str, str, str]]:
        """(what, count, share or mean) for a table; nothing when nobody was asked."""
        if not (self.asked or self.answers):
            return []
        found = [
            ("asked how it was", str(self.asked), ""),
            ("answered", str(self.answers), _share(self.answers, self.asked)),
        ]
        for score, face in FACES.items():
            found.append((f"  {face}", str(self.scores[score]), _share(self.scores[score], self.answers)))
        return [*found, ("mean of 1 to 3", "", "–" if self.mean is None else f"{self.mean:.2f}")]


def _share(part: int, whole: int) -> str:
    return f"{100 * min(part / whole, 1.0):.1f} %" if whole else "–"
