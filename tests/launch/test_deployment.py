"""What the container files say must be what the project is; building them needs an engine, reading them does not."""

from __future__ import annotations

import re
from typing import Any

import yaml

import settings
from launch import __main__ as launch
from launch.bootstrap import UV_VERSION
from settings import PROJECT_ROOT

DOCKERFILE = (PROJECT_ROOT / "deploy" / "Dockerfile").read_text()
COMPOSE: dict[str, Any] = yaml.safe_load((PROJECT_ROOT / "compose.yaml").read_text())
ASSISTANT = COMPOSE["services"]["assistant"]
# Not ours: what other programs in the image read.
OTHERS = {"RASA_TELEMETRY_ENABLED", "TF_CPP_MIN_LOG_LEVEL", "PYTHONWARNINGS", "SQLALCHEMY_SILENCE_UBER_WARNING"}


def test_compose_sets_only_variables_that_the_assistant_reads() -> None:
    known = {variable.name for variable in settings.VARIABLES}
    in_image = set(re.findall(r"(\w+)=", re.search(r"^ENV (.+\n.+)$", DOCKERFILE, re.MULTILINE)[1]))  # type: ignore[index]
    assert set(ASSISTANT["environment"]) <= known
    assert in_image - OTHERS <= known


def test_the_composed_assistant_would_start_with_a_full_env_file(tmp_path: Any) -> None:
    given = {name: str(value) for name, value in ASSISTANT["environment"].items()}
    given["CONVERSATION_DATABASE_URL"] = re.sub(r"\$\{[^}]*\}", "secret", given["CONVERSATION_DATABASE_URL"])
    loaded = settings.load(given, PROJECT_ROOT / ".env.example")
    loaded.validate()
    assert loaded.missing() == []
    assert loaded.redis_url == "redis://redis:6379/0"


def test_the_image_installs_what_the_launcher_would_and_runs_it() -> None:
    assert f"uv=={UV_VERSION}" in DOCKERFILE
    assert "--require-hashes requirements.lock" in DOCKERFILE
    command = re.search(r'^CMD \[".venv/bin/python", "-m", "launch", "(\w+)"\]$', DOCKERFILE, re.MULTILINE)
    assert command is not None
    assert command[1] in launch.COMMANDS


def test_no_secret_and_no_state_gets_into_the_image() -> None:
    ignored = (PROJECT_ROOT / ".dockerignore").read_text().splitlines()
    assert {".env", "var", ".git", ".venv"} <= set(ignored)


def test_its_redis_keeps_what_was_acknowledged() -> None:
    command = COMPOSE["services"]["redis"]["command"]
    assert "--appendonly yes --appendfsync always --maxmemory-policy noeviction" in command
