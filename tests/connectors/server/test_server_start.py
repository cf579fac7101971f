"""A server that cannot serve says why and what to do, instead of going on in memory."""

from __future__ import annotations

import io
import os
import signal
import socket
import subprocess
import sys
import tarfile
import tempfile
import threading
from pathlib import Path
from types import SimpleNamespace

import pytest
from rasa.shared.core.domain import Domain

import yaml_files
from connectors.server import __main__
from connectors.server.application import _channels, load_agent, without_skill_words
from connectors.server.startup import CannotStart
from launch.embedded_redis import EmbeddedRedis
from settings import PROJECT_ROOT, load
from tests import children
from tests.conftest import free_port

TOLD_AT_ONCE = """
import os, socket, sys
from sanic import Sanic
from sanic.response import empty
from connectors.server.startup import stop_when_told
app = Sanic("told")
app.add_route(lambda request: empty(), "/")
async def ready(app, _):
    stop_when_told(app)
    os.kill(os.getpid(), int(sys.argv[1]))
app.register_listener(ready, "after_server_start")
listening = socket.create_server(("127.0.0.1", 0))
listening.setblocking(False)
app.run(sock=listening, workers=1, access_log=False, motd=False, register_sys_signals=False)
"""
GOOD = (PROJECT_ROOT / "endpoints.yml").read_text()


def start(**environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "connectors.server"],
        env={**os.environ, "RASA_PORT": str(free_port()), **environment},
        cwd=PROJECT_ROOT, capture_output=True, text=True, timeout=60,
    )  # fmt: skip


def test_a_dead_redis_is_named_without_its_password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(__main__, "REDIS_TIMEOUT_S", 0.3)
    values = {"REDIS_URL": f"redis://:hunter2@127.0.0.1:{free_port()}/0"}
    with pytest.raises(CannotStart, match="REDIS_URL does not answer") as refused:
        __main__._check_redis(load(values))
    assert "hunter2" not in str(refused.value)


def test_a_redis_that_is_being_restarted_is_waited_for(tmp_path: Path) -> None:
    late = EmbeddedRedis(tmp_path, free_port())
    starting = threading.Timer(0.7, late.start)
    starting.start()
    try:
        __main__._check_redis(load({"REDIS_URL": late.url}))
    finally:
        starting.join()
        late.stop()


def test_a_port_that_somebody_else_has_is_named(redis_url: str) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = str(other.getsockname()[1])
        ended = start(REDIS_URL=redis_url, RASA_PORT=port)
    assert ended.returncode == 1
    assert f"port {port}" in ended.stderr
    assert "Remedy" in ended.stderr


@pytest.fixture
def models(tmp_path: Path) -> Path:
    """A folder with something that is called a model."""
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "broken.tar.gz").write_bytes(b"not an archive")
    return tmp_path / "models"


@pytest.mark.parametrize(
    ("section", "class_path"),
    [
        ("tracker_store", "connectors.stores.tracker_store.NoSuchStore"),
        ("tracker_store", "no.such.module.Store"),
        ("tracker_store", "connectors.stores.event_broker.StreamEventBroker"),
        ("event_broker", "connectors.stores.event_broker.NoSuchBroker"),
        ("event_broker", "connectors.stores.tracker_store.RedisTrackerStore"),
    ],
)
def test_a_class_that_is_not_there_ends_the_start(
    models: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, section: str, class_path: str
) -> None:
    monkeypatch.setenv("ACTION_URL", "http://127.0.0.1:5055/webhook")
    right = {
        "tracker_store": "connectors.stores.tracker_store.RedisTrackerStore",
        "event_broker": "connectors.stores.event_broker.StreamEventBroker",
    }[section]
    endpoints = tmp_path / "endpoints.yml"
    endpoints.write_text(GOOD.replace(right, class_path, 1))
    with pytest.raises(CannotStart, match=class_path):
        load_agent(models, endpoints)


def test_a_missing_section_ends_the_start(models: Path, tmp_path: Path) -> None:
    endpoints = tmp_path / "endpoints.yml"
    endpoints.write_text("action_endpoint: {url: 'http://127.0.0.1:1/webhook'}\n")
    with pytest.raises(CannotStart, match="tracker_store"):
        load_agent(models, endpoints)


def test_no_model_ends_the_start(tmp_path: Path) -> None:
    with pytest.raises(CannotStart, match="make train"):
        load_agent(tmp_path, PROJECT_ROOT / "endpoints.yml")


def test_a_model_that_cannot_be_loaded_ends_the_start(models: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ACTION_URL", "http://127.0.0.1:5055/webhook")
    with pytest.raises(CannotStart, match="make train"):
        load_agent(models, PROJECT_ROOT / "endpoints.yml")


@pytest.mark.parametrize("sum_beside", ["0" * 64 + "  broken.tar.gz\n", "", "\ufffd"])
def test_a_model_that_is_not_the_trained_one_ends_the_start(
    models: Path, monkeypatch: pytest.MonkeyPatch, sum_beside: str
) -> None:
    monkeypatch.setenv("ACTION_URL", "http://127.0.0.1:5055/webhook")
    (models / "broken.tar.gz.sha256").write_text(sum_beside)
    with pytest.raises(CannotStart, match=r"broken.tar.gz is not the one that was trained.*Remedy"):
        load_agent(models, PROJECT_ROOT / "endpoints.yml")


@pytest.mark.parametrize("kind", ["climbing", "absolute", "link"])
def test_an_archive_that_would_write_outside_its_folder_is_not_unpacked(
    models: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    monkeypatch.setenv("ACTION_URL", "http://127.0.0.1:5055/webhook")
    folder, outside = tmp_path / "unpacked", tmp_path / "unpacked" / "outside.txt"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    member = tarfile.TarInfo({"climbing": "../outside.txt", "absolute": str(outside), "link": "link"}[kind])
    if kind == "link":
        member.type, member.linkname = tarfile.SYMTYPE, str(outside)
    with tarfile.open(models / "broken.tar.gz", "w:gz") as archive:
        archive.addfile(member, io.BytesIO(b""))
    with pytest.raises(CannotStart, match="make train"):
        load_agent(models, PROJECT_ROOT / "endpoints.yml")
    assert list(folder.iterdir()) == []


def test_a_channel_that_is_not_there_ends_the_start(tmp_path: Path) -> None:
    credentials = tmp_path / "credentials.yml"
    credentials.write_text("connectors.whatsapp.channel.NoSuchChannel:\n  key: value\n")
    with pytest.raises(CannotStart, match="NoSuchChannel"):
        _channels(credentials)


def test_a_channel_without_its_secrets_ends_the_start(tmp_path: Path) -> None:
    credentials = tmp_path / "credentials.yml"
    credentials.write_text("connectors.whatsapp.channel.WhatsAppChannel:\n  verify_token: x\n")
    with pytest.raises(CannotStart, match="app_secret"):
        _channels(credentials)


def test_what_responses_count_as_stays_out_of_replies_events_and_calls_of_actions() -> None:
    domain = Domain.from_dict(yaml_files.read(PROJECT_ROOT / "domain.yml"))
    domain.responses["utter_greet"][0]["metadata"] = {"counts_as": "asks", "quote": True}
    agent = without_skill_words(SimpleNamespace(domain=domain))  # type: ignore[arg-type]
    assert agent is not None
    for responses in (domain.responses, domain.as_dict()["responses"]):
        words = {word for variations in responses.values() for one in variations for word in one.get("metadata") or {}}
        assert words <= {"quote"}, "the channel's own words stay"
    assert domain.responses["utter_greet"][0]["metadata"] == {"quote": True}
    assert "topics" not in domain.as_dict()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_who_is_told_to_stop_at_the_moment_of_readiness_stops(number: int) -> None:
    assert children.ended(children.python("-c", TOLD_AT_ONCE, str(int(number))), within_s=30).returncode == 0
