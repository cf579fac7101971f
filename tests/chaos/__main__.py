"""`python -m tests.chaos`: the long version. Exit status 1 when a promise was broken."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import sys
import tempfile
from pathlib import Path
from typing import Any

import signals
from tests.chaos.harness import OF_SEVERAL, VICTIMS, Plan, run
from tests.redis_servers import cluster, with_sentinels


def main() -> int:
    signals.restore()
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--customers", type=int, default=300)
    parser.add_argument("--messages", type=int, default=6, help="of each customer")
    parser.add_argument("--seconds", type=float, default=120, help="during which they write")
    parser.add_argument("--kills", type=int, default=8)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--sentinels", action="store_true", help="Redis with replicas and sentinels; masters die")
    parser.add_argument("--cluster", action="store_true", help="a Redis Cluster of three masters; masters die")
    parser.add_argument("--keep", type=Path, help="folder for the logs (default: a temporary one)")
    options = parser.parse_args()
    start = with_sentinels if options.sentinels else cluster if options.cluster else None
    victims = OF_SEVERAL if start else VICTIMS
    plan = Plan(options.customers, options.messages, options.seconds, options.kills, victims=victims)
    with tempfile.TemporaryDirectory() as temporary, contextlib.ExitStack() as stack:
        folder = options.keep or Path(temporary)
        servers: Any = stack.enter_context(start(folder / "servers")) if start else None
        outcome = asyncio.run(run(plan, folder, options.seed, servers=servers))
    print(outcome.summary())
    broken = outcome.unanswered or outcome.doubled or outcome.disordered or outcome.left
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
