"""Masters die, hang, lose their replicas or slots, while customers write: what got its 200 is answered, in order."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

import pytest
from redis.crc import key_slot
from redis.exceptions import ConnectionError as RedisConnectionError

from connectors.message_bus import keys
from connectors.message_bus.connections import ANSWER_TIMEOUT_S
from connectors.message_bus.inbox import Entry, InboxUnavailable
from connectors.message_bus.servers.durability import AUTO, NOTHING
from tests.connectors.message_bus.transport_fakes import FakeGraph, Process, eventually, message
from tests.redis_servers import Cluster, WithSentinels, cluster, with_sentinels

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]
HEALED_WITHIN_S = 15.0  # three seconds where nothing else runs
PAUSE_S = 0.2  # of a customer between two messages: twenty that write four times as fast keep a processor busy


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WithSentinels]:
    with with_sentinels(tmp_path_factory.mktemp("sentinels")) as started:
        yield started


class Writers:
    """Customers who write without end; each waits until a message has its 200, as Meta delivers again until then.

    Who has AHEAD messages without an answer waits for one: what is tried is no backlog of a busy machine.
    """

    AHEAD = 5

    def __init__(self, process: Process, customers: int, graph: FakeGraph) -> None:
        self._process = process
        self._answered: dict[str, int] = defaultdict(int)
        graph.on_send = self._hear
        self.stored: dict[str, list[str]] = defaultdict(list)
        self.refused = 0
        self.slowest_s = 0.0
        self.last_stored_at = 0.0
        self._stopping = False
        self._name = secrets.token_hex(3)  # the servers of a module know the messages of its other tests
        self._tasks = [asyncio.create_task(self._write(f"9199{n:03d}.{self._name}")) for n in range(customers)]

    async def _write(self, customer: str) -> None:
        number = 0
        while not self._stopping:
            if number >= self._answered[customer] + self.AHEAD:
                await asyncio.sleep(0.02)
                continue
            entry = message(customer, f"{customer}.{number}", str(number))
            while not await self._is_stored(entry):  # also while stopping: what was refused may be there all the same
                await asyncio.sleep(0.1)
            self.last_stored_at = time.monotonic()
            self.stored[customer].append(f"echo {number}")
            number += 1
            await asyncio.sleep(PAUSE_S)

    async def _hear(self, body: dict[str, Any]) -> None:
        answered = int(body["text"]["body"].removeprefix("echo ")) + 1
        self._answered[body["to"]] = max(self._answered[body["to"]], answered)

    async def _is_stored(self, entry: Entry) -> bool:
        at = time.monotonic()
        try:
            await self._process.inbox.put([entry])
        except InboxUnavailable:
            self.refused += 1
            self.slowest_s = max(self.slowest_s, time.monotonic() - at)
            return False
        return True

    async def stop(self) -> None:
        self._stopping = True
        await asyncio.gather(*self._tasks)


@pytest.fixture(scope="module")
def three_masters(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with cluster(tmp_path_factory.mktemp("cluster")) as started:
        yield started


@pytest.mark.parametrize("rounds", [1, pytest.param(6, marks=pytest.mark.marathon)])
async def test_slots_move_and_masters_die_and_every_stored_message_is_answered_in_order(
    three_masters: Cluster, rounds: int
) -> None:
    graph = FakeGraph()
    processes = [Process(three_masters.url, graph=graph).start() for _ in range(2)]
    writers = Writers(processes[0], 20, graph)
    for number, end in enumerate([three_masters.kill, three_masters.pause] * rounds):
        for customer in list(writers.stored)[2 * number : 2 * number + 2]:
            slot = key_slot(keys.inbox_stream(keys.partition_of(customer)).encode())
            before = len(writers.stored[customer])
            await asyncio.to_thread(three_masters.move_slot, slot)
            await eventually(lambda: _has_more(writers, customer, before), HEALED_WITHIN_S)  # noqa: B023
        master = (await asyncio.to_thread(three_masters.masters))[number % 3]
        end(master)
        await asyncio.to_thread(three_masters.new_master, master)
        counts = {customer: len(said) for customer, said in writers.stored.items()}
        for customer, before in counts.items():
            await eventually(lambda: _has_more(writers, customer, before), HEALED_WITHIN_S)  # noqa: B023
        await asyncio.to_thread(three_masters.join, master)
    await writers.stop()
    await _answered(processes, writers, graph)


async def _has_more(writers: Writers, customer: str, before: int) -> bool:
    return len(writers.stored[customer]) > before


async def _answered(processes: list[Process], writers: Writers, graph: FakeGraph) -> None:
    """Everything that was stored is answered in its order, and the processes stop."""
    for process in processes:
        await process.drained(30)
    assert writers.refused > 0, "the test saw no outage"
    for customer, said in writers.stored.items():
        heard = graph.texts(customer)
        assert [text for n, text in enumerate(heard) if text not in heard[:n]] == said
    for process in processes:
        await process.stop()


@pytest.mark.parametrize("rounds", [1, pytest.param(6, marks=pytest.mark.marathon)])
async def test_masters_die_and_hang_and_every_stored_message_is_answered_in_order(
    servers: WithSentinels, rounds: int
) -> None:
    graph = FakeGraph()
    processes = [Process(servers.url, graph=graph).start() for _ in range(2)]
    writers = Writers(processes[0], 20, graph)
    for end in [servers.kill, servers.pause] * rounds:
        await asyncio.sleep(1)
        writers.slowest_s = 0.0
        master = await asyncio.to_thread(servers.master)
        end(master)
        await asyncio.to_thread(servers.new_master, master)
        made_at = time.monotonic()
        await eventually(lambda: _after(writers, made_at), HEALED_WITHIN_S)  # noqa: B023
        if end == servers.kill:
            assert writers.slowest_s < ANSWER_TIMEOUT_S, "a message that cannot be stored is refused at once"
        await asyncio.to_thread(servers.join, master)
    await writers.stop()
    await _answered(processes, writers, graph)


async def _after(writers: Writers, moment: float) -> bool:
    return writers.last_stored_at > moment


@pytest.mark.parametrize("wait_for", [AUTO, NOTHING])
async def test_what_dies_with_a_master_whose_replicas_were_cut_off_was_not_promised_or_is_stored_again(
    servers: WithSentinels, monkeypatch: pytest.MonkeyPatch, wait_for: str
) -> None:
    monkeypatch.setenv("REDIS_WAIT_FOR", wait_for)
    process, wamid = Process(servers.url), f"cut.{wait_for}"
    await process.deliver([message("91", f"before.{wait_for}")])
    master, replicas = await asyncio.to_thread(servers.master), await asyncio.to_thread(servers.replicas)
    for port in replicas:
        servers.client(port).replicaof("127.0.0.1", 1)
    promised = True
    for _ in range(2):  # Meta delivers again
        try:
            await process.inbox.put([message("91", wamid)])
        except InboxUnavailable:
            promised = False
    assert promised == (wait_for == NOTHING)
    servers.kill(master)
    await asyncio.to_thread(servers.new_master, master)
    await eventually(process.inbox.can_store)

    async def is_there() -> bool:
        return bool(await process.client.exists(keys.seen(wamid, keys.partition_of("91"))))

    if promised:
        await eventually(is_there)
    else:
        assert not await is_there()
        await process.deliver([message("91", wamid)])
        assert await is_there()
    await asyncio.to_thread(servers.join, master)


async def test_after_a_failover_nothing_is_done_in_an_order_that_the_last_master_knew(redis_url: str) -> None:
    """Its next owner begins at the head of the stream; who still holds it from before may neither begin nor commit."""
    process = Process(redis_url).start()
    begin = process.transport.consumer._begin
    endpoint = process.client.connection_pool.connection_kwargs["endpoint"]

    async def begun_as_the_master_moves(*args: Any, **options: Any) -> Any:
        found = await begin(*args, **options)
        if not process.speaker.answered:
            endpoint.failovers += 1
        return found

    process.transport.consumer._begin = begun_as_the_master_moves  # type: ignore[assignment]
    await process.inbox.put([message("91", f"a.{n}", str(n)) for n in range(3)])
    await process.drained()
    assert process.graph.texts("91") == ["echo 0", "echo 1", "echo 2"]
    assert len(process.speaker.answered) > 3, "the turn that began before was not committed"
    await process.stop()


async def test_a_reply_that_was_marked_and_not_sent_as_the_master_moved_waits_for_no_proof_that_it_was(
    redis_url: str,
) -> None:
    process = Process(redis_url, settle_s=600).start()
    outbox, endpoint = process.transport.outbox, process.client.connection_pool.connection_kwargs["endpoint"]
    mark = outbox._sending
    marked: list[Any] = []

    async def marked_as_the_master_moved(*args: Any, **options: Any) -> Any:
        answer = await mark(*args, **options)
        if not marked:
            marked.append(answer)
            endpoint.failovers += 1
            raise RedisConnectionError("its answer was lost")
        return answer

    outbox._sending = marked_as_the_master_moved  # type: ignore[assignment]
    await process.inbox.put([message("91", "a", "0")])
    await process.drained()
    assert process.graph.keys() == {"a:1": 1}
    await process.stop()
