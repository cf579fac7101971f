"""What the bus and the log promise holds on one Redis, behind sentinels, and on a cluster of three masters."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator

import pytest

from connectors import metrics
from connectors.conversations.identity import Identities
from connectors.conversations.other_voices import News, OtherVoices
from connectors.message_bus import dead_letters, keys
from connectors.message_bus.inbox import Inbox
from connectors.message_bus.servers import migration
from connectors.message_bus.turn import Turn
from connectors.stores.event_broker import StreamEventBroker
from connectors.stores.tracker_store import RedisTrackerStore
from connectors.whatsapp.webhook.payloads import parse_notification
from conversation_log.erasure import erase_redis
from conversation_log.ingest import hot_tier, stream
from conversation_log.ingest.stream import EventStream
from conversation_log.model import identities
from hot_store import redis_address
from tests.connectors.message_bus.transport_fakes import FakeGraph, FakeSpeaker, Process, eventually, message
from tests.connectors.whatsapp.whatsapp_bodies import OUR_NUMBER, as_bytes, notification, value
from tests.connectors.whatsapp.whatsapp_bodies import message as body_of
from tests.redis_servers import cluster, with_sentinels

pytestmark = pytest.mark.slow
CUSTOMERS = [f"9197{n:04d}" for n in range(30)]


@pytest.fixture(scope="module", params=["one", "sentinels", "cluster"])
def servers(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    if request.param == "one":
        yield request.getfixturevalue("redis_server_url")
        return
    start = with_sentinels if request.param == "sentinels" else cluster
    with start(tmp_path_factory.mktemp(request.param)) as started:
        yield started.url


@pytest.fixture
def url(servers: str) -> str:
    """The URL of an empty Redis of this kind, as a process finds it after its start."""
    for server in redis_address.servers(redis_address.client(servers)):
        server.flushall()
    migration.ensure(servers)
    return servers


async def test_a_batch_of_many_customers_is_stored_once_and_answered_in_each_one_s_order(url: str) -> None:
    inboxes = [Inbox.from_url(url) for _ in range(3)]
    batch = [message(customer, f"{customer}.{n}", str(n)) for n in range(4) for customer in CUSTOMERS]
    status = {"record": "status", "wamid": "x", "key": "y:1", "status": "read", "at": 1.0}
    stored = await asyncio.gather(*(inbox.put(batch, [status]) for inbox in inboxes))
    assert sum(stored) == len(batch)
    assert await Process(url).client.get(keys.settled("y:1")) == "x"
    graph = FakeGraph()
    first, second = Process(url, graph=graph).start(), Process(url, graph=graph).start()
    await first.drained(20)
    await asyncio.gather(first.stop(), second.stop())
    for customer in CUSTOMERS:
        assert graph.texts(customer) == [f"echo {n}" for n in range(4)]


async def test_every_record_reaches_the_log_s_writer_in_its_customer_s_order(url: str) -> None:
    records = [{"record": "inbound", "customer": customer, "n": n} for n in range(20) for customer in CUSTOMERS]
    await Inbox.from_url(url).put([], records)
    broker = StreamEventBroker(url)
    broker.publish({"sender_id": CUSTOMERS[0], "event": "reminder"})
    reader = EventStream(hot_tier.client(url))
    assert reader.hold()
    assert not EventStream(hot_tier.client(url)).hold()
    read: list[dict[str, object]] = []
    while entries := reader.read(200, 1):
        read += [json.loads(entry.text) for entry in entries]
        if entries[0].text.startswith("{") and len(read) < 300:
            reader.again()  # the database was away: the batch comes once more
            read = []
            reader.done([])
            entries = reader.read(200, 1)
            read += [json.loads(entry.text) for entry in entries]
        reader.done(entries)
    assert stream.health(hot_tier.client(url)).backlog == 0
    for customer in CUSTOMERS:
        assert [one["n"] for one in read if one["customer"] == customer and "n" in one] == list(range(20))
    assert [one["customer"] for one in read if one["record"] == "turn"] == [CUSTOMERS[0]]
    reader.release()


async def test_what_was_set_aside_is_listed_counted_and_replayed(
    url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    async def fail(turn: Turn) -> None:
        raise ValueError("poison")

    monkeypatch.setenv("REDIS_URL", url)
    process = Process(url, FakeSpeaker(fail)).start()
    await process.inbox.put([message(customer, f"{customer}.bad") for customer in CUSTOMERS[:3]])
    await process.drained(20)

    async def shown() -> bool:  # on a busy machine a server is given up for a moment
        text = (await metrics.render(process.client)).decode()
        return "assistant_dead_letters 3" in text and "assistant_redis_up 1" in text

    await eventually(shown)
    await process.stop()
    assert dead_letters.main(["list"]) == 0
    assert capsys.readouterr().out.count("ValueError") == 3
    assert dead_letters.main(["replay"]) == 0
    process = Process(url).start()
    await process.drained(20)
    assert sorted(process.graph.keys()) == sorted(f"{customer}.bad:101" for customer in CUSTOMERS[:3])
    assert list(dead_letters.letters(hot_tier_text(url))) == []
    await process.stop()


def hot_tier_text(url: str) -> object:
    return redis_address.client(url, decode_responses=True)


async def test_who_is_who_and_who_speaks_is_kept_and_erased(url: str) -> None:
    process = Process(url)
    bodies = [as_bytes(notification(value(body_of(**{"from": customer})))) for customer in CUSTOMERS[:3]]
    told = [parse_notification(body, OUR_NUMBER) for body in bodies]
    known = [await Identities(process.client).resolve(one.messages) for one in told]
    assert [identity.customer for [identity] in known] == CUSTOMERS[:3]
    await OtherVoices(process.client, 60).heard([News(customer, "phone", 2e9) for customer in CUSTOMERS[:3]])
    await process.inbox.put([message(customer, f"{customer}.z") for customer in CUSTOMERS[:3]])
    client = hot_tier.client(url)
    found = identities.find(f"+{CUSTOMERS[0]}", None, client)
    assert CUSTOMERS[0] in found.customers
    removed = erase_redis.erase(client, found, set())
    assert removed["wa:voices:*"] == removed["identity:id:*"] == removed["identity:profile:*"] == removed["wa:in"] == 1
    assert erase_redis.rewrite_streams(client) == []
    assert await process.client.exists(keys.voices(CUSTOMERS[0])) == 0
    assert await process.client.exists(keys.voices(CUSTOMERS[1])) == 1


async def test_dialogues_are_remembered(url: str) -> None:
    from rasa.shared.core.domain import Domain

    store = RedisTrackerStore(Domain.empty(), host=url)
    for customer in CUSTOMERS[:5]:
        await store.create_tracker(customer)
    assert sorted(await store.keys()) == CUSTOMERS[:5]
    tracker = await store.retrieve(CUSTOMERS[3])
    assert tracker is not None
    assert len(tracker.events) == 1
