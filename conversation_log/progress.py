"""A bar on standard error while many conversations pass, and their rate when all have."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

Advance = Callable[[int], None]
MANY = 1000  # fewer are over before anybody asks how fast they are


@contextmanager
def progress_bar(doing: str, done: str, total: int) -> Iterator[Advance]:
    """Show a bar on a terminal; the caller advances it. `doing` heads the bar, `done` the last line."""
    count, started = 0, time.monotonic()
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), disable=not sys.stderr.isatty(), transient=True) as bar:
        task = bar.add_task(doing, total=total or None)

        def advance(number: int) -> None:
            nonlocal count
            count += number
            bar.update(task, completed=count, total=max(total, count))

        yield advance
    if count >= MANY:
        print(f"{done} {count} conversations, {rate(count, time.monotonic() - started)}", file=sys.stderr)


def rate(count: int, seconds: float) -> str:
    """`12.3 s (813/s)`."""
    return f"{seconds:.1f} s ({count / max(seconds, 0.001):.0f}/s)"
