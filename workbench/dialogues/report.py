"""The table of a run: by kind of dialogue, and the turns that went wrong."""

import statistics
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from workbench.dialogues.cases import Dialogue, DialogueTurn
from workbench.dialogues.judge import Verdict, judge
from workbench.dialogues.play import Played
from workbench.dialogues.shop import numbers_of


@dataclass(frozen=True)
class Outcome:
    """One dialogue with what happened and the verdicts, turn by turn."""

    dialogue: Dialogue
    turns: tuple[tuple[DialogueTurn, Played, Verdict], ...]

    @property
    def passed(self) -> bool:
        return all(verdict.passed for _, _, verdict in self.turns)


@dataclass(frozen=True)
class Summary:
    """Counts over many dialogues."""

    dialogues: int
    passed: int
    turns: int
    right: int
    wrong_tickets: int
    missed_tickets: int


def judged(dialogues: Sequence[Dialogue], played: Sequence[Sequence[Played]]) -> list[Outcome]:
    """The verdicts on a run."""
    return [
        Outcome(
            dialogue,
            tuple(
                (turn, one, judge(dialogue, turn, one, numbers_of(index)))
                for turn, one in zip(dialogue.turns, said, strict=True)
            ),
        )
        for index, (dialogue, said) in enumerate(zip(dialogues, played, strict=True))
    ]


def summary(outcomes: Sequence[Outcome]) -> Summary:
    """Add up."""
    verdicts = [verdict for outcome in outcomes for _, _, verdict in outcome.turns]
    return Summary(
        dialogues=len(outcomes),
        passed=sum(outcome.passed for outcome in outcomes),
        turns=len(verdicts),
        right=sum(verdict.passed for verdict in verdicts),
        wrong_tickets=sum(verdict.wrong_ticket for verdict in verdicts),
        missed_tickets=sum(verdict.missed_ticket for verdict in verdicts),
    )


def print_table(outcomes: Sequence[Outcome], console: Console) -> None:
    """A line for each kind, then the sum."""
    by_kind: dict[str, list[Outcome]] = defaultdict(list)
    for outcome in outcomes:
        by_kind[outcome.dialogue.kind].append(outcome)
    table = Table("kind", "dialogues", "turns", "wrong tickets", "missed tickets", pad_edge=False)
    for kind, some in [*sorted(by_kind.items()), ("all", list(outcomes))]:
        sums = summary(some)
        table.add_row(kind, f"{sums.passed}/{sums.dialogues}", f"{sums.right}/{sums.turns}",
                      str(sums.wrong_tickets), str(sums.missed_tickets))  # fmt: skip
    console.print(table)


def print_reader(outcomes: Sequence[Outcome], console: Console) -> None:
    """How often an LLM was asked what a message means, what came of it, and what it took."""
    asked = [one.read for outcome in outcomes for _, one, _ in outcome.turns if one.read]
    counted = ("input_tokens", "output_tokens", "latency_ms")
    if not asked:
        return
    verdicts = ", ".join(f"{count} {verdict}" for verdict, count in Counter(one["verdict"] for one in asked).items())
    tokens_in, tokens_out, wait_ms = (statistics.median(one.get(name) or 0 for one in asked) for name in counted)
    console.print(f"The LLM read {len(asked)} of {summary(outcomes).turns} turns: {verdicts}. "
                  f"Median: {tokens_in:.0f} tokens in, {tokens_out:.0f} out, {wait_ms / 1000:.1f} s.")  # fmt: skip


def print_mistakes(outcomes: Sequence[Outcome], console: Console) -> None:
    """Each dialogue that failed, with every turn of it; the wrong ones marked."""
    for outcome in outcomes:
        if outcome.passed:
            continue
        console.print(f"\n{outcome.dialogue.id} {outcome.dialogue.kind} {' '.join(outcome.dialogue.orders)}")
        for turn, one, verdict in outcome.turns:
            mark = " " if verdict.passed else "T" if verdict.wrong_ticket else "M" if verdict.missed_ticket else "✗"
            read = f"{one.after}: {one.intent} {one.confidence:.2f}"
            console.print(escape(f"{mark} > {one.said}   ({read})"), soft_wrap=True)
            for reply in one.replies:
                about = " ".join(reply.sections)
                first = " / ".join(reply.text.splitlines())[:150]
                console.print(escape(f"      {reply.response} {about} | {first}"), soft_wrap=True)
            if one.opened:
                console.print(f"      ticket: {one.reason}")
            if not verdict.passed:
                console.print(escape(f"      right: {list(turn.right)} ticket {turn.ticket}"), soft_wrap=True)
