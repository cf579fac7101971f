"""Another server counts as the master once most of those who know say so; what few tell late begins nothing anew."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import ResponseError

from connectors.message_bus.servers import sentinels as sentinels_module
from connectors.message_bus.servers.cluster import ATTEMPTS, ClusterRedis
from connectors.message_bus.servers.sentinels import CONFIRM_S, Sentinels
from connectors.message_bus.servers.slots import Place
from hot_store import redis_address

OLD, NEW = ("old", 1), ("new", 1)


class Asked(Sentinels):
    """Three sentinels that name what they are told to name, None when they do not answer in time."""

    def __init__(self, *named: Place | None) -> None:
        super().__init__(redis_address.parse("redis+sentinel://a:1,b:1,c:1/shop"))
        self.named = named

    async def _named_by(self, client: Any) -> Place | None:
        return self.named[self._clients.index(client)]

    async def says(self, *named: Place | None) -> Place:
        self.named, self._found_at = named, float("-inf")
        return await self.master()


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    now = [1000.0]
    monkeypatch.setattr(sentinels_module.time, "monotonic", lambda: now[0])
    return now


async def test_one_sentinel_that_answers_late_makes_no_master(clock: list[float]) -> None:
    asked = Asked()
    assert await asked.says(OLD, OLD, OLD) == OLD
    assert await asked.says(OLD, NEW, NEW) == NEW
    for _ in range(3):
        assert await asked.says(OLD, None, None) == NEW
        assert await asked.says(OLD, NEW, None) == NEW
        clock[0] += CONFIRM_S
    with pytest.raises(RedisConnectionError):
        await asked.says(None, None, None)


async def test_what_the_only_sentinel_left_says_counts_after_a_while(clock: list[float]) -> None:
    asked = Asked()
    assert await asked.says(OLD, OLD, OLD) == OLD
    assert await asked.says(None, NEW, None) == OLD
    clock[0] += CONFIRM_S
    assert await asked.says(None, NEW, None) == NEW


class Node:
    """A server of a cluster of two masters: who has the slots as it knows it, and how it answers commands."""

    def __init__(self, place: Place) -> None:
        self.place, self.slots, self.silent, self.cuts = place, OLD, False, 0
        self.durability, self.connection_pool = SimpleNamespace(has_replicas=False), None
        self.answers: list[Any] = []
        self.batches: list[list[Any]] = []

    async def execute_command(self, *arguments: Any, **options: Any) -> Any:
        if self.silent:
            raise RedisConnectionError("gone")
        return [[0, 8191, list(self.slots)], [8192, 16383, ["b", 1]]]

    async def batch(self, commands: list[Any], durably: bool = False) -> list[Any]:
        self.batches.append(list(commands))
        return [self.answers.pop(0) if self.answers else self.place for _ in commands]

    def cut(self) -> None:
        self.cuts += 1


class Cluster:
    def __init__(self) -> None:
        self.nodes = {place: Node(place) for place in (OLD, NEW, ("b", 1), ("c", 1), ("d", 1))}
        self.client = ClusterRedis(list(self.nodes), self.nodes.__getitem__)  # type: ignore[arg-type]

    async def look(self) -> int:
        """The failovers known after a look."""
        self.client._polled_at = float("-inf")
        await self.client._poll()
        return self.client.failovers


@pytest.fixture
async def cluster() -> Any:
    made = Cluster()
    await made.look()
    yield made
    if made.client._watching is not None:
        made.client._watching.cancel()


async def test_a_server_that_hears_late_of_a_new_master_begins_nothing_anew(cluster: Cluster) -> None:
    for node in cluster.nodes.values():
        node.slots = NEW
    cluster.nodes[OLD].silent = True
    assert await cluster.look() == 1
    cluster.nodes[OLD].silent, cluster.nodes[OLD].slots = False, OLD
    for _ in range(30):  # whom a look asks first is chance
        assert await cluster.look() == 1
    assert cluster.client._map.masters[0] == NEW


async def test_what_the_servers_do_not_agree_on_stays_as_it_was(cluster: Cluster) -> None:
    for place in (NEW, ("b", 1)):
        cluster.nodes[place].slots = NEW
    cluster.nodes[("d", 1)].silent = True
    for _ in range(10):
        assert await cluster.look() == 0


async def test_all_that_was_sent_to_the_wrong_server_goes_together_to_the_right_one(cluster: Cluster) -> None:
    names = [f"{{key}}{n}" for n in range(200)]
    old, new = cluster.nodes[OLD], cluster.nodes[("b", 1)]
    slot = 12539  # of {key}
    cluster.client._map.masters[slot] = OLD
    old.answers = [ResponseError(f"MOVED {slot} b:1")] * 100 + [ResponseError(f"ASK {slot} d:1")] * 100
    answers = await cluster.client.batch([("GET", name) for name in names])
    assert answers == [("b", 1)] * 100 + [("d", 1)] * 100
    assert [len(batch) for batch in new.batches] == [100]
    assert [len(batch) for batch in cluster.nodes[("d", 1)].batches] == [200], "each after its ASKING"


async def test_while_nobody_serves_a_thousand_commands_are_refused_as_soon_as_one(cluster: Cluster) -> None:
    node = cluster.nodes[("b", 1)]
    node.answers = [ResponseError("CLUSTERDOWN Hash slot not served")] * 100_000
    cluster.client._map.masters[:] = [("b", 1)] * len(cluster.client._map.masters)
    answers = await cluster.client.batch([("GET", f"k{n}") for n in range(1000)])
    assert all(isinstance(answer, ResponseError) for answer in answers)
    assert len(node.batches) == ATTEMPTS
    await asyncio.sleep(0)
