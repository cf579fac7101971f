"""Back up and restore: what was there is there again; what is no whole backup changes nothing."""

from __future__ import annotations

import fcntl
import io
import shutil
import subprocess
import tarfile
from pathlib import Path

import pytest
import redis
import sqlalchemy as sa

import settings
from handoff.storage.database import Database
from handoff.takeover.state_machine import open_takeover
from launch.embedded_redis import EmbeddedRedis
from tests.conftest import _wheel_postgres, free_port
from tests.handoff.samples import request
from workbench.doctor import backup


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """STATE_DIR with a ticket, whose row is still in the write-ahead log, and files that are and are not worth it."""
    folder = tmp_path / "var"
    monkeypatch.setenv("STATE_DIR", str(folder))
    monkeypatch.setenv("SETTINGS_COMPLETE", "1")  # no .env
    for variable in settings.VARIABLES:
        if variable.name != "STATE_DIR":
            monkeypatch.delenv(variable.name, raising=False)
    db = Database(f"sqlite:///{folder}/conversations.db")
    assert open_takeover(db, request("919", "wamid.1")).outcome == "opened"
    for name in ("archive/2026/part.parquet", "cache/old", "metrics/counter.db", "redis/redis.log"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(name)
    return folder


def names(archive: Path) -> list[str]:
    with tarfile.open(archive) as opened:
        return sorted(opened.getnames())


def tickets(folder: Path) -> list[str]:
    engine = sa.create_engine(f"sqlite:///{folder}/conversations.db", future=True)
    with engine.connect() as connection:
        found = list(connection.exec_driver_sql("SELECT opened_by FROM handoff_takeovers").scalars())
    engine.dispose()
    return found


def test_what_was_there_is_there_again(state: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    server = EmbeddedRedis(state / "redis", free_port())
    server.start()
    redis.Redis.from_url(server.url).set("waiting", "message")
    server.stop()
    file = tmp_path / "monday.tar.gz"
    assert backup.main(["make", str(file)]) == 0
    assert "Not in it" not in capsys.readouterr().out
    assert file.stat().st_mode & 0o777 == 0o600
    assert {"archive/2026/part.parquet", "conversations.db", "manifest.json"} < set(names(file))
    assert not [name for name in names(file) if name.startswith(("cache", "metrics")) or name.endswith(("log", "-wal"))]

    later = Database(f"sqlite:///{state}/conversations.db")
    open_takeover(later, request("918", "wamid.2"))
    later.close()
    shutil.rmtree(state / "redis")
    assert backup.main(["restore", str(file)]) == 0
    assert tickets(state) == ["wamid.1"]
    (aside,) = state.glob("before-restore-*")
    assert sorted(tickets(aside)) == ["wamid.1", "wamid.2"]
    server = EmbeddedRedis(state / "redis", free_port())
    server.start()
    assert redis.Redis.from_url(server.url).get("waiting") == b"message"
    server.stop()


def test_the_python_that_the_environment_stands_on_stays_where_it_is(state: Path, tmp_path: Path) -> None:
    python = state / "python" / "cpython-3.10" / "bin" / "python3.10"  # STATE_DIR is var/ by default, as uv's folder
    python.parent.mkdir(parents=True)
    python.write_text("a program")
    python.with_name("python").symlink_to("python3.10")
    (state / "tools").mkdir()
    (state / "tools" / "uv").write_text("another")
    file = tmp_path / "monday.tar.gz"
    assert backup.main(["make", str(file)]) == 0
    assert not [name for name in names(file) if name.startswith(("python", "tools"))]
    assert backup.main(["restore", str(file)]) == 0
    assert python.with_name("python").read_text() == "a program"


def test_on_a_new_machine_there_is_nothing_to_put_aside(
    state: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "monday.tar.gz"
    assert backup.main(["make", str(file)]) == 0
    monkeypatch.setenv("STATE_DIR", str(tmp_path / "new"))
    assert backup.main(["restore", str(file)]) == 0
    assert tickets(tmp_path / "new") == ["wamid.1"]
    assert not list((tmp_path / "new").glob("before-restore-*"))
    assert (tmp_path / "new").stat().st_mode & 0o077 == 0, "customers' words are there"


def test_a_state_folder_that_cannot_be_used_is_said_to_be_so(
    state: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("STATE_DIR", str(tmp_path / "file" / "below"))
    assert [backup.main([what, str(tmp_path / "x.tar.gz")]) for what in ("make", "restore")] == [1, 1]
    assert "STATE_DIR" in capsys.readouterr().err


def test_while_the_assistant_runs_there_is_no_backup(
    state: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with (state / ".lock").open("wb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert [backup.main([what, str(tmp_path / "x.tar.gz")]) for what in ("make", "restore")] == [1, 1]
    assert "stop it first" in capsys.readouterr().err


def test_a_backup_is_never_written_over(state: Path, tmp_path: Path) -> None:
    (tmp_path / "x.tar.gz").write_text("older")
    assert backup.main(["make", str(tmp_path / "x.tar.gz")]) == 1
    assert (tmp_path / "x.tar.gz").read_text() == "older"


def spoilt(file: Path, kind: str) -> None:
    """Make it another archive: cut off, with a changed, a missing or a foreign file, or none at all."""
    if kind in ("cut off", "no archive"):
        file.write_bytes(file.read_bytes()[:-200] if kind == "cut off" else b"words")
        return
    with tarfile.open(file) as archive:
        members = [(member, archive.extractfile(member).read()) for member in archive.getmembers()]  # type: ignore[union-attr]
    if kind == "missing":
        members = members[:-1]
    elif kind == "changed":
        members[-1] = (members[-1][0], b"x" * members[-1][0].size)
    elif kind == "no manifest":
        members = members[1:]
    else:
        foreign = tarfile.TarInfo({"climbing": "../evil", "absolute": "/evil", "foreign": "evil", "link": "link"}[kind])
        if kind == "link":
            foreign.type, foreign.linkname = tarfile.SYMTYPE, ".."
        members.append((foreign, b""))
    with tarfile.open(file, "w:gz") as archive:
        for member, content in members:
            archive.addfile(member, io.BytesIO(content))


def kept(state: Path) -> list[Path]:
    """What lies there, but for the journal beside a database, which goes as soon as nobody has it open any more."""
    return sorted(path.relative_to(state) for path in state.rglob("*") if not path.name.endswith(("-shm", "-wal")))


@pytest.mark.parametrize("kind", [
    "cut off", "no archive", "no manifest", "missing", "changed", "climbing", "absolute", "foreign", "link",
])  # fmt: skip
def test_what_is_no_whole_backup_changes_nothing(
    state: Path, tmp_path: Path, kind: str, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "monday.tar.gz"
    assert backup.main(["make", str(file)]) == 0
    spoilt(file, kind)
    before = kept(state)
    assert backup.main(["restore", str(file)]) == 1
    assert "Nothing was changed" in capsys.readouterr().err
    assert kept(state) == before
    assert not (tmp_path / "evil").exists()


def test_what_is_kept_elsewhere_is_named(
    state: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    elsewhere = {"REDIS_URL": "redis://h", "CONVERSATION_DATABASE_URL": "postgresql://u:hunter2@h/d", "ARCHIVE_URL": "s3://b"}
    for name, url in elsewhere.items():
        monkeypatch.setenv(name, url)
    assert backup.main(["make", str(tmp_path / "x.tar.gz")]) == 0
    said = capsys.readouterr().out
    assert all(f"Not in it: {what}" in said for what in ("the Redis", "the database of CONV", "what is at ARCHIVE"))
    assert "hunter2" not in said


@pytest.mark.postgres
def test_a_database_server_is_dumped_and_restored_by_its_own_commands(postgres_url: str, tmp_path: Path) -> None:
    """As docs/operators.md has it."""
    initdb = shutil.which("initdb")
    programs = Path(initdb).resolve().parent if initdb else _wheel_postgres()
    db = Database(postgres_url)
    open_takeover(db, request("919", "wamid.1"))
    url, file = postgres_url.replace("+psycopg2", ""), tmp_path / "support.dump"
    run = {"check": True, "capture_output": True, "timeout": 60}
    subprocess.run([programs / "pg_dump", "--format=custom", f"--file={file}", url], **run)  # type: ignore[call-overload]
    open_takeover(db, request("918", "wamid.2"))
    db.close()
    restoring = [programs / "pg_restore", "--clean", "--if-exists", "--single-transaction", f"--dbname={url}", file]
    subprocess.run(restoring, **run)  # type: ignore[call-overload]
    again = Database(postgres_url)
    with again.read() as connection:
        assert list(connection.exec_driver_sql("SELECT opened_by FROM handoff_takeovers").scalars()) == ["wamid.1"]
    again.close()
