"""The archive as a BigQuery table: Google's own client talks to a stand-in for its REST interface."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import urlsplit

import pytest

from conversation_log.__main__ import main
from conversation_log.archive import archiver, bigquery
from conversation_log.storage.database import LogUnavailable

TABLE = "shop.log.conversations"
ARCHIVE = "gs://bucket/archive"


class BigQuery:
    """Takes query jobs and answers as told: `refusal` at once, `failure` by the job, `silence_s` before each answer."""

    def __init__(self) -> None:
        self.statements: list[dict[str, Any]] = []
        self.asked: list[str] = []
        self.refusal: tuple[int, str, str] | None = None
        self.failure: tuple[str, str] | None = None
        self.states = ["RUNNING", "DONE"]
        self.silence_s = 0.0

    def answer(self, path: str, body: dict[str, Any] | None) -> tuple[int, dict[str, Any]]:
        time.sleep(self.silence_s)
        if self.refusal:
            status, reason, message = self.refusal
            errors = [{"reason": reason, "message": message, "domain": "global"}]
            return status, {"error": {"code": status, "message": message, "errors": errors}}
        if body is not None:
            self.statements.append(body["configuration"]["query"])
            return 200, self.job(body["jobReference"], "RUNNING")
        self.asked.append(path)
        reference = {"projectId": "shop", "jobId": path.rsplit("/", 1)[1], "location": "asia-south1"}
        if "/queries/" in path:
            return 200, {"jobReference": reference, "jobComplete": self.states == ["DONE"]}
        return 200, self.job(reference, self.states.pop(0) if len(self.states) > 1 else self.states[0])

    def job(self, reference: dict[str, Any], state: str) -> dict[str, Any]:
        status: dict[str, Any] = {"state": state}
        if state == "DONE" and self.failure:
            reason, message = self.failure
            status["errorResult"] = {"reason": reason, "message": message}
        query = self.statements[-1]
        return {"jobReference": reference, "status": status, "configuration": {"jobType": "QUERY", "query": query}}


@pytest.fixture
def google(monkeypatch: pytest.MonkeyPatch) -> Iterator[BigQuery]:
    """The stand-in, running, and the client sent to it."""
    stand_in = BigQuery()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.reply(None)

        def do_POST(self) -> None:
            self.reply(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))

        def reply(self, body: dict[str, Any] | None) -> None:
            status, answer = stand_in.answer(urlsplit(self.path).path, body)
            content = json.dumps(answer).encode()
            try:
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)
            except ConnectionError:
                pass  # the client had enough of waiting

        def log_message(self, format: str, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    monkeypatch.setenv(bigquery.EMULATOR, f"http://127.0.0.1:{server.server_port}")
    yield stand_in
    server.shutdown()
    server.server_close()


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bigquery, "TIMEOUT_S", 0.2)
    monkeypatch.setattr(bigquery, "REQUEST_S", 0.1)


def complaint(run: Callable[[], object]) -> str:
    with pytest.raises(LogUnavailable) as raised:
        run()
    text = str(raised.value)
    assert "\n" not in text
    assert "The archive itself is complete" in text
    return text


def test_the_table_is_made_by_a_query_job_in_standard_sql_and_waited_for(google) -> None:
    bigquery.publish(TABLE, ARCHIVE)
    [query] = google.statements
    assert query["query"] == bigquery.ddl(TABLE, ARCHIVE)
    assert query["useLegacySql"] is False
    assert google.states == ["DONE"]
    assert all(path.startswith("/bigquery/v2/projects/shop/") for path in google.asked)


@pytest.fixture
def bucket(google, sqlite_log, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A log addressed through the environment; its bucket is a folder here."""
    folder = archiver.ParquetArchive.at(f"file://{tmp_path}/archive")
    monkeypatch.setattr(archiver.ParquetArchive, "at", lambda url: folder)
    monkeypatch.setenv("STATE_DIR", str(tmp_path))
    monkeypatch.setenv("CONVERSATION_DATABASE_URL", sqlite_log.sql_url)
    monkeypatch.setenv("ARCHIVE_URL", ARCHIVE)


def test_the_command_archives_then_publishes_and_says_both(google, bucket, capsys) -> None:
    assert main(["archive", "--bigquery", TABLE]) == 0
    out = capsys.readouterr().out
    assert out.index("Archived 0 conversations") < out.index(f"BigQuery table {TABLE} reads the archive.")
    assert [query["query"] for query in google.statements] == [bigquery.ddl(TABLE, ARCHIVE)]


@pytest.mark.parametrize(("arguments", "said"), [
    (["--bigquery", "conversations"], "is not a BigQuery table"), (["--print-ddl"], "needs --bigquery"),
])  # fmt: skip
def test_what_bigquery_cannot_take_is_refused_before_anything_is_archived(
    google, bucket, sqlite_log, turn, capsys, arguments, said
) -> None:
    sqlite_log.log(turn("wamid.A"))
    assert main(["archive", "--days", "0", *arguments]) == 1
    printed = capsys.readouterr()
    assert said in printed.err
    assert printed.out == ""
    assert len(sqlite_log.read()) == 1


def test_the_command_fails_in_words_when_bigquery_refuses(google, bucket, capsys) -> None:
    google.refusal = (403, "accessDenied", "Access Denied: Project shop")
    assert main(["archive", "--bigquery", TABLE]) != 0
    printed = capsys.readouterr()
    assert "BigQuery: Access Denied: Project shop." in printed.err
    assert "reads the archive" not in printed.out


def test_the_statement_alone_can_be_printed(google, bucket, capsys) -> None:
    assert main(["archive", "--bigquery", TABLE, "--print-ddl"]) == 0
    assert capsys.readouterr().out.strip() == bigquery.ddl(TABLE, ARCHIVE)
    assert google.statements == []


@pytest.mark.parametrize(("status", "reason", "said", "remedy"), [
    (403, "accessDenied", "Access Denied: Project shop", "BigQuery Job User on shop"),
    (404, "notFound", "Not found: Dataset shop:log", "bq mk --location=LOCATION --dataset shop:log"),
    (400, "invalidQuery", "Hive partitioned table has no files", "at least one conversation"),
])  # fmt: skip
def test_a_refusal_is_said_with_its_remedy(google, status: int, reason: str, said: str, remedy: str) -> None:
    google.refusal = (status, reason, said)
    text = complaint(lambda: bigquery.publish(TABLE, ARCHIVE))
    assert said in text
    assert remedy in text


def test_a_job_that_fails_later_is_said_and_not_begun_anew(google) -> None:
    google.failure = ("accessDenied", "Access Denied: gs://bucket")
    text = complaint(lambda: bigquery.publish(TABLE, ARCHIVE))
    assert "Access Denied: gs://bucket" in text
    assert "Storage Object Viewer" in text
    assert len(google.statements) == 1


def test_a_bigquery_that_stays_busy_is_given_up(google, impatient) -> None:
    google.refusal = (503, "backendError", "Try again")
    assert "gave no answer in time" in complaint(lambda: bigquery.publish(TABLE, ARCHIVE))


def test_silence_ends_after_the_timeout(google, impatient) -> None:
    google.silence_s = 0.4
    started = time.monotonic()
    assert "Check the network" in complaint(lambda: bigquery.publish(TABLE, ARCHIVE))
    assert time.monotonic() - started < 10


def test_a_job_that_never_ends_is_not_waited_for_for_ever(google, impatient) -> None:
    google.states = ["RUNNING"]
    assert "gave no answer in time (TimeoutError)" in complaint(lambda: bigquery.publish(TABLE, ARCHIVE))


def test_missing_credentials_are_said_with_the_remedy(monkeypatch, tmp_path: Path) -> None:
    monkeypatch.delenv(bigquery.EMULATOR, raising=False)
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path / "missing.json"))
    text = complaint(lambda: bigquery.publish(TABLE, ARCHIVE))
    assert "gcloud auth application-default login" in text


def test_only_an_archive_in_google_cloud_storage_can_be_a_table() -> None:
    assert "uris = ['gs://bucket/archive/conversations/*.parquet']" in bigquery.ddl(TABLE, ARCHIVE)
    with pytest.raises(LogUnavailable, match="gs://"):
        bigquery.ddl(TABLE, "s3://bucket/archive")


@pytest.mark.parametrize("table", ["x`; DROP", "log.conversations", "shop.log.conversations`"])
def test_a_name_that_is_no_table_is_refused_before_anything_is_sent(google, table: str) -> None:
    with pytest.raises(LogUnavailable, match=r"PROJECT\.DATASET\.TABLE"):
        bigquery.publish(table, ARCHIVE)
    assert google.statements == []
