"""`report`: the figures of a period as tables in the terminal and as one self-contained page."""

from datetime import datetime, timedelta, timezone
from pathlib import Path

from rich.console import Console
from sqlalchemy.engine import Engine

import shop
from conversation_log import progress
from conversation_log.query import tiers
from conversation_log.report import costs, html_page, terminal
from conversation_log.report.figures import Figures
from settings import Settings

DEFAULT_PERIOD = timedelta(days=30)


def gather(settings: Settings, engine: Engine, period: tiers.Period) -> Figures:
    """The figures over all tiers."""
    figures = Figures()
    with progress.progress_bar("Reading conversations", "Read", tiers.count(settings, engine, period)) as advance:
        for record in tiers.records(settings, engine, None, period):
            figures.take(record)
            advance(1)
    return figures


def run_command(
    settings: Settings, engine: Engine, since: datetime | None, until: datetime | None, html: Path | None
) -> int:
    """`report` on the command line; the last 30 days unless it is told otherwise."""
    now = datetime.now(timezone.utc)
    period = tiers.Period(since or (until or now) - DEFAULT_PERIOD, until)
    figures = gather(settings, engine, period)
    terminal.show(figures, period, now, Console(highlight=False), costs.gather(engine, period, shop.load(), now))
    if html is not None:
        html.write_text(html_page.page(figures, period, now), encoding="utf-8")
        print(f"Written to {html}")
    return 0
