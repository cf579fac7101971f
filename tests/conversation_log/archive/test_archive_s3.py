"""The archive on S3, against moto's server: the same promises as on a disk."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone

import pytest

from conversation_log.archive import archiver, parquet_archive
from conversation_log.erasure import erase
from conversation_log.storage.reader import Selection
from handoff.files.store import MediaStore
from launch.processes import answers, free_port
from tests.children import child, python


@pytest.fixture(scope="module")
def s3_port() -> Iterator[int]:
    port = free_port()
    command = python("-m", "moto.server", "-H", "127.0.0.1", "-p", str(port))
    with child(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL):
        deadline = time.monotonic() + 60
        while not answers(f"http://127.0.0.1:{port}/moto-api/"):
            assert time.monotonic() < deadline, "the S3 stand-in did not start"
            time.sleep(0.1)
        yield port


@pytest.fixture
def s3_url(s3_port: int, monkeypatch: pytest.MonkeyPatch) -> str:
    import boto3  # half a second of a processor, which workers that do not run this are spared

    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    bucket = f"log-{time.monotonic_ns()}"
    boto3.client("s3", endpoint_url=f"http://127.0.0.1:{s3_port}", region_name="us-east-1").create_bucket(Bucket=bucket)
    return f"s3://{bucket}/support?scheme=http&endpoint_override=127.0.0.1:{s3_port}&region=us-east-1"


@pytest.mark.slow
def test_a_service_that_speaks_s3_is_named_by_one_setting(s3_url, s3_port, tmp_path, monkeypatch) -> None:
    (tmp_path / "secret").write_text("testing\n")
    for name in ("AWS_SECRET_ACCESS_KEY", "AWS_ENDPOINT_URL"):
        monkeypatch.setenv(name, "")  # what is put there goes with the test
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY_FILE", str(tmp_path / "secret"))
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{s3_port}")
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    url = s3_url.partition("?")[0]
    store = MediaStore.at(f"{url}/files")
    store.write("919", "media1", b"words")
    assert MediaStore.at(f"{url}/files").read("919", "media1") == b"words"
    archive = parquet_archive.ParquetArchive.at(url)
    assert archive.manifests() == []


@pytest.mark.slow
def test_archive_on_s3_is_written_read_and_erased(sqlite_log, turn, noon, s3_url) -> None:
    for number in range(4):
        sqlite_log.put(turn(f"wamid.{number}", at=noon + number * 40000, customer=f"91980000000{number}"))
    sqlite_log.write()
    sqlite_log.now = now = datetime.fromtimestamp(noon, timezone.utc) + timedelta(days=100)
    before = sqlite_log.read()
    archive = parquet_archive.ParquetArchive.at(s3_url)
    moved = archiver.run(sqlite_log.engine, archive, archiver.Retention(), now)
    assert (moved.conversations, moved.files) == (4, 2)
    assert sqlite_log.read() == []
    again = parquet_archive.ParquetArchive.at(s3_url)
    assert sorted(again.records(Selection()), key=lambda record: record["timestamp_start"]) == before
    receipt = erase.erase("+919800000001", sqlite_log.engine, again, None, now)
    assert receipt.removed[("archive", "conversations")] == 1
    assert len(list(again.records(Selection()))) == 3
    assert archiver.run(sqlite_log.engine, again, archiver.Retention(), now).conversations == 0
