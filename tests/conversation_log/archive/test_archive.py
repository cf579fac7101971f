"""The cold tier: nothing lost, nothing doubled, nothing personal in the texts, whenever it is run or killed."""

from __future__ import annotations

import json
import os
import random
from collections import Counter
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from sqlalchemy import text

from conversation_log.archive import archiver, parquet_archive
from conversation_log.query.export import SCHEMA, as_record
from conversation_log.storage import database, reader
from conversation_log.storage.reader import Selection

SCHEMA_CHECK = jsonschema.Draft202012Validator(
    json.loads(SCHEMA.read_text()), format_checker=jsonschema.FormatChecker()
)
EVERYTHING = Selection()


class Killed(BaseException):
    """Stands for kill -9."""


@pytest.fixture
def archive(tmp_path: Path) -> parquet_archive.ParquetArchive:
    return parquet_archive.ParquetArchive.at(f"file://{tmp_path}/archive")


def after_days(noon: float, days: float) -> datetime:
    return datetime.fromtimestamp(noon, timezone.utc) + timedelta(days=days)


def fill(log: Any, turn: Any, noon: float, conversations: int = 12) -> None:
    """Conversations of different customers, one an hour."""
    for number in range(conversations):
        at = noon + number * 3600
        log.put(turn(f"wamid.{number}.a", at=at, customer=f"9198000000{number:02d}"))
        log.put(turn(f"wamid.{number}.b", at=at + 60, customer=f"9198000000{number:02d}"))
    log.write()


def everywhere(log: Any, archive: parquet_archive.ParquetArchive) -> Counter[str]:
    """message id → in how many places it is, over both tiers."""
    warm = [message for record in log.read() for message in record["messages"]]
    frozen = [message for record in archive.records(EVERYTHING) for message in record["messages"]]
    return Counter(message["message_id"] for message in [*warm, *frozen] if message["role"] == "user")


@pytest.mark.slow
@pytest.mark.parametrize(("days", "left"), [(0, 12), (1, 12), (89, 12), (90.2, 7), (91, 0), (365, 0)])
def test_conversations_move_ninety_days_after_their_end(the_log, turn, noon, archive, days, left):
    fill(the_log, turn, noon)
    before = everywhere(the_log, archive)
    moved = archiver.run(the_log.engine, archive, archiver.Retention(), after_days(noon, days))
    assert moved.conversations == 12 - left
    assert len(the_log.read()) == left
    assert everywhere(the_log, archive) == before


def test_archived_records_are_the_exported_ones(the_log, turn, sent, noon, archive):
    about = {"llm": {"model": "m", "verdict": "grounded", "cost_usd": 0.001}, "policy_pages": ["exceptions"]}
    the_log.log(
        turn("wamid.A", slots={"escalation_reason": "complaint"}, bot_metadata=about),
        sent("wamid.A:1", "wamid.R"),
        sent("comment:1:1", "wamid.G", at=noon + 900, author="agent", text="Hello from Asha."),
    )
    (before,) = the_log.read()
    archiver.run(the_log.engine, archive, archiver.Retention(), after_days(noon, 91))
    (after,) = archive.records(EVERYTHING)
    assert after == before
    SCHEMA_CHECK.validate(after)


def test_texts_reach_the_archive_without_personal_data(sqlite_log, turn, noon, archive, tmp_path):
    words = "call 98765 43299, asha@example.in, card 4111 1111 1111 1111, order #10234 for ₹1,299"
    sqlite_log.log(turn("wamid.A", text=words))
    archiver.run(sqlite_log.engine, archive, archiver.Retention(), after_days(noon, 91))
    (record,) = archive.records(EVERYTHING)
    assert record["messages"][0]["content"] == "call [phone], [email], card [card], order #10234 for ₹1,299"


@pytest.mark.slow
def test_killed_anywhere_and_run_again_nothing_is_lost_or_doubled(sqlite_log, turn, noon, archive, monkeypatch):
    rng = random.Random(4)
    fill(sqlite_log, turn, noon, 20)
    before = everywhere(sqlite_log, archive)
    monkeypatch.setattr(archiver, "FILE_CONVERSATIONS", 3)
    monkeypatch.setattr(reader, "PAGE", 2)
    deaths = 0

    def deadly(function: Any) -> Any:
        def wrapped(*args: Any, **kwargs: Any) -> Any:
            nonlocal deaths
            moment = rng.random()
            if moment < 0.12:
                deaths += 1
                raise Killed
            result = function(*args, **kwargs)
            if moment > 0.88:
                deaths += 1
                raise Killed
            return result

        return wrapped

    for owner, name in (
        (parquet_archive.ParquetArchive, "write"), (parquet_archive.ParquetArchive, "verify"),
        (parquet_archive.ParquetArchive, "write_manifest"), (parquet_archive.ParquetArchive, "_write"),
        (parquet_archive.ParquetArchive, "finish"), (archiver, "_delete_unchanged"),
    ):  # fmt: skip
        monkeypatch.setattr(owner, name, deadly(getattr(owner, name)))
    for _ in range(400):
        try:
            archiver.run(sqlite_log.engine, archive, archiver.Retention(), after_days(noon, 400))
            break
        except Killed:
            continue
    assert deaths > 5
    assert sqlite_log.read() == []
    assert everywhere(sqlite_log, archive) == before
    assert {manifest.state for manifest in archive.manifests()} == {"done"}


def test_nothing_is_deleted_before_its_copy_is_on_the_disk(sqlite_log, turn, noon, archive, tmp_path, monkeypatch):
    fill(sqlite_log, turn, noon, 2)
    on_disk: set[int] = set()
    fsync, delete = os.fsync, archiver._delete_unchanged

    def seen(descriptor: int) -> None:
        on_disk.add(os.fstat(descriptor).st_ino)
        fsync(descriptor)

    def deleting(*arguments: Any) -> Any:
        copies = [*(tmp_path / "archive").rglob("part-*"), *(tmp_path / "archive").glob("*/date=*")]
        assert len(copies) == 4
        assert {path.stat().st_ino for path in copies} <= on_disk
        return delete(*arguments)

    monkeypatch.setattr(os, "fsync", seen)
    monkeypatch.setattr(archiver, "_delete_unchanged", deleting)
    assert archiver.run(sqlite_log.engine, archive, archiver.Retention(), after_days(noon, 91)).conversations == 2


def test_file_that_is_not_what_was_written_is_never_trusted(sqlite_log, turn, noon, archive, monkeypatch):
    fill(sqlite_log, turn, noon, 3)
    write = parquet_archive.ParquetArchive._write

    def bit_rot(self: parquet_archive.ParquetArchive, path: str, body: bytes) -> None:
        write(self, path, body[:-30] + b"\x00" * 30 if path.endswith(".parquet") else body)

    monkeypatch.setattr(parquet_archive.ParquetArchive, "_write", bit_rot)
    with pytest.raises(Exception):  # noqa: B017, PT011 (pyarrow's or ours, by where the rot is)
        archiver.run(sqlite_log.engine, archive, archiver.Retention(), after_days(noon, 91))
    assert len(sqlite_log.read()) == 3


@pytest.mark.parametrize("killed_before", [False, True])
def test_conversation_that_changes_while_it_is_copied_stays_warm(
    the_log, turn, sent, status, noon, archive, killed_before
):
    the_log.log(turn("wamid.A"), sent("wamid.A:1", "wamid.R"))
    the_log.log(turn("wamid.B", at=noon + 1, customer="918888888888"))
    now = after_days(noon, 91)
    manifest, copied = archiver._copy(the_log.engine, archive, after_days(noon, 0).date(), after_days(noon, 1), now)
    the_log.log(status("wamid.R", "read"))
    archiver._delete_warm(the_log.engine, archive, manifest, now, None if killed_before else copied)
    assert [record["messages"][1]["delivery_status"] for record in the_log.read()] == ["read"]
    assert [record["customer_id"] for record in archive.records(EVERYTHING)] == ["918888888888"]


def test_what_another_installation_is_writing_to_the_same_address_is_left_alone_for_a_day(
    the_log, turn, noon, archive
):
    the_log.log(turn("wamid.A"))
    (record,) = the_log.read()
    theirs = archive.write([{**record, "log_id": "theirs"}], after_days(noon, 0).date(), state="copied")
    today = datetime.now(timezone.utc)
    archiver.resume(the_log.engine, archive, today)
    archive.verify(theirs)  # data that waits for its manifest
    archive.write_manifest(theirs)
    archiver.resume(the_log.engine, archive, today)
    assert [manifest.state for manifest in archive.manifests()] == ["copied"]
    archiver.resume(the_log.engine, archive, today + timedelta(days=2))
    assert [manifest.state for manifest in archive.manifests()] == ["done"]


def test_record_that_comes_again_or_late_does_not_begin_an_archived_conversation_anew(
    the_log, turn, sent, status, noon, archive
):
    the_log.log(turn("wamid.A"))
    archiver.run(the_log.engine, archive, archiver.Retention(warm_days=0), after_days(noon, 0.2))
    late = noon + 0.3 * 86400
    assert (
        the_log.log(
            turn("wamid.A"), sent("wamid.A:1", "wamid.R", at=late), status("wamid.R", "read", at=late, key="wamid.A:1")
        )
        == []
    )
    (record,) = the_log.log(turn("wamid.B", at=late))
    assert [message["message_id"] for message in record["messages"] if message["role"] == "user"] == ["wamid.B"]


def test_keys_of_archived_messages_are_kept_for_two_weeks_and_only_while_records_may_still_come(
    the_log, turn, noon, archive
):
    def kept() -> int:
        with the_log.engine.connect() as connection:
            return int(connection.execute(text("SELECT count(*) FROM archived_keys")).scalar() or 0)

    the_log.log(turn("wamid.A"))
    archiver.run(the_log.engine, archive, archiver.Retention(warm_days=90), after_days(noon, 91))
    assert kept() == 0
    the_log.log(turn("wamid.B", customer="918888888888"))
    archiver.run(the_log.engine, archive, archiver.Retention(warm_days=1), after_days(noon, 2))
    assert kept() == 2
    the_log.now = after_days(noon, 17)
    the_log.writer.settle_idle()
    assert kept() == 0


def test_archive_forgets_what_is_past_keeping(sqlite_log, turn, noon, archive):
    fill(sqlite_log, turn, noon, 3)
    retention = archiver.Retention(warm_days=90, cold_days=365)
    archiver.run(sqlite_log.engine, archive, retention, after_days(noon, 364))
    assert len(list(archive.records(EVERYTHING))) == 3
    assert archiver.run(sqlite_log.engine, archive, retention, after_days(noon, 367)).forgotten == 3
    assert list(archive.records(EVERYTHING)) == []


def test_conversation_that_goes_on_is_never_archived(sqlite_log, turn, noon, archive):
    sqlite_log.log(turn("wamid.A"))
    assert archiver.run(sqlite_log.engine, archive, archiver.Retention(0), after_days(noon, 0.02)).conversations == 0
    assert archiver.run(sqlite_log.engine, archive, archiver.Retention(0), after_days(noon, 0.05)).conversations == 1


def test_two_archivers_do_not_run_at_once(the_log, archive, noon):
    with (
        database.exclusive(the_log.engine, "archive", wait_s=0),
        pytest.raises(database.LogUnavailable),
        database.exclusive(the_log.engine, "archive", wait_s=0.2),
    ):
        pass
    archiver.run(the_log.engine, archive, archiver.Retention(), after_days(noon, 91))


def test_partitions_are_by_date_and_compressed(sqlite_log, turn, noon, archive, tmp_path):
    import pyarrow.parquet as pq

    fill(sqlite_log, turn, noon, 24)
    archiver.run(sqlite_log.engine, archive, archiver.Retention(), after_days(noon, 95))
    files = sorted(str(path.relative_to(tmp_path / "archive")) for path in tmp_path.rglob("*.parquet"))
    assert [name.split("/")[1] for name in files] == ["date=2026-11-01", "date=2026-11-02"]
    parquet = pq.ParquetFile(tmp_path / "archive" / files[0])
    assert parquet.metadata.row_group(0).column(0).compression == "ZSTD"


def test_export_reads_both_tiers_and_each_conversation_once(sqlite_log, turn, noon, archive, tmp_path, monkeypatch):
    import settings
    from conversation_log.query import tiers

    fill(sqlite_log, turn, noon, 6)
    monkeypatch.setattr(archiver, "FILE_CONVERSATIONS", 2)
    found = settings.load(
        {"STATE_DIR": str(tmp_path), "ARCHIVE_URL": f"file://{tmp_path}/archive"}, env_file=tmp_path / "none"
    )
    warm = {record["log_id"] for record in sqlite_log.read()}
    monkeypatch.setattr(archiver, "_delete_warm", lambda *args: (_ for _ in ()).throw(Killed()))
    with pytest.raises(Killed):
        archiver.run(sqlite_log.engine, archive, archiver.Retention(), after_days(noon, 91))
    records = list(tiers.records(found, sqlite_log.engine, None, tiers.Period()))
    assert Counter(record["log_id"] for record in records) == Counter(warm)
    only = list(tiers.records(found, sqlite_log.engine, None, tiers.Period(), customer="+919800000003"))
    assert [record["customer_phone"] for record in only] == ["+919800000003"]


@pytest.mark.parametrize("after", [0, 2, 5, 6])
def test_conversation_that_is_archived_during_an_export_is_in_it_once(
    sqlite_log, turn, noon, archive, tmp_path, monkeypatch, after
):
    import settings
    from conversation_log.query import tiers

    fill(sqlite_log, turn, noon, 6)
    monkeypatch.setattr(archiver, "FILE_CONVERSATIONS", 2)
    monkeypatch.setattr(reader, "PAGE", 2)
    url = {"STATE_DIR": str(tmp_path), "ARCHIVE_URL": f"file://{tmp_path}/archive"}
    found = settings.load(url, env_file=tmp_path / "none")
    expected = Counter(record["log_id"] for record in sqlite_log.read())
    given: Counter[str] = Counter()
    for number, record in enumerate(tiers.records(found, sqlite_log.engine, None, tiers.Period())):
        if number == after:
            archiver.run(sqlite_log.engine, archive, archiver.Retention(), after_days(noon, 91))
        given[record["log_id"]] += 1
    assert given == expected


def test_reading_back_a_row_gives_the_record(sqlite_log, turn, noon):
    from conversation_log.archive.columns import as_row, from_row

    sqlite_log.log(turn("wamid.A"))
    for conversation in reader.read(sqlite_log.engine, EVERYTHING, sqlite_log.now):
        record = as_record(conversation)
        assert from_row({"escalation_priority": None, **as_row(record)}) == record
    with sqlite_log.engine.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM conversations")).scalar() == 1
