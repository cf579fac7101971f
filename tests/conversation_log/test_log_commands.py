"""The command line does what its page says and explains what it cannot do."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import jsonschema
import pytest

from conversation_log import arguments, progress
from conversation_log.__main__ import main
from conversation_log.ingest.projection import LogProjector
from conversation_log.query.export import SCHEMA

ROOT = Path(__file__).resolve().parents[2]
CUSTOMER = "+919876543210"


@pytest.fixture
def filled(sqlite_log, turn, noon, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """A log with two customers, addressed through the environment."""
    other = turn("wamid.B", at=noon + 9, customer="918888888888")
    sqlite_log.log(turn("wamid.A", text="mail me at a@example.in"), other)
    monkeypatch.setenv("STATE_DIR", str(tmp_path))
    monkeypatch.setenv("CONVERSATION_DATABASE_URL", sqlite_log.sql_url)
    monkeypatch.setenv("REDIS_URL", sqlite_log.redis_url)
    monkeypatch.setenv("ARCHIVE_URL", f"file://{tmp_path}/archive")
    return sqlite_log


def test_export_prints_records_that_satisfy_the_schema(filled, capsys) -> None:
    assert main(["export"]) == 0
    records = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    check = jsonschema.Draft202012Validator(json.loads(SCHEMA.read_text()), format_checker=jsonschema.FormatChecker())
    for record in records:
        check.validate(record)
    assert [record["customer_id"] for record in records] == ["919876543210", "918888888888"]


@pytest.mark.parametrize("written", ["+91 98765 43210", "9876543210", "919876543210", CUSTOMER])
def test_customer_may_be_written_in_any_way(filled, capsys, written) -> None:
    assert main(["export", "--customer", written]) == 0
    (line,) = capsys.readouterr().out.splitlines()
    assert json.loads(line)["customer_phone"] == CUSTOMER


def test_redacted_export_satisfies_the_schema_and_names_nobody(filled, turn, noon, capsys, monkeypatch) -> None:
    said = "card 4539 1488 0343 6467, IBAN GB28 WEST 2233 4455 6677 88, SSN 536-22-8714, order 10234"
    wamid = "wamid.HBgMOTE5ODc2NTQzMjEwFQIAEhg"
    filled.log(turn(wamid, text=said, at=noon + 20))
    monkeypatch.setenv("WHATSAPP_APP_SECRET", "a key")
    assert main(["export", "--redact", "--customer", CUSTOMER]) == 0
    shown = capsys.readouterr().out
    assert main(["export", "--redact", "--customer", CUSTOMER]) == 0
    assert capsys.readouterr().out == shown
    for secret in ("98765", "a@example.in", "6467", "WEST", "8714", wamid, "a key"):
        assert secret not in shown
    assert "card [card], IBAN [iban], SSN [ssn], order 10234" in shown
    schema = jsonschema.Draft202012Validator(json.loads(SCHEMA.read_text()))
    for line in shown.splitlines():
        schema.validate(json.loads(line))


@pytest.mark.parametrize(("since", "until", "count"), [
    ("2026-11-01", "2026-11-02", 2), ("2026-11-02", "2026-11-03", 0), ("2026-10-01", "2026-11-01", 0),
    ("2026-11-01T12:00:05Z", "2026-11-02", 1),
])  # fmt: skip
def test_export_is_bounded_by_when_conversations_began(filled, capsys, since, until, count) -> None:
    assert main(["export", "--since", since, "--until", until]) == 0
    assert len(capsys.readouterr().out.splitlines()) == count


@pytest.mark.slow
def test_archive_then_export_then_erase(filled, capsys) -> None:
    assert main(["archive", "--days", "0"]) == 0
    assert "Archived 2 conversations" in capsys.readouterr().out
    assert main(["export"]) == 0
    out = capsys.readouterr().out
    assert len(out.splitlines()) == 2
    assert "[email]" in out
    assert main(["erase", "--customer", CUSTOMER]) == 0
    assert "archive  conversations" in capsys.readouterr().out
    assert main(["export", "--customer", CUSTOMER]) == 0
    printed = capsys.readouterr()
    assert printed.out == ""
    assert "nothing is known of +91••••••3210" in printed.err


def test_show_tells_a_conversation(filled, capsys) -> None:
    assert main(["show", "--customer", CUSTOMER]) == 0
    out = capsys.readouterr().out
    assert "mail me at a@example.in" in out
    assert CUSTOMER not in out
    assert main(["show", "--customer", "+919999999999"]) == 1


def test_report_writes_its_page(filled, capsys, tmp_path) -> None:
    assert main(["report", "--since", "2026-10-01", "--html", str(tmp_path / "page.html")]) == 0
    assert (tmp_path / "page.html").read_text().startswith("<!doctype html>")


def test_erase_that_cannot_reach_redis_says_that_it_is_not_complete(filled, capsys, monkeypatch) -> None:
    monkeypatch.setenv("REDIS_URL", "redis://127.0.0.1:1/0")
    assert main(["erase", "--customer", CUSTOMER]) == 1
    assert "NOT complete" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["in", "tracker", "profile", "12", "+91", "customer"])
def test_what_is_nobodys_id_erases_nothing(filled, capsys, name) -> None:
    filled.redis.xadd("{wa:7}:in", {"j": '{"text": "of somebody else", "turn": 12}'})
    before = {key: filled.redis.dump(key) for key in filled.redis.scan_iter()}
    with pytest.raises(SystemExit) as ended:
        main(["erase", "--customer", name])
    assert ended.value.code == 2
    assert "too little to know a customer by" in capsys.readouterr().err
    assert {key: filled.redis.dump(key) for key in filled.redis.scan_iter()} == before


@pytest.mark.parametrize("arguments", [
    ["export", "--since", "99999999d"], ["report", "--since", "9999999w"], ["archive", "--days", "99999999"],
])  # fmt: skip
def test_a_time_before_all_times_is_refused_in_a_sentence(filled, capsys, arguments) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
    assert "is not a" in capsys.readouterr().err


def test_without_a_database_every_command_names_the_remedy(tmp_path, monkeypatch, capsys) -> None:
    monkeypatch.setenv("STATE_DIR", str(tmp_path / "new"))
    for command in (["export"], ["archive"], ["report"], ["show", "--customer", "x"], ["follow"],
                    ["erase", "--customer", CUSTOMER]):  # fmt: skip
        assert main(command) == 1
        assert "conversation_log migrate" in capsys.readouterr().err
    assert not (tmp_path / "new").exists()
    assert main(["migrate"]) == 0
    assert main(["export"]) == 0


def test_status_tells_what_waits_and_what_was_set_aside(filled, turn, capsys) -> None:
    assert main(["status"]) == 0
    assert "warm     2 conversations" in capsys.readouterr().out
    filled.put_text("{broken")
    filled.write()
    assert main(["status"]) == 1
    assert "poison   1 records" in capsys.readouterr().out


def test_records_that_were_set_aside_are_logged_by_retry_once_the_reason_is_gone(
    filled, turn, noon, monkeypatch, capsys
) -> None:
    def refuse(*_: object) -> None:
        raise TypeError

    with monkeypatch.context() as broken:
        broken.setattr(LogProjector, "apply", refuse)
        filled.log(turn("wamid.C", at=noon + 99, customer="917777777777"))
    assert main(["status"]) == 1
    assert "`retry`" in capsys.readouterr().out
    assert main(["retry"]) == 0
    assert capsys.readouterr().out.startswith("1 records will be tried again")
    filled.write()
    assert main(["status"]) == 0
    assert "917777777777" in {record["customer_id"] for record in filled.read()}


@pytest.mark.slow
@pytest.mark.parametrize(("variable", "value", "command", "said"), [
    ("CONVERSATION_DATABASE_URL", "postgresql://shop:s3cr3t@127.0.0.1:1/x", ["export"], "it does not answer"),
    ("CONVERSATION_DATABASE_URL", "postgresql://shop:s3cr3t@nowhere.invalid/x", ["report"], "host is not known"),
    ("CONVERSATION_DATABASE_URL", "oracle+x://shop:s3cr3t@127.0.0.1/x", ["status"], "driver is not here"),
    ("CONVERSATION_DATABASE_URL", "s3cr3t", ["status"], "not an SQLAlchemy URL"),
    ("CONVERSATION_DATABASE_URL", "sqlite:////proc/none/x.db", ["migrate"], "cannot be opened"),
    ("CONVERSATION_DATABASE_URL", f"sqlite:///{__file__}", ["export"], "not a SQLite database"),
    ("ARCHIVE_URL", "s3cr3t", ["export"], "write file:///folder"),
    ("ARCHIVE_URL", "s3x://shop:s3cr3t@b/x", ["archive"], "write file:///folder"),
    ("ARCHIVE_URL", "s3://k:s3cr3t@b/x?region=x&scheme=http&endpoint_override=127.0.0.1:1", ["archive"],
     "does not answer"),
    ("ARCHIVE_URL", "file:///proc/none", ["archive", "--days", "0"], "cannot be used"),
    ("REDIS_URL", "s3cr3t", ["status"], "REDIS_URL cannot be used"),
    ("RETENTION_WARM_DAYS", "ninety", ["archive"], "RETENTION_WARM_DAYS must be"),
])  # fmt: skip
def test_what_cannot_be_reached_is_named_with_its_remedy_and_without_secrets(
    filled, capsys, monkeypatch, variable, value, command, said
) -> None:
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv(variable, value)
    assert main(command) == 1
    printed = capsys.readouterr()
    assert said in printed.err
    assert printed.err.count("\n") == 1
    assert not {"s3cr3t", "Traceback", ".cc"} & set(printed.err.replace(":", " ").split())


def test_page_that_cannot_be_written_is_said(filled, capsys, tmp_path) -> None:
    assert main(["report", "--html", str(tmp_path / "none" / "page.html")]) == 1
    assert "page.html cannot be written: No such file or directory." in capsys.readouterr().err


def test_redis_that_does_not_answer_is_told_of_and_passed_over(filled, capsys, monkeypatch) -> None:
    monkeypatch.setenv("REDIS_URL", "redis://:s3cr3t@127.0.0.1:1/0")
    assert main(["export", "--customer", CUSTOMER]) == 0
    printed = capsys.readouterr()
    assert len(printed.out.splitlines()) == 1
    assert "Redis does not answer" in printed.err
    assert "s3cr3t" not in printed.err


@pytest.mark.parametrize("arguments", [["--days", "-5"], ["--days", "soon"]])
def test_days_that_are_none_are_refused(filled, capsys, arguments) -> None:
    with pytest.raises(SystemExit):
        main(["archive", *arguments])
    assert "is not a number of days" in capsys.readouterr().err


def test_many_conversations_are_counted_with_their_rate(filled, capsys, monkeypatch) -> None:
    monkeypatch.setattr(progress, "MANY", 2)
    for command in (["export"], ["report", "--since", "2026-10-01"]):
        assert main(command) == 0
        assert re.search(r"\w+ 2 conversations, [\d.]+ s \(\d+/s\)", capsys.readouterr().err)


@pytest.mark.slow
def test_reader_that_stops_early_is_no_error(filled) -> None:
    run = f"{sys.executable} -m conversation_log export | head -c 10"
    done = subprocess.run(["bash", "-c", f"set -o pipefail; {run}"], cwd=ROOT, capture_output=True, timeout=60)
    assert done.stderr == b""


@pytest.mark.parametrize(("text", "expected"), [
    ("2026-11-01", "2026-11-01T00:00:00+00:00"), ("2026-11-01T10:30+05:30", "2026-11-01T10:30:00+05:30"),
    ("2026-11-01T10:30:00Z", "2026-11-01T10:30:00+00:00"),
])  # fmt: skip
def test_moments_are_read_as_written(text: str, expected: str) -> None:
    assert arguments.moment(text).isoformat() == expected
