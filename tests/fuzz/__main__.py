"""`python -m tests.fuzz --minutes 60`: every reader of untrusted input in turn, for long. Exit status 1 when one broke.

What made it break, and what led farthest, is kept in `corpus.json`; commit it, so that the tests go on from there.
"""

from __future__ import annotations

import argparse
import json
import logging
import sys
import time
import traceback
from collections.abc import Iterable
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis.database import InMemoryExampleDatabase

import signals
from tests.fuzz.untrusted import TARGETS

CORPUS = Path(__file__).parent / "corpus.json"
ROUND = 200  # examples: a short run, or a slow machine, comes to every reader


class Corpus(InMemoryExampleDatabase):
    """Examples in one file; those of readers that have changed since are not asked for, and go at the next `write`."""

    def __init__(self) -> None:
        super().__init__()
        kept = json.loads(CORPUS.read_text()) if CORPUS.exists() else {}
        self.data = {bytes.fromhex(key): set(map(bytes.fromhex, examples)) for key, examples in kept.items()}
        self._asked: set[bytes] = set()

    def fetch(self, key: bytes) -> Iterable[bytes]:
        self._asked.add(key)
        return list(super().fetch(key))

    def write(self) -> None:
        kept = {key.hex(): sorted(map(bytes.hex, self.data[key])) for key in sorted(self._asked) if self.data.get(key)}
        CORPUS.write_text(json.dumps(kept, indent=0) + "\n")


def main() -> int:
    signals.restore()
    logging.disable()
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--only", choices=[read.__name__ for read in TARGETS])
    options = parser.parse_args()
    ends_at = time.monotonic() + options.minutes * 60
    corpus = Corpus()
    long = settings(max_examples=ROUND, deadline=None, suppress_health_check=list(HealthCheck), database=corpus)
    waiting = [long(read) for read in TARGETS if options.only in (None, read.__name__)]
    tried = dict.fromkeys((read.__name__ for read in waiting), 0)
    broken: list[str] = []
    while waiting and time.monotonic() < ends_at:
        read = waiting.pop(0)
        try:
            read()
        except Exception:
            traceback.print_exc()
            broken.append(read.__name__)  # its example is in the corpus; the others go on
            continue
        waiting.append(read)
        tried[read.__name__] += ROUND
    if options.only is None and all(count or name in broken for name, count in tried.items()):
        corpus.write()  # else those of a reader that was never asked would go
    print(", ".join(f"{name} {count}" for name, count in tried.items()), f"broken: {', '.join(broken) or 'none'}")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
