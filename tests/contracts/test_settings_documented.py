"""`.env.example` and the README speak of exactly the variables that settings.py reads."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import settings

ROOT = Path(__file__).resolve().parents[2]


def example() -> dict[str, str]:
    lines = (ROOT / ".env.example").read_text().splitlines()
    pairs = [re.match(r"#? ?([A-Z_]+)=(.*)$", line) for line in lines]
    return {pair.group(1): pair.group(2) for pair in pairs if pair}


def test_env_example_lists_every_variable_and_no_other() -> None:
    assert set(example()) == {variable.name for variable in settings.VARIABLES}


def test_env_example_can_be_used_as_it_is(tmp_path: Path) -> None:
    copy = tmp_path / ".env"
    copy.write_text((ROOT / ".env.example").read_text())
    loaded = settings.load(environ={}, env_file=copy)
    assert loaded.missing() == []
    assert loaded.port("RASA_PORT") == 5005


def test_environment_wins_over_env_file(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("RASA_PORT=1111\nACTION_PORT=2222\n")
    loaded = settings.load(environ={"RASA_PORT": "3333"}, env_file=tmp_path / ".env")
    assert (loaded.port("RASA_PORT"), loaded.port("ACTION_PORT")) == (3333, 2222)


def test_empty_value_counts_as_absent(tmp_path: Path) -> None:
    loaded = settings.load(environ={"WHATSAPP_APP_SECRET": ""}, env_file=tmp_path / "none")
    assert "WHATSAPP_APP_SECRET" in loaded.missing()


@pytest.mark.parametrize(("environ", "provider"), [
    ({}, "none"),
    ({"OPENAI_API_KEY": "k"}, "openai"),
    ({"OPENAI_API_KEY": "k", "ANTHROPIC_API_KEY": "k"}, "anthropic"),
    ({"OPENAI_API_KEY": "k", "LLM_PROVIDER": "none"}, "none"),
])
def test_provider_follows_the_keys_unless_named(environ: dict[str, str], provider: str, tmp_path: Path) -> None:
    assert settings.load(environ, tmp_path / "none").llm_provider == provider


def test_wrong_choice_names_the_variable_and_the_options(tmp_path: Path) -> None:
    with pytest.raises(settings.SettingsError, match="one of zendesk, freshdesk, hubspot, chatwoot, log"):
        settings.load({"TICKETING": "jira"}, tmp_path / "none")


def test_secrets_do_not_show_in_the_repr(tmp_path: Path) -> None:
    loaded = settings.load({"WHATSAPP_APP_SECRET": "hush-hush"}, tmp_path / "none")
    assert "hush-hush" not in repr(loaded)
