"""The report as tables in the terminal."""

from __future__ import annotations

from datetime import datetime

from rich.columns import Columns
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from conversation_log.query.tiers import Period
from conversation_log.report.figures import OUTCOMES, Figures, contained
from conversation_log.report.message_groups import group
from conversation_log.report.quantiles import Durations

_BLOCKS = " ▁▂▃▄▅▆▇█"
TOP = 12


def show(figures: Figures, period: Period, now: datetime, console: Console) -> None:
    """Print all tables; without conversations, one line saying so."""
    console.print(f"[bold]Conversation log[/], {span(period, now)}")
    if not figures.conversations:
        console.print("No conversation began in this period.")
        return
    console.print(Columns([_overview(figures), _latencies(figures), _delivery(figures)], padding=(0, 3)))
    console.print(Columns([_intents(figures), _escalations(figures)], padding=(0, 3)))
    bars = sparkline(figures.confidence)
    console.print(f"\n[bold]Confidence[/]  0.0 {bars} 1.0   of {sum(figures.confidence)} messages")
    console.print(_failures(figures))
    if figures.ratings.rows():
        console.print(_ratings(figures))
    if figures.llm:
        console.print(_llm(figures))
    console.print(_days(figures))


def span(period: Period, now: datetime) -> str:
    """The period in words."""
    since = f"{period.since:%Y-%m-%d %H:%M}" if period.since else "the beginning"
    return f"{since} to {(period.until or now):%Y-%m-%d %H:%M} UTC"


def percent(share: float | None) -> str:
    return "–" if share is None else f"{100 * share:.1f} %"


def duration(seconds: float | None) -> str:
    """`840 ms`, `3.2 s`, `12 min`, `5.1 h`; a dash for none."""
    if seconds is None:
        return "–"
    if seconds < 0.95:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 95:
        return f"{seconds:.1f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5700 else f"{seconds / 3600:.1f} h"


def sparkline(counts: list[int]) -> str:
    """Counts as a row of bars."""
    highest = max(counts) or 1
    return "".join(_BLOCKS[min(8, -(-8 * count // highest))] for count in counts)


def _table(title: str, *columns: str) -> Table:
    table = Table(title=title, title_justify="left", title_style="bold", box=None, pad_edge=False)
    for number, column in enumerate(columns):
        table.add_column(column, justify="left" if number == 0 else "right", no_wrap=number == 0)
    return table


def _overview(figures: Figures) -> Table:
    table = _table("\nVolume", "", "count", "share")
    table.add_row("conversations", str(figures.conversations), "")
    for outcome in OUTCOMES:
        count = figures.outcomes[outcome]
        table.add_row(f"  {outcome}", str(count), percent(count / figures.conversations))
    table.add_row("containment", "", percent(figures.containment), style="bold")
    for role, name in (("user", "customers'"), ("assistant", "assistant's"), ("agent", "agents'")):
        table.add_row(f"{name} messages", str(figures.messages[role]), "")
    return table


def latency_rows(figures: Figures) -> list[tuple[str, Durations]]:
    """What is timed, in words."""
    return [
        ("answer", figures.answers),
        ("first answer", figures.first_answers),
        ("first words of a person", figures.first_agent_words),
    ]


def _latencies(figures: Figures) -> Table:
    table = _table("\nTime to", "", "median", "90 %", "99 %", "count")
    for name, found in latency_rows(figures):
        table.add_row(name, *(duration(found.quantile(share)) for share in (0.5, 0.9, 0.99)), str(found.count))
    return table


def _delivery(figures: Figures) -> Table:
    table = _table("\nDelivery of replies", "", "count")
    for status in ("read", "delivered", "sent", "accepted", "failed", "unknown"):
        if figures.delivery[status]:
            table.add_row(status, str(figures.delivery[status]), style="red" if status == "failed" else "")
    for error, count in figures.errors.most_common(5):
        table.add_row(f"  {escape(error[:40])}", str(count))
    return table


def _intents(figures: Figures) -> Table:
    table = _table("\nIntents", "", "messages", "unresolved")
    for intent, count in figures.intents.most_common(TOP):
        table.add_row(escape(intent), str(count), percent(figures.intents_unresolved[intent] / count))
    return table


def _escalations(figures: Figures) -> Table:
    table = _table("\nEscalations", "reason", "priority", "count")
    for (reason, priority), count in figures.escalations.most_common():
        table.add_row(escape(reason), escape(priority), str(count))
    if not figures.escalations:
        table.add_row("none", "", "")
    return table


def _ratings(figures: Figures) -> Table:
    table = _table("\nWith a person", "", "count", "share")
    for what, count, share in figures.ratings.rows():
        table.add_row(what, count, share)
    return table


def _failures(figures: Figures) -> Table:
    title = f"\nWhat we failed at ({figures.unresolved_messages} messages)"
    table = _table(title, "for example", "messages", "wordings")
    for found in group(figures.unresolved)[:TOP]:
        table.add_row(escape(found.example[:90]), str(found.count), str(len(found.texts)))
    return table


def _llm(figures: Figures) -> Table:
    table = _table("\nLLM", "model", "answers", "tokens in", "tokens out", "cost", "median", "90 %")
    for model, use in sorted(figures.llm.items()):
        cost = money(use.cost_usd)
        times = [duration(use.latency.quantile(share)) for share in (0.5, 0.9)]
        counts = [str(count) for count in (use.calls, use.tokens_in, use.tokens_out)]
        table.add_row(escape(model), *counts, cost, *times)
        for verdict, count in use.verdicts.most_common(5):
            table.add_row(f"  {escape(verdict)}", str(count), style="dim")
    return table


def _days(figures: Figures) -> Table:
    heads, lines = day_rows(figures)
    table = _table("\nBy day", "", "began", *heads[2:])
    table.padding = (0, 1, 0, 0)  # so that all of it fits into 80 columns
    for line in lines[-31:]:
        table.add_row(*line)
    return table


def day_rows(figures: Figures) -> tuple[list[str], list[list[str]]]:
    """The heads and the lines of the table by day."""
    counted = ["conversations", "messages", *OUTCOMES]
    lines = [
        [day, *(str(counts[name]) for name in counted), percent(contained(counts)), money(figures.cost_by_day[day])]
        for day, counts in sorted(figures.by_day.items())
    ]
    return ["", *counted, "containment", "LLM cost"], lines


def money(dollars: float | None) -> str:
    """`$ 0.0123`; `unknown` for None."""
    return "unknown" if dollars is None else f"$ {dollars:.4f}" if dollars else "–"
