"""`python -m workbench orders import FILE [--column ours=Theirs] [--write]`: without --write nothing is changed."""

import argparse

from rich.console import Console
from rich.markup import escape

import settings
import shop
from workbench.order_import import exported
from workbench.order_import.checked import RowCheck
from workbench.order_import.exported import ImportRefusedError
from workbench.order_import.upsert import Values, upsert
from workbench.shop_check.files import shape_of_orders

MAX_NAMED = 50


def run(options: argparse.Namespace, console: Console) -> int:
    """Exit status 1 where a row was left out or not all of it is understood, 2 where the file cannot be used."""
    try:
        file = exported.read(options.file, options.column)
        rows, problems, left_out = _checked(file)
        url = settings.load().values["ORDERS_DATABASE_URL"] or ""
        outcome = upsert(url, rows, options.write)
    except (ImportRefusedError, shop.ShopError) as refused:
        console.print(escape(str(refused)), soft_wrap=True)
        return 2
    for ours, theirs in file.sources.items():
        console.print(f"{ours} ← {escape(', or '.join(theirs))}", soft_wrap=True)
    for problem in problems[:MAX_NAMED]:
        console.print(f"[yellow]line {escape(problem)}[/]", soft_wrap=True)
    if len(problems) > MAX_NAMED:
        console.print(f"… and {len(problems) - MAX_NAMED} more.")
    if outcome.samples:
        console.print("The sample orders make way for these.")
    console.print(f"{outcome.new} new, {outcome.changed} changed, {outcome.same} as they are, {left_out} left out.")
    console.print("Written." if options.write else "Nothing was written: this was a dry run. Add --write.")
    return 1 if problems else 0


def _checked(file: exported.Exported) -> tuple[dict[str, Values], list[str], int]:
    """The rows by order number (the last of a number counts), what is wrong by line, and how many are left out."""
    check = RowCheck(shop.load(), shape_of_orders())
    rows: dict[str, Values] = {}
    problems: list[str] = []
    left_out = 0
    for line, row in file.rows:
        checked = check.check(row)
        problems += [f"{line} {problem}" for problem in checked.problems]
        if checked.values is None:
            left_out += 1
            continue
        number = str(checked.values["order_id"])
        same = number.lstrip("0") if number.isdigit() else number.casefold()
        before = rows.get(same)
        if before and before["customer_phone"] != checked.values["customer_phone"]:
            problems.append(f"{line} has an order number that stood above, with another phone; this one counts")
        rows[same] = checked.values
    return {str(row["order_id"]): row for row in rows.values()}, problems, left_out
