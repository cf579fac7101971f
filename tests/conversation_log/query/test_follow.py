"""`follow` shows each new message once."""

from __future__ import annotations

from datetime import datetime, timezone

from conversation_log.query import follow


def test_new_messages_are_given_once_each(sqlite_log, turn, noon) -> None:
    since = datetime.fromtimestamp(noon, timezone.utc)
    news = follow.new_messages(sqlite_log.engine, since, None)
    assert next(news) == []
    sqlite_log.log(turn("wamid.A"))
    assert [row["role"] for row in next(news)] == ["user", "assistant"]
    sqlite_log.log(turn("wamid.B", at=noon + 5, customer="918888888888"))
    assert [row["message_key"] for row in next(news)] == ["wamid.B", "wamid.B:1"]
    assert next(news) == []


def test_one_customer_can_be_followed(sqlite_log, turn, noon) -> None:
    since = datetime.fromtimestamp(noon, timezone.utc)
    news = follow.new_messages(sqlite_log.engine, since, frozenset(["918888888888"]))
    sqlite_log.log(turn("wamid.A"), turn("wamid.B", customer="918888888888"))
    assert {row["customer_id"] for row in next(news)} == {"918888888888"}
