"""Play dialogues and show what was right: `python -m workbench.dialogues [--mistakes] [--llm] [--json] FILE...`

State lies in a temporary folder: nothing of a running assistant is touched, and no ticket leaves the machine.
"""

import argparse
import json
import sys
from dataclasses import asdict
from itertools import islice
from pathlib import Path

from rich.console import Console

from workbench.dialogues.cases import Dialogue, DialogueFileError, read_dialogues
from workbench.dialogues.report import Outcome, print_mistakes, print_reader, print_table, summary
from workbench.dialogues.run import outcomes_apart

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
        outcomes = outcomes_apart(dialogues, llm)
        _show(outcomes, by_file, options, ("With the LLM" if llm else "Without an LLM") if options.llm else "")
    return 0


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


if __name__ == "__main__":
    sys.exit(main())
