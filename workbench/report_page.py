"""The held-out report as one page without outside parts, and as tables in the terminal."""

from __future__ import annotations

from html import escape

from rich.console import Console
from rich.table import Table

from workbench.held_out_report import Reading, Report

_STYLE = """
body{font:15px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:60rem;padding:0 1rem;color:#222;background:#fff}
h1{font-size:1.5rem}h2{font-size:1.1rem;margin-top:2rem}table{border-collapse:collapse;width:100%}
td,th{text-align:left;padding:.25rem .6rem;border-bottom:1px solid #ddd;vertical-align:top}
td.n{text-align:right;white-space:nowrap}
.bar{background:#e9e9e9;height:.7rem;width:12rem;display:inline-block}.bar i{background:#2a7;height:100%;display:block}
small{color:#666}svg text{font-size:11px;fill:#555}
@media(prefers-color-scheme:dark){
body{background:#181818;color:#ddd}td,th{border-color:#444}.bar{background:#333}svg text{fill:#aaa}}
"""


def print_report(report: Report, console: Console, mistakes: int = 15) -> None:
    """Slices, confusions and the worst phrases, for people at a terminal."""
    slices = Table("slice", "right", "of", "share", title="Held-out phrases")
    for score in (*report.slices, report.overall):
        slices.add_row(score.name, str(score.right), str(score.total), f"{score.share:.0%}")
    console.print(slices)
    confusions = Table("is", "taken for", "times", "for example", title="Confusions")
    for confusion in report.confusions[:10]:
        confusions.add_row(
            confusion.wanted, confusion.given, str(len(confusion.readings)), confusion.readings[0].phrase.text
        )
    console.print(confusions)
    worst = Table("confidence", "is", "taken for", "phrase", "where", title="Worst phrases")
    for reading in report.worst[:mistakes]:
        worst.add_row(*_cells(reading))
    console.print(worst)


def page(report: Report) -> str:
    """The report as HTML."""
    overall = report.overall
    rows = "".join(
        f"<tr><td>{escape(s.name)}<td class=n>{s.right} of {s.total}<td class=n>{s.share:.0%}"
        f'<td><span class=bar><i style="width:{s.share:.0%}"></i></span>'
        for s in report.slices
    )
    confusions = "".join(
        f"<tr><td>{escape(c.wanted)}<td>{escape(c.given)}<td class=n>{len(c.readings)}"
        f"<td>{'<br>'.join(escape(r.phrase.text) for r in c.readings[:5])}"
        for c in report.confusions
    )
    worst = "".join(
        "<tr>" + "".join(f"<td>{escape(cell)}" for cell in _cells(reading)) for reading in report.worst[:40]
    )
    return (
        "<!doctype html><html lang=en><meta charset=utf-8><title>What the assistant understands</title>"
        f"<meta name=viewport content='width=device-width'><style>{_STYLE}</style>"
        f"<h1>What the assistant understands</h1><p>{overall.right} of {overall.total} held-out phrases right "
        f"({overall.share:.1%}). Out-of-scope phrases are right when they are rejected."
        f"<h2>By slice</h2><table>{rows}</table>"
        "<h2>Calibration</h2><p><small>A dot is a group of phrases: how sure the model was, how often it was right. On "
        f"the line its confidence can be taken at its word; larger dots are more phrases.</small></p>{_plot(report)}"
        f"<h2>Confusions</h2><table><tr><th>is<th>taken for<th>times<th>for example{confusions}</table>"
        f"<h2>Worst phrases</h2><table><tr><th>confidence<th>is<th>taken for<th>phrase<th>where{worst}</table></html>"
    )


def _cells(reading: Reading) -> tuple[str, str, str, str, str]:
    phrase = reading.phrase
    return f"{reading.confidence:.2f}", phrase.intent, reading.label, phrase.text, phrase.place


def _plot(report: Report, side: int = 260, margin: int = 34) -> str:
    def at(value: float) -> float:
        return margin + value * side

    dots = "".join(
        f'<circle cx="{at(b.confidence):.0f}" cy="{at(1 - b.share):.0f}" r="{3 + b.count**0.5 / 2:.1f}" fill="#2a7">'
        f"<title>{b.count} phrases, sure {b.confidence:.2f}, right {b.share:.2f}</title></circle>"
        for b in report.calibration
    )
    size = side + 2 * margin
    return (
        f'<svg width="{size}" height="{size}" role="img" aria-label="calibration plot">'
        f'<rect x="{margin}" y="{margin}" width="{side}" height="{side}" fill="none" stroke="#999"/>'
        f'<line x1="{at(0)}" y1="{at(1)}" x2="{at(1)}" y2="{at(0)}" stroke="#999" stroke-dasharray="4"/>{dots}'
        f'<text x="{at(0.5) - 30}" y="{size - 8}">confidence</text>'
        f'<text x="12" y="{at(0.5)}" transform="rotate(-90 12 {at(0.5)})">right</text></svg>'
    )
