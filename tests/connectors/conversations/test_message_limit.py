"""Who writes more than is answered is told so once; a person can still be called, and nothing is lost."""

from __future__ import annotations

import time

from connectors.conversations.message_limit import TOO_MANY, WINDOW_S, MessageLimit
from connectors.message_bus.inbox import Entry
from connectors.message_bus.turn import Turn
from tests.connectors.message_bus.log_records import records
from tests.connectors.message_bus.test_consumer_thread_control import PersonInControl
from tests.connectors.message_bus.transport_fakes import FakeSpeaker, Process, message


def wrote(number: int, text: str = "hello", customer: str = "91", age_s: float = 0.0) -> Turn:
    entry = message(customer, f"m{number}", text)
    entry.payload["metadata"]["received_at"] = time.time() - age_s
    return Turn(entry, dict(entry.payload["metadata"]))


async def outcomes(limit: MessageLimit, *turns: Turn) -> list[str]:
    said = []
    for turn in turns:
        admitted = await limit.admits(turn)
        assert admitted is (turn.outcome != "limited")
        said.append("answered" if admitted else " ".join(reply.text for reply in turn.replies) or "nothing")
    return said


async def test_whoever_writes_more_is_told_so_once() -> None:
    limit = MessageLimit(FakeSpeaker(), 3)
    assert await outcomes(limit, *map(wrote, range(6))) == ["answered"] * 3 + [TOO_MANY, "nothing", "nothing"]
    assert await outcomes(limit, wrote(1, customer="92")) == ["answered"]


async def test_the_notice_says_in_how_many_minutes() -> None:
    limit = MessageLimit(speaker := FakeSpeaker(), 1)
    await outcomes(limit, wrote(1, age_s=WINDOW_S - 290), wrote(2))
    assert speaker.facts == [{"minutes": "5"}]


async def test_after_ten_minutes_everything_is_as_before() -> None:
    limit = MessageLimit(FakeSpeaker(), 1)
    early = [wrote(1, age_s=WINDOW_S + 5), wrote(2, age_s=WINDOW_S), wrote(3, age_s=WINDOW_S)]
    assert await outcomes(limit, *early) == ["answered", TOO_MANY, "nothing"]
    assert await outcomes(limit, wrote(4), wrote(5)) == ["answered", TOO_MANY]


async def test_a_turn_that_runs_again_counts_once_and_gets_the_same_words() -> None:
    limit = MessageLimit(FakeSpeaker(), 2)
    assert await outcomes(limit, wrote(1), wrote(1), wrote(1), wrote(2)) == ["answered"] * 4
    assert await outcomes(limit, wrote(3), wrote(3), wrote(4)) == [TOO_MANY, TOO_MANY, "nothing"]


async def test_messages_of_a_burst_count_each() -> None:
    limit = MessageLimit(FakeSpeaker(), 3)
    parts = tuple(wrote(number).entry for number in range(3))
    assert await outcomes(limit, Turn(parts[-1], {}, parts=parts), wrote(3)) == ["answered", TOO_MANY]


async def test_a_person_can_be_called_at_any_time() -> None:
    limit = MessageLimit(FakeSpeaker(), 1)
    turns = [wrote(1), wrote(2), wrote(3, "a person please"), wrote(4)]
    assert await outcomes(limit, *turns) == ["answered", TOO_MANY, "answered", "nothing"]


async def test_what_operators_replay_is_answered() -> None:
    limit = MessageLimit(FakeSpeaker(), 1)
    replayed = Turn(Entry("message", "91", "m9", {"text": "hi", "metadata": {}}, replays=1), {})
    assert await outcomes(limit, wrote(1), wrote(2), replayed) == ["answered", TOO_MANY, "answered"]


async def test_what_is_not_answered_is_in_the_log(redis_url: str) -> None:
    speaker = FakeSpeaker()
    shop = Process(redis_url, speaker, limit=MessageLimit(speaker, 2)).start()
    await shop.inbox.put([wrote(number).entry for number in range(5)])
    await shop.drained()
    assert shop.graph.texts("91") == ["echo hello", "echo hello", TOO_MANY]
    came = [one for one in records(redis_url) if one["record"] in ("turn", "inbound")]
    assert [one["metadata"]["wamid"] for one in came] == [f"m{number}" for number in range(5)]
    await shop.stop()


async def test_nothing_is_counted_while_a_person_has_the_conversation(redis_url: str) -> None:
    speaker, control = FakeSpeaker(), PersonInControl()
    shop = Process(redis_url, speaker, control=control, limit=MessageLimit(speaker, 1)).start()
    await shop.inbox.put([wrote(number).entry for number in range(4)])
    await shop.drained()
    assert shop.graph.texts("91") == []
    assert control.relayed == [f"m{number}" for number in range(4)]
    await shop.stop()
