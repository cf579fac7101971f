"""`make bench-dialogues`: dialogues that argue, each played k times against the real product; pass^1, pass^k, leaks.

The product is that of `make run` on ports and state of its own, with the twin's stand-ins for WhatsApp, helpdesk and
shop. It ends with this command, whatever ends it. Exit status 1 for a leak, or when there was no time for all runs.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import random
import shlex
import signal
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path

import signals
from tests.bench_dialogues.bench import bench, runs_of
from tests.bench_dialogues.cases import FOLDER, read_arguments
from tests.bench_dialogues.liar import lying_llm
from tests.bench_dialogues.play import Weather
from tests.bench_dialogues.results import Conditions, Results
from tests.journeys.shop import Shop
from workbench.dialogues.cases import DialogueFileError


def main() -> int:
    signals.restore()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    options = _options()
    try:
        arguments = [one for one in read_arguments(options.folder) if options.kind in (None, one.plain.kind)]
    except DialogueFileError as error:
        print(f"✗ {error}", file=sys.stderr)
        return 2
    if options.dialogues:
        arguments = random.Random(options.seed).sample(arguments, min(options.dialogues, len(arguments)))
    runs = runs_of(arguments, options.k)
    weather = Weather() if options.calm else Weather.real()
    began = time.monotonic()
    with _folder(options.keep) as folder, lying_llm(options.seed, options.lying_llm) as (environment, prompts):
        print(f"starting the product for {len(runs)} runs of {len(arguments)} dialogues …", file=sys.stderr)
        with Shop(folder / f"state-{int(time.time())}", helpdesk=True, BURST_WAIT_S="1.5", **environment) as shop:
            outcomes, killed = bench(
                shop, runs, weather, options.seed, 0 if options.calm else options.kills, options.at_once,
                began + 60 * options.minutes, prompts, lambda line: print(line, file=sys.stderr),
            )  # fmt: skip
    conditions = Conditions(
        "make bench-dialogues" + (f' ARGS="{shlex.join(sys.argv[1:])}"' if sys.argv[1:] else ""),
        f"{date.today():%Y-%m-%d}", f"{os.cpu_count()} cores", time.monotonic() - began,
        "calm" if options.calm else "webhooks delivered up to three times, Graph and the shop's system failing, pauses",
        killed, len(runs) - len(outcomes),
    )  # fmt: skip
    results = Results(outcomes, conditions)
    print(results.markdown())
    if options.report:
        _write(options.report, results.markdown())
    return 1 if results.leaks or conditions.left else 0


def _options(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.bench_dialogues", description=__doc__)
    parser.add_argument("--dialogues", type=int, help="how many, drawn by the seed (default: all)")
    parser.add_argument("--kind", help="only those of this kind")
    parser.add_argument("-k", type=int, default=4, help="runs of each (default 4)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--kills", type=int, default=8, help="processes killed with -9, one after the other")
    parser.add_argument("--calm", action="store_true", help="nothing goes wrong")
    parser.add_argument("--lying-llm", action="store_true", help="with an LLM that invents and tells its instructions")
    parser.add_argument("--at-once", type=int, default=6, help="customers who write side by side")
    parser.add_argument("--minutes", type=float, default=20, help="no run begins later")
    parser.add_argument("--folder", type=Path, default=FOLDER, help="of the dialogues")
    parser.add_argument("--report", type=Path, help="a Markdown file whose part below the line is replaced")
    parser.add_argument("--keep", type=Path, help="folder for state and logs (default: a temporary one)")
    return parser.parse_args(arguments)


@contextlib.contextmanager
def _folder(kept: Path | None) -> Iterator[Path]:
    if kept is not None:
        kept.mkdir(parents=True, exist_ok=True)
        yield kept.resolve()
        return
    with tempfile.TemporaryDirectory(prefix="bench-dialogues-", ignore_cleanup_errors=True) as folder:
        yield Path(folder)


BELOW = "<!-- below: written by the bench -->\n"


def _write(path: Path, report: str) -> None:
    """Keep what people wrote above the line, replace what is below."""
    above = path.read_text(encoding="utf-8").partition(BELOW)[0] if path.exists() else ""
    path.write_text(f"{above}{BELOW}\n{report}", encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
