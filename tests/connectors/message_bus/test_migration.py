"""An older release's layout of Redis, a backlog in it, becomes this one's: nothing lost, doubled or out of order."""

from __future__ import annotations

import json
import time
import zlib
from typing import Any

import pytest
import redis

from connectors.conversations.identity import Identities
from connectors.message_bus import dead_letters, keys
from connectors.message_bus.servers import migration
from connectors.whatsapp.webhook.payloads import parse_notification
from conversation_log.ingest.stream import POISON, EventStream
from hot_store import redis_layout
from tests.connectors.message_bus.transport_fakes import FakeGraph, Process, message
from tests.connectors.whatsapp.whatsapp_bodies import OUR_NUMBER, as_bytes, notification, value
from tests.connectors.whatsapp.whatsapp_bodies import message as body_of

CUSTOMERS = [f"9198{n:04d}" for n in range(40)]


def backlog(client: redis.Redis[Any]) -> None:
    """What the release before leaves when it is stopped under load. Names and forms are frozen: never change them."""
    now = time.time()
    for number in range(3):
        for customer in CUSTOMERS:
            old, wamid = zlib.crc32(customer.encode()) % 32, f"{customer}.{number}"
            client.set(f"wa:seen:{wamid}", 1, ex=600)
            client.xadd(f"wa:in:{old}", {"c": customer, "e": message(customer, wamid, str(number)).as_json()})
    for customer in CUSTOMERS:
        old = zlib.crc32(customer.encode()) % 32
        reply = {
            "customer": customer, "key": f"{customer}.was:1", "wamid": f"{customer}.was", "text": "before", "epoch": 0,
            "body": {"messaging_product": "whatsapp", "type": "text", "text": {"body": "before"}},
            "author": "assistant", "address": {"to": customer}, "expires_at": now + 600,
        }  # fmt: skip
        client.xadd(f"wa:out:{old}", {"c": customer, "e": json.dumps(reply)})
        client.xadd("log", {"j": json.dumps({"record": "inbound", "customer": customer, "metadata": {}, "text": "x"})})
        client.rpush(f"tracker:{customer}", '[{"event":"user"}]')
        client.hset(f"tracker:{customer}:base", mapping={"at": 0, "pre": "[]"})
        client.set(f"wa:address:{customer}", json.dumps({"wa_id": customer, "user_id": None, "at": now}))
        client.lpush(f"wa:quotable:{customer}", json.dumps({"wamid": "q", "author": "customer", "text": "y"}))
        client.hset(f"wa:voices:{customer}", "app_until", 0)
    client.xadd("log", {"j": "no json"})
    client.xadd("log:poison", {"j": "{}"})
    client.xgroup_create("log", "conversation_log", id="0")
    dead = message(CUSTOMERS[0], "dead", "again").as_json()
    client.xadd("wa:dead", {"j": json.dumps({"entry": dead, "reason": "x", "at": now})})
    client.set("wa:fence", 7)
    client.set(f"identity:{CUSTOMERS[1]}", "IN.1")
    client.hset("customer:IN.1", mapping={"wa_id": CUSTOMERS[1], f"id:{CUSTOMERS[1]}": 1})


@pytest.fixture
def old(redis_url: str) -> redis.Redis[Any]:
    client: redis.Redis[Any] = redis.Redis.from_url(redis_url, decode_responses=True)
    backlog(client)
    return client


async def everything_is_served(url: str, client: redis.Redis[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REDIS_URL", url)
    process = Process(url)
    again = [message(customer, f"{customer}.0", "0") for customer in CUSTOMERS]
    assert await process.inbox.put(again) == 0, "what the release before took is known"
    told = parse_notification(as_bytes(notification(value(body_of(**{"from": CUSTOMERS[1]})))), OUR_NUMBER)
    [identity] = await Identities(process.client).resolve(told.messages)
    assert identity.customer == "IN.1"
    process.start()
    await process.drained(20)
    for customer in CUSTOMERS:
        assert [text for text in process.graph.texts(customer) if text != "before"] == [f"echo {n}" for n in range(3)]
        assert process.graph.texts(customer).count("before") == 1
        assert client.llen(keys.tracker(customer)[0]) == 4
        assert client.llen(keys.quotable(customer)) > 1
    assert set(process.graph.keys().values()) == {1}
    assert dead_letters.main(["replay"]) == 0
    await process.drained()
    assert process.graph.texts(CUSTOMERS[0])[-1] == "echo again"
    await process.stop()
    stream = EventStream(redis.Redis.from_url(url))
    texts: list[str] = []
    while page := stream.read(500, 1):
        texts += [entry.text for entry in page]
    assert sum('"text": "x"' in text for text in texts) == len(CUSTOMERS)
    assert texts.count("no json") == client.xlen(POISON) == 1


@pytest.mark.slow
async def test_what_the_release_before_left_is_served(
    redis_url: str, old: redis.Redis[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    migration.ensure(redis_url)
    before = ("tracker:", "identity:", "customer:", "wa:seen", "wa:address", "wa:before:wa", "wa:before:log")
    assert [key for key in old.scan_iter() if key.startswith(before)] == []
    assert int(old.hget(migration.STATE, "layout") or 0) == redis_layout.LAYOUT
    await everything_is_served(redis_url, old, monkeypatch)


@pytest.mark.parametrize("after", [0, 1, 5, 20, 40, 70])
@pytest.mark.slow
async def test_killed_at_any_point_the_next_process_goes_on(
    redis_url: str, old: redis.Redis[Any], monkeypatch: pytest.MonkeyPatch, after: int
) -> None:
    execute, steps = redis.client.Pipeline.execute, iter(range(10_000))

    def dies(pipeline: Any, *arguments: Any, **options: Any) -> Any:
        if next(steps) == after:
            raise SystemExit
        return execute(pipeline, *arguments, **options)

    monkeypatch.setattr(redis.client.Pipeline, "execute", dies)
    monkeypatch.setattr(migration, "LOCK_S", 1)
    monkeypatch.setattr(migration, "PAGE", 3)
    with pytest.raises(SystemExit):
        migration.ensure(redis_url)
    migration.ensure(redis_url)
    await everything_is_served(redis_url, old, monkeypatch)


def test_while_the_release_before_is_alive_it_is_waited_for_and_afterwards_it_can_do_no_harm(
    redis_url: str, old: redis.Redis[Any]
) -> None:
    old.zadd("wa:members", {"1-abc": time.time() * 1000})
    with pytest.raises(migration.LayoutUnusable, match="stop them all"):
        migration.ensure(redis_url, timeout_s=0)
    old.zadd("wa:members", {"1-abc": time.time() * 1000 - 5000})  # killed
    old.delete(migration.LOCK)
    migration.ensure(redis_url, timeout_s=0)
    for write in (lambda: old.xadd("wa:in:3", {"c": "1"}), lambda: old.xadd("log", {"j": "1"}),
                  lambda: old.zadd("wa:members", {"1-abc": 1})):  # fmt: skip
        with pytest.raises(redis.ResponseError, match="WRONGTYPE"):
            write()


def test_a_newer_layout_is_left_alone(redis_url: str) -> None:
    redis.Redis.from_url(redis_url).hset(migration.STATE, "layout", redis_layout.LAYOUT + 1)
    with pytest.raises(migration.LayoutUnusable, match="newer release"):
        migration.ensure(redis_url)


async def test_an_empty_redis_has_the_layout_at_once(redis_url: str) -> None:
    migration.ensure(redis_url)
    migration.ensure(redis_url)
    process = Process(redis_url, graph=FakeGraph()).start()
    await process.inbox.put([message("91", "w", "hi")])
    await process.drained()
    assert process.graph.texts("91") == ["echo hi"]
    await process.stop()
