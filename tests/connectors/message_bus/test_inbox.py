"""The door to the inbox: atomic, deduplicating, honest when Redis is not well."""

from __future__ import annotations

import asyncio
import signal
import time
from pathlib import Path

import pytest
import redis

from connectors.message_bus import keys
from connectors.message_bus.connections import connect
from connectors.message_bus.inbox import Entry, Inbox, InboxUnavailable
from connectors.message_bus.servers.durability import AUTO, Durability
from launch.embedded_redis import EmbeddedRedis
from tests.children import suspend
from tests.conftest import free_port
from tests.connectors.message_bus.log_records import records
from tests.connectors.message_bus.transport_fakes import eventually, message


def waiting(url: str) -> list[Entry]:
    client = redis.Redis.from_url(url, decode_responses=True)
    return [
        Entry.from_json(fields["e"])
        for p in range(keys.PARTITIONS)
        for _, fields in client.xrange(keys.inbox_stream(p))
    ]


async def test_messages_and_records_are_stored_in_one_step(redis_url: str) -> None:
    inbox = Inbox.from_url(redis_url)
    assert await inbox.put([message("91", "a"), message("92", "b")], [{"record": "status", "wamid": "x"}]) == 2
    assert {entry.id for entry in waiting(redis_url)} == {"a", "b"}
    assert records(redis_url) == [{"record": "status", "wamid": "x", "v": 1}]


async def test_a_message_delivered_many_times_at_once_is_stored_once(redis_url: str) -> None:
    inboxes = [Inbox.from_url(redis_url) for _ in range(4)]
    batch = [message("91", f"w{n}") for n in range(20)]
    stored = await asyncio.gather(*(inbox.put(batch) for inbox in inboxes * 3))
    assert sum(stored) == 20
    assert sorted(entry.id for entry in waiting(redis_url)) == sorted(entry.id for entry in batch)


async def test_an_id_is_remembered_for_eight_days(redis_url: str) -> None:
    await Inbox.from_url(redis_url).put([message("91", "w")])
    ttl = redis.Redis.from_url(redis_url).ttl(keys.seen("w", keys.partition_of("91")))
    assert 7.9 * 86400 < ttl <= 8 * 86400


async def test_the_order_inside_a_batch_is_kept(redis_url: str) -> None:
    await Inbox.from_url(redis_url).put([message("91", f"w{n}") for n in range(1000)])
    assert [entry.id for entry in waiting(redis_url)] == [f"w{n}" for n in range(1000)]


async def test_a_customer_always_lands_in_the_same_partition() -> None:
    assert keys.partition_of("919876543210") == 229
    assert len({keys.partition_of(f"9198765{n:05d}") for n in range(4000)}) == keys.PARTITIONS


async def test_redis_away_is_reported_quickly_and_forgotten_when_it_is_back(tmp_path: Path) -> None:
    server = EmbeddedRedis(tmp_path, free_port())
    server.start()
    inbox = Inbox.from_url(server.url)
    await inbox.put([message("91", "before")])
    server.stop()
    begin = time.monotonic()
    with pytest.raises(InboxUnavailable):
        await inbox.put([message("91", "lost")])
    assert time.monotonic() - begin < 15
    server.start()
    try:
        assert await inbox.put([message("91", "lost"), message("91", "before")]) == 1
        assert [entry.id for entry in waiting(server.url)] == ["before", "lost"]
    finally:
        server.stop()


@pytest.mark.slow
@pytest.mark.parametrize("trouble", ["full", "read-only", "hanging"])
async def test_a_redis_that_cannot_store_is_reported_and_recovers(tmp_path: Path, trouble: str) -> None:
    server = EmbeddedRedis(tmp_path, free_port())
    server.start()
    try:
        client = redis.Redis.from_url(server.url)
        inbox = Inbox.from_url(server.url)
        await inbox.put([message("91", "first")])
        begin = time.monotonic()
        if trouble == "full":
            client.config_set("maxmemory", "1")
        elif trouble == "read-only":
            client.replicaof("127.0.0.1", "1")
        else:
            client.execute_command("CLIENT", "PAUSE", "20000", "WRITE")
        with pytest.raises(InboxUnavailable):
            await inbox.put([message("91", "second")])
        assert time.monotonic() - begin < 15
        if trouble == "full":
            client.config_set("maxmemory", "0")
        elif trouble == "read-only":
            client.replicaof("NO", "ONE")
        else:
            client.execute_command("CLIENT", "UNPAUSE")
        # After a timeout nobody knows whether it was stored; delivering again is always safe.
        assert await inbox.put([message("91", "second")]) in (0, 1)
        assert [entry.id for entry in waiting(server.url)] == ["first", "second"]
    finally:
        server.stop()


@pytest.mark.slow
@pytest.mark.parametrize("hangs", ["the process", "what writes"])
async def test_while_redis_hangs_only_the_first_wait_for_it(tmp_path: Path, hangs: str) -> None:
    server = EmbeddedRedis(tmp_path, free_port())
    server.start()
    try:
        client = connect(server.url, answer_timeout_s=60)
        inbox, endpoint = Inbox(client), client.connection_pool.connection_kwargs["endpoint"]
        await inbox.put([message("91", "before")])
        endpoint.slow_s = 0.2
        assert server.process is not None
        if hangs == "the process":
            suspend(server.process.pid)
        else:
            redis.Redis.from_url(server.url).execute_command("CLIENT", "PAUSE", "60000", "WRITE")
        first = asyncio.create_task(inbox.put([message("91", "first")]))
        await eventually(lambda: asyncio.sleep(0, endpoint.silent))
        with pytest.raises(InboxUnavailable):
            await inbox.put([message("91", "second")])
        assert not first.done()
        server.process.send_signal(signal.SIGCONT)
        redis.Redis.from_url(server.url).execute_command("CLIENT", "UNPAUSE")
        assert await first == 1
        await eventually(inbox.can_store)
        assert await inbox.put([message("91", "second")]) == 1
        await client.close()
    finally:
        server.stop()


@pytest.mark.parametrize("rights", ["+@all -@scripting", "+@all -set -xadd"])
async def test_a_user_who_may_not_write_as_messages_are_written_is_no_healthy_server(
    redis_url: str, rights: str
) -> None:
    server = redis.Redis.from_url(redis_url)
    server.execute_command("ACL", "SETUSER", "limited", "on", ">secret", "~*", *rights.split())
    limited = Inbox.from_url(redis_url.replace("redis://", "redis://limited:secret@"))
    try:
        with pytest.raises(InboxUnavailable):
            await limited.put([message("91", "w")])
        assert not await limited.can_store()
        server.execute_command("ACL", "SETUSER", "limited", "+@all")
        assert await limited.can_store(), "without a restart"
    finally:
        server.execute_command("ACL", "DELUSER", "limited")


async def test_a_replica_is_waited_for_once_it_has_its_first_copy_and_from_then_on_though_it_is_cut_off() -> None:
    told: dict[str, object] = {"connected_slaves": 1, "slave0": {"ip": "r", "port": 1, "state": "wait_bgsave"}}

    class Server:
        async def execute_command(self, *_: object) -> object:
            return told

    durability = Durability(AUTO, has_replicas=False)

    async def waits() -> bool:
        durability.polled_at = float("-inf")
        return await durability.command(Server()) is not None

    assert not await waits()
    told["slave0"] = {"ip": "r", "port": 1, "state": "online"}
    assert await waits()
    told["slave0"] = {"ip": "r", "port": 1, "state": "wait_bgsave"}
    assert await waits()
