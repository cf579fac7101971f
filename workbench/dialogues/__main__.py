"""Play dialogues and show what was right: `python -m workbench.dialogues [--mistakes] [--llm] [--json] FILE...`

State lies in a temporary folder: nothing of a running assistant is touched, and no ticket leaves the machine.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import multiprocessing
import os
import sys
import tempfile
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict
from datetime import date
from itertools import islice
from pathlib import Path

from rich.console import Console

from workbench.dialogues.cases import Dialogue, DialogueFileError, read_dialogues
from workbench.dialogues.play import Played
from workbench.dialogues.report import Outcome, judged, print_mistakes, print_reader, print_table, summary
from workbench.dialogues.shop import seed

DIALOGUES = Path(__file__).resolve().parents[2] / "tests" / "dialogues"


def main(arguments: list[str] | None = None) -> int:
    """The table of the dialogues in the given files; 2 when a file cannot be used."""
    parser = argparse.ArgumentParser(prog="python -m workbench.dialogues", description=main.__doc__)
    parser.add_argument("files", nargs="*", type=Path, default=[DIALOGUES / "seen"])
    parser.add_argument("--mistakes", action="store_true", help="show the dialogues that went wrong")
    parser.add_argument("--llm", action="store_true", help="without an LLM, and again with the configured one")
    parser.add_argument("--json", action="store_true", help="print the sums as JSON, a line for each file or folder")
    options = parser.parse_args(arguments)
    try:
        by_file = {path: read_dialogues(path) for path in options.files}
    except DialogueFileError as error:
        print(f"✗ {error}", file=sys.stderr)
        return 2
    dialogues = [dialogue for some in by_file.values() for dialogue in some]
    for llm in (False, True) if options.llm else (False,):
        # A process for each: what the environment says is read once.
        with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as processes:
            outcomes = processes.submit(outcomes_of, dialogues, llm).result()
        _show(outcomes, by_file, options, ("With the LLM" if llm else "Without an LLM") if options.llm else "")
    return 0


def outcomes_of(dialogues: list[Dialogue], llm: bool) -> list[Outcome]:
    """What comes of the dialogues, with the configured LLM or without one."""
    with tempfile.TemporaryDirectory() as state:
        orders = f"sqlite:///{state}/orders.db"
        _use(state, orders, llm)
        seed(orders, dialogues, date.today())
        return judged(dialogues, asyncio.run(_played(dialogues)))


def _show(
    outcomes: list[Outcome], by_file: dict[Path, list[Dialogue]], options: argparse.Namespace, title: str
) -> None:
    console = Console(width=max(100, Console().width))
    if options.mistakes:
        print_mistakes(outcomes, console)
    if options.json:
        left = iter(outcomes)
        for path, some in by_file.items():
            print(json.dumps({"files": str(path), **asdict(summary(list(islice(left, len(some)))))}))
        return
    if title:
        console.print(title)
    print_table(outcomes, console)
    print_reader(outcomes, console)


def _use(state: str, orders: str, llm: bool) -> None:
    """Databases of this run's own, before anything reads the settings; no LLM but on request."""
    os.environ |= {
        "STATE_DIR": state,
        "ORDERS_DATABASE_URL": orders,
        "CONVERSATION_DATABASE_URL": f"sqlite:///{state}/conversations.db",
        "TICKETING": "log",
        **({} if llm else {"LLM_PROVIDER": "none"}),
    }


async def _played(dialogues: list[Dialogue]) -> list[list[Played]]:
    from handoff.configuration import load_configuration
    from workbench.archives import newest_archive
    from workbench.dialogues.play import play

    return await play(newest_archive(), dialogues, load_configuration())


if __name__ == "__main__":
    sys.exit(main())
