"""`python -m worker [--without JOB]`: runs the background jobs side by side until SIGTERM or SIGINT.

A job that fails is started again after a growing pause and never takes the others down.
"""

import argparse
import asyncio
import importlib
import logging
import os
import signal
import sys
import time
import traceback
from collections.abc import Awaitable, Callable, Collection, Sequence
from pathlib import Path

from redis.exceptions import RedisError

import settings as settings_module
import signals
import tracing
from connectors.message_bus.servers import migration
from handoff.configuration import HandoffConfigurationError
from privacy import log_lines
from settings import Settings, SettingsError
from worker.pauses import pause

log = logging.getLogger("worker")

JOBS = ("worker.log_writer", "worker.tickets", "worker.updates", "worker.files", "worker.archiver",
        "worker.budget", "worker.health")
FIRST_PAUSE_S = 1.0
MAX_PAUSE_S = 30.0
STOP_WITHIN_S = 9.0

Job = Callable[[Settings, asyncio.Event], Awaitable[None]]


def load(modules: tuple[str, ...] = JOBS) -> dict[str, Job]:
    """The jobs by name; a module that this installation does not have is left out with a log line."""
    jobs: dict[str, Job] = {}
    for module in modules:
        try:
            jobs[module.rpartition(".")[2]] = importlib.import_module(module).run
        except ModuleNotFoundError as error:
            if error.name != module:
                raise
            log.warning("worker.job.missing name=%s", module)
    return jobs


async def keep(name: str, job: Job, settings: Settings, stop: asyncio.Event) -> None:
    """Run one job until `stop`, again and again when it fails."""
    pause_s = FIRST_PAUSE_S
    while not stop.is_set():
        started = time.monotonic()
        try:
            await job(settings, stop)
            if not stop.is_set():
                log.error("worker.job.ended name=%s", name)
        except Exception as error:
            log.error("worker.job.failed name=%s error=%s at=%s", name, _named(error), _where(error))
        if time.monotonic() - started > 2 * MAX_PAUSE_S:
            pause_s = FIRST_PAUSE_S
        if not stop.is_set():
            await pause(stop, pause_s)
            pause_s = min(MAX_PAUSE_S, pause_s * 2)


def _named(error: Exception) -> str:
    """The error's name; its words only where we wrote them for the operator."""
    name = type(error).__name__
    return f"{name}: {error}" if isinstance(error, (SettingsError, HandoffConfigurationError)) else name


def _where(error: BaseException) -> str:
    """The innermost lines that the error passed. No messages: a driver's or a helpdesk's may quote the customer."""
    frames = traceback.extract_tb(error.__traceback__)[-4:]
    return " < ".join(f"{Path(frame.filename).name}:{frame.lineno}" for frame in reversed(frames))


async def run(settings: Settings, stop: asyncio.Event, jobs: dict[str, Job] | None = None) -> bool:
    """Run all jobs until `stop`. False when some had to be given up because they did not stop in time."""
    tasks = [
        asyncio.create_task(keep(name, job, settings, stop), name=name)
        for name, job in (load() if jobs is None else jobs).items()
    ]
    log.info("worker.started jobs=%s", ",".join(task.get_name() for task in tasks))
    await stop.wait()
    if not tasks:
        return True
    _, late = await asyncio.wait(tasks, timeout=STOP_WITHIN_S)
    for task in late:
        log.error("worker.job.stopped_late name=%s", task.get_name())
        task.cancel()
    log.info("worker.stopped")
    return not late


async def _until_signalled(settings: Settings, without: Collection[str]) -> bool:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    in_time = await run(settings, stop, {name: job for name, job in load().items() if name not in without})
    await asyncio.to_thread(tracing.stop)
    if not in_time:
        # A thread that waits for a dead server cannot be stopped; what it had in hand stays queued.
        logging.shutdown()
        os._exit(0)
    return in_time


def configure_logging(settings: Settings) -> None:
    """Lines to standard error, without phone numbers and secrets."""
    log_lines.configure(str(settings.log_level), settings.log_format, settings.secrets())
    for library in ("alembic", "sqlalchemy", "urllib3"):
        logging.getLogger(library).setLevel(logging.WARNING)


def main(arguments: Sequence[str]) -> int:
    """Run until stopped. Returns the exit status."""
    signals.restore()
    parser = argparse.ArgumentParser(prog="python -m worker", description="the background jobs")
    names = [module.rpartition(".")[2] for module in JOBS]
    parser.add_argument("--without", action="append", default=[], choices=names, metavar="JOB",
                        help=f"one that something else runs: {', '.join(names)}")  # fmt: skip
    without = parser.parse_args(arguments).without
    try:
        settings = settings_module.load()
        settings.validate()
        configure_logging(settings)
        tracing.start("worker", settings)
        if settings.redis_url:
            migration.ensure(settings.redis_url)
    except RedisError as error:
        print(f"worker: the Redis of REDIS_URL does not answer ({type(error).__name__}).", file=sys.stderr)
        return 1
    except (SettingsError, ValueError, RuntimeError) as error:
        print(f"worker: {error}", file=sys.stderr)
        return 1
    asyncio.run(_until_signalled(settings, without))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
