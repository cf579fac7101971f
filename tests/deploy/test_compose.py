"""What compose.yaml says must be what the project is."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from sqlalchemy.engine import make_url

import settings
import yaml_files
from settings import PROJECT_ROOT

COMPOSE: dict[str, Any] = yaml_files.read(PROJECT_ROOT / "compose.yaml")
ASSISTANT = COMPOSE["services"]["assistant"]


def test_it_sets_only_variables_that_the_assistant_and_libpq_read() -> None:
    assert set(ASSISTANT["environment"]) <= {variable.name for variable in settings.VARIABLES} | {"PGPASSWORD"}


def test_any_password_reaches_its_postgresql() -> None:
    password = "p@ss/w#rd?%41"
    told = {name: re.sub(r"\$\{POSTGRES_PASSWORD[^}]*\}", lambda _: password, str(value))
            for name, value in ASSISTANT["environment"].items()}  # fmt: skip
    url = make_url(told["CONVERSATION_DATABASE_URL"])
    assert url.host == "postgres"
    assert (url.password or told.get("PGPASSWORD")) == password


def test_the_composed_assistant_would_start_with_a_full_env_file(tmp_path: Path) -> None:
    given = {name: str(value) for name, value in ASSISTANT["environment"].items()}
    loaded = settings.load(given, PROJECT_ROOT / ".env.example")
    loaded.validate()
    assert loaded.missing() == []
    assert loaded.redis_url == "redis://redis:6379/0"


def test_its_redis_keeps_what_was_acknowledged() -> None:
    command = COMPOSE["services"]["redis"]["command"]
    assert "--appendonly yes --appendfsync always --maxmemory-policy noeviction" in command
