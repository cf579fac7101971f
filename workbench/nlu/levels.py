"""How well messages are understood: a table of intents, reasons for a person, order numbers; by kind and language."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

from components.escalation.assessment import TurnContext, assess
from components.escalation.examples import NONE
from components.escalation.reasons import Reader
from components.language.detection import detect_language
from components.order_numbers.finding import find_order_numbers
from workbench.nlu.held_out_report import Report
from workbench.nlu.phrases import HELD_OUT, PROJECT_ROOT

_ESCALATION = PROJECT_ROOT / "tests" / "components"
_TRICKY = "tricky"


@dataclass(frozen=True)
class Level:
    """One row: what was measured, on what, and the share that is right (or what else `figures` says)."""

    what: str
    on: str
    figures: str
    count: int


@dataclass(frozen=True)
class Judged:
    """A labelled message and what was decided: the reason that is wanted and the one that was given, if any."""

    text: str
    wanted: tuple[str, ...]
    given: str | None
    is_tricky: bool


def print_levels(report: Report, reader: Reader, console: Console) -> None:
    """The table of what the repository can measure by itself."""
    table = Table("what", "on", "level", "messages", title="Levels")
    for level in (*intent_levels(report), *escalation_levels(reader), *order_number_levels()):
        table.add_row(level.what, level.on, level.figures, str(level.count))
    console.print(table)


def intent_levels(report: Report) -> Iterator[Level]:
    """Means over sets, as every set counts alike; and over languages."""
    for name, slices in (("held-out sets", report.slices), ("sealed sets", report.sealed)):
        if slices:
            mean = sum(one.share for one in slices) / len(slices)
            yield Level("intents", f"mean of {len(slices)} {name}", f"{mean:.3f}", sum(one.total for one in slices))
    spoken = [(detect_language(reading.phrase.text) or "none told", reading.right) for reading in report.readings]
    for language in sorted({language for language, _ in spoken}):
        right = [each for its, each in spoken if its == language]
        yield Level("intents", f"held out, {language}", f"{sum(right) / len(right):.3f}", len(right))


def escalation_levels(reader: Reader) -> Iterator[Level]:
    """Precision, recall, F1 and false alarms; and by reason, by language."""
    held_out = [_judge(text, (reason,), reader) for reason, text in _rows(_ESCALATION / "escalation_heldout.tsv")]
    sealed = [
        _judge(text, tuple(reasons[0].split("|")) if needed == "yes" else (NONE,), reader)
        for text, needed, *reasons in _rows(_ESCALATION / "escalation_sealed.tsv")
    ]
    for name, judged in (("held out", held_out), ("sealed", sealed)):
        yield Level("a person is needed", name, _precision_and_recall(judged), len(judged))
    alarms = [one for one in held_out if one.is_tricky]
    share = sum(one.given is not None for one in alarms) / len(alarms)
    yield Level("a person is needed", "harmless look-alikes, held out", f"{share:.3f} false alarms", len(alarms))
    for reason in sorted({one.wanted[0] for one in held_out if not _needs_nobody(one)}):
        of_reason = [one for one in held_out if one.wanted == (reason,)]
        called = sum(one.given is not None for one in of_reason) / len(of_reason)
        named = sum(one.given == reason for one in of_reason) / len(of_reason)
        yield Level(
            "a person is needed", f"held out, {reason}", f"R {called:.3f}, named so {named:.3f}", len(of_reason)
        )
    for language in sorted({detect_language(one.text) or "none told" for one in held_out}):
        spoken = [one for one in held_out if (detect_language(one.text) or "none told") == language]
        yield Level("a person is needed", f"held out, {language}", _precision_and_recall(spoken), len(spoken))


def order_number_levels() -> Iterator[Level]:
    """Numbers in hard forms, and what only looks like one."""
    cases = [row if len(row) == 2 else [row[0], ""] for row in _rows(HELD_OUT / "order_numbers.tsv")]
    for name, with_number in (("hard forms", True), ("look-alikes", False)):
        chosen = [(text, numbers.split()) for text, numbers in cases if bool(numbers) == with_number]
        right = sum([span.value for span in find_order_numbers(text)] == numbers for text, numbers in chosen)
        yield Level("order numbers", name, f"{right / len(chosen):.3f}", len(chosen))


def _judge(text: str, wanted: tuple[str, ...], reader: Reader) -> Judged:
    return Judged(text, wanted, assess(TurnContext(text), reader).reason, wanted == (_TRICKY,))


def _needs_nobody(one: Judged) -> bool:
    return one.is_tricky or one.wanted == (NONE,)


def _precision_and_recall(judged: Sequence[Judged]) -> str:
    right = sum(one.given is not None and not _needs_nobody(one) for one in judged)
    called, needed = sum(one.given is not None for one in judged), sum(not _needs_nobody(one) for one in judged)
    precision, recall = right / max(called, 1), right / max(needed, 1)
    return f"P {precision:.3f} R {recall:.3f} F1 {2 * right / max(called + needed, 1):.3f}"


def _rows(path: Path) -> list[list[str]]:
    lines = path.read_text(encoding="utf-8").splitlines()
    return [line.split("\t") for line in lines if line.strip() and line[0] != "#"]
