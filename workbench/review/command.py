"""`python -m workbench review`: what the assistant was unsure of, labelled in the terminal or the browser."""

import argparse
import logging
import sys

import yaml
from rich.console import Console
from rich.markup import escape
from sqlalchemy.engine import Engine
from sqlalchemy.exc import SQLAlchemyError

from components.order_numbers.shops import shop_pattern
from conversation_log.report import review_queue as the_log
from conversation_log.storage import database, remedies
from conversation_log.storage.database import LogUnavailable
from privacy import log_filter
from settings import Settings, SettingsError
from settings import load as load_settings
from workbench.nlu.archives import NoTrainedModel
from workbench.review.labels import Labels
from workbench.review.reviewed import FILE, Reviewed
from workbench.review.server import serve
from workbench.review.sitting import Guess, Review
from workbench.review.terminal import show, talk


def run(options: argparse.Namespace) -> int:
    """The command: exit status 0, also when there is nothing to review, 1 when the log cannot be read."""
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(message)s", stream=sys.stderr)
    log_filter.install()
    url = ""
    try:
        settings = load_settings()
        url = str(settings.conversation_database_url)
        engine = database.connect(url)
        database.require_current(engine)
        return review(settings, engine, options)
    except (SQLAlchemyError, SettingsError, LogUnavailable, OSError) as error:
        print(f"review: {remedies.explained(error, url)}", file=sys.stderr)
    return 1


def review(settings: Settings, engine: Engine, options: argparse.Namespace) -> int:
    """One sitting over an open log. Raises LogUnavailable."""
    console = Console(highlight=False)
    reviewed = Reviewed(settings.state_path / FILE)
    found = the_log.clusters(the_log.cases(engine, options.since), reviewed.is_new)
    if not found:
        console.print("Nothing new to review.")
        return 0
    labels = _labels(settings)
    sitting = Review(found[: options.limit], labels, reviewed, _todays_model(console))
    messages = sum(cluster.count for cluster in found)
    console.print(f"Messages to review: {messages}, in groups: {len(found)}, shown: {len(sitting.clusters)}.")
    if options.list:
        for number, cluster in enumerate(sitting.clusters, 1):
            show(console, cluster, number, sitting)
    elif options.browser:
        serve(sitting, console, options.port)
        console.print(escape(sitting.summary()))
    else:
        try:
            talk(sitting, console)
        except KeyboardInterrupt:  # as good an end as `q`: everything is written already
            console.print()
        console.print(escape(sitting.summary()))
    return 0


def _labels(settings: Settings) -> Labels:
    labels = Labels(pattern=shop_pattern())
    try:
        labels.intents()
    except (yaml.YAMLError, OSError, KeyError, TypeError, StopIteration, RuntimeError):
        raise LogUnavailable("The phrases' files have mistakes; correct what `make validate` names first.") from None
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
