"""An agent's words that WhatsApp took and then could not deliver come back to the agent."""

from __future__ import annotations

from typing import Any

import pytest
import redis.asyncio

from connectors.conversations.identity import Identities
from connectors.conversations.other_voices import OtherVoices
from connectors.message_bus.inbox import Entry, Inbox
from connectors.whatsapp.webhook.intake import Intake
from connectors.whatsapp.webhook.payload_ids import PayloadSigner
from connectors.whatsapp.webhook.payloads import Notification, Status
from handoff.storage.database import HandoffUnavailable
from tests.connectors.message_bus.log_records import dead
from tests.connectors.message_bus.transport_fakes import BotAlwaysInControl, Process, message

KEY = "zendesk:comment:77:1"


def failed(code: int, key: str | None = KEY, status: str = "failed") -> Notification:
    return Notification(statuses=(Status("wamid.X", status, 1, key, ({"code": code},)),))


class Recorder:
    def __init__(self) -> None:
        self.entries: list[Entry] = []

    async def put(self, entries: list[Entry], records: list[dict[str, Any]]) -> int:
        self.entries += entries
        return len(entries)


@pytest.mark.parametrize(("notification", "why"), [
    (failed(131047), "window_closed"), (failed(131026), "recipient"), (failed(131053), "media"),
    (failed(100), "payload"), (failed(999999), "refused"),
])
async def test_failed_status_of_an_agents_comment_gives_an_entry_with_the_reason(
    notification: Notification, why: str, redis_url: str
) -> None:
    inbox = Recorder()
    client = redis.asyncio.Redis.from_url(redis_url)
    intake = Intake(inbox, Identities(client), OtherVoices(client, 60), PayloadSigner("s"))  # type: ignore[arg-type]
    await intake.take(notification)
    assert [(entry.kind, entry.id, entry.payload["why"]) for entry in inbox.entries] == [
        ("comment_failed", f"failed:{KEY}", why)
    ]


@pytest.mark.parametrize("notification", [
    failed(131047, key="wamid.ABC:1"), failed(131047, key=None), failed(131047, status="delivered"),
])
async def test_other_statuses_tell_the_agent_nothing(notification: Notification, redis_url: str) -> None:
    inbox = Recorder()
    client = redis.asyncio.Redis.from_url(redis_url)
    intake = Intake(inbox, Identities(client), OtherVoices(client, 60), PayloadSigner("s"))  # type: ignore[arg-type]
    await intake.take(notification)
    assert inbox.entries == []


async def test_the_agent_is_told_once_however_often_the_status_comes(redis_url: str) -> None:
    told: list[tuple[str, str]] = []

    class ThreadControl(BotAlwaysInControl):
        async def not_delivered(self, entry_id: str, why: str) -> None:
            told.append((entry_id, why))

    process = Process(redis_url, control=ThreadControl()).start()
    entry = Entry("comment_failed", KEY, f"failed:{KEY}", {"key": KEY, "why": "recipient"})
    await Inbox(process.client).put([entry])
    await Inbox(process.client).put([entry])
    await process.drained()
    assert told == [(KEY, "recipient")]
    await process.stop()


async def test_the_agent_is_told_of_a_comment_that_is_set_aside_even_when_sql_was_away_meanwhile(
    redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[tuple[str, str]] = []
    away = [HandoffUnavailable()]

    class ThreadControl(BotAlwaysInControl):
        async def not_delivered(self, entry_id: str, why: str) -> None:
            if away:
                raise away.pop()
            told.append((entry_id, why))

    monkeypatch.setattr("connectors.message_bus.consumer.MAX_FAILURES", 1)
    process = Process(redis_url, control=ThreadControl()).start()
    unusable = Entry("agent_comment", "91", "zendesk:comment:78", {"template": {"name": "n"}})
    await process.inbox.put([unusable, message("91", "w2", "next")])
    await process.drained()
    assert told == [("zendesk:comment:78", "set_aside")]
    assert process.graph.texts("91") == ["echo next"], "nobody waits behind it"
    assert len(dead(redis_url)) == 1
    await process.stop()
