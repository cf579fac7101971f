"""What a replay adds up to, in the terminal."""

from collections import Counter
from dataclasses import dataclass, field

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from privacy.redaction import redact
from workbench.replay.answers import ANSWER, ANSWERED, INTENT, KINDS, REFUSED, Answer
from workbench.replay.playing import Replayed, ReplayedTurn

TOP, SHOWN, WORDS = 12, 20, 110
MAX_KEPT = 500


@dataclass
class Tally:
    """Counts over all that was played; of the changed conversations the first MAX_KEPT, to be shown."""

    conversations: int = 0
    turns: int = 0
    changed: int = 0
    left_out: int = 0
    moved_on: int = 0
    by_llm: int = 0
    kinds: Counter[str] = field(default_factory=Counter)
    intents: Counter[tuple[str, str]] = field(default_factory=Counter)
    answers: Counter[tuple[str, str]] = field(default_factory=Counter)
    kept: list[Replayed] = field(default_factory=list)
    changed_conversations: int = 0

    def take(self, replayed: Replayed) -> None:
        """Count one conversation."""
        self.conversations += 1
        self.left_out += replayed.conversation.left_out
        for turn in replayed.turns:
            self._take(turn)
        if replayed.changed:
            self.changed_conversations += 1
            if len(self.kept) < MAX_KEPT:
                self.kept.append(replayed)

    def _take(self, turn: ReplayedTurn) -> None:
        then, now = turn.logged.answer, turn.now
        self.turns += 1
        self.moved_on += turn.moved_on
        self.by_llm += turn.logged.by_llm
        self.changed += bool(turn.changed)
        self.kinds.update(turn.changed)
        if INTENT in turn.changed:
            self.intents[(then.intent, now.intent)] += 1
        if {ANSWER, ANSWERED, REFUSED} & set(turn.changed):
            self.answers[(kinds_of(then), kinds_of(now))] += 1

    @property
    def summary(self) -> str:
        share = f" ({100 * self.changed / self.turns:.1f} %)" if self.turns else ""
        return f"{self.changed} of {self.turns} turns{share} would change, in {self.changed_conversations} of " \
               f"{self.conversations} conversations."  # fmt: skip

    @property
    def remarks(self) -> list[str]:
        """What was not compared, and why."""
        return [
            f"{count} {text}"
            for count, text in (
                (self.left_out, "messages without words (pictures, voice notes, forms) were not played."),
                (self.moved_on, "turns follow an answer that only today's orders changed: not compared."),
                (self.by_llm, "turns were read by an LLM then; `--llm` asks the configured one."),
                (self.changed_conversations - len(self.kept), "changed conversations more than are shown."),
            )
            if count
        ]


def kinds_of(answer: Answer) -> str:
    """What an answer was about, in words."""
    return " + ".join(answer.kinds) or "nothing said"


def line_of(answer: Answer) -> str:
    """Intent, kind and a person."""
    if answer.failed:
        return f"failed ({answer.failed})"
    return f"{answer.intent}: {kinds_of(answer)}{', a person' if answer.escalated else ''}"


def words_of(answer: Answer, chars: int = 400) -> str:
    """What was said, without personal data, clipped."""
    return clipped("\n".join(one.text for one in answer.said), chars)


def clipped(text: str, chars: int = 400) -> str:
    """Words of the log as they may be shown: without personal data, and not endless."""
    shown = redact(text)
    return shown if len(shown) <= chars else shown[: chars - 1] + "…"


def show(tally: Tally, console: Console) -> None:
    """The tables, the first changed turns, and what was not compared."""
    console.print(tally.summary, style="bold")
    if tally.changed:
        table = Table("what changes", "turns", pad_edge=False, box=None)
        for kind in KINDS:
            if tally.kinds[kind]:
                table.add_row(kind, str(tally.kinds[kind]))
        console.print(table)
        for title, moves in (("intent", tally.intents), ("answer", tally.answers)):
            _moves(title, moves, console)
        _turns(tally, console)
    for remark in tally.remarks:
        console.print(escape(remark), style="dim", soft_wrap=True)


def _moves(title: str, moves: Counter[tuple[str, str]], console: Console) -> None:
    if moves:
        table = Table(f"{title} then", "now", "turns", pad_edge=False, box=None)
        for (then, now), count in moves.most_common(TOP):
            table.add_row(escape(then), escape(now), str(count))
        console.print(table)


def _turns(tally: Tally, console: Console) -> None:
    changed = [turn for one in tally.kept for turn in one.turns if turn.changed]
    table = Table("the customer wrote", "then", "now", "what changes", title=f"The first {min(SHOWN, len(changed))}",
                  title_justify="left", pad_edge=False)  # fmt: skip
    for turn in changed[:SHOWN]:
        said = " / ".join(clipped(turn.logged.text, WORDS).splitlines())
        table.add_row(escape(said), escape(line_of(turn.logged.answer)), escape(line_of(turn.now)),
                      ", ".join(turn.changed))  # fmt: skip
    console.print(table)
