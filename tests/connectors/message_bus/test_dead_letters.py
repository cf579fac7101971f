"""Operators can see what was set aside and put it back."""

from __future__ import annotations

from typing import Any

import pytest
import redis

from connectors.message_bus import dead_letters, keys
from connectors.message_bus.sending.errors import BadPayload
from connectors.message_bus.turn import Turn
from tests.connectors.message_bus.log_records import dead, records
from tests.connectors.message_bus.transport_fakes import FakeGraph, FakeSpeaker, Process, message


@pytest.fixture
async def poisoned(redis_url: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """A Redis that holds one dead letter."""

    async def fail(turn: Turn) -> None:
        raise ValueError("poison")

    monkeypatch.setenv("REDIS_URL", redis_url)
    process = Process(redis_url, FakeSpeaker(fail)).start()
    await process.inbox.put([message("919876543210", "bad", "my secret words")])
    await process.drained()
    await process.stop()
    return redis_url


def test_the_list_names_the_reason_but_neither_words_nor_the_full_phone(
    poisoned: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert dead_letters.main(["list"]) == 0
    shown = capsys.readouterr().out
    assert "ValueError" in shown
    assert "secret" not in shown
    assert "919876543210" not in shown


async def test_a_replayed_letter_is_answered_once_its_cause_is_gone(poisoned: str) -> None:
    assert dead_letters.main(["replay"]) == 0
    process = Process(poisoned).start()
    await process.drained()
    assert process.graph.texts("919876543210") == ["echo my secret words"]
    assert len(dead(poisoned)) == 0
    await process.stop()


async def test_a_replayed_letter_is_sent_although_its_apology_reached_the_customer(poisoned: str) -> None:
    delivered = {"record": "status", "wamid": "wamid.out.1", "status": "delivered", "key": "bad:1", "errors": []}
    process = Process(poisoned)
    await process.inbox.put([], [delivered])
    for _ in range(2):  # what was replayed once and failed again can be replayed once more
        assert dead_letters.main(["replay"]) == 0
        process = Process(poisoned).start()
        await process.drained()
        await process.stop()
    assert process.graph.keys() == {}, "nothing was left to replay"
    sent = records(poisoned)
    assert [(r["key"], r["text"]) for r in sent if r["record"] == "sent"] == [
        ("bad:1", "utter_fallback_apology"), ("bad:101", "echo my secret words"),
    ]


async def test_a_reply_that_nobody_knows_how_to_send_is_listed_and_can_be_replayed(
    redis_url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    async def refuse(body: dict[str, Any]) -> None:
        raise BadPayload("HTTP 400 code 131009", code=131009, http_status=400)

    monkeypatch.setenv("REDIS_URL", redis_url)
    process = Process(redis_url, graph=FakeGraph(refuse)).start()
    await process.inbox.put([message("919876543210", "w", "my secret words")])
    await process.drained()
    await process.stop()
    assert dead_letters.main(["list"]) == 0
    shown = capsys.readouterr().out
    assert "reply of the assistant" in shown
    assert "131009" in shown
    assert "secret" not in shown
    assert dead_letters.main(["replay"]) == 0
    process = Process(redis_url).start()
    await process.drained()
    assert process.graph.texts("919876543210") == ["echo my secret words"]
    assert len(dead(redis_url)) == 0
    await process.stop()


@pytest.mark.parametrize("text", ["no json", "[]", '{"entry": "{}"}', '{"reply": "[1]", "at": "x"}'])
def test_a_letter_that_cannot_be_read_is_listed_and_kept(
    redis_url: str, text: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("REDIS_URL", redis_url)
    client = redis.Redis.from_url(redis_url)
    client.xadd(keys.dead_stream(7), {"j": text})
    assert dead_letters.main(["replay"]) == 0
    assert "unreadable" in capsys.readouterr().out
    assert len(dead(redis_url)) == 1


def test_a_dropped_letter_is_gone(poisoned: str) -> None:
    [letter] = dead_letters.letters(redis.Redis.from_url(poisoned, decode_responses=True))
    assert dead_letters.main(["drop", letter.id]) == 0
    assert len(dead(poisoned)) == 0


def test_drop_without_ids_is_refused(poisoned: str) -> None:
    with pytest.raises(SystemExit):
        dead_letters.main(["drop"])
