"""`python -m conversation_log …`: what operators and auditors do with the log."""

from __future__ import annotations

import argparse
import logging
import os
import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import redis
from redis.exceptions import RedisError
from sqlalchemy.engine import Engine
from sqlalchemy.exc import SQLAlchemyError

import settings as settings_module
import shop
import signals
from conversation_log import arguments
from conversation_log.ingest import hot_tier
from conversation_log.storage import database, remedies
from conversation_log.storage.database import LogUnavailable
from privacy import log_filter
from privacy.pseudonyms import mask_phone
from settings import Settings, SettingsError

Command = Callable[[Settings, argparse.Namespace], int]
REPLAY = "replay"


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command. Returns its exit status: 0 done, 1 could not, 2 misused."""
    signals.restore()
    asked = list(sys.argv[1:] if argv is None else argv)
    if asked[:1] == [REPLAY]:
        # It plays dialogues, which this room knows nothing of: this process becomes the workbench's.
        os.execv(sys.executable, [sys.executable, "-m", "workbench.replay", *asked[1:]])  # noqa: S606
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(message)s", stream=sys.stderr)
    log_filter.install()
    settings: Settings | None = None
    try:
        settings = settings_module.load()
        parsed = _parser(settings).parse_args(argv)
        command: Command = parsed.command
        return command(settings, parsed)
    except BrokenPipeError:
        # The reader (`head`) has enough. Python would complain again when it flushes at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except KeyboardInterrupt:
        return 130
    except (SettingsError, LogUnavailable, SQLAlchemyError, RedisError, OSError) as error:
        url = str(settings.conversation_database_url) if settings else ""
        print(f"conversation_log: {remedies.explained(error, url)}", file=sys.stderr)
    return 1


def _parser(settings: Settings) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m conversation_log", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="command")
    customer, erasable = (partial(one, region=shop.load().region) for one in (arguments.customer, arguments.erasable))

    def add(name: str, command: Command, text: str) -> argparse.ArgumentParser:
        found = commands.add_parser(name, help=text, description=text)
        found.set_defaults(command=command)
        return found

    def add_period(to: argparse.ArgumentParser) -> None:
        to.add_argument("--since", type=arguments.moment, help="began at or after: 2026-11-01, 7d, 24h")
        to.add_argument("--until", type=arguments.moment, help="began before")

    export = add("export", _export, "Print conversations of all tiers, one JSON object a line.")
    add_period(export)
    export.add_argument("--customer", type=customer, help="phone number or customer id")
    export.add_argument("--redact", action="store_true", help="without personal data, customers under made-up names")

    archive = add("archive", _archive, "Move old conversations to the archive and forget the oldest there.")
    archive.add_argument(
        "--days", type=arguments.days, help="move what ended so long ago (default: RETENTION_WARM_DAYS, 90)"
    )
    archive.add_argument("--bigquery", metavar="PROJECT.DATASET.TABLE", help="make the archive an external table there")
    archive.add_argument("--print-ddl", action="store_true", help="with --bigquery: print the statement, run nothing")

    erase = add("erase", _erase, "Remove a customer from every tier and print a receipt.")
    erase.add_argument("--customer", type=erasable, required=True, help="phone number or customer id")

    report = add("report", _report, "Answer the usual questions about a period.")
    add_period(report)
    report.add_argument("--html", type=Path, help="also write a self-contained page with plots")

    commands.add_parser(REPLAY, help="Play logged turns with another model or other pages; show what would change.")

    show = add("show", _show, "Show a customer's conversations.")
    show.add_argument("--customer", type=customer, required=True, help="phone number or customer id")
    show.add_argument("--last", type=int, default=3, help="how many conversations (default 3)")

    follow = add("follow", _follow, "Print messages as they are logged, until Ctrl-C.")
    follow.add_argument("--customer", type=customer, help="phone number or customer id")
    follow.add_argument("--redact", action="store_true", help="hide personal data in the texts")

    add("status", _status, "Print how far the log is behind and what each tier holds.")
    add("retry", _retry, "Log the records once more that could not be logged and were set aside.")
    migrate = add("migrate", _migrate, "Create or update the log's tables, or take them back.")
    migrate.add_argument("--to", metavar="NUMBER", help="to this migration, such as 0002, up or down (default: newest)")
    return parser


def _engine(settings: Settings) -> Engine:
    engine = database.connect(str(settings.conversation_database_url))
    database.require_current(engine)
    return engine


def _redis(settings: Settings) -> redis.Redis[bytes] | None:
    """The hot tier if it answers, else None: the log can be read without it."""
    url = settings.redis_url
    if not url:
        return None
    client = hot_tier.client(url)
    try:
        client.ping()
    except (RedisError, OSError) as error:
        print(f"conversation_log: {hot_tier.trouble(error)} Going on without it.", file=sys.stderr)
        return None
    return client


def _export(settings: Settings, parsed: argparse.Namespace) -> int:
    from conversation_log import progress
    from conversation_log.query import tiers
    from conversation_log.query.export import as_line, for_strangers

    engine, period = _engine(settings), tiers.Period(parsed.since, parsed.until)
    client = _redis(settings) if parsed.customer else None
    found, total = False, 0 if parsed.customer else tiers.count(settings, engine, period)
    with progress.progress_bar("Exporting", "Exported", total) as advance:
        for record in tiers.records(settings, engine, client, period, parsed.customer):
            shown = for_strangers(record, settings.whatsapp_app_secret) if parsed.redact else record
            sys.stdout.write(as_line(shown) + "\n")
            found = True
            advance(1)
    sys.stdout.flush()
    if parsed.customer and not found:
        print(f"conversation_log: nothing is known of {mask_phone(parsed.customer)}.", file=sys.stderr)
    return 0


def _archive(settings: Settings, parsed: argparse.Namespace) -> int:
    from conversation_log.archive import archiver, bigquery

    if parsed.print_ddl and not parsed.bigquery:
        raise SettingsError("--print-ddl needs --bigquery PROJECT.DATASET.TABLE; nothing was archived.")
    if parsed.bigquery:
        # A name that BigQuery cannot take is refused before an hour of archiving, not after it.
        statement = bigquery.ddl(parsed.bigquery, str(settings.archive_url))
        if parsed.print_ddl:
            print(statement)
            return 0
    return archiver.run_command(settings, _engine(settings), parsed.days, parsed.bigquery)


def _erase(settings: Settings, parsed: argparse.Namespace) -> int:
    from conversation_log.erasure import erase

    return erase.run_command(settings, _engine(settings), _redis(settings), parsed.customer)


def _report(settings: Settings, parsed: argparse.Namespace) -> int:
    from conversation_log.report import command

    return command.run_command(settings, _engine(settings), parsed.since, parsed.until, parsed.html)


def _show(settings: Settings, parsed: argparse.Namespace) -> int:
    from conversation_log.query import show

    return show.run_command(settings, _engine(settings), _redis(settings), parsed.customer, parsed.last)


def _follow(settings: Settings, parsed: argparse.Namespace) -> int:
    from conversation_log.query import follow

    return follow.run_command(_engine(settings), _redis(settings), parsed.customer, parsed.redact)


def _status(settings: Settings, parsed: argparse.Namespace) -> int:
    from conversation_log.query import status

    return status.run_command(settings, _engine(settings), _redis(settings))


def _retry(settings: Settings, parsed: argparse.Namespace) -> int:
    from conversation_log.ingest import stream

    client = _redis(settings)
    if client is None:
        print("conversation_log: The records are in Redis: start the assistant, then run this again.", file=sys.stderr)
        return 1
    print(f"{stream.retry(client)} records will be tried again; `status` shows whether they could be logged.")
    return 0


def _migrate(settings: Settings, parsed: argparse.Namespace) -> int:
    engine = database.connect(str(settings.conversation_database_url))
    before = _revision(engine)
    if parsed.to:
        database.move_to(engine, parsed.to)
    else:
        database.migrate(engine)
    after = database.applied_revision(engine)
    print(f"The log's tables are at {after}." if before == after else f"The log's tables went to {after}.")
    return 0


def _revision(engine: Engine) -> str | None:
    try:
        return database.applied_revision(engine)
    except SQLAlchemyError:
        return None


if __name__ == "__main__":
    sys.exit(main())
