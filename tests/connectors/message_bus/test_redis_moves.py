"""The endpoint of Redis moves to another server while old connections stay with the old one."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import redis
from redis.exceptions import ReadOnlyError, ResponseError

from connectors.conversations.identity import Identities
from connectors.message_bus import keys
from connectors.message_bus.connections import connect
from connectors.message_bus.servers.following import Following, is_elsewhere
from connectors.whatsapp.webhook.payloads import parse_notification
from conversation_log.ingest import hot_tier
from conversation_log.ingest.stream import EventStream
from launch.embedded_redis import EmbeddedRedis
from tests.conftest import free_port
from tests.connectors.message_bus.transport_fakes import FakeGraph, Process, eventually, message
from tests.connectors.whatsapp.whatsapp_bodies import OUR_NUMBER, as_bytes, notification, value
from tests.connectors.whatsapp.whatsapp_bodies import message as body_of

pytestmark = pytest.mark.slow  # a master and a replica for each


@dataclass
class Endpoint:
    """A TCP proxy: an address whose new connections go to `target`; old ones stay where they are."""

    target: int
    port: int = field(default_factory=free_port)
    tasks: set[asyncio.Task[None]] = field(default_factory=set)

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection("127.0.0.1", self.target)
        for source, sink in ((reader, back), (there, writer)):
            task = asyncio.create_task(self._pump(source, sink))
            self.tasks.add(task)
            task.add_done_callback(self.tasks.discard)

    async def _pump(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while data := await source.read(65536):
                sink.write(data)
                await sink.drain()
        sink.close()


@dataclass
class Pair:
    """A master, its replica, and the address that leads to whoever is master."""

    master: EmbeddedRedis
    replica: EmbeddedRedis
    endpoint: Endpoint

    def fail_over(self) -> None:
        """Promote the replica, demote the master, and send new connections to the new master."""
        old, new = redis.Redis.from_url(self.master.url), redis.Redis.from_url(self.replica.url)
        new.replicaof("NO", "ONE")
        old.replicaof("127.0.0.1", self.replica.port)
        self.endpoint.target = self.replica.port
        self.master, self.replica = self.replica, self.master


@pytest.fixture
async def pair(tmp_path: Path) -> AsyncIterator[Pair]:
    servers = [EmbeddedRedis(tmp_path / name, free_port()) for name in ("a", "b")]
    for server in servers:
        await asyncio.to_thread(server.start)
    redis.Redis.from_url(servers[1].url).replicaof("127.0.0.1", servers[0].port)
    client = redis.Redis.from_url(servers[1].url)

    async def linked() -> bool:
        return client.info("replication")["master_link_status"] == "up"

    await eventually(linked)
    endpoint = Endpoint(servers[0].port)
    listener = await asyncio.start_server(endpoint.serve, "127.0.0.1", endpoint.port)
    yield Pair(*servers, endpoint)
    listener.close()
    for task in list(endpoint.tasks):
        task.cancel()
    for server in servers:
        await asyncio.to_thread(server.stop)


async def test_every_process_takes_and_answers_messages_after_a_failover(pair: Pair) -> None:
    graph = FakeGraph()
    processes = [Process(pair.endpoint.url, graph=graph).start() for _ in range(2)]

    async def shared() -> bool:
        return sorted(len(p.transport.partitions.owned) for p in processes) == [128, 128]

    await eventually(shared)
    for n in range(40):  # warm connections, several in each pool
        await asyncio.gather(*(p.inbox.put([message(f"91{n}", f"w{n}.{k}")]) for k, p in enumerate(processes)))
    await processes[0].drained()
    for _ in range(2):  # there, and back again
        await asyncio.to_thread(pair.fail_over)
        before = len(graph.accepted)
        for k, process in enumerate(processes):
            assert await process.inbox.can_store(), "health of each process"
            await process.deliver([message(f"92{n}", f"{before}.{n}.{k}") for n in range(40)])
        await processes[0].drained()
        assert len(graph.accepted) == before + 80
        assert all(process.transport.partitions.beats() for process in processes)
    assert set(graph.keys().values()) == {1}
    for process in processes:
        await process.stop()


async def test_identities_and_the_log_writer_follow_the_endpoint(pair: Pair) -> None:
    client = connect(pair.endpoint.url)
    identities, stream = Identities(client), EventStream(hot_tier.client(pair.endpoint.url, 2))
    told = parse_notification(as_bytes(notification(value(body_of()))), OUR_NUMBER)
    before = await identities.resolve(told.messages)
    assert await asyncio.to_thread(stream.hold)
    await asyncio.to_thread(pair.fail_over)
    assert await identities.resolve(told.messages) == before
    with pytest.raises(ReadOnlyError):
        await asyncio.to_thread(stream.hold)
    stream.reconnect()
    assert await asyncio.to_thread(stream.hold)
    await client.close()


async def test_a_process_that_cannot_write_says_so(pair: Pair) -> None:
    process = Process(pair.endpoint.url)
    assert await process.inbox.can_store()
    redis.Redis.from_url(pair.master.url).replicaof("127.0.0.1", pair.replica.port)
    assert not await process.inbox.can_store(), "the endpoint still leads to a server that takes nothing"
    redis.Redis.from_url(pair.replica.url).replicaof("NO", "ONE")
    pair.endpoint.target = pair.replica.port
    assert await process.inbox.can_store()


@pytest.mark.parametrize(("answer", "elsewhere"), [
    ("READONLY You can't write against a read only replica.", True),
    ("ERR Error running script (call to f_1): @user_script:3: -READONLY You can't write", True),
    ("MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.", True),
    ("CLUSTERDOWN Hash slot not served", True),
    ("NOREPLICAS Not enough good replicas to write.", True),
    ("UNBLOCKED force unblock from blocking operation, instance state changed (master -> replica?)", True),
    ("MISCONF Errors writing to the AOF file", False),
    ("OOM command not allowed when used memory > 'maxmemory'.", False),
    ("ERR unknown command 'READONLYX'", False),
    ("WRONGTYPE Operation against a key holding the wrong kind of value", False),
])  # fmt: skip
def test_only_answers_of_the_wrong_server_make_the_client_connect_anew(answer: str, elsewhere: bool) -> None:
    assert is_elsewhere(ResponseError(answer)) is elsewhere


@pytest.mark.parametrize(("url", "db"), [
    ("redis://127.0.0.1:1/2", 2), ("rediss://user:secret@127.0.0.1:1/3?ssl_cert_reqs=none", 3), ("unix:///no?db=1", 1),
])  # fmt: skip
async def test_every_kind_of_address_is_followed(url: str, db: int) -> None:
    client = connect(url)
    connection = client.connection_pool.make_connection()
    assert (isinstance(connection, Following), connection.db) == (True, db)
    with pytest.raises((redis.RedisError, OSError)):
        await client.ping()


async def test_what_the_last_master_did_and_the_new_one_never_heard_of_is_done_again(redis_url: str) -> None:
    """The old one had committed the turn; on the new one the message still waits, behind what was read already."""
    process = Process(redis_url).start()
    entry = message("919000000001", "wamid.1", "hello")

    async def is_answered(times: int = 1) -> bool:
        return len(process.speaker.answered) == times

    await process.inbox.put([entry])
    await eventually(is_answered)
    await process.drained(10)
    stream = keys.inbox_stream(keys.partition_of(entry.customer))
    await process.client.delete(stream)
    await process.client.xadd(stream, {"c": entry.customer, "e": entry.as_json()}, id="1-1")
    await asyncio.sleep(0.6)
    assert await is_answered()
    process.client.connection_pool.connection_kwargs["endpoint"].failovers += 1
    await eventually(lambda: is_answered(2))
    await process.drained(10)
    await process.stop()


async def test_what_was_sent_is_not_said_again_by_a_turn_that_the_new_master_never_heard_of(redis_url: str) -> None:
    """Another process goes on there: the one that sent tells the new master before it lets the partition go."""
    graph, entry = FakeGraph(), message("919000000002", "wamid.2", "hello")
    sent, goes_on = Process(redis_url, graph=graph).start(), Process(redis_url, graph=graph)
    await sent.inbox.put([entry])
    await sent.drained(10)
    stream = keys.inbox_stream(keys.partition_of(entry.customer))
    await sent.client.delete(stream)
    await sent.client.xadd(stream, {"c": entry.customer, "e": entry.as_json()}, id="1-1")
    for process in (sent, goes_on):
        process.client.connection_pool.connection_kwargs["endpoint"].failovers += 1
    goes_on.start()
    await sent.drained(10)
    await sent.stop()
    await goes_on.drained(10)
    assert len([*sent.speaker.answered, *goes_on.speaker.answered]) == 2
    assert graph.keys() == {"wamid.2:1": 1}
    await goes_on.stop()


async def test_a_connection_that_was_being_made_while_the_master_changed_is_not_used(redis_url: str) -> None:
    """A master that was replaced while it lives says still that it is one, and knows what the new one does not."""
    port = int(redis_url.split(":")[2].split("/")[0])
    places = [("127.0.0.1", port), ("localhost", port)]
    new = places[1]

    async def locate() -> tuple[str, int]:
        return places[0]

    client = connect(redis_url)
    endpoint = client.connection_pool.connection_kwargs["endpoint"]
    endpoint.locate = locate
    connection, late = client.connection_pool.make_connection(), client.connection_pool.make_connection()
    check = late._check_role

    async def slowly() -> None:
        await check()
        places[:] = [new]
        await endpoint.place()

    late._check_role = slowly
    await connection.connect()
    with pytest.raises(redis.exceptions.ConnectionError):
        await late.connect()
    with pytest.raises(redis.exceptions.ConnectionError):
        await connection.can_read_destructive()
    await late.connect()
    assert (late.host, late.port, endpoint.failovers) == (*new, 1)
    for one in (connection, late):
        await one.disconnect()
    await client.close()


async def test_a_connection_that_was_cut_is_not_taken_for_one_to_the_old_master_for_ever(redis_url: str) -> None:
    client = connect(redis_url)
    connection = client.connection_pool.make_connection()
    await connection.connect()
    assert connection.is_open
    connection.cut()
    assert not connection.is_open
    assert connection.is_connected, "redis-py does not know yet"
    await client.close()
