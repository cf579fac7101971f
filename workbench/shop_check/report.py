"""What the check has found: a table for people, one JSON object for machines."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from textwrap import shorten

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from workbench.shop_check.findings import ERROR, INFORMATION, LEVELS, WARNING, ShopFinding

_COLOURS = {ERROR: "red", WARNING: "yellow", INFORMATION: "cyan"}
_NARROWEST = 100
_MAX_SHOWN_CHARS = 600  # characters of a finding; `--json` has all of it


def as_json(name: str | None, folder: Path, findings: Sequence[ShopFinding]) -> str:
    """{"shop", "folder", "errors", "warnings", "information", "findings"}."""
    counted = {level: sum(one.level == level for one in findings) for level in LEVELS}
    return json.dumps({
        "shop": name, "folder": str(folder), "errors": counted[ERROR], "warnings": counted[WARNING],
        "information": counted[INFORMATION], "findings": [one.as_object() for one in findings],
    }, ensure_ascii=False)  # fmt: skip


def print_table(console: Console, name: str | None, folder: Path, findings: Sequence[ShopFinding]) -> None:
    """The findings, errors first, then how many of each there are."""
    if console.width < _NARROWEST and not console.is_terminal:
        console.width = _NARROWEST
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
