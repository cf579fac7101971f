"""What the check has found: a table for people, one JSON object for machines."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from textwrap import shorten

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from actions.knowledge.pages.documents import Page
from workbench.shop_check.findings import ERROR, INFORMATION, LEVELS, WARNING, ShopFinding, shown

_COLOURS = {ERROR: "red", WARNING: "yellow", INFORMATION: "cyan"}
_NARROWEST = 100
_MAX_SHOWN_CHARS = 600  # characters of a finding; `--json` has all of it
_MAX_HEADINGS_CHARS = 160  # characters of a page's headings
_MAX_PAGES = 30


@dataclass(frozen=True)
class Checked:
    """The shop's name where it is known, what was found, and the pages that could be read, by file."""

    name: str | None = None
    findings: list[ShopFinding] = field(default_factory=list)
    pages: Mapping[Path, Page] = field(default_factory=dict)


def as_json(checked: Checked, folder: Path) -> str:
    """{"shop", "folder", "errors", "warnings", "information", "findings", "pages"}; of a page its sections."""
    findings = checked.findings
    counted = {level: sum(one.level == level for one in findings) for level in LEVELS}
    pages = [{
        "page": page.name, "file": shown(folder, path), "title": page.title,
        "sections": [{"heading": one.heading, "characters": len(one.text)} for one in page.sections],
    } for path, page in checked.pages.items()]  # fmt: skip
    return json.dumps({
        "shop": checked.name, "folder": str(folder), "errors": counted[ERROR], "warnings": counted[WARNING],
        "information": counted[INFORMATION], "findings": [asdict(one) for one in findings], "pages": pages,
    }, ensure_ascii=False)  # fmt: skip


def print_table(console: Console, checked: Checked, folder: Path) -> None:
    """How the pages were cut, then the findings, errors first, then how many of each there are."""
    name, findings = checked.name, checked.findings
    if console.width < _NARROWEST and not console.is_terminal:
        console.width = _NARROWEST
    _print_pages(console, checked, folder)
    table = Table(title=escape(f"{name or 'The shop'} in {folder}"), title_justify="left", show_lines=True)
    table.add_column("", no_wrap=True)
    table.add_column("where", overflow="fold", ratio=2)
    table.add_column("what, and what to do", overflow="fold", ratio=5)
    for one in findings:
        problem = escape(shorten(one.problem, _MAX_SHOWN_CHARS, placeholder=" …"))
        remedy = f"\n→ {escape(one.remedy)}" if one.remedy else ""
        table.add_row(f"[{_COLOURS[one.level]}]{one.level}[/]", escape(one.where), problem + remedy)
    console.print(table)
    errors, warnings, information = (sum(one.level == level for one in findings) for level in LEVELS)
    console.print(f"{errors} errors, {warnings} warnings, {information} things to know.")


def _print_pages(console: Console, checked: Checked, folder: Path) -> None:
    table = Table("page", "sections", "their headings", title="How the pages were cut", title_justify="left")
    for path, page in list(checked.pages.items())[:_MAX_PAGES]:
        headings = " · ".join(section.heading for section in page.sections)
        shortened = shorten(headings, _MAX_HEADINGS_CHARS, placeholder=" …")
        table.add_row(escape(shown(folder, path)), str(len(page.sections)), escape(shortened))
    if checked.pages:
        console.print(table)
    if len(checked.pages) > _MAX_PAGES:
        console.print(f"… and {len(checked.pages) - _MAX_PAGES} pages more (--json has all).")
