"""Replies that Graph refuses: parked, sent as plain text, waited out, set aside, or returned to the agent."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
import redis

from connectors.message_bus import keys
from connectors.message_bus.inbox import Entry
from connectors.message_bus.sending.errors import (
    BadPayload,
    RecipientUnreachable,
    Unauthorised,
    Unknown,
    WindowClosed,
)
from connectors.message_bus.turn import Reply, Turn
from tests.connectors.message_bus.log_records import dead
from tests.connectors.message_bus.outbox_samples import ControlLostAtSending, Script, sent_records
from tests.connectors.message_bus.transport_fakes import (
    FakeGraph,
    FakeSpeaker,
    Process,
    eventually,
    message,
)


@pytest.mark.slow
async def test_a_bad_token_parks_everything_and_one_probe_at_a_time_finds_out_when_it_is_good_again(
    redis_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    good = False

    async def check(body: dict[str, Any]) -> None:
        if not good:
            raise Unauthorised("token", code=190, http_status=401)

    graph = FakeGraph(check)
    process = Process(redis_url, graph=graph).start()
    await process.inbox.put([message(f"91{n}", f"w{n}") for n in range(20)])
    await asyncio.sleep(1.5)
    # All that were under way when the first was refused, then a probe each 0.3 s.
    tried = graph.attempts
    await asyncio.sleep(0.7)
    assert graph.attempts - tried <= 3
    assert "outbox.parked" in caplog.text
    good = True
    await process.drained()
    assert graph.keys() == {f"w{n}:1": 1 for n in range(20)}
    await process.stop()


@pytest.mark.parametrize(
    ("error", "reason"),
    [(WindowClosed("late", code=131047), "window_closed"), (RecipientUnreachable("gone", code=131026), "recipient")],
)
async def test_what_can_never_arrive_is_recorded_and_not_tried_again(
    redis_url: str, error: Exception, reason: str
) -> None:
    graph = FakeGraph(Script(error))
    process = Process(redis_url, graph=graph).start()
    await process.inbox.put([message("91", "a", "x"), message("91", "b", "y")])
    await process.drained()
    assert graph.attempts == 2
    assert graph.texts("91") == ["echo y"]
    assert [(r["outcome"], r["error"]) for r in sent_records(redis_url)] == [
        ("failed", reason),
        ("accepted", None),
    ]
    await process.stop()


async def test_a_body_that_graph_does_not_accept_is_sent_once_more_as_plain_text(redis_url: str) -> None:
    async def list_reply(turn: Turn) -> None:
        turn.replies.append(Reply({"type": "interactive", "interactive": {}}, "1. One\n2. Two"))

    graph = FakeGraph(Script(BadPayload("no", code=131009)))
    process = Process(redis_url, FakeSpeaker(list_reply, mute=True), graph).start()
    await process.inbox.put([message("91", "a")])
    await process.drained()
    assert graph.texts("91") == ["1. One\n2. Two"]
    await process.stop()


@pytest.mark.slow
async def test_a_body_that_is_refused_as_plain_text_too_is_given_up(redis_url: str) -> None:
    graph = FakeGraph(Script(BadPayload("no"), BadPayload("no"), BadPayload("no")))
    process = Process(redis_url, graph=graph).start()
    await process.inbox.put([message("91", "a")])
    await process.drained()
    assert graph.attempts == 2
    assert sent_records(redis_url)[0]["outcome"] == "failed"
    await process.stop()


UNKNOWN = Unknown("HTTP 400 code 131999", code=131999, http_status=400)


async def test_a_reply_refused_for_a_reason_nobody_knows_waits_and_arrives_and_stops_nobody_else(
    redis_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    graph = FakeGraph(Script(*[UNKNOWN] * 4, only="91"))
    process = Process(redis_url, graph=graph).start()
    await process.inbox.put([message("91", "a", "x"), message("91", "b", "y"), message("92", "c", "z")])

    async def other_has_theirs() -> bool:
        return bool(graph.texts("92"))

    await eventually(other_has_theirs, 1)
    assert graph.texts("91") == []
    await process.drained()
    assert graph.texts("91") == ["echo x", "echo y"]
    assert caplog.text.count("outbox.reply.parked code=131999") == 1
    assert len(dead(redis_url)) == 0
    await process.stop()


@pytest.mark.slow
async def test_a_reply_that_stays_refused_while_others_get_through_is_set_aside_and_the_next_is_sent(
    redis_url: str,
) -> None:
    async def refuse_one(body: dict[str, Any]) -> None:
        if body["biz_opaque_callback_data"] == "a:1":
            raise UNKNOWN

    graph = FakeGraph(refuse_one)
    process = Process(redis_url, graph=graph, unknown_timeout_s=0.5).start()
    await process.inbox.put([message("91", "a", "x"), message("91", "b", "y")])
    await asyncio.sleep(0.2)
    await process.inbox.put([message("92", "c", "z")])
    await process.drained()
    assert graph.texts("91") == ["echo y"]
    [fields] = dead(redis_url)
    letter = json.loads(fields["j"])
    assert "131999" in letter["reason"]
    assert json.loads(letter["reply"])["key"] == "a:1"
    await process.stop()


@pytest.mark.slow
async def test_while_nothing_gets_through_a_refusal_nobody_knows_sets_nothing_aside(redis_url: str) -> None:
    up = False

    async def outage(body: dict[str, Any]) -> None:
        if not up:
            raise UNKNOWN

    graph = FakeGraph(outage)
    process = Process(redis_url, graph=graph, unknown_timeout_s=0.3).start()
    await process.inbox.put([message(f"91{n}", f"w{n}") for n in range(20)])
    await asyncio.sleep(1.5)
    up = True
    await process.drained()
    assert graph.keys() == {f"w{n}:1": 1 for n in range(20)}
    assert len(dead(redis_url)) == 0
    await process.stop()


async def test_an_outbox_entry_that_is_no_reply_goes_to_the_dead_letters(redis_url: str) -> None:
    client = redis.Redis.from_url(redis_url, decode_responses=True)
    client.xadd(keys.outbox_stream(3), {"c": "91", "e": '{"customer": "91"}'})
    process = Process(redis_url).start()
    await process.drained()
    [fields] = dead(redis_url)
    assert json.loads(fields["j"])["reason"] == "unreadable"
    await process.stop()


async def test_an_agents_reply_that_cannot_arrive_comes_back_to_the_agent(redis_url: str) -> None:
    told: list[tuple[str, str]] = []

    class ThreadControl(ControlLostAtSending):
        async def not_delivered(self, entry_id: str, why: str) -> None:
            told.append((entry_id, why))

    process = Process(
        redis_url, graph=FakeGraph(Script(WindowClosed("late", code=131047))), control=ThreadControl()
    ).start()
    await process.inbox.put([Entry("agent_comment", "91", "comment:1", {"text": "Sorry for that.", "media": []})])
    await process.drained()
    assert told == [("comment:1:1", "window_closed")]
    await process.stop()
