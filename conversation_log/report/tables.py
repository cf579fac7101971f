"""The report's tables as text, for the terminal and the page alike."""

from collections.abc import Sequence
from dataclasses import dataclass

from conversation_log.report.costs import Costs, notes
from conversation_log.report.figures import OUTCOMES, Figures, contained
from conversation_log.report.message_groups import group

TOP = 12
DAYS = 31  # of what messages cost; the latest ones
Line = tuple[str, ...]
DELIVERED = ("read", "delivered", "sent", "accepted", "failed", "unknown")


@dataclass(frozen=True)
class Table:
    """A line has a cell for each head, or fewer; the first is a name, the others are figures."""

    title: str
    heads: tuple[str, ...]
    lines: Sequence[Line]


def overview(figures: Figures) -> Table:
    lines: list[Line] = [("conversations", f"{figures.conversations:,}")]
    counted = [(name, figures.outcomes[name]) for name in OUTCOMES]
    lines += [(f"  {name}", f"{count:,}", percent(count / figures.conversations)) for name, count in counted]
    lines += [("containment", "", percent(figures.containment))]
    whose = (("user", "customers'"), ("assistant", "assistant's"), ("agent", "agents'"))
    lines += [(f"{name} messages", f"{figures.messages[role]:,}") for role, name in whose]
    several = figures.in_several / figures.answered if figures.answered else None
    lines += [("answers in more than one message", f"{figures.in_several:,}", percent(several))]
    return Table("Volume", ("", "count", "share"), lines)


def latencies(figures: Figures) -> Table:
    timed = (("answer", figures.answers), ("first answer", figures.first_answers),
             ("first words of a person", figures.first_agent_words))  # fmt: skip
    return Table("Time to", ("", "median", "90 %", "99 %", "count"), [
        (name, *(duration(found.quantile(share)) for share in (0.5, 0.9, 0.99)), f"{found.count:,}")
        for name, found in timed
    ])  # fmt: skip


def delivery(figures: Figures) -> Table:
    lines = [(name, f"{figures.delivery[name]:,}") for name in DELIVERED if figures.delivery[name]]
    lines += [(f"– {error[:40]}", f"{count:,}") for error, count in figures.errors.most_common(6)]
    return Table("Delivery of replies", ("", "replies"), lines)


def intents(figures: Figures) -> Table:
    return Table("Intents", ("", "messages", "unresolved"), [
        (intent, f"{count:,}", percent(figures.intents_unresolved[intent] / count))
        for intent, count in figures.intents.most_common(TOP)
    ])  # fmt: skip


def escalations(figures: Figures) -> Table:
    lines = [(reason, priority, f"{count:,}") for (reason, priority), count in figures.escalations.most_common()]
    return Table("Escalations", ("reason", "priority", "count"), lines or [("none",)])


def failures(figures: Figures) -> Table:
    lines = [(one.example[:90], f"{one.count:,}", f"{len(one.texts):,}") for one in group(figures.unresolved)[:TOP]]
    title = f"What we failed at ({figures.unresolved_messages:,} messages)"
    return Table(title, ("for example", "messages", "wordings"), lines)


def with_a_person(figures: Figures) -> Table:
    return Table("How it was with a person", ("", "count", "share"), figures.ratings.rows())


def llm(figures: Figures) -> Table:
    """A line a model, and below it what became of its answers."""
    lines: list[Line] = []
    for model, use in sorted(figures.llm.items()):
        counts = (f"{count:,}" for count in (use.calls, use.tokens_in, use.tokens_out))
        times = (duration(use.latency.quantile(share)) for share in (0.5, 0.9))
        lines.append((model, *counts, money(use.cost_usd), *times))
        lines += [(f"– {verdict}", f"{count:,}") for verdict, count in use.verdicts.most_common(5)]
    return Table("Language model", ("model", "answers", "tokens in", "tokens out", "cost", "median", "90 %"), lines)


def pages(figures: Figures) -> Table:
    lines = [(page, f"{count:,}") for page, count in figures.pages.most_common()]
    return Table("Policy pages cited", ("page", "answers"), lines)


def days(figures: Figures) -> Table:
    counted = ("conversations", "messages", *OUTCOMES)
    return Table("By day", ("", "began", *counted[1:], "containment", "LLM cost"), [
        (day, *(str(counts[name]) for name in counted), percent(contained(counts)), money(figures.cost_by_day[day]))
        for day, counts in sorted(figures.by_day.items())
    ])  # fmt: skip


def costs(spent: Costs) -> Table:
    """What WhatsApp bills, by category, feature and day, and below it what the month has left."""
    by_category = spent.by_category
    lines: list[Line] = [
        (name, f"{spent.messages[name]:,}", f"{spent.billed[name]:,}", f"{by_category[name]:.4f}")
        for name in sorted(spent.messages)
    ]
    most = sorted(spent.by_feature.items(), key=lambda item: -item[1])[:6]
    lines += [(f"  for {feature}", "", "", f"{amount:.4f}") for feature, amount in most if amount]
    latest = sorted(spent.by_day.items())[-DAYS:]
    lines += [(f"  on {day}", "", "", f"{amount:.4f}") for day, amount in latest if amount]
    lines += [(note,) for note in notes(spent)]
    return Table("Messages by WhatsApp's categories", ("", "messages", "billed", f"cost ({spent.currency})"), lines)


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


def money(dollars: float | None) -> str:
    """`$ 0.0123`; `unknown` for None."""
    return "unknown" if dollars is None else f"$ {dollars:.4f}" if dollars else "–"
