"""`python -m workbench nlu|validate|check|doctor|orders|chat|stories|review`: the designers' tools."""

import argparse
import asyncio
import sys
from pathlib import Path

from rich.console import Console
from rich.markup import escape

import settings
import signals
from conversation_log.arguments import moment
from workbench.checks.findings import Finding
from workbench.nlu.archives import NoTrainedModel
from workbench.nlu.phrases import HELD_OUT, SEALED, read_phrases


def main(arguments: list[str] | None = None) -> int:
    """Exit status 1 when something must be corrected, 2 when there is no model."""
    signals.restore()
    parser = argparse.ArgumentParser(prog="python -m workbench", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    nlu = commands.add_parser("nlu", help="how well held-out phrases are understood")
    nlu.add_argument("--phrases", type=Path, default=HELD_OUT, help="folder of NLU files (default: the held-out ones)")
    nlu.add_argument("--html", type=Path, help="where the page goes (default: STATE_DIR/nlu.html)")
    validate = commands.add_parser("validate", help="mistakes in the designers' files, with file and remedy")
    validate.add_argument("--files", action="store_true", help="only what needs no trained model (a few seconds)")
    talk = commands.add_parser("chat", help="talk to the assistant and see what it thinks")
    talk.add_argument("--phone", help="who you are (default: a customer of the sample orders)")
    stories = commands.add_parser("stories", help="replay the test stories; those that fail in two columns")
    stories.add_argument("--model", type=Path, help="archive (default: the newest)")
    review = commands.add_parser("review", help="label what the assistant was unsure of, in terminal or browser")
    review.add_argument("--since", type=moment, help="written at or after: 2026-11-01, 7d, 24h")
    review.add_argument("--limit", type=int, default=30, help="how many groups of messages (default 30)")
    shape = review.add_mutually_exclusive_group()
    shape.add_argument("--browser", action="store_true", help="a page on 127.0.0.1 instead of the terminal")
    shape.add_argument("--list", action="store_true", help="print the groups, ask nothing")
    review.add_argument("--port", type=int, default=0, help="of the page (default: a free one)")
    check = commands.add_parser("check", help="everything that can be wrong with the shop and its orders database")
    check.add_argument("--json", action="store_true", help="one JSON object on standard output")
    check.add_argument("--files", action="store_true", help="only the folder: no database, no question, no account")
    doctor = commands.add_parser("doctor", help="what this installation stands on, each with its remedy")
    doctor.add_argument("--json", action="store_true", help="one JSON object on standard output")
    orders = commands.add_parser("orders", help="the table of orders").add_subparsers(dest="what", required=True)
    imported = orders.add_parser("import", help="orders that a shop exported as CSV, into ORDERS_DATABASE_URL")
    imported.add_argument("file", type=Path, help="the CSV file, with its own column names")
    imported.add_argument("--column", action="append", default=[], metavar="OURS=THEIRS",
                          help='which column is which: customer_phone="Shipping Phone,Billing Phone"')  # fmt: skip
    imported.add_argument("--write", action="store_true", help="write; without it this is a dry run")
    options = parser.parse_args(arguments)
    console = Console()
    if options.command == "validate":
        return _validate(console, with_model=not options.files)
    if options.command == "check":
        return _check(console, options)
    if options.command == "doctor":
        return _doctor(console, options)
    if options.command == "orders":
        return _orders(console, options)
    if options.command == "review":
        return _review(options)
    try:
        if options.command == "chat":
            return _chat(console, options.phone)
        if options.command == "stories":
            return _stories(console, options.model)
        return _report(console, options.phrases, options.html or settings.load().state_path / "nlu.html")
    except NoTrainedModel as missing:
        console.print(escape(str(missing)))
        return 2


# Each command imports what it needs and no other does: `make validate` waits for no web server and no helpdesk.


def _check(console: Console, options: argparse.Namespace) -> int:
    from workbench.shop_check.command import run

    return run(options, console)


def _doctor(console: Console, options: argparse.Namespace) -> int:
    from workbench.doctor.command import run

    return run(options, console)


def _orders(console: Console, options: argparse.Namespace) -> int:
    from workbench.order_import.command import run

    return run(options, console)


def _review(options: argparse.Namespace) -> int:
    from workbench.review.command import run

    return run(options)


def _chat(console: Console, phone: str | None) -> int:
    from launch.demo_orders import samples
    from workbench.talk.chat import chat

    try:
        chat(console, phone or samples()[0][0].phone)
    except KeyboardInterrupt:
        console.print()
    return 0


def _stories(console: Console, archive: Path | None) -> int:
    from workbench.nlu.archives import newest_archive
    from workbench.talk.agent import load_agent
    from workbench.talk.stories import print_failures, replay

    replays = asyncio.run(replay(load_agent(archive or newest_archive())))
    return 1 if print_failures(replays, console) else 0


def _report(console: Console, folder: Path, target: Path) -> int:
    from workbench.nlu.held_out_report import measure
    from workbench.nlu.levels import print_levels
    from workbench.nlu.report_page import page, print_report
    from workbench.nlu.trained_nlu import TrainedNlu

    nlu = TrainedNlu.newest()
    report = measure(read_phrases(folder), nlu, SEALED if folder == HELD_OUT else None)
    print_report(report, console)
    if folder == HELD_OUT:
        print_levels(report, nlu.reasons, console)
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(page(report), encoding="utf-8")
    console.print(f"The whole report: {target}")
    return 0


def _validate(console: Console, with_model: bool) -> int:
    """The files by themselves first: while they have mistakes, a model of them says nothing."""
    from workbench.checks.all_checks import file_findings, model_findings

    findings = file_findings()
    blocking = sum(finding.blocking for finding in findings)
    if with_model and not blocking:
        try:
            findings += model_findings()
        except NoTrainedModel as missing:
            console.print(escape(f"Phrases are not compared with the model. {missing}"))
    for finding in findings:
        _print(console, finding)
    console.print(f"{blocking} mistakes to fix, {len(findings) - blocking} things to look at.")
    return 1 if blocking else 0


def _print(console: Console, finding: Finding) -> None:
    colour = "red" if finding.blocking else "yellow"
    console.print(f"[{colour}]{finding.kind}[/] {escape(finding.place)}: {escape(finding.problem)}", soft_wrap=True)
    console.print(f"    {escape(finding.remedy)}", soft_wrap=True)


if __name__ == "__main__":
    sys.exit(main())
