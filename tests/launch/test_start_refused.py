"""A start that cannot work fails within seconds, names what is wrong and gives the remedy."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from launch import processes, training
from launch.__main__ import _show_pages, main
from launch.console import LaunchError
from launch.embedded_redis import EmbeddedRedis, EmbeddedRedisError
from settings import REQUIRED_TO_SERVE, load

ROOT = Path(__file__).resolve().parents[2]
LOCAL = dict.fromkeys(REQUIRED_TO_SERVE, "local") | {"WHATSAPP_PHONE_NUMBER_ID": "106540352242922"}


def launch(command: str, tmp_path: Path, **environ: str) -> subprocess.CompletedProcess[str]:
    base = {key: value for key, value in os.environ.items() if key not in {*REQUIRED_TO_SERVE, "REDIS_URL"}}
    return subprocess.run(
        [sys.executable, "-m", "launch", command], cwd=ROOT, env={**base, "STATE_DIR": str(tmp_path), **environ},
        capture_output=True, text=True, timeout=60,
    )


@pytest.fixture
def local(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """An environment in which `serve` would start, as far as it is looked at here: a process costs a second."""
    for name, value in (LOCAL | {"STATE_DIR": str(tmp_path), "SETTINGS_COMPLETE": "1"}).items():
        monkeypatch.setenv(name, value)
    return monkeypatch


@pytest.mark.slow
def test_serve_without_any_variable_ends_within_seconds(tmp_path: Path) -> None:
    started = time.monotonic()
    result = launch("serve", tmp_path)
    assert result.returncode != 0
    assert "Remedy" in result.stderr
    assert "Traceback" not in result.stderr
    assert time.monotonic() - started < 30


@pytest.mark.parametrize("name", REQUIRED_TO_SERVE)
def test_serve_without_a_required_variable_names_it(
    name: str, local: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    local.delenv(name)
    assert main(["serve"]) == 1
    said = capsys.readouterr().err
    assert [one for one in REQUIRED_TO_SERVE if one in said] == [name]
    assert "Remedy" in said


def test_port_in_use_is_named_with_its_variable(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        with pytest.raises(LaunchError, match=rf"Port {port} .*RASA_PORT="):
            processes.check_port(load({"RASA_PORT": port}, tmp_path / "none"), "RASA_PORT")


@pytest.mark.parametrize("port", ["0", "70000", "http", "80.5"])
def test_nonsense_port_is_refused(
    port: str, local: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    local.setenv("RASA_PORT", port)
    assert main(["serve"]) == 1
    assert "RASA_PORT" in capsys.readouterr().err


@pytest.mark.parametrize("url", ["redis://127.0.0.1:1/0", "not-a-url"])
def test_dead_redis_is_refused_and_its_password_not_shown(url: str) -> None:
    with pytest.raises(LaunchError, match="REDIS_URL does not answer"):
        processes.check_redis(url)


@pytest.mark.parametrize("url", [
    "postgresql://shop:hunter2@127.0.0.1:1/log",
    "nosuchdb://shop:hunter2@127.0.0.1/log",
    "sqlite:////proc/nowhere/hunter2.db",
])
@pytest.mark.slow
def test_unusable_conversation_database_stops_the_start_without_its_password(url: str, tmp_path: Path) -> None:
    ports = {name: str(processes.free_port()) for name in ("RASA_PORT", "ACTION_PORT")}
    started = time.monotonic()
    result = launch("serve", tmp_path, **LOCAL, **ports, CONVERSATION_DATABASE_URL=url)
    assert result.returncode == 1
    assert "CONVERSATION_DATABASE_URL cannot be used" in result.stderr
    assert "Remedy" in result.stderr
    assert "hunter2" not in result.stdout + result.stderr
    assert time.monotonic() - started < 20


def test_usable_conversation_database_is_accepted(sql_url: str, tmp_path: Path) -> None:
    processes.check_conversations(load({"CONVERSATION_DATABASE_URL": sql_url}, tmp_path / "none"))


def test_missing_folder_of_the_conversation_database_is_made(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/deep/er/log.db"
    processes.check_conversations(load({"CONVERSATION_DATABASE_URL": url}, tmp_path / "none"))
    assert (tmp_path / "deep" / "er" / "log.db").exists()


def test_wrong_handoff_file_stops_the_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys) -> None:
    wrong = tmp_path / "handoff.yml"
    wrong.write_text("coalesce_seconds: soon\n")
    monkeypatch.setattr("handoff.configuration.HANDOFF_FILE", wrong)
    for name, value in LOCAL.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("STATE_DIR", str(tmp_path))
    assert main(["serve"]) == 1
    assert "coalesce_seconds must be" in capsys.readouterr().err


def test_second_start_on_one_state_folder_is_refused(tmp_path: Path) -> None:
    settings = load({"STATE_DIR": str(tmp_path)}, tmp_path / "none")
    with processes.prepare_state(settings):
        (tmp_path / "metrics" / "of-the-first").touch()
        with pytest.raises(LaunchError, match=r"in use by another start.*Remedy"):
            processes.prepare_state(settings)
        assert (tmp_path / "metrics" / "of-the-first").exists()
    processes.prepare_state(settings).close()


@pytest.mark.skipif(not socket.has_ipv6, reason="no IPv6 here")
@pytest.mark.parametrize("command", ["run", "serve", "train"])
def test_a_folder_that_cannot_be_written_is_named(
    command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("")
    for name, value in {**LOCAL, "STATE_DIR": f"{tmp_path}/file/var", "MODELS_DIR": f"{tmp_path}/file/models",
                        "SETTINGS_COMPLETE": "1", "RASA_PORT": str(processes.free_port()),
                        "ACTION_PORT": str(processes.free_port())}.items():  # fmt: skip
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(training, "_run_rasa_train", lambda _: (tmp_path / "file" / "out").mkdir())
    monkeypatch.setattr(training, "_check_designers_files", lambda: None)
    assert main([command]) == 1
    said = capsys.readouterr().err
    assert f"{tmp_path}/file" in said
    assert "Remedy" in said


def test_ipv6_host_is_checked_in_its_own_family(tmp_path: Path) -> None:
    port = str(processes.free_port())
    settings = load({"HOST": "::1", "RASA_PORT": port}, tmp_path / "none")
    try:
        taken = socket.create_server(("::1", int(port)), family=socket.AF_INET6)
    except OSError:
        pytest.skip("the machine has no ::1")
    with taken, pytest.raises(LaunchError, match="RASA_PORT"):
        processes.check_port(settings, "RASA_PORT")
    processes.check_port(settings, "RASA_PORT")


def test_embedded_redis_that_cannot_start_shows_its_log(tmp_path: Path) -> None:
    (tmp_path / "appendonlydir").write_text("not a folder")
    with pytest.raises(EmbeddedRedisError, match="did not start"):
        EmbeddedRedis(tmp_path, processes.free_port()).start()


@pytest.mark.slow
def test_unknown_command_is_explained(tmp_path: Path) -> None:
    result = launch("fly", tmp_path)
    assert result.returncode == 2
    assert "run|serve|train" in result.stderr


def test_a_page_that_cannot_be_used_is_named_at_the_start(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "fees.html").write_text("<div id=app></div>", encoding="utf-8")
    (tmp_path / "other.md").write_text("# Fees\n\nNone.\n", encoding="utf-8")
    _show_pages(tmp_path)
    said = capsys.readouterr().err
    assert "fees.html: is empty. Write its text or remove the file." in said
    assert "other.md" not in said
