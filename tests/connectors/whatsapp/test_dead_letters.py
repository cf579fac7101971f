"""Operators can see what was set aside and put it back."""

from __future__ import annotations

import pytest
import redis

from connectors.whatsapp import dead_letters, keys
from connectors.whatsapp.turn import Turn
from tests.connectors.whatsapp.transport_fakes import FakeSpeaker, Process, message


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
    assert await process.client.xlen(keys.DEAD_STREAM) == 0
    await process.stop()


def test_a_dropped_letter_is_gone(poisoned: str) -> None:
    client = redis.Redis.from_url(poisoned, decode_responses=True)
    [(stream_id, _)] = client.xrange(keys.DEAD_STREAM)
    assert dead_letters.main(["drop", stream_id]) == 0
    assert client.xlen(keys.DEAD_STREAM) == 0


def test_drop_without_ids_is_refused(poisoned: str) -> None:
    with pytest.raises(SystemExit):
        dead_letters.main(["drop"])
