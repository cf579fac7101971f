"""What the processes are told: addresses that work for every HOST, and nothing of `.env` that the launcher left out."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from rasa.core.utils import AvailableEndpoints

import settings as settings_module
from launch import __main__ as launcher
from launch import processes
from launch.__main__ import _Secrets
from settings import PROJECT_ROOT, Settings, load


@pytest.mark.parametrize(("host", "url"), [
    ("127.0.0.1", "http://127.0.0.1:6001/webhook"),
    ("0.0.0.0", "http://127.0.0.1:6001/webhook"),
    ("192.0.2.7", "http://127.0.0.1:6001/webhook"),
    ("::1", "http://[::1]:6001/webhook"),
    ("::", "http://[::1]:6001/webhook"),
])
def test_rasa_calls_the_actions_where_they_listen(
    host: str, url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = load({"HOST": host, "ACTION_PORT": "6001"}, tmp_path / "none")
    monkeypatch.setenv("ACTION_URL", processes.child_environment(settings)["ACTION_URL"])
    endpoint = AvailableEndpoints.read_endpoints(str(PROJECT_ROOT / "endpoints.yml")).action
    assert endpoint is not None
    assert endpoint.url == url


def test_action_servers_on_other_machines_are_called(tmp_path: Path) -> None:
    elsewhere = load({"ACTION_URL": "http://actions:5055/webhook"}, tmp_path / "none")
    elsewhere.validate()
    assert processes.child_environment(elsewhere)["ACTION_URL"] == elsewhere.action_url == "http://actions:5055/webhook"


@pytest.fixture
def live_env_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A `.env` of a live shop where the launcher looks for it."""
    (tmp_path / ".env").write_text(
        "REDIS_URL=redis://live/0\nCONVERSATION_DATABASE_URL=postgresql://live/log\nORDERS_DATABASE_URL=mysql://live/o\n"
        "HOST=0.0.0.0\nACTION_URL=http://live:5055/webhook\nTICKETING=zendesk\nZENDESK_URL=https://live.zendesk.com\nZENDESK_API_TOKEN=live-token\nDEFAULT_REGION=GB\n"
    )
    monkeypatch.setattr(settings_module, "PROJECT_ROOT", tmp_path)
    for variable in settings_module.VARIABLES:
        monkeypatch.delenv(variable.name, raising=False)
    return tmp_path


def started(monkeypatch: pytest.MonkeyPatch, command: str) -> Settings:
    """The settings with which the command would start."""
    seen: list[Settings] = []
    monkeypatch.setattr(launcher, "_start", lambda settings, **_: seen.append(settings) or 0)
    assert launcher.main([command]) == 0
    return seen[0]


def test_run_leaves_the_live_shop_of_the_env_file_alone_and_says_so(live_env_file, monkeypatch, capsys) -> None:
    settings = started(monkeypatch, "run")
    values = settings.values
    assert not [name for name, value in values.items() if value and "live" in value.replace(str(live_env_file), "")]
    assert values["REDIS_URL"] is None
    assert values["HOST"] == "127.0.0.1", "the demo's pages ask for no password"
    assert "127.0.0.1" in str(values["ZENDESK_URL"])
    assert values["DEFAULT_REGION"] == "GB"
    said = [line for line in capsys.readouterr().out.splitlines() if "Not used from .env" in line]
    assert len(said) == 1
    assert "REDIS_URL" in said[0]
    assert "live" not in said[0]


def test_run_uses_what_the_environment_names(live_env_file, monkeypatch, capsys) -> None:
    monkeypatch.setenv("REDIS_URL", "redis://mine/3")
    assert started(monkeypatch, "run").values["REDIS_URL"] == "redis://mine/3"
    assert " REDIS_URL" not in capsys.readouterr().out


def test_serve_uses_the_env_file(live_env_file, monkeypatch) -> None:
    for name in settings_module.REQUIRED_TO_SERVE:
        monkeypatch.setenv(name, "x")
    assert started(monkeypatch, "serve").values["REDIS_URL"] == "redis://live/0"


def test_children_do_not_read_the_env_file_again(live_env_file, monkeypatch) -> None:
    environment = processes.child_environment(started(monkeypatch, "run"))
    code = (
        "import json, settings; from pathlib import Path; "
        f"settings.PROJECT_ROOT = Path({str(live_env_file)!r}); print(json.dumps(dict(settings.load().values)))"
    )
    result = subprocess.run([sys.executable, "-c", code], env=environment, cwd=PROJECT_ROOT, capture_output=True,
                            text=True, check=True, timeout=60)  # fmt: skip
    values = json.loads(result.stdout)
    assert values["ZENDESK_API_TOKEN"] is None
    assert values["DEFAULT_REGION"] == "GB"


def test_the_demos_secrets_are_made_once_and_only_its_owner_reads_them(tmp_path: Path) -> None:
    file = tmp_path / "state" / "demo_secrets.json"
    first = _Secrets(file)["WHATSAPP_APP_SECRET"]
    assert (_Secrets(file)["WHATSAPP_APP_SECRET"], file.stat().st_mode & 0o077) == (first, 0)
    assert _Secrets(file)["ZENDESK_WEBHOOK_SECRET"] != first
    file.write_text("{")
    assert len(_Secrets(file)["WHATSAPP_APP_SECRET"]) == 32


def test_the_shops_at_hand_are_this_one_the_demo_and_those_beside_the_project(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = tmp_path / "project"
    for folder, text in {"oak": "name: Oak\nregion: GB\n", "broken": "name: [", "copy": "name: Copy\n"}.items():
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "shop.yml").write_text(text)
    (tmp_path / "copy" / "launch").mkdir()
    monkeypatch.setattr(processes, "PROJECT_ROOT", root)
    settings = load()
    assert list(processes.shops_at_hand(settings)) == [str(settings.shop_path), str(tmp_path / "oak")]
