"""The held-out report in the terminal, and as one page without outside parts: the same tables."""

from collections.abc import Sequence

from rich.console import Console
from rich.markup import escape

from conversation_log.report import plots
from conversation_log.report.html_page import document, grouped, section, tabled
from conversation_log.report.message_groups import Group
from conversation_log.report.tables import Table
from conversation_log.report.terminal import shown
from workbench.nlu.held_out_report import Confusion, Reading, Report, SliceScore

SHOWN = 40


def print_report(report: Report, console: Console, mistakes: int = 15) -> None:
    """Slices, calibration, confusions and the worst phrases, for people at a terminal."""
    confusions = Table("Confusions", ("is", "taken for", "times", "for example"), [
        (one.wanted, one.given, str(len(one.readings)), one.readings[0].phrase.text) for one in report.confusions[:10]
    ])  # fmt: skip
    calibration = Table(f"Calibration, {report.calibration_error:.1%} apart", ("sure", "right", "phrases"), [
        (f"{part.confidence:.2f}", f"{part.share:.2f}", str(part.count)) for part in report.calibration
    ])  # fmt: skip
    for table in (*_scores(report), calibration, confusions):
        console.print(shown(table))
    console.print("\n[italic]Worst phrases: mistakes of which the model was surest[/]")
    for reading in report.worst[:mistakes]:
        confidence, wanted, given, text, place = map(escape, _cells(reading))
        console.print(f'{confidence} "{text}"', soft_wrap=True)
        console.print(f"     [green]{wanted}[/], taken for [red]{given}[/]  [dim]{place}[/]", soft_wrap=True)


def page(report: Report) -> str:
    overall, worst = report.overall, [_cells(reading) for reading in report.worst[:SHOWN]]
    return document(
        "What the assistant understands",
        f"{overall.right} of {overall.total} held-out phrases right ({overall.share:.1%}). Out-of-scope phrases are "
        "right when they are rejected.",
        "".join((
            *map(tabled, _scores(report)),
            section("Calibration", _calibration(report)),
            section("Confusions", "".join(grouped(_taken_for(confusion)) for confusion in report.confusions)),
            tabled(Table("Worst phrases: mistakes of which the model was surest",
                         ("sure", "is", "taken for", "phrase", "where"), worst), "words"),
        )),
    )  # fmt: skip


def _scores(report: Report) -> list[Table]:
    """By slice; of the sealed phrases, which nobody reads while the model is improved, totals only."""
    found = [_slices("Held-out phrases", (*report.slices, report.overall))]
    if report.sealed:
        right, total = (sum(getattr(part, what) for part in report.sealed) for what in ("right", "total"))
        sealed = f"Sealed phrases, totals only: {right} of {total} ({right / max(total, 1):.1%})"
        found.append(_slices(sealed, report.sealed))
    return found


def _slices(title: str, slices: Sequence[SliceScore]) -> Table:
    lines = [(score.name, str(score.right), str(score.total), f"{score.share:.0%}") for score in slices]
    return Table(title, ("slice", "right", "of", "share"), lines)


def _calibration(report: Report) -> str:
    """A bar a group of phrases: how sure the model was, and how often it was right."""
    series = [plots.Series("right", "resolved", [part.share for part in report.calibration])]
    bars = plots.rows(
        [f"sure {part.confidence:.2f}" for part in report.calibration], series,
        [f"right {part.share:.2f}, of {part.count}" for part in report.calibration],
    )  # fmt: skip
    apart = f"<b>{report.calibration_error:.1%}</b> apart"
    return f"{bars}<p>How sure the model was, and how often it was right: on average, they lie {apart}.</p>"


def _taken_for(confusion: Confusion) -> Group:
    texts = [reading.phrase.text for reading in confusion.readings]
    return Group(len(texts), f"{confusion.wanted}, taken for {confusion.given}", frozenset(), texts)


def _cells(reading: Reading) -> tuple[str, str, str, str, str]:
    phrase = reading.phrase
    return f"{reading.confidence:.2f}", phrase.intent, reading.label, phrase.text, phrase.place
