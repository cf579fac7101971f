"""From the stream to the archive: whatever dies anywhere, what went in is in hot ∪ warm ∪ cold, in the end once."""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from conversation_log.archive import archiver, parquet_archive
from conversation_log.ingest import projection
from conversation_log.ingest.stream import LEASE, STREAMS, EventStream, backlog
from conversation_log.storage import reader
from conversation_log.storage.reader import Selection
from tests.conversation_log.conftest import NOON, Log, sent_record, status_record, turn_record

DEADLY = (
    (projection.LogProjector, "load"), (projection.LogProjector, "write"), (EventStream, "read"), (EventStream, "done"),
    (parquet_archive.ParquetArchive, "write"),
    (parquet_archive.ParquetArchive, "_write"), (parquet_archive.ParquetArchive, "verify"),
    (parquet_archive.ParquetArchive, "write_manifest"), (parquet_archive.ParquetArchive, "finish"),
    (parquet_archive.ParquetArchive, "remove"), (archiver, "_delete_unchanged"), (archiver, "_delete_warm"),
)  # fmt: skip
LEAPS_DAYS = (0, 0, 0.05, 1, 3)  # the stream may be behind meanwhile
LONG_LEAPS_DAYS = (30, 90, 365)  # it is not that long
RETENTIONS_DAYS = (0, 1, 90)
CUSTOMERS = 5


class Killed(BaseException):
    """Stands for kill -9: no handler of ours may catch it."""


class Journey:
    """A log whose every step may be the last of its process; the clock goes forward by leaps."""

    def __init__(self, log: Log, archive: parquet_archive.ParquetArchive, seed: int) -> None:
        self.log, self.archive, self.rng = log, archive, random.Random(seed)
        self.clock = NOON
        self.asked: list[str] = []
        self.answered: list[str] = []
        self.deaths = 0
        self.deadly = True

    def talk(self) -> None:
        """A few turns, their outcomes, and statuses of replies that may be archived by now."""
        for _ in range(self.rng.randint(1, 6)):
            number = len(self.asked)
            self.clock += self.rng.choice((5.0, 300.0))
            customer = f"9198765432{self.rng.randrange(CUSTOMERS):02d}"
            wamid, reply = f"wamid.in.{number}", f"wamid.out.{number}"
            asked, answer = f"message {number}", f"answer {number}"
            replies = ((answer, "utter_order_status_shipped"),)
            self.log.put(
                turn_record(wamid, text=asked, replies=replies, at=self.clock, customer=customer),
                sent_record(f"{wamid}:1", reply, at=self.clock + 1, customer=customer),
            )
            self.asked.append(asked)
            self.answered.append(answer)
            of = f"wamid.out.{self.rng.randint(0, number)}"
            self.log.put(status_record(of, "read", at=self.clock + 2))

    def write(self) -> None:
        self.log.redis.delete(LEASE)  # the lease of the one that died runs out
        self.log.new_writer().step(block_ms=1)

    def store(self) -> None:
        retention = archiver.Retention(self.rng.choice(RETENTIONS_DAYS))
        archiver.run(self.log.engine, self.archive, retention, self.now)

    def wait(self) -> None:
        self.clock += timedelta(days=self.rng.choice(LEAPS_DAYS)).total_seconds()

    def wait_long(self) -> None:
        self.drain()
        self.clock += timedelta(days=self.rng.choice(LONG_LEAPS_DAYS)).total_seconds()

    def drain(self) -> None:
        """Write all that is in the stream, and let nobody die over it."""
        self.deadly = False
        while backlog(self.log.redis):
            self.write()
        self.deadly = True

    @property
    def now(self) -> datetime:
        return datetime.fromtimestamp(self.clock, timezone.utc)

    def attempt(self, step: Callable[[], None]) -> None:
        """One step of a process that may be killed in it."""
        try:
            step()
        except Killed:
            self.deaths += 1

    def finish(self) -> None:
        """Nothing dies any more, and a year passes."""
        self.drain()
        self.deadly = False
        self.clock += timedelta(days=400).total_seconds()
        self.store()

    @contextmanager
    def dangers(self, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
        with monkeypatch.context() as patched:
            for owner, name in DEADLY:
                patched.setattr(owner, name, self._dangerous(getattr(owner, name)))
            yield

    def _dangerous(self, function: Any) -> Any:
        def wrapped(*args: Any, **named: Any) -> Any:
            if self.deadly and self.rng.random() < 0.06:
                raise Killed
            result = function(*args, **named)
            if self.deadly and self.rng.random() < 0.06:
                raise Killed
            return result

        return wrapped

    def hot(self) -> set[str]:
        """What customers wrote that still lies in the stream."""
        found = (json.loads(fields[b"j"]) for one in STREAMS for _, fields in self.log.redis.xrange(one))
        return {record["metadata"]["typed"] for record in found if record["record"] == "turn"}

    def kept(self) -> Counter[str]:
        """Words → how often they are in the warm and the cold tier together."""
        records = [*self.log.read(), *self.archive.records(Selection())]
        return Counter(message["content"] for record in records for message in record["messages"])


def travel(log: Log, folder: Path, seed: int, steps: int, monkeypatch: pytest.MonkeyPatch) -> None:
    journey = Journey(log, parquet_archive.ParquetArchive.at(f"file://{folder}/archive"), seed)
    monkeypatch.setattr("conversation_log.ingest.writer.BATCH", 5)
    monkeypatch.setattr(archiver, "FILE_CONVERSATIONS", 3)
    monkeypatch.setattr(reader, "PAGE", 2)
    with journey.dangers(monkeypatch):
        for number in range(steps):
            ways = (journey.talk, journey.write, journey.store, journey.wait, journey.wait_long)
            journey.attempt(journey.rng.choices(ways, (4, 10, 4, 4, 1))[0])
            if number % 5 == 0:
                assert set(journey.asked) <= journey.hot() | set(journey.kept())
        journey.finish()
    assert journey.deaths > steps / 20
    assert journey.kept() == Counter(journey.asked + journey.answered)
    assert log.read() == []
    assert {manifest.state for manifest in journey.archive.manifests()} <= {"done"}


@pytest.mark.slow
def test_nothing_is_lost_or_doubled_on_the_whole_way(the_log, tmp_path, monkeypatch):
    travel(the_log, tmp_path, seed=0, steps=50, monkeypatch=monkeypatch)


@pytest.mark.marathon
@pytest.mark.timeout(600)
@pytest.mark.parametrize("seed", range(100, 104))
def test_nothing_is_lost_or_doubled_on_long_ways(sqlite_log, tmp_path, monkeypatch, seed):
    travel(sqlite_log, tmp_path, seed, 300, monkeypatch)
