"""Values arrive with what shells, files and dashboards leave around them; they are used without it or refused."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import settings
from actions.orders.database import read_only_engine
from conversation_log.storage import database as log_database
from handoff.storage.database import Database
from settings import SettingsError
from settings_values import clean, database_url

AROUND_MARKS = [" ", "\n", "\r\n", "\t", "\u00a0", "\ufeff", "\u202a", "\u200e"]
AROUND = st.lists(st.sampled_from(AROUND_MARKS), max_size=4).map("".join)
QUOTES = st.sampled_from([("", ""), ('"', '"'), ("'", "'"), ("`", "`"), ("“", "”"), ("‘", "’")])
PLAIN = st.text(st.characters(codec="ascii", categories=("L", "N")), min_size=1, max_size=40)
SECRETS = [variable.name for variable in settings.VARIABLES if variable.secret and not variable.name.endswith("_URL")]


def load(environ: dict[str, str], folder: Path, env_file: str | None = None) -> settings.Settings:
    file = folder / ".env"
    if env_file is not None:
        file.write_text(env_file)
    return settings.load(environ, file)


@given(PLAIN, AROUND, QUOTES, AROUND, AROUND)
def test_what_surrounds_a_value_is_no_part_of_it(
    value: str, before: str, quotes: tuple[str, str], inside: str, after: str
) -> None:
    assert clean(f"{before}{quotes[0]}{inside}{value}{inside}{quotes[1]}{after}") == value


def test_a_line_break_that_was_spelled_out_is_no_part_of_a_value() -> None:
    assert clean('"token\\r\\n"\n') == "token"


@given(st.text())
def test_cleaning_twice_is_cleaning_once(value: str) -> None:
    assert clean(clean(value)) == clean(value)


@pytest.mark.parametrize("value", ["", " ", "\n", '""', "''", ' "" \n', "\ufeff"])
def test_a_value_of_nothing_but_surroundings_counts_as_absent(value: str, tmp_path: Path) -> None:
    loaded = load({"WHATSAPP_APP_SECRET": value, "RASA_PORT": value}, tmp_path)
    assert loaded.whatsapp_app_secret is None
    assert loaded.port("RASA_PORT") == 5005


@pytest.mark.parametrize("name", [variable.name for variable in settings.VARIABLES])
def test_every_variable_is_read_without_what_surrounds_it(name: str, tmp_path: Path) -> None:
    value = {"TICKETING": "log", "LLM_PROVIDER": "none", "LOG_LEVEL": "INFO"}.get(name, "7")
    assert load({name: f' "{value}"\n'}, tmp_path).values[name] == value


@pytest.mark.parametrize("name", SECRETS)
def test_every_secret_can_come_from_a_file(name: str, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("hush-hush\n")
    loaded = load({f"{name}_FILE": f"{tmp_path}/secret"}, tmp_path)
    assert loaded.values[name] == "hush-hush"
    assert "hush-hush" in loaded.secrets()


def test_a_database_url_can_come_from_a_file(tmp_path: Path) -> None:
    (tmp_path / "url").write_text("postgres://u:p@db/orders\n")
    loaded = load({"ORDERS_DATABASE_URL_FILE": f"{tmp_path}/url"}, tmp_path)
    assert loaded.orders_database_url == "postgresql://u:p@db/orders"


@pytest.mark.parametrize(("content", "shown"), [
    (None, "cannot be read"), (b"", "text file"), (b"\xff\xfe\x00", "text file"), (b"x" * 70_000, "text file"),
])  # fmt: skip
def test_a_file_without_a_usable_value_is_named(content: bytes | None, shown: str, tmp_path: Path) -> None:
    if content is not None:
        (tmp_path / "secret").write_bytes(content)
    with pytest.raises(SettingsError, match=f"^WHATSAPP_APP_SECRET_FILE .*{shown}"):
        load({"WHATSAPP_APP_SECRET_FILE": f"{tmp_path}/secret"}, tmp_path)


@pytest.mark.parametrize("content", ["# café\nRASA_PORT=5010\n".encode("latin-1"), "RASA_PORT=5010".encode("utf-16")])
def test_an_env_file_that_is_no_text_is_said_to_be_so(content: bytes, tmp_path: Path) -> None:
    (tmp_path / ".env").write_bytes(content)
    with pytest.raises(settings.SettingsError, match=r"\.env cannot be read: it is not UTF-8 text\. Remedy"):
        settings.load({}, tmp_path / ".env")


@pytest.mark.parametrize(("written", "line"), [
    ('SLACK_WEBHOOK_URL="https://hooks.example.com/x\nRASA_PORT=5010\n', 1),
    ("RASA_PORT=5010\n\n# the desk\nSLACK_WEBHOOK_URL: https://hooks.example.com/x\n", 4),
    ("RASA_PORT=5010\n\n\nSLACK_WEBHOOK_URL: https://hooks.example.com/x\n", 4),
    ("SLACK_WEBHOOK\u200b_URL=https://hooks.example.com/x\r\n", 1),
    ("RASA_PORT=5010\r\nexport SLACK_WEBHOOK_URL='https://hooks.example.com/x\r\n", 2),
])  # fmt: skip
def test_a_line_of_the_env_file_that_sets_nothing_is_named(written: str, line: int, tmp_path: Path) -> None:
    told = rf"\.env does not set SLACK_WEBHOOK_URL in line {line}\. Remedy"
    with pytest.raises(SettingsError, match=told) as refused:
        load({}, tmp_path, written)
    assert "hooks.example" not in str(refused.value)


@pytest.mark.parametrize("written", [
    "\ufeffRASA_PORT=5010\r\n", "export RASA_PORT=5010 # ours\n", "# RASA_PORT: 1\nRASA_PORT = '5010'\r\n",
    "some words of somebody\nRASA_PORT=5010", "\u00a0RASA_PORT=5010\rOTHER: x\r",
])  # fmt: skip
def test_an_env_file_is_read_however_it_was_saved(written: str, tmp_path: Path) -> None:
    (tmp_path / ".env").write_bytes(written.encode())
    assert settings.load({}, tmp_path / ".env").port("RASA_PORT") == 5010


def test_a_value_and_a_file_for_it_are_not_guessed_between(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("from the file")
    file = {"WHATSAPP_APP_SECRET_FILE": f"{tmp_path}/secret"}
    with pytest.raises(SettingsError, match="WHATSAPP_APP_SECRET and WHATSAPP_APP_SECRET_FILE are both set"):
        load({**file, "WHATSAPP_APP_SECRET": "other"}, tmp_path)
    # The environment wins over .env, however each says it.
    assert load(file, tmp_path, "WHATSAPP_APP_SECRET=other").whatsapp_app_secret == "from the file"
    in_env = f"WHATSAPP_APP_SECRET_FILE={tmp_path}/secret"
    assert load({"WHATSAPP_APP_SECRET": "other"}, tmp_path, in_env).whatsapp_app_secret == "other"


def test_children_and_rasas_files_get_the_clean_value_only(tmp_path: Path) -> None:
    (tmp_path / "token").write_text('"EAAtoken"\n')
    environ = {"WHATSAPP_ACCESS_TOKEN_FILE": f"{tmp_path}/token", "WHATSAPP_APP_SECRET": "' hush '"}
    environ |= {"HOST": " ", "PATH": "/bin"}
    load(environ, tmp_path).replace_in(environ)
    assert environ["WHATSAPP_ACCESS_TOKEN"] == "EAAtoken"
    assert environ["WHATSAPP_APP_SECRET"] == "hush"
    assert environ["HOST"] == "127.0.0.1"
    assert environ["PATH"] == "/bin"
    assert "WHATSAPP_ACCESS_TOKEN_FILE" not in environ
    assert load(environ, tmp_path).values == load(dict(environ), tmp_path).values


@pytest.mark.parametrize(("name", "value", "shown"), [
    ("WHATSAPP_PHONE_NUMBER_ID", "+91 98765 43210", "digits only"),
    ("WHATSAPP_PHONE_NUMBER_ID", "1065403522hunter2", "Phone number ID"),
    ("WHATSAPP_PHONE_NUMBER_ID", "١٠٦٥٤٠", "digits only"),
    ("WHATSAPP_ACCESS_TOKEN", "EAA\nhunter2", "line break"),
    ("WHATSAPP_ACCESS_TOKEN", "EAA\x00hunter2", "control character"),
    ("WHATSAPP_ACCESS_TOKEN", "Bearer hunter2", "Bearer"),
    ("WHATSAPP_ACCESS_TOKEN", "EAAhunter2…", "no credential has"),
    ("WHATSAPP_APP_SECRET", "hunter2\x7f1", "control character"),
    ("ZENDESK_OAUTH_TOKEN", "hunter2 x", "blanks"),
    ("WHATSAPP_GRAPH_URL", "graph.facebook.com/v25.0", "https://host"),
    ("ZENDESK_URL", "https://my shop.zendesk.com", "https://host"),
    ("SLACK_WEBHOOK_URL", "hooks.slack.com/services/hunter2", "https://host"),
    ("WHATSAPP_REOPEN_TEMPLATE", "Hello there", "name:language"),
    ("RASA_WORKERS", "two", "whole number"),
    ("RASA_WORKERS", "0", "whole number"),
    ("RASA_WORKERS", "nan", "whole number"),
    ("SMTP_URL", "mail.hunter2.example", "smtp://"),
    ("ESCALATION_EMAIL_TO", "support", "mail address"),
])  # fmt: skip
def test_what_cannot_be_used_is_refused_by_name_with_the_remedy(
    name: str, value: str, shown: str, tmp_path: Path
) -> None:
    with pytest.raises(SettingsError, match=f"^{name} ") as refused:
        load({name: value}, tmp_path).validate()
    assert shown in str(refused.value)
    assert "Remedy" in str(refused.value)
    assert "hunter2" not in str(refused.value)


@pytest.mark.parametrize(("name", "value"), [
    ("WHATSAPP_GRAPH_URL", "http://127.0.0.1:8080/v25.0"), ("ZENDESK_URL", "http://[::1]:8080/helpdesk"),
    ("WHATSAPP_REOPEN_TEMPLATE", "conversation_reopened:pt_BR"), ("ESCALATION_EMAIL_TO", "a@shop.in, b@shop.in"),
    ("SMTP_URL", "smtps://user:p%40ss@mail.example:465"),
])  # fmt: skip
def test_usable_values_are_accepted(name: str, value: str, tmp_path: Path) -> None:
    load({name: value}, tmp_path).validate()


@pytest.mark.parametrize(("written", "read"), [
    ("postgres://u:p@h/d", "postgresql://u:p@h/d"),
    ("POSTGRES://u:p@h/d", "postgresql://u:p@h/d"),
    ("postgres+psycopg2://u@h/d", "postgresql+psycopg2://u@h/d"),
    ("postgresql://u@h/postgres", "postgresql://u@h/postgres"),
    ("mysql://u@h/mysql:x", "mysql+pymysql://u@h/mysql:x"),
    ("MariaDB://u:p@h/d", "mysql+pymysql://u:p@h/d"),
    ("mariadb+pymysql://u@h/d", "mysql+pymysql://u@h/d"),
    ("sqlite:///var/postgres:x.db", "sqlite:///var/postgres:x.db"),
])
def test_every_database_url_is_read_as_sqlalchemy_needs_it(written: str, read: str, tmp_path: Path) -> None:
    assert database_url(written) == read
    loaded = load({"ORDERS_DATABASE_URL": written, "CONVERSATION_DATABASE_URL": f" '{written}'\n"}, tmp_path)
    loaded.validate()
    assert loaded.orders_database_url == loaded.conversation_database_url == read


def test_commands_that_are_given_a_hosting_services_url_connect_with_it() -> None:
    url = "postgres://u:p@127.0.0.1:1/d"
    assert log_database.connect(url).dialect.name == "postgresql"
    assert read_only_engine(url, 1).dialect.name == "postgresql"
    handoff = Database(url)
    assert handoff.url.get_backend_name() == "postgresql"
    handoff.close()


def test_the_environment_of_this_process_is_not_touched_by_loading(tmp_path: Path) -> None:
    before = dict(os.environ)
    load({"HOST": " x "}, tmp_path)
    assert dict(os.environ) == before


def test_a_change_of_the_environment_or_of_the_file_counts_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settings, "PROJECT_ROOT", tmp_path)
    monkeypatch.delenv("RASA_PORT", raising=False)
    found = []
    for env_file, port in ((None, None), ("RASA_PORT=5010", None), ("RASA_PORT=50110", None), ("RASA_PORT=5", "5012")):
        if env_file:
            (tmp_path / ".env").write_text(env_file)
        if port:
            monkeypatch.setenv("RASA_PORT", port)
        found.append(settings.load().port("RASA_PORT"))
    assert found == [5005, 5010, 50110, 5012]
    assert settings.load() is settings.load()
