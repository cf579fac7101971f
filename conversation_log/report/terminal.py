"""The report in the terminal."""

from datetime import datetime

from rich import table as rich_table
from rich.columns import Columns
from rich.console import Console
from rich.markup import escape

from conversation_log.query.tiers import Period
from conversation_log.report import tables
from conversation_log.report.costs import Costs
from conversation_log.report.figures import Figures
from conversation_log.report.tables import Table

_BLOCKS = " ▁▂▃▄▅▆▇█"
DAYS = 31


def show(figures: Figures, period: Period, now: datetime, console: Console, spent: Costs | None = None) -> None:
    """Print all tables; without conversations, one line saying so."""
    console.print(f"[bold]Conversation log[/], {span(period, now)}")
    if figures.conversations:
        overview = (tables.overview(figures), tables.latencies(figures), tables.delivery(figures))
        console.print(Columns(map(shown, overview), padding=(0, 3)))
        console.print(Columns(map(shown, (tables.intents(figures), tables.escalations(figures))), padding=(0, 3)))
        bars = sparkline(figures.confidence)
        console.print(f"\n[bold]Confidence[/]  0.0 {bars} 1.0   of {sum(figures.confidence)} messages")
        for table in (tables.failures(figures), tables.with_a_person(figures), tables.llm(figures)):
            if table.lines:
                console.print(shown(table))
        days = tables.days(figures)
        by_day = shown(Table(days.title, days.heads, days.lines[-DAYS:]))
        by_day.padding = (0, 1, 0, 0)  # so that all of it fits into 80 columns
        console.print(by_day)
    else:
        console.print("No conversation began in this period.")
    if spent is not None and spent.messages:
        console.print(shown(tables.costs(spent)))


def shown(table: Table) -> rich_table.Table:
    """A table of ours as rich prints it."""
    found = rich_table.Table(
        title=f"\n{table.title}", title_justify="left", title_style="bold", box=None, pad_edge=False
    )
    for number, head in enumerate(table.heads):
        found.add_column(head, justify="left" if number == 0 else "right", no_wrap=number == 0)
    for line in table.lines:
        found.add_row(*map(escape, line))
    return found


def span(period: Period, now: datetime) -> str:
    since = f"{period.since:%Y-%m-%d %H:%M}" if period.since else "the beginning"
    return f"{since} to {(period.until or now):%Y-%m-%d %H:%M} UTC"


def sparkline(counts: list[int]) -> str:
    """Counts as a row of bars."""
    highest = max(counts) or 1
    return "".join(_BLOCKS[min(8, -(-8 * count // highest))] for count in counts)
