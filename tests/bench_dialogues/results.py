"""What the bench found, as pass^k and in words.

pass^k, as tau-bench defines it: the chance that all of k runs of a dialogue succeed, estimated without bias from the n
runs that there were, of which c succeeded, as C(c, k) / C(n, k), and averaged over the dialogues.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import comb
from statistics import mean

from tests.bench_dialogues.evidence import Outcome
from tests.bench_dialogues.leaks import KINDS

SHOWN = 40


def pass_hat(counts: Iterable[tuple[int, int]], k: int) -> float | None:
    """pass^k of (runs, successes) of each dialogue; None when some dialogue had fewer than k runs."""
    counts = list(counts)
    if not counts or any(runs < k for runs, _ in counts):
        return None
    return mean(comb(passed, k) / comb(runs, k) for runs, passed in counts)


@dataclass(frozen=True)
class Conditions:
    """How it was played, for the report."""

    command: str
    date: str
    machine: str
    seconds: float
    weather: str
    killed: Counter[str]
    left: int = 0
    """Runs that there was no time for."""


@dataclass(frozen=True)
class Results:
    """All outcomes, and the conditions."""

    outcomes: Sequence[Outcome]
    conditions: Conditions

    @property
    def leaks(self) -> Counter[str]:
        """How many runs had a leak, by kind."""
        return Counter(kind for one in self.outcomes for kind in {kind for kind, _ in one.leaks})

    def counts(self, kind: str | None = None) -> list[tuple[int, int]]:
        """(runs, successes) of every dialogue (of a kind)."""
        found: dict[str, list[bool]] = defaultdict(list)
        for one in self.outcomes:
            if kind in (None, one.played.run.argument.plain.kind):
                found[one.played.run.argument.id].append(one.passed)
        return [(len(passed), sum(passed)) for passed in found.values()]

    @property
    def ks(self) -> list[int]:
        """The k that are told: 1, 2, 4, 8 … as far as there were runs."""
        fewest = min((runs for runs, _ in self.counts()), default=0)
        return [k for k in (1, 2, 4, 8) if k <= fewest] or [1]

    def markdown(self) -> str:
        """The report."""
        kinds = sorted({one.played.run.argument.plain.kind for one in self.outcomes})
        heads = ["kind", "dialogues", "runs", *(f"pass^{k}" for k in self.ks)]
        rows = [[kind, *self._figures(kind)] for kind in kinds] + [["**all**", *self._figures(None)]]
        about = self.conditions
        killed = ", ".join(f"{name} {count}" for name, count in about.killed.items()) or "nothing"
        lines = [
            f"{about.date}, {about.machine}, {about.seconds:.0f} s. `{about.command}`", "",
            f"Weather: {about.weather}. Killed with -9: {killed}. "
            f"Bubbles that went out twice, where Graph's answer was lost: {sum(o.said_twice for o in self.outcomes)}. "
            + (f"No time for {about.left} runs. " if about.left else ""), "",
            *_table(heads, rows), "",
            *_table(["leak", "runs"], [[kind, str(self.leaks[kind])] for kind in KINDS]),
        ]  # fmt: skip
        return "\n".join([*lines, *self._mistakes()]) + "\n"

    def _figures(self, kind: str | None) -> list[str]:
        counts = self.counts(kind)
        shares = [pass_hat(counts, k) for k in self.ks]
        told = ["–" if share is None else f"{share:.2f}" for share in shares]
        return [str(len(counts)), str(sum(runs for runs, _ in counts)), *told]

    def _mistakes(self) -> list[str]:
        failed = [one for one in self.outcomes if not one.passed]
        said: dict[str, Counter[str]] = defaultdict(Counter)
        for one in failed:
            leaks = [f"**{kind}**: {words}" for kind, words in one.leaks]
            said[one.played.run.argument.id].update([*leaks, *one.wrong][:3])
        lines = [
            f"- {name}: " + "; ".join(f"{text} ({count}×)" for text, count in texts.most_common(3))
            for name, texts in sorted(said.items())
        ]
        return ["", "What went wrong, by dialogue:", "", *lines[:SHOWN]] if lines else []


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    return [f"| {' | '.join(cells)} |" for cells in (heads, ["---"] * len(heads), *rows)]
