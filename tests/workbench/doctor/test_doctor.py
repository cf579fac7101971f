"""`make doctor` says of each part whether it is well, in bounded time and without a secret."""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import shutil
import socket
import tarfile
import time
from collections import namedtuple
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from rich.console import Console

import settings
from conversation_log.storage import database
from handoff.storage.database import Database
from hot_store import redis_address
from settings import VARIABLES, Settings
from tests import redis_servers as sentinels
from tests.conftest import free_port
from tests.workbench.doctor import graph_stand_in as graph
from workbench.doctor import command, databases, machine, meta, redis_servers, setting_conflicts
from workbench.shop_check.findings import ERROR, INFORMATION, WARNING, ShopFinding

WELL = {
    "WHATSAPP_VERIFY_TOKEN": "v", "WHATSAPP_APP_SECRET": graph.SECRET, "WHATSAPP_ACCESS_TOKEN": graph.TOKEN,
    "WHATSAPP_PHONE_NUMBER_ID": graph.NUMBER, "WHATSAPP_BUSINESS_ACCOUNT_ID": graph.ACCOUNT,
    "SLACK_WEBHOOK_URL": "https://hooks.example/x", "SHOP_WEBHOOK_SECRET": "s",
}  # fmt: skip
INFO = {"redis_version": "7.2.4", "role": "master", "aof_enabled": 1, "aof_last_write_status": "ok", "maxmemory": 0,
        "maxmemory_policy": "noeviction", "used_memory": 5, "connected_slaves": 0}  # fmt: skip


def configured(folder: Path, **values: str) -> Settings:
    return settings.load({**WELL, "STATE_DIR": str(folder), **values}, env_file=folder / "none")


def wrong(found: Any) -> list[tuple[str, str]]:
    """Level and place of each line that is not ok; each has its remedy."""
    lines = [one for one in found if one.level != INFORMATION]
    assert all(one.remedy for one in lines), lines
    assert not any(secret in repr(lines) for secret in (graph.TOKEN, graph.SECRET))
    return [(one.level, one.where) for one in lines]


@pytest.mark.parametrize(("path", "answer", "said"), [
    ("", None, []),
    ("app", (401, {}), [(WARNING, "app")]),
    (f"{graph.APP}/subscriptions", (400, {}), [(ERROR, "WHATSAPP_APP_SECRET")]),
    (f"{graph.APP}/subscriptions", (503, {}), [(ERROR, "webhook")]),
    (f"{graph.APP}/subscriptions", (200, {"data": []}), [(ERROR, "webhook")]),
    (f"{graph.APP}/subscriptions", (200, ["nonsense"]), [(ERROR, "webhook")]),
    (f"{graph.APP}/subscriptions", graph.subscription(active=False), [(ERROR, "webhook")]),
    (f"{graph.APP}/subscriptions", graph.subscription(fields=[{"name": "calls"}]), [(ERROR, "webhook")]),
    (f"{graph.APP}/subscriptions", graph.subscription(callback_url="https://old.example/bot"), [(ERROR, "webhook")]),
    (f"{graph.ACCOUNT}/subscribed_apps", graph.account(None), [(ERROR, "subscribed_apps")]),
    (f"{graph.ACCOUNT}/subscribed_apps", graph.account("9"), [(ERROR, "subscribed_apps")]),
    (f"{graph.ACCOUNT}/subscribed_apps", (403, {}), [(ERROR, "WHATSAPP_BUSINESS_ACCOUNT_ID")]),
])
def test_what_meta_has_of_us_is_looked_at_and_no_secret_stands_in_an_address(
    tmp_path: Path, path: str, answer: Any, said: list[tuple[str, str]]
) -> None:
    with graph.serving(graph.good() | ({path: answer} if path else {})) as api:
        found = list(meta.findings(configured(tmp_path, WHATSAPP_GRAPH_URL=api.url)))
        assert [one for one in wrong(found) if one[1] != "templates"] == said
        assert not [path for path, _ in api.asked if graph.TOKEN in path or graph.SECRET in path]
        assert {bearer for _, bearer in api.asked} <= {graph.TOKEN, f"{graph.APP}|{graph.SECRET}"}


@pytest.mark.parametrize(("ahead_s", "level"), [(0, INFORMATION), (-20, WARNING), (3600, ERROR)])
def test_a_clock_that_goes_wrong_is_told(tmp_path: Path, ahead_s: float, level: str) -> None:
    with graph.serving(graph.good(), ahead_s) as api:
        found = list(meta.findings(configured(tmp_path, WHATSAPP_GRAPH_URL=api.url)))
    assert [one.level for one in found if one.about == "clock"] == [level]


@pytest.mark.parametrize(("changed", "values", "kind", "level"), [
    ({}, {}, redis_address.ONE, None),
    ({"redis_version": "5.0.7"}, {}, redis_address.ONE, ERROR),
    ({"redis_version": "7.0.1", "connected_slaves": 1}, {"REDIS_WAIT_FOR": "replica_disk"}, redis_address.ONE, ERROR),
    ({"role": "slave"}, {}, redis_address.ONE, ERROR),
    ({"aof_enabled": 0}, {}, redis_address.ONE, ERROR),
    ({"aof_last_write_status": "err"}, {}, redis_address.ONE, ERROR),
    ({"maxmemory": 100, "maxmemory_policy": "allkeys-lru"}, {}, redis_address.ONE, ERROR),
    ({"maxmemory": 100, "used_memory": 90}, {}, redis_address.ONE, WARNING),
    ({}, {"REDIS_WAIT_FOR": "replica"}, redis_address.ONE, ERROR),
    ({}, {}, redis_address.SENTINEL, WARNING),
    ({"connected_slaves": 1}, {"REDIS_WAIT_FOR": "replica_disk"}, redis_address.SENTINEL, None),
])
def test_a_redis_that_would_lose_messages_is_told(
    tmp_path: Path, changed: dict[str, Any], values: dict[str, str], kind: str, level: str | None
) -> None:
    found = redis_servers.server_findings("server", INFO | changed, configured(tmp_path, **values), kind, "always")
    assert wrong(found) == ([(level, "server")] if level else [])


def test_a_running_redis_is_asked_and_one_that_is_away_is_an_error(tmp_path: Path, redis_url: str) -> None:
    found = list(redis_servers.findings(configured(tmp_path, REDIS_URL=redis_url)))
    assert {one.about for one in found} == {"redis", "clock"}
    away = redis_servers.findings(configured(tmp_path, REDIS_URL=f"redis://:hush@127.0.0.1:{free_port()}/0"))
    assert wrong(away) == [(ERROR, "REDIS_URL")]


@pytest.mark.slow
def test_sentinels_that_look_every_ten_seconds_are_told(tmp_path: Path) -> None:
    with contextlib.ExitStack() as stack:
        servers = sentinels.Servers(tmp_path, stack)
        port = servers.add(config=f'requirepass "{sentinels.PASSWORD}"\n')
        url = f"redis+sentinel://127.0.0.1:{port},127.0.0.1:{free_port()}/x?sentinel_password={sentinels.QUOTED}"
        assert wrong(redis_servers.sentinel_findings(redis_address.parse(url))) == [(WARNING, "sentinels")]
        servers.client(port).execute_command("SENTINEL", "DEBUG", "INFO-PERIOD", 1000, "PUBLISH-PERIOD", 500)
        assert wrong(redis_servers.sentinel_findings(redis_address.parse(url))) == []


def test_tables_that_lack_migrations_are_told_and_nothing_is_created(tmp_path: Path, sql_url: str) -> None:
    ours = configured(tmp_path, CONVERSATION_DATABASE_URL=sql_url)
    before = wrong(databases.conversation_findings(ours))
    assert before
    assert {level for level, _ in before} == {WARNING}
    engine = database.connect(sql_url)
    if engine.dialect.name == "postgresql":
        assert sa.inspect(engine).get_table_names() == []
    else:
        assert not Path(str(engine.url.database)).exists()
    database.migrate(engine)
    Database(sql_url).prepare()
    assert wrong(databases.conversation_findings(ours)) == []


@pytest.mark.postgres
def test_a_role_that_may_only_read_is_told(tmp_path: Path, postgres_url: str) -> None:
    engine = database.connect(postgres_url)
    database.migrate(engine)
    Database(postgres_url).prepare()
    with engine.begin() as connection:
        connection.exec_driver_sql("DROP ROLE IF EXISTS reader")
        connection.exec_driver_sql("CREATE ROLE reader LOGIN PASSWORD 'hush'")
        connection.exec_driver_sql("GRANT SELECT ON ALL TABLES IN SCHEMA public TO reader")
    url = str(sa.engine.make_url(postgres_url).set(username="reader", password="hush"))
    ours = configured(tmp_path, CONVERSATION_DATABASE_URL=url.replace("***", "hush"))
    found = wrong(databases.conversation_findings(ours))
    with engine.begin() as connection:
        connection.exec_driver_sql("DROP OWNED BY reader; DROP ROLE reader")
    assert found[0][1].startswith("handoff_")
    assert [level for level, _ in found] == [ERROR]


def test_a_database_that_is_away_is_an_error_with_its_remedy(tmp_path: Path) -> None:
    url = f"postgresql://us:hush@127.0.0.1:{free_port()}/log"
    assert wrong(databases.conversation_findings(configured(tmp_path, CONVERSATION_DATABASE_URL=url))) == [
        (ERROR, "CONVERSATION_DATABASE_URL")
    ]


@pytest.mark.parametrize(("free", "level"), [(10**11, INFORMATION), (10**9, WARNING), (10**8, ERROR)])
def test_a_disk_that_gets_full_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, free: int, level: str
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda place: namedtuple("Usage", "free")(free))
    found = list(machine.findings(configured(tmp_path / "not" / "there", RASA_PORT=str(free_port()))))
    assert [one.level for one in found if one.about == "disk"] == [level]
    assert not (tmp_path / "not").exists()


@pytest.mark.parametrize(("version", "cut", "current", "level"), [
    ("installed", 0, False, WARNING), ("3.5.0", 0, True, ERROR), ("installed", 200, True, ERROR),
    ("installed", 0, True, ERROR),  # whole and current, but nothing learnt is in it
])
def test_a_model_that_would_not_load_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, version: str, cut: int, current: bool, level: str
) -> None:
    monkeypatch.setattr(machine.training, "fingerprint", lambda: "0" if current else "1")
    ours = configured(tmp_path, SHOP_DIR=str(tmp_path / "oak"))
    assert [one[0] for one in wrong(machine.model_findings(ours))] == [WARNING]
    version = machine.importlib.metadata.version("rasa") if version == "installed" else version
    ours.models_path.mkdir(parents=True)
    archive = ours.models_path / "assistant-0.tar.gz"
    with tarfile.open(archive, "w:gz") as files:
        for name, content in (("metadata.json", json.dumps({"rasa_open_source_version": version}).encode()),
                              ("components/weights", bytes(range(256)) * 4)):
            member = tarfile.TarInfo(name)
            member.size = len(content)
            files.addfile(member, io.BytesIO(content))
    if cut:
        archive.write_bytes(archive.read_bytes()[:-cut])
    assert [one[0] for one in wrong(machine.model_findings(ours))] == [level]


def test_packages_that_are_not_as_locked_are_named(tmp_path: Path) -> None:
    lock, ours = tmp_path / "some.lock", configured(tmp_path)
    lock.write_text("redis==1.0 \\\n    --hash=sha256:0\nno-such-package==2.0 ; python_version < '4'\n"
                    "never-here==1.0 ; python_version < '3'\n")
    [found] = machine.package_findings(ours, lock)
    assert found.level == ERROR
    assert "(locked: 1.0), no-such-package is not there (locked: 2.0)" in found.problem
    assert "never-here" not in found.problem
    assert wrong(machine.package_findings(ours)) == []


@pytest.mark.parametrize(("values", "said"), [
    ({}, []),
    ({"WHATSAPP_APP_SECRET": ""}, [(ERROR, "WHATSAPP_APP_SECRET")]),
    ({"WHATSAPP_GRAPH_URL": "http://127.0.0.1:9/v25.0"}, [(WARNING, "WHATSAPP_GRAPH_URL")]),
    ({"WHATSAPP_GRAPH_URL": "http://graph.example/v25.0"}, [(ERROR, "WHATSAPP_GRAPH_URL")]),
    ({"TICKETING": "log", "FRESHDESK_URL": "https://x.freshdesk.com"}, [(WARNING, "FRESHDESK_URL")]),
    ({"ZENDESK_URL": "https://x.zendesk.com"}, [(WARNING, "ZENDESK_WEBHOOK_SECRET")]),
    ({"LLM_PROVIDER": "none", "OPENAI_API_KEY": "k"}, [(WARNING, "OPENAI_API_KEY")]),
    ({"SMTP_URL": "smtp://h:25"}, [(WARNING, "SMTP_URL")]),
    ({"SLACK_WEBHOOK_URL": ""}, [(WARNING, "TICKETING")]),
    ({"SHOP_WEBHOOK_SECRET": ""}, [(WARNING, "SHOP_WEBHOOK_SECRET")]),
    ({"SPEECH_API_KEY": "k"}, [(WARNING, "SPEECH_API_KEY")]),
    ({"MEDIA_URL": "s3://bucket/files"}, [(WARNING, "MEDIA_URL")]),
    ({"REDIS_URL": "redis+sentinel://h1:1,h2:2/service"}, [(WARNING, "CONVERSATION_DATABASE_URL")]),
])
def test_settings_that_do_not_fit_together_are_told(
    tmp_path: Path, values: dict[str, str], said: list[tuple[str, str]]
) -> None:
    assert wrong(setting_conflicts.findings(configured(tmp_path, **values))) == said


def test_a_part_that_hangs_or_fails_costs_its_own_line_and_no_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(ours: Settings) -> list[ShopFinding]:
        raise RuntimeError(f"postgresql://us:{graph.SECRET}@h/db")

    def hangs(ours: Settings) -> list[ShopFinding]:
        time.sleep(30)
        return []

    monkeypatch.setattr(command, "TIMEOUT_S", 0.2)
    began = time.monotonic()
    found = command.examine(configured(tmp_path), {
        "one": fails, "two": hangs, "three": lambda ours: [ShopFinding(INFORMATION, "three", "three", "well")],
    })
    assert time.monotonic() - began < 15
    assert wrong(found) == [(ERROR, "one"), (ERROR, "two")]
    assert "well" in [one.problem for one in found]


@pytest.mark.slow
def test_whatever_fails_no_secret_is_printed_and_the_end_comes_in_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Every secret is set, and nothing that is named answers."""
    canary = "canary-hush-hush"
    with socket.create_server(("127.0.0.1", 0)) as silent:
        at = f"127.0.0.1:{silent.getsockname()[1]}"
        urls = {"ORDERS_DATABASE_URL": f"postgresql://u:{canary}@{at}/o", "REDIS_URL": f"redis://:{canary}@{at}/0",
                "CONVERSATION_DATABASE_URL": f"postgresql://u:{canary}@{at}/c", "SMTP_URL": f"smtp://u:{canary}@{at}",
                "SLACK_WEBHOOK_URL": f"http://{at}/{canary}",
                "LOG_KAFKA_URL": f"kafka://u:{canary}@{at}/t"}  # fmt: skip
        values = {variable.name: canary for variable in VARIABLES if variable.secret} | urls | {
            "WHATSAPP_GRAPH_URL": f"http://{at}/v25.0", "WHATSAPP_PHONE_NUMBER_ID": "1", "STATE_DIR": str(tmp_path),
            "WHATSAPP_BUSINESS_ACCOUNT_ID": "2", "SETTINGS_COMPLETE": "1", "LLM_PROVIDER": "none", "TICKETING": "log",
            "SHOP_API_URL": f"http://{at}/shop",
        }  # fmt: skip
        for name, value in values.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setattr(command, "TIMEOUT_S", 4.0)
        began = time.monotonic()
        status = command.run(argparse.Namespace(json=True), Console())
        assert time.monotonic() - began < 20
    said = capsys.readouterr()
    assert status == 1
    assert canary not in said.out + said.err
    told = json.loads(said.out)
    assert told["errors"] == sum(line["level"] == "error" for line in told["lines"]) > 2
    assert all(line["remedy"] for line in told["lines"] if line["level"] != "ok")


def test_a_value_that_cannot_be_used_is_an_error_before_anything_is_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("STATE_DIR", str(tmp_path))
    monkeypatch.setenv("WHATSAPP_PHONE_NUMBER_ID", "+91 98765")
    assert command.run(argparse.Namespace(json=False), Console(width=200)) == 1
    said = capsys.readouterr().out
    assert "WHATSAPP_PHONE_NUMBER_ID" in said
    assert "→" in said
