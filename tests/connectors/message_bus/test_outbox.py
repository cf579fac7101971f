"""Replies: each customer's in order, each once, whatever Graph or the process does."""

from __future__ import annotations

import asyncio
import json
import time
from typing import Any

import pytest
import redis

from connectors.message_bus import keys
from connectors.message_bus.commit import Outgoing
from connectors.message_bus.inbox import Entry
from connectors.message_bus.keyed_executor import Item
from connectors.message_bus.partitions import Owned
from connectors.message_bus.sending import outbox
from connectors.message_bus.sending.errors import (
    BadPayload,
    NumberThrottled,
    RecipientThrottled,
    Transient,
)
from connectors.message_bus.turn import Turn
from tests.connectors.message_bus.outbox_samples import ControlLostAtSending, Script, sent_records
from tests.connectors.message_bus.transport_fakes import (
    BotAlwaysInControl,
    FakeGraph,
    FakeSpeaker,
    Process,
    eventually,
    message,
    text_reply,
)


async def test_the_reply_carries_its_key_and_the_customers_address(redis_url: str) -> None:
    process = Process(redis_url).start()
    await process.inbox.put([message("919876543210", "w", "hi")])
    await process.drained()
    [body] = process.graph.accepted
    assert body["to"] == "919876543210"
    assert "recipient" not in body
    assert body["biz_opaque_callback_data"] == "w:1"
    [record] = sent_records(redis_url)
    assert (record["key"], record["wamid"], record["outcome"]) == ("w:1", "wamid.out.1", "accepted")
    await process.stop()


async def test_a_process_that_stood_still_before_it_sent_does_not_send_what_another_took_over(
    redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outbox, "STALE_S", 0.0)

    stood_still = asyncio.Event()

    class StandsStill(BotAlwaysInControl):
        async def admit_reply(self, customer: str, control_version: int, wamid: str | None) -> bool:
            stood_still.set()
            await process.client.set(keys.owner(keys.partition_of(customer)), "another:1")
            return True

    process = Process(redis_url, control=StandsStill()).start()
    await process.inbox.put([message("91", "w")])

    async def is_over() -> bool:
        return not process.transport.sends.waiting

    await asyncio.wait_for(stood_still.wait(), 30)
    await eventually(is_over)
    assert process.graph.attempts == 0
    await process.die()


async def test_a_customer_without_a_phone_is_addressed_by_user_id(redis_url: str) -> None:
    entry = message("IN.abc", "w")
    entry.payload["metadata"].update(wa_id=None, user_id="IN.abc")
    process = Process(redis_url).start()
    await process.inbox.put([entry])
    await process.drained()
    [body] = process.graph.accepted
    assert body["recipient"] == "IN.abc"
    assert "to" not in body
    await process.stop()


async def test_several_replies_of_a_turn_arrive_in_order_although_graph_fails(redis_url: str) -> None:
    async def three(turn: Turn) -> None:
        turn.replies.extend(text_reply(f"part {n}") for n in range(3))

    graph = FakeGraph(Script(Transient("a"), Transient("b"), Transient("c")))
    process = Process(redis_url, FakeSpeaker(three), graph).start()
    await process.inbox.put([message("91", "a", "x"), message("91", "b", "y")])
    await process.drained()
    parts = [f"part {n}" for n in range(3)]
    assert graph.texts("91") == [*parts, "echo x", *parts, "echo y"]
    assert set(graph.keys().values()) == {1}
    await process.stop()


@pytest.mark.slow
async def test_a_throttled_customer_delays_nobody_else(redis_url: str) -> None:
    graph = FakeGraph(Script(RecipientThrottled("slow down", code=131056, retry_after_s=1.5), only="91"))
    process = Process(redis_url, graph=graph).start()
    await process.inbox.put([message("91", "a"), message("92", "b"), message("93", "c")])

    async def others_have_theirs() -> bool:
        return bool(graph.texts("92") and graph.texts("93"))

    await eventually(others_have_theirs, 1)
    assert graph.texts("91") == []
    await process.drained()
    assert graph.keys() == {"a:1": 1, "b:1": 1, "c:1": 1}
    await process.stop()


async def test_a_throttled_number_pauses_everybody(redis_url: str) -> None:
    graph = FakeGraph(Script(NumberThrottled("too fast", code=130429, retry_after_s=0.6)))
    process = Process(redis_url, graph=graph).start()
    await process.inbox.put([message("91", "first")])

    async def refused() -> bool:
        return graph.attempts == 1

    await eventually(refused)
    await process.inbox.put([message(f"92{n}", f"w{n}") for n in range(5)])
    await asyncio.sleep(0.4)
    assert graph.attempts == 1
    await process.drained()
    assert len(graph.accepted) == 6
    await process.stop()


def waiting_reply(customer: str, body: dict[str, Any], **more: Any) -> str:
    """A reply in the outbox as another version may have written it."""
    until = time.time() + 99
    reply = Outgoing(customer, f"{customer}:1", customer, body, "words", 0, "assistant", {"to": customer}, until)
    return json.dumps({**json.loads(reply.as_json()), **more})


def test_replies_are_stored_under_the_names_that_the_release_before_reads() -> None:
    stored = json.loads(waiting_reply("91", {}))
    assert set(stored) == {
        "v",
        "customer", "key", "wamid", "body", "text", "epoch", "author", "address", "expires_at", "asked_at", "about",
    }  # fmt: skip
    assert Outgoing.from_json(json.dumps({**stored, "epoch": 7})).control_version == 7


async def test_a_reply_that_a_newer_version_left_is_sent(redis_url: str) -> None:
    body = {"type": "text", "text": {"body": "words"}}
    client = redis.Redis.from_url(redis_url)
    client.xadd(keys.outbox_stream(3), {"c": "91", "e": waiting_reply("91", body, invented_next_year={"a": 1})})
    process = Process(redis_url).start()
    await process.drained()
    assert process.graph.texts("91") == ["words"]
    await process.stop()


async def test_what_happens_to_one_customers_reply_changes_nothing_for_another_with_the_same_stream_id(
    redis_url: str,
) -> None:
    graph = FakeGraph(Script(BadPayload("no", code=131009), only="91"))
    process = Process(redis_url, graph=graph)
    buttons = {"type": "interactive", "interactive": {"type": "button"}}
    items = []
    for partition, customer in ((3, "91"), (4, "92")):
        text = waiting_reply(customer, buttons)
        process_owns = Owned(partition, f"token{partition}")
        await process.client.set(keys.owner(partition), process_owns.token)
        await process.client.xadd(keys.outbox_stream(partition), {"c": customer, "e": text}, id="5-0")
        items.append(Item(process_owns, "5-0", customer, text))
    assert await process.transport.outbox.work(items[0]) is not None, "refused, to be tried as plain text"
    assert await process.transport.outbox.work(items[1]) is None
    assert graph.accepted[0]["type"] == "interactive"
    await process.client.close()


@pytest.mark.slow
async def test_a_long_outage_of_graph_loses_nothing_and_keeps_the_order(redis_url: str) -> None:
    up = False

    async def outage(body: dict[str, Any]) -> None:
        if not up:
            raise Transient("HTTP 500", http_status=500)

    graph = FakeGraph(outage)
    first = Process(redis_url, graph=graph).start()
    for n in range(5):
        await first.inbox.put([message(f"91{c}", f"{c}.{n}", str(n)) for c in range(20)])
    await asyncio.sleep(1)
    await first.die()
    second = Process(redis_url, graph=graph, settle_s=0.5).start()
    await asyncio.sleep(1)
    up = True
    await second.drained(15)
    for c in range(20):
        assert graph.texts(f"91{c}") == [f"echo {n}" for n in range(5)]
    await second.stop()


@pytest.mark.slow
async def test_a_reply_past_the_window_is_not_sent(redis_url: str) -> None:
    up = False

    async def outage(body: dict[str, Any]) -> None:
        if not up:
            raise Transient("HTTP 500", http_status=500)

    graph = FakeGraph(outage)
    process = Process(redis_url, graph=graph).start()
    await process.inbox.put([message("91", "a", at=time.time() - 24 * 3600 + 2)])
    await asyncio.sleep(2.5)
    up = True
    await process.drained()
    assert graph.accepted == []
    assert sent_records(redis_url)[0]["error"] == "window_closed"
    await process.stop()


async def test_a_reply_computed_before_a_takeover_is_never_sent_after_it(redis_url: str) -> None:
    control = ControlLostAtSending()
    process = Process(redis_url, control=control).start()
    await process.inbox.put([message("91", "fine", "x"), message("91", "late", "y")])
    await process.drained()
    assert control.held == [("91", "late", "echo y")], "whoever has the conversation is shown what was not sent"
    assert process.graph.texts("91") == ["echo x"]
    assert [r["error"] for r in sent_records(redis_url)] == [None, "floor_lost"]
    await process.stop()


async def test_outside_the_window_an_agents_words_go_out_as_the_template(redis_url: str) -> None:
    process = Process(redis_url).start()
    await process.inbox.put([message("91", "old", at=time.time() - 30 * 3600)])
    template = {"name": "reopen", "language": "en", "parameters": ["Your refund is done."]}
    payload = {"text": "Your refund is done.", "media": [], "template": template}
    await process.inbox.put([Entry("agent_comment", "91", "comment:1", payload)])
    await process.inbox.put([Entry("agent_comment", "91", "comment:2", {"text": "plain"})])
    await process.drained()
    [body] = process.graph.accepted
    assert body["template"]["name"] == "reopen"
    assert body["to"] == "91"
    assert [r["error"] for r in sent_records(redis_url)] == [None, "window_closed"]
    await process.stop()


@pytest.mark.slow
async def test_in_an_outage_only_a_probe_now_and_then_bothers_graph(redis_url: str) -> None:
    up = False

    async def outage(body: dict[str, Any]) -> None:
        if not up:
            raise Transient("HTTP 500", http_status=500)

    graph = FakeGraph(outage)
    process = Process(redis_url, graph=graph).start()
    await process.inbox.put([message(f"91{n}", f"w{n}") for n in range(200)])
    await asyncio.sleep(2)
    tried = graph.attempts
    await asyncio.sleep(1)
    assert graph.attempts - tried < 30
    up = True
    await process.drained(15)
    assert graph.keys() == {f"w{n}:1": 1 for n in range(200)}
    await process.stop()
