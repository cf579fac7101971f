"""`python -m conversation_log replay`: logged customer turns with another model or other pages; what would change.

Nothing real is touched: no ticket, no act, no message, no write to the log; only the log and the orders are read.
"""

import argparse
import asyncio
import logging
import sys
from collections.abc import Iterator, Sequence
from datetime import datetime, timezone
from pathlib import Path

from rich.console import Console
from sqlalchemy.exc import SQLAlchemyError

import settings as settings_module
import shop
import signals
from actions.knowledge.pages import documents
from conversation_log import arguments, progress
from conversation_log.query import tiers
from conversation_log.report.command import DEFAULT_PERIOD
from conversation_log.report.terminal import span
from conversation_log.storage import database, remedies
from conversation_log.storage.database import LogUnavailable
from privacy import log_filter
from settings import Settings, SettingsError
from workbench.nlu.archives import newest_archive
from workbench.replay.page import page
from workbench.replay.playing import nothing_real, replayed
from workbench.replay.tally import Tally, show
from workbench.replay.turns import LoggedConversation, read


def main(argv: Sequence[str] | None = None) -> int:
    """Exit status: 0 played, 1 it could not be or more turns than `--fail-on` would change, 2 misused."""
    signals.restore()
    logging.basicConfig(level=logging.ERROR, format="%(levelname)s %(message)s", stream=sys.stderr)
    log_filter.install()
    logging.getLogger("rasa").setLevel(logging.CRITICAL)  # a model of other slots: a line for each, each turn
    options = _parser().parse_args(argv)
    url = ""
    try:
        settings = settings_module.load()
        url = str(settings.conversation_database_url)
        return _replay(settings, options)
    except (SQLAlchemyError, SettingsError, LogUnavailable, OSError) as error:
        print(f"conversation_log: {remedies.explained(error, url)}", file=sys.stderr)
    return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m conversation_log replay", description=__doc__)
    parser.add_argument("--since", type=arguments.moment, help="began at or after: 2026-11-01, 7d (default: 30d)")
    parser.add_argument("--until", type=arguments.moment, help="began before")
    parser.add_argument("--model", type=_archive, help="archive of a trained model (default: the newest)")
    parser.add_argument("--policies", type=_pages, help="folder of pages (default: the shop's policy_kb)")
    parser.add_argument("--fail-on", type=arguments.days, metavar="N", help="exit status 1 when more turns change")
    parser.add_argument("--html", type=Path, help="also write a self-contained page with every changed conversation")
    parser.add_argument("--llm", action="store_true", help="with the configured LLM, which then reads what they wrote")
    return parser


def _archive(text: str) -> Path:
    path = Path(text).resolve()
    if not path.is_file():
        raise argparse.ArgumentTypeError(f"there is no archive {text}; `make train` writes them to models/")
    return path


def _pages(text: str) -> Path:
    path = Path(text).resolve()
    pages, mistakes = documents.examine(path)
    if mistakes:
        file, problem = mistakes[0]
        raise argparse.ArgumentTypeError(f"{file.name}: {problem.partition(': ')[2] or problem}")
    if not pages:
        raise argparse.ArgumentTypeError(f"there is no page in {text}")
    return path


def _replay(settings: Settings, options: argparse.Namespace) -> int:
    now = datetime.now(timezone.utc)
    period = tiers.Period(options.since or (options.until or now) - DEFAULT_PERIOD, options.until)
    engine = database.connect(str(settings.conversation_database_url))
    database.require_current(engine)
    archive, pages = options.model or newest_archive(), options.policies
    tally, total = Tally(), tiers.count(settings, engine, period)
    logged = (read(record) for record in tiers.records(settings, engine, None, period))
    with nothing_real(settings, pages, options.llm), progress.progress_bar("Replaying", "Replayed", total) as advance:
        asyncio.run(_count(tally, archive, logged, advance))
    whose = pages.name if pages else shop.load().name
    title = f"{span(period, now)}, played with {archive.name} and the pages of {whose}"
    console = Console()
    console.print(title, soft_wrap=True, highlight=False, markup=False)
    show(tally, console)
    if options.html:
        options.html.write_text(page(tally, title), encoding="utf-8")
        print(f"Written to {options.html}")
    if options.fail_on is not None and tally.changed > options.fail_on:
        print(f"conversation_log: {tally.changed} turns would change, more than {options.fail_on}.", file=sys.stderr)
        return 1
    return 0


async def _count(
    tally: Tally, archive: Path, logged: Iterator[LoggedConversation], advance: progress.Advance
) -> None:
    async for one in replayed(archive, logged):
        tally.take(one)
        advance(1)


if __name__ == "__main__":
    sys.exit(main())
