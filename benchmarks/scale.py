"""What a deployment is planned by: turns by number of server processes, memory of each, bytes kept, and what a turn
costs among millions of customers. `docs/capacity.md` draws on it.

Everything is measured on the running product; the millions are copies of what it wrote itself.
"""

import asyncio
import sqlite3
import statistics
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import psutil
import redis

from benchmarks import buyers, measures, webhooks
from benchmarks.graph_stand_in import GraphStandIn
from benchmarks.shop import Shop
from launch.processes import free_port

PROCESSES = (1, 2, 4)
CONVERSATIONS = 200
MAX_IDENTITIES = 1_000_000  # in Redis: 0.3 GB

# Conversations of customers who are long gone, each like one that the product wrote: a question and its answer.
GROW = """
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < :count) INSERT INTO {table} ({columns})
SELECT {values} FROM n, (SELECT * FROM {table} WHERE {template} LIMIT 1) ORDER BY i
"""
OWN = {  # what of a copy is its own
    "conversations": {"log_id": "'g' || i", "session_id": "'g' || i", "customer_id": "'8' || i",
                      "customer_phone": "'+8' || i", "resolution_status": "'resolved'"},
    "messages": {"message_key": "role || i", "log_id": "'g' || i", "message_id": "'m' || role || i"},
}  # fmt: skip
FLOORS = """
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?) INSERT INTO handoff_floor
(customer, epoch, holder) SELECT '8' || i, 1, 'bot' FROM n
"""
IDENTITIES = """
for i = ARGV[1], ARGV[2] do
  redis.call('SET', '{identity}:id:8' .. i, '8' .. i, 'EX', 7776000)
  redis.call('HSET', '{identity}:profile:8' .. i, 'wa_id', '8' .. i, 'id:8' .. i, 1)
  redis.call('EXPIRE', '{identity}:profile:8' .. i, 7776000)
end
"""


async def run(folder: Path, turns: int, customers: int) -> dict[str, Any]:
    """All rows: by number of processes, then of one shop with two."""
    rows: dict[str, Any] = {"processes": {}, "customers": customers}
    for count in PROCESSES:
        async with _open(folder / str(count), count) as (ours, started_s):
            rows["processes"][count] = await _by_processes(ours, turns, started_s)
            if count == 2:
                rows["Redis bytes a conversation"] = await _redis_bytes(ours)
                rows |= await _among(ours, customers)
    return rows


class _open:
    """A shop with so many server processes, for as long as the block runs; and how long it took to be ready."""

    def __init__(self, folder: Path, count: int) -> None:
        self._graph = GraphStandIn(free_port())
        self._shop = Shop(folder, self._graph.url, rasa_workers=count)

    async def __aenter__(self) -> tuple[measures.Ours, float]:
        await self._graph.start()
        began = time.perf_counter()
        await self._shop.start()
        took = time.perf_counter() - began
        self._meta = webhooks.Meta(self._shop.url)
        return measures.Ours(self._shop, self._graph, self._meta), took

    async def __aexit__(self, *_: object) -> None:
        self._meta.close()
        self._shop.stop()
        await self._graph.stop()


async def _by_processes(ours: measures.Ours, turns: int, started_s: float) -> dict[str, float]:
    await measures.turns_per_second(ours.ask, buyers.where_is_my_order, 40, 8)
    spent: dict[str, float] = {}
    with measures.processor_ms(ours.shop, turns, spent):
        rate = await measures.turns_per_second(ours.ask, buyers.where_is_my_order, turns, measures.CONCURRENCY)
    servers = [psutil.Process(p.running.pid).memory_full_info() for p in ours.shop.named("rasa") if p.running]
    return {
        "turns/s": rate, "processor ms/turn": sum(spent.values()), "ready s": started_s,
        "RSS MB": statistics.mean(memory.rss for memory in servers) / 1e6,
        "PSS MB": statistics.mean(memory.pss for memory in servers) / 1e6,
    }  # fmt: skip


async def _redis_bytes(ours: measures.Ours) -> float:
    """What a conversation of three turns leaves in Redis: dialogue, what can be quoted, identity, part of the log."""
    client = redis.Redis.from_url(ours.shop.redis.url)
    used = client.info("memory")["used_memory"]
    for _ in range(CONVERSATIONS // 8):
        customers = [buyers.new_customer() for _ in range(8)]
        for question in (buyers.hello, buyers.where_is_my_order, lambda _: "thank you"):
            await asyncio.gather(*(ours.ask(customer, question(customer)) for customer in customers))
    return float(client.info("memory")["used_memory"] - used) / CONVERSATIONS


@contextmanager
def _sqlite(log: Path) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(log, timeout=60)) as database, database:
        yield database


async def _among(ours: measures.Ours, customers: int) -> dict[str, Any]:
    """Milliseconds of a new customer's first turn, and processor time of processes: among few, and among many."""
    few = await _first_turns(ours)
    grown = await asyncio.to_thread(_grow, ours.shop, customers)
    turns = {"among 1,000": few, f"among {customers:,}": await _first_turns(ours)}
    return {**grown, "new customer": turns}


async def _first_turns(ours: measures.Ours, turns: int = 100) -> dict[str, float]:
    took, spent = [], dict[str, float]()
    with measures.processor_ms(ours.shop, turns, spent):
        for _ in range(turns):
            customer, began = buyers.new_customer(), time.perf_counter()
            await ours.ask(customer, buyers.where_is_my_order(customer))
            took.append((time.perf_counter() - began) * 1000)
    return {"ms": statistics.median(took), **{name: spent[name] for name in ("rasa", "worker", "redis")}}


def _grow(shop: Shop, customers: int) -> dict[str, float]:
    """Copy conversations until so many customers have had one.

    The bytes of a message, with its indexes and its share of the conversation, and those of a customer's identity.
    """
    with _sqlite(shop.folder / "conversations.db") as database:
        before = _bytes(database)
        for table, template in (("conversations", "1"), ("messages", "role = 'user'"), ("messages", "role <> 'user'")):
            names = [row[1] for row in database.execute(f"PRAGMA table_info({table})")]
            values = ", ".join(OWN[table].get(name, name) for name in names)
            grow = GROW.format(table=table, columns=", ".join(names), template=template, values=values)
            database.execute(grow, {"count": customers})
        grown = _bytes(database) - before
        database.execute(FLOORS, (customers // 10,))
    client, identities = redis.Redis.from_url(shop.redis.url, socket_timeout=60), min(customers, MAX_IDENTITIES)
    used = client.info("memory")["used_memory"]
    for start in range(0, identities, 10_000):
        client.eval(IDENTITIES, 0, start, start + 9_999)
    known = client.info("memory")["used_memory"] - used
    return {"SQL bytes a message": grown / (2 * customers), "Redis bytes an identity": known / identities}


def _bytes(database: sqlite3.Connection) -> int:
    pages, size = (database.execute(f"PRAGMA {name}").fetchone()[0] for name in ("page_count", "page_size"))
    return int(pages * size)


def lines(rows: dict[str, Any]) -> Iterator[str]:
    """The rows for people."""
    for count, found in rows["processes"].items():
        yield f"{count} server processes: " + ", ".join(f"{name} {value:.1f}" for name, value in found.items())
    yield ", ".join(f"{name} {rows[name]:.0f}" for name in rows if "bytes" in name)
    for place, found in rows["new customer"].items():
        yield f"a new customer's first turn {place}: " + ", ".join(f"{name} {ms:.1f}" for name, ms in found.items())
