"""The held-out report as one page without outside parts, and as tables in the terminal."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from rich.console import Console
from rich.markup import escape as escape_markup
from rich.table import Table
from rich.text import Text

from workbench.nlu.calibration_plot import plot
from workbench.nlu.held_out_report import Confusion, Reading, Report, SliceScore

SHOWN = 40
_STYLE = """
:root{color-scheme:light dark;--ink:#222;--soft:#666;--line:#ddd;--page:#fff;--bar:#e6e6e6;--good:#17694f;--bad:#b3261e}
@media(prefers-color-scheme:dark){
:root{--ink:#ddd;--soft:#a0a0a0;--line:#444;--page:#181818;--bar:#333;--good:#6cc3a4;--bad:#ff8a80}}
body{font:15px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:64rem;padding:0 1rem}
body{color:var(--ink);background:var(--page)}
h1{font-size:1.5rem;margin-bottom:.2rem}h2{font-size:1.1rem;margin:2.2rem 0 .4rem}p{margin:.3rem 0}
.soft{color:var(--soft)}
table{border-collapse:collapse;width:100%}th{font-weight:600;color:var(--soft);font-size:.85rem}
td,th{text-align:left;padding:.3rem .7rem .3rem 0;border-bottom:1px solid var(--line);vertical-align:top}
.n{text-align:right;white-space:nowrap;font-variant-numeric:tabular-nums}code{font-size:.85rem;overflow-wrap:anywhere}
.bar{background:var(--bar);border-radius:3px;height:.7rem;width:12rem;max-width:30vw;display:inline-block;overflow:hidden}
.slices td:first-child{width:16rem}.slices td.n{width:6rem}
.bar i{background:var(--good);height:100%;display:block}
.is{color:var(--good)}.given{color:var(--bad)}
@media(max-width:45rem){.slices td:first-child{width:auto}td{overflow-wrap:anywhere}}
summary{cursor:pointer}details ul{margin:.2rem 0;padding-left:1.2rem}
.two{display:flex;flex-wrap:wrap;gap:1rem 2.5rem;align-items:flex-start}.two>*{flex:1 1 22rem}.two>svg{flex:0 0 auto}
svg text{font-size:11px;fill:var(--soft)}
"""


def print_report(report: Report, console: Console, mistakes: int = 15) -> None:
    """Slices, calibration, confusions and the worst phrases, for people at a terminal."""
    console.print(_slices_table("Held-out phrases", (*report.slices, report.overall)))
    if report.sealed:
        console.print(_slices_table("Sealed phrases (totals only)", (*report.sealed, _together(report.sealed))))
    calibration = Table("sure", "right", "", "phrases", title=f"Calibration, {report.calibration_error:.1%} apart")
    for part in report.calibration:
        bar = "█" * round(part.share * 20) + "·" * (20 - round(part.share * 20))
        calibration.add_row(f"{part.confidence:.2f}", f"{part.share:.2f}", bar, str(part.count))
    console.print(calibration)
    confusions = Table("is", "taken for", "times", "for example", title="Confusions")
    for confusion in report.confusions[:10]:
        example = confusion.readings[0].phrase.text
        confusions.add_row(confusion.wanted, confusion.given, str(len(confusion.readings)), Text(example))
    console.print(confusions)
    console.print("\n[italic]Worst phrases: mistakes of which the model was surest[/]")
    for reading in report.worst[:mistakes]:
        confidence, wanted, given, text, place = map(escape_markup, _cells(reading))
        console.print(f'{confidence} "{text}"', soft_wrap=True)
        console.print(f"     [green]{wanted}[/], taken for [red]{given}[/]  [dim]{place}[/]", soft_wrap=True)


def page(report: Report) -> str:
    """The report as HTML."""
    overall = report.overall
    sealed = _sealed(report.sealed) if report.sealed else ""
    confusions = "".join(_confusion(confusion) for confusion in report.confusions)
    worst = "".join(_worst(reading) for reading in report.worst[:SHOWN])
    return (
        "<!doctype html><html lang=en><meta charset=utf-8><title>What the assistant understands</title>"
        f"<meta name=viewport content='width=device-width'><style>{_STYLE}</style>"
        f"<h1>What the assistant understands</h1><p>{overall.right} of {overall.total} held-out phrases right "
        f"({overall.share:.1%}). <span class=soft>Out-of-scope phrases are right when they are rejected.</span>"
        f"<h2>By slice</h2>{_slices(report.slices)}{sealed}"
        "<h2>Calibration</h2><div class=two>"
        f"{plot(report.calibration)}<div><p>A dot is a group of phrases: how sure the model was, and how often it was "
        "right. On the line its confidence can be taken at its word; below it the model promises too much, above it "
        f"too little. Larger dots are more phrases.</p><p>On average, confidence and share lie <b>"
        f"{report.calibration_error:.1%}</b> apart.</p></div></div>"
        f"<h2>Confusions</h2><table><tr><th>is<th>taken for<th class=n>times<th>phrases{confusions}</table>"
        f"<h2>Worst phrases</h2><p class=soft>Mistakes of which the model was surest: customers feel these as nonsense."
        f"<table><tr><th class=n>sure<th>is<th>taken for<th>phrase<th>where{worst}</table></html>"
    )


def _together(slices: Sequence[SliceScore]) -> SliceScore:
    return SliceScore("all", sum(part.right for part in slices), sum(part.total for part in slices))


def _slices_table(title: str, slices: Sequence[SliceScore]) -> Table:
    table = Table("slice", "right", "of", "share", title=title)
    for score in slices:
        table.add_row(score.name, str(score.right), str(score.total), f"{score.share:.0%}")
    return table


def _slices(slices: Sequence[SliceScore]) -> str:
    rows = "".join(
        f"<tr><td>{escape(score.name.replace('_', ' '))}<td class=n>{score.right} of {score.total}"
        f'<td class=n>{score.share:.0%}<td><span class=bar><i style="width:{score.share:.0%}"></i></span>'
        for score in slices
    )
    return f"<table class=slices>{rows}</table>"


def _sealed(slices: Sequence[SliceScore]) -> str:
    together = _together(slices)
    return (
        f"<h2>Sealed phrases: {together.right} of {together.total} ({together.share:.1%})</h2>"
        "<p class=soft>Their author had not seen the training data, and nobody reads them while the model is improved: "
        f"the honest measure, as totals only.{_slices(slices)}"
    )


def _confusion(confusion: Confusion) -> str:
    phrases = [escape(reading.phrase.text) for reading in confusion.readings]
    rest = "".join(f"<li>{phrase}" for phrase in phrases[2:])
    more = f"<details><summary>{len(phrases) - 2} more</summary><ul>{rest}</ul></details>" if rest else ""
    return (
        f"<tr><td class=is>{escape(confusion.wanted)}<td class=given>{escape(confusion.given)}"
        f"<td class=n>{len(phrases)}<td>{'<br>'.join(phrases[:2])}{more}"
    )


def _worst(reading: Reading) -> str:
    confidence, wanted, given, text, place = map(escape, _cells(reading))
    return f"<tr><td class=n>{confidence}<td class=is>{wanted}<td class=given>{given}<td>{text}<td><code>{place}</code>"


def _cells(reading: Reading) -> tuple[str, str, str, str, str]:
    phrase = reading.phrase
    return f"{reading.confidence:.2f}", phrase.intent, reading.label, phrase.text, phrase.place
