"""`python -m workbench nlu|validate|chat`: held-out report, phrases that need mending, a talk in the terminal."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from rich.console import Console
from rich.markup import escape

import settings
from workbench.held_out_report import measure
from workbench.phrases import HELD_OUT, TRAINING, read_phrases
from workbench.report_page import page, print_report
from workbench.trained_nlu import NoTrainedModel, TrainedNlu
from workbench.validation import Finding, contradicted, trained_and_held_out, twice, under_two_intents


def main(arguments: list[str] | None = None) -> int:
    """Exit status 1 when a phrase must be mended, 2 when there is no model."""
    parser = argparse.ArgumentParser(prog="python -m workbench", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    nlu = commands.add_parser("nlu", help="how well held-out phrases are understood")
    nlu.add_argument("--phrases", type=Path, default=HELD_OUT, help="folder of NLU files (default: the held-out ones)")
    nlu.add_argument("--html", type=Path, help="where the page goes (default: STATE_DIR/nlu.html)")
    commands.add_parser("validate", help="phrases that work against each other")
    talk = commands.add_parser("chat", help="talk to the assistant and see what it thinks")
    talk.add_argument("--phone", default="+919876543210", help="who you are (default: a customer of the demo)")
    options = parser.parse_args(arguments)
    console = Console()
    if options.command == "validate":
        return _validate(console)
    try:
        if options.command == "chat":
            from workbench.chat import chat

            chat(console, options.phone)
            return 0
        return _report(console, options.phrases, options.html or settings.load().state_path / "nlu.html")
    except NoTrainedModel as missing:
        console.print(escape(str(missing)))
        return 2


def _report(console: Console, folder: Path, target: Path) -> int:
    report = measure(read_phrases(folder), TrainedNlu.newest())
    print_report(report, console)
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(page(report), encoding="utf-8")
    console.print(f"The whole report, with the calibration plot: {target}")
    return 0


def _validate(console: Console) -> int:
    training, held_out = read_phrases(TRAINING), read_phrases(HELD_OUT)
    findings = under_two_intents(training) + twice(training) + trained_and_held_out(training, held_out)
    try:
        findings += contradicted(training, TrainedNlu.newest().model)
    except NoTrainedModel as missing:
        console.print(escape(f"Phrases are not compared with the model. {missing}"))
    for finding in findings:
        _print(console, finding)
    blocking = sum(finding.blocking for finding in findings)
    console.print(
        f"{len(training)} phrases, {len(held_out)} held out: {blocking} to mend, {len(findings) - blocking} to look at."
    )
    return 1 if blocking else 0


def _print(console: Console, finding: Finding) -> None:
    colour = "red" if finding.blocking else "yellow"
    console.print(f"[{colour}]{finding.kind}[/] {escape(finding.place)}: {escape(finding.problem)}", soft_wrap=True)
    console.print(f"    {escape(finding.remedy)}", soft_wrap=True)


if __name__ == "__main__":
    sys.exit(main())
