"""The report as one page that needs nothing else: no script, no network, no personal data."""

from collections import Counter
from collections.abc import Iterable
from datetime import datetime, timezone
from html import escape
from pathlib import Path

from conversation_log.model.version import bot_version
from conversation_log.query.tiers import Period
from conversation_log.report import plots, tables
from conversation_log.report.figures import OUTCOMES, Figures
from conversation_log.report.message_groups import Group, group
from conversation_log.report.plots import Series
from conversation_log.report.tables import Table, duration, percent
from conversation_log.report.terminal import span

TOP = 15
DAYS = 92
WORDINGS = 12
PRIORITIES = ("CRITICAL", "HIGH", "MEDIUM", "unknown")
STYLE = Path(__file__).parent / "report.css"


def page(figures: Figures, period: Period, now: datetime) -> str:
    sections = _sections(figures) if figures.conversations else ["<p>No conversation began in this period.</p>"]
    return document("Conversation log", span(period, now), "".join(sections), now)


def document(title: str, subtitle: str, body: str, now: datetime | None = None) -> str:
    """A self-contained page around HTML of ours; `title` and `subtitle` are plain text."""
    now = now or datetime.now(timezone.utc)
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">"
        f"<title>{escape(title)}</title><style>{STYLE.read_text()}</style></head><body>"
        f"<header><h1>{escape(title)}</h1><p>{escape(subtitle)}</p></header>"
        f"<main>{body}</main>"
        f"<footer>Made {now:%Y-%m-%d %H:%M} UTC by version {escape(bot_version())}. "
        "Personal data in the examples is replaced by placeholders.</footer></body></html>"
    )


def _sections(figures: Figures) -> list[str]:
    return [
        _tiles(figures),
        section("Conversations by day", _by_day(figures)),
        section("What customers wanted", _intents(figures)),
        section("How sure the assistant was", _confidence(figures)),
        section("Escalations", _escalations(figures)),
        section("What we failed at", _failures(figures)),
        f'<div class="pair">{tabled(tables.latencies(figures))}{tabled(tables.delivery(figures))}</div>',
        *map(tabled, (tables.with_a_person(figures), tables.llm(figures), tables.pages(figures))),
    ]


def tabled(table: Table, style: str = "") -> str:
    """A section; nothing for a table without lines. `style`: its CSS class."""
    return section(table.title, _table(table, style)) if table.lines else ""


def section(title: str, body: str) -> str:
    """HTML of ours under a heading, which is plain text."""
    return f"<section><h2>{escape(title)}</h2>{body}</section>"


def _tiles(figures: Figures) -> str:
    failed = figures.delivery["failed"]
    replies = sum(figures.delivery.values())
    tiles = (
        ("conversations", f"{figures.conversations:,}"),
        ("resolved without a person", percent(figures.containment)),
        ("escalated", percent(figures.outcomes["escalated"] / figures.conversations)),
        ("median answer", duration(figures.answers.quantile(0.5))),
        ("replies not delivered", percent(failed / replies if replies else None)),
    )
    return tiled(tiles)


def tiled(tiles: Iterable[tuple[str, str]]) -> str:
    """Names and their figures, which are shown large."""
    cells = "".join(f"<div><b>{escape(value)}</b><span>{escape(name)}</span></div>" for name, value in tiles)
    return f'<div class="tiles">{cells}</div>'


def _by_day(figures: Figures) -> str:
    days = sorted(figures.by_day)[-DAYS:]
    series = [Series(name, name, [figures.by_day[day][name] for day in days]) for name in OUTCOMES]
    by_day = tables.days(figures)
    table = _table(Table(by_day.title, by_day.heads, by_day.lines[-DAYS:]))
    return f"{plots.columns([day[5:] for day in days], series)}{plots.legend(series)}" \
           f"<details><summary>As a table</summary>{table}</details>"


def _intents(figures: Figures) -> str:
    top = figures.intents.most_common(TOP)
    unmet = [figures.intents_unresolved[name] for name, _ in top]
    met = [count - unresolved for (_, count), unresolved in zip(top, unmet, strict=True)]
    series = [Series("helped", "resolved", met), Series("not helped", "abandoned", unmet)]
    notes = [f"{count:,}, {percent(bad / count)} not helped" for (_, count), bad in zip(top, unmet, strict=True)]
    return plots.rows([name for name, _ in top], series, notes) + plots.legend(series)


def _confidence(figures: Figures) -> str:
    labels = [f"{place / 20:.2f}" for place in range(20)]
    series = [Series("messages", "plain", figures.confidence)]
    return plots.columns(labels, series, height=170) + "<p>Confidence of the intent, messages in steps of 0.05.</p>"


def _escalations(figures: Figures) -> str:
    if not figures.escalations:
        return "<p>None.</p>"
    reasons: Counter[str] = Counter()
    for (reason, _), count in figures.escalations.items():
        reasons[reason] += count
    names = [name for name, _ in reasons.most_common()]
    series = [
        Series(priority, f"priority-{priority.lower()}", [figures.escalations[(name, priority)] for name in names])
        for priority in PRIORITIES
        if any(figures.escalations[(name, priority)] for name in names)
    ]
    return plots.rows(names, series, [f"{reasons[name]:,}" for name in names]) + plots.legend(series)


def _failures(figures: Figures) -> str:
    groups = group(figures.unresolved)[:TOP]
    if not groups:
        return "<p>Nothing.</p>"
    intro = f"<p>{figures.unresolved_messages:,} messages that got no help, grouped by wording.</p>"
    return intro + "".join(map(grouped, groups))


def grouped(found: Group) -> str:
    """Messages that are alike as one line that opens."""
    others = "".join(f"<li>{escape(text)}</li>" for text in found.texts[:WORDINGS])
    return (
        f"<details><summary><b>{found.count}</b> {escape(found.example)}"
        f"<small>{len(found.texts)} wording{'s' if len(found.texts) > 1 else ''}</small></summary>"
        f"<ul>{others}</ul></details>"
    )


def _table(table: Table, style: str = "") -> str:
    head = "".join(f"<th>{escape(name)}</th>" for name in table.heads)
    filled = [(*line, *[""] * (len(table.heads) - len(line))) for line in table.lines]
    body = "".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in line) + "</tr>" for line in filled)
    return f'<table class="{style}">' f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
