"""`python -m conversation_log review`: what the assistant was unsure of, labelled in the terminal or the browser."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Protocol

import yaml
from rich.console import Console
from rich.markup import escape
from sqlalchemy.engine import Engine

from components.order_numbers.shops import shop_pattern
from conversation_log.report import review_queue as the_log
from conversation_log.report.review_queue import Cluster, Wording
from conversation_log.storage.database import LogUnavailable
from settings import Settings
from workbench.nlu.archives import NoTrainedModel
from workbench.review.labels import Added, Labels, Outcome
from workbench.review.reviewed import FILE, Reviewed

Guess = Callable[[str], tuple[str, float]]
"""What today's model makes of a text: intent (or the rejection) and confidence."""


class ReviewOptions(Protocol):
    """What the command line says."""

    since: datetime | None
    limit: int
    browser: bool
    list: bool
    port: int


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


def run_command(settings: Settings, engine: Engine, options: ReviewOptions) -> int:
    """The command: exit status 0, also when there is nothing to review. Raises LogUnavailable."""
    console = Console(highlight=False)
    reviewed = Reviewed(settings.state_path / FILE)
    found = the_log.clusters(the_log.cases(engine, options.since), reviewed.is_new)
    if not found:
        console.print("Nothing new to review.")
        return 0
    labels = _labels(settings)
    review = Review(found[: options.limit], labels, reviewed, _todays_model(console))
    messages = sum(cluster.count for cluster in found)
    console.print(f"Messages to review: {messages}, in groups: {len(found)}, shown: {len(review.clusters)}.")
    if options.list:
        from workbench.review.terminal import show

        for number, cluster in enumerate(review.clusters, 1):
            show(console, cluster, number, review)
    elif options.browser:
        from workbench.review.server import serve

        serve(review, console, options.port)
        console.print(escape(review.summary()))
    else:
        from workbench.review.terminal import talk

        try:
            talk(review, console)
        except KeyboardInterrupt:  # as good an end as `q`: everything is written already
            console.print()
        console.print(escape(review.summary()))
    return 0


def _labels(settings: Settings) -> Labels:
    labels = Labels(pattern=shop_pattern())
    try:
        labels.intents()
    except (yaml.YAMLError, OSError, KeyError, TypeError, StopIteration, RuntimeError):
        raise LogUnavailable("The phrases' files have mistakes: `make validate` names them. Mend them first.") from None
    return labels


def _todays_model(console: Console) -> Guess | None:
    from workbench.nlu.trained_nlu import TrainedNlu  # takes a second to import

    try:
        nlu = TrainedNlu.newest()
    except NoTrainedModel as missing:
        console.print(f"[dim]No guesses of today's model: {escape(str(missing))}[/]")
        return None

    def guess(text: str) -> tuple[str, float]:
        prediction = nlu.read(text)
        return nlu.settle(prediction), prediction.confidence

    return guess
