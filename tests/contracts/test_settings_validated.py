"""A value that would fail only when a customer writes is refused with its name and the remedy, never a secret."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import sqlalchemy as sa

import settings
from conversation_log.archive.parquet_archive import ParquetArchive


@pytest.mark.parametrize(("name", "value", "shown"), [
    ("CONVERSATION_DATABASE_URL", "hunter2", "is not a valid database URL"),
    ("ORDERS_DATABASE_URL", "postgresql://u:hunter2@host:port/db", "is not a valid database URL"),
    ("ORDERS_DATABASE_URL", "sqlserver://u:hunter2@h/db", "of a database or driver that is not here"),
    ("ORDERS_DATABASE_URL", "postgresql+asyncpg://u:hunter2@h/db", "write it as postgresql://"),
    ("CONVERSATION_DATABASE_URL", "mysql+mysqldb://u:hunter2@h/db", "or mysql://"),
    ("SHOP_TIMEZONE", "Asia/Atlantis", "Asia/Kolkata"),
    ("SHOP_TIMEZONE", "/etc/passwd", "Asia/Kolkata"),
    ("ORDER_NUMBER_PATTERN", r"[\d", "Remedy"),
    ("ORDER_NUMBER_PATTERN", "(", "not a regular expression"),
    ("LLM_TIMEOUT_S", "0", "more than 0"),
    ("LLM_TIMEOUT_S", "nan", "more than 0"),
    ("LLM_TIMEOUT_S", "soon", "must be a number"),
    ("LLM_INTENT_TIMEOUT_S", "-1", "0 seconds or more"),
    ("BURST_WAIT_S", "60", "0 to 10 seconds"),
    ("METRICS_FROM", "10.0.0.1/8", "10.0.0.0/8"),
    ("CUSTOMER_MESSAGE_LIMIT", "-1", "0 for no limit"),
    ("LLM_READER", "sometimes", "never, unsure, always"),
    ("RETENTION_WARM_DAYS", "0", "1 or more"),
    ("RETENTION_WARM_DAYS", "-3", "1 or more"),
    ("RETENTION_WARM_DAYS", "1000000", "36500 at most"),
    ("RETENTION_COLD_DAYS", "2.5", "whole number"),
    ("ZENDESK_ORDER_FIELD_ID", "order_number", "360012345678"),
    ("ZENDESK_ORDER_FIELD_ID", "-7", "unset it"),
    ("LOG_LEVEL", "loud", "DEBUG, INFO, WARNING, ERROR"),
    ("LOG_FORMAT", "xml", "text, json"),
    ("ARCHIVE_URL", "hunter2/archive", "s3://bucket/folder"),
    ("WHATSAPP_APP_SECRET", "export X=hunter2", "paste it again"),
    ("WHATSAPP_BUSINESS_ACCOUNT_ID", "hunter2", "digits only"),
    ("CHATWOOT_INBOX_ID", "hunter2", "digits only"),
    ("PUBLIC_URL", "shop.example", "is not a web address"),
    ("REDIS_URL", "redis+sentinel://:hunter2@h1:26379", "h2:26379/service"),
    ("REDIS_URL", "postgresql://hunter2@h1", "redis://host:6379/0"),
    ("REDIS_WAIT_FOR", "2", "replica_disk"),
    ("STATE_DIR", "var/what?", "question mark"),
    ("SHOP_API_URL", "https://shop.example/api", "SHOP_API_SECRET is not"),
    ("SHOP_API_URL", "shop.example/api", "https://host/path"),
    ("MEDIA_URL", "/var/media", "file:///folder"),
    ("MEDIA_URL", "file://media", "file:///folder"),
    ("SPEECH_URL", "api.openai.com/v1", "https://host/path"), ("SPEECH_API_KEY", "Bearer sk-1", "alone"),
    ("SHOP_API_URL", "https://shop.example/api?key=hunter2", "https://host/path"),
    ("SHOP_API_SECRET", "hunter2", "SHOP_API_URL is not"),
])
def test_wrong_value_is_named(name: str, value: str, shown: str, tmp_path: Path) -> None:
    with pytest.raises(settings.SettingsError, match=f"^{name} .*{re.escape(shown)}") as refused:
        settings.load({name: value}, tmp_path / "none").validate()
    assert "hunter2" not in str(refused.value)


@pytest.mark.parametrize(("provider", "key"), [("openai", "OPENAI_API_KEY"), ("anthropic", "ANTHROPIC_API_KEY")])
def test_provider_without_its_key_is_refused(provider: str, key: str, tmp_path: Path) -> None:
    with pytest.raises(settings.SettingsError, match=f"LLM_PROVIDER is {provider}, but {key} is not set"):
        settings.load({"LLM_PROVIDER": provider}, tmp_path / "none").validate()
    settings.load({"LLM_PROVIDER": provider, key: "k"}, tmp_path / "none").validate()


@pytest.mark.parametrize(("url", "secret", "usable"), [
    ("woocommerce+https://shop.example", "ck_1:cs_2", True), ("woocommerce+https://shop.example", "hunter2", False),
    ("shopify+https://oak.myshopify.com", "shpat_1", True), ("shopify+https://oak.myshopify.com", "hunter 2", False),
    ("https://shop.example/api", "any secret", True), ("magento+https://shop.example", "hunter2", False),
])  # fmt: skip
def test_shop_api_needs_a_credential_of_its_kind(url: str, secret: str, usable: bool, tmp_path: Path) -> None:
    loaded = settings.load({"SHOP_API_URL": url, "SHOP_API_SECRET": secret}, tmp_path / "none")
    if usable:
        loaded.validate()
        return
    with pytest.raises(settings.SettingsError, match=r"^SHOP_API_(URL|SECRET) .*Remedy") as refused:
        loaded.validate()
    assert "hunter" not in str(refused.value)


def test_defaults_are_valid(tmp_path: Path) -> None:
    settings.load({}, tmp_path / "none").validate()


def test_log_level_may_be_written_small(tmp_path: Path) -> None:
    loaded = settings.load({"LOG_LEVEL": "debug"}, tmp_path / "none")
    loaded.validate()
    assert loaded.log_level == "DEBUG"


@pytest.mark.parametrize("folder", ["with a space", "with#hash", "with%20percent"])
def test_state_folder_may_have_odd_characters(folder: str, tmp_path: Path) -> None:
    state = tmp_path / folder
    loaded = settings.load({"STATE_DIR": str(state)}, tmp_path / "none")
    loaded.validate()
    state.mkdir()
    for name, file in (("ORDERS_DATABASE_URL", "orders.db"), ("CONVERSATION_DATABASE_URL", "conversations.db")):
        engine = sa.create_engine(str(loaded.values[name]))
        engine.connect().execute(sa.text("CREATE TABLE t (x INTEGER)"))
        engine.dispose()
        assert (state / file).exists()
    assert ParquetArchive.at(str(loaded.archive_url))._root == str(state / "archive")
