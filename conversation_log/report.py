"""`report`: the figures of a period as tables in the terminal and as one self-contained page."""

from __future__ import annotations

import sys
import time
from datetime import datetime, timedelta, timezone
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from sqlalchemy.engine import Engine

from conversation_log import reader, report_html, report_terminal, tiers
from conversation_log.figures import Figures
from settings import Settings

DEFAULT_PERIOD = timedelta(days=30)


def gather(settings: Settings, engine: Engine, period: tiers.Period, show_progress: bool) -> Figures:
    """The figures over all tiers."""
    total = reader.count(engine, reader.Selection(period.since, period.until))
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    figures = Figures()
    started = time.monotonic()
    with Progress(*columns, console=Console(stderr=True), disable=not show_progress, transient=True) as bar:
        task = bar.add_task("Reading conversations", total=total or None)
        for record in tiers.records(settings, engine, None, period):
            figures.take(record)
            if figures.conversations % 100 == 0:
                bar.update(task, completed=figures.conversations, total=max(total, figures.conversations))
    if show_progress and figures.conversations > 1000:
        seconds = max(time.monotonic() - started, 0.001)
        print(f"Read {figures.conversations} conversations, {figures.conversations / seconds:.0f}/s", file=sys.stderr)
    return figures


def run_command(
    settings: Settings, engine: Engine, since: datetime | None, until: datetime | None, html: Path | None
) -> int:
    """`report` on the command line; the last 30 days unless it is told otherwise."""
    now = datetime.now(timezone.utc)
    period = tiers.Period(since or (until or now) - DEFAULT_PERIOD, until)
    figures = gather(settings, engine, period, sys.stderr.isatty())
    report_terminal.show(figures, period, now, Console(highlight=False))
    if html is not None:
        html.write_text(report_html.page(figures, period, now), encoding="utf-8")
        print(f"Written to {html}")
    return 0
