"""One sitting of a review: what is shown, where labels go, what was added."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timezone

from conversation_log.report.review_queue import Cluster, Wording
from workbench.review.labels import Added, Labels, Outcome
from workbench.review.reviewed import Reviewed

Guess = Callable[[str], tuple[str, float]]
"""What today's model makes of a text: intent (or the rejection) and confidence."""


@dataclass
class Review:
    """One sitting: the clusters, where labels go, and what has been seen."""

    clusters: Sequence[Cluster]
    labels: Labels
    reviewed: Reviewed
    guess: Guess | None = None
    added: list[Added] = field(default_factory=list)

    def label(self, text: str, intent: str, held_out: bool = False) -> Outcome:
        """Add one wording, redacted, to the training data or the held-out set."""
        outcome = self.labels.add(text, intent, held_out)
        if isinstance(outcome, Added):
            self.added.append(outcome)
        return outcome

    def done_with(self, wordings: Sequence[Wording]) -> None:
        """These are not shown again until somebody writes them again."""
        self.reviewed.remember([wording.text for wording in wordings], datetime.now(timezone.utc))

    def summary(self) -> str:
        """What the sitting changed, for its last line."""
        if not self.added:
            return "No phrase was added."
        files = sorted({outcome.place.rsplit(":", 1)[0] for outcome in self.added})
        count = "1 phrase" if len(self.added) == 1 else f"{len(self.added)} phrases"
        return f"{count} added: `git diff {' '.join(files)}`, then `make train` and `make test`."
