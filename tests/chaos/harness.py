"""Hundreds of customers write while processes are killed; what the stand-ins saw decides."""

from __future__ import annotations

import asyncio
import random
import signal
import time
from collections import Counter, defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import redis.asyncio

from benchmarks import webhooks
from benchmarks.graph_stand_in import Accepted
from benchmarks.shop import Shop
from connectors.message_bus import keys
from connectors.message_bus.inbox import connect
from launch.processes import free_port
from tests.chaos.failing_graph import FailingGraph
from tests.known_pages import bring_pages

QUESTIONS = ("hello", "where is my order 10234", "what is your return policy", "thanks", "track order 10999", "bye")
VICTIMS = ("rasa", "actions", "redis", "worker", "rasa hangs", "redis hangs")
OF_SEVERAL = ("redis", "rasa", "redis hangs", "worker", "redis", "rasa hangs")
"""Where several servers of Redis run: what dies of them is a master."""
HANG_S = 12.0  # several leases


@dataclass(frozen=True)
class Plan:
    """How much happens: `kills` are spread over the time that the customers write."""

    customers: int = 300
    messages: int = 6
    seconds: float = 120.0
    kills: int = 12
    settle_s: float = 240.0
    victims: tuple[str, ...] = VICTIMS


@dataclass
class Outcome:
    """What the stand-ins saw."""

    asked: dict[str, list[str]]
    unordered: set[str]
    answers: list[Accepted]
    kills: list[tuple[float, str]]
    seconds: float
    redelivered: int
    dead: list[str]
    left: int
    hidden: set[str]

    @property
    def unanswered(self) -> list[str]:
        """Messages without any answer."""
        answered = {answer.key.rpartition(":")[0] for answer in self.answers}
        return [wamid for wamids in self.asked.values() for wamid in wamids if wamid not in answered]

    @property
    def doubled(self) -> list[str]:
        """Replies that were accepted more than once although the sender could know the first outcome.

        Known is what was answered by the stand-in a second or more before the sender, or Redis, was killed.
        """
        accepts: dict[str, list[Accepted]] = defaultdict(list)
        for answer in self.answers:
            accepts[answer.key].append(answer)
        return [key for key, found in accepts.items() if len(found) > 1 and not self._in_doubt(found[:-1])]

    def _in_doubt(self, earlier: list[Accepted]) -> bool:
        moments = [at for at, name in self.kills if name.startswith(("rasa", "redis"))]
        return all(
            accepted.wamid in self.hidden or any(abs(at - accepted.at) <= 2 for at in moments) for accepted in earlier
        )

    @property
    def disordered(self) -> list[str]:
        """Customers whose first answers did not come in the order of their messages."""
        first: dict[str, list[str]] = defaultdict(list)
        for answer in self.answers:
            wamid = answer.key.rpartition(":")[0]
            if wamid not in first[answer.customer]:
                first[answer.customer].append(wamid)
        return [
            customer
            for customer, wamids in self.asked.items()
            if customer not in self.unordered and first[customer] != [w for w in wamids if w in first[customer]]
        ]

    def summary(self) -> str:
        """A few lines for people."""
        counts = Counter(name for _, name in self.kills if not name.endswith("is back"))
        twice = sum(1 for count in Counter(a.key for a in self.answers).values() if count > 1)
        return (
            f"{sum(map(len, self.asked.values()))} messages of {len(self.asked)} customers in {self.seconds:.0f} s, "
            f"{len(self.answers)} replies accepted, killed: {dict(counts)}, redelivered webhooks: {self.redelivered}\n"
            f"unanswered {len(self.unanswered)}, doubled {len(self.doubled)} "
            f"(in doubt and doubled: {twice - len(self.doubled)}), out of order {len(self.disordered)}, "
            f"left in inbox and outbox {self.left}, dead letters {self.dead}\n"
            f"first of them: {self.unanswered[:5]} {self.disordered[:5]} {self.doubled[:5]}; accepted: "
            f"{[(a.key, time.ctime(a.at)[11:19], a.wamid) for a in self.answers if a.key in self.doubled[:5]]}, "
            f"killed: {[(time.ctime(at)[11:19], name) for at, name in self.kills]}"
        )


async def run(plan: Plan, folder: Path, seed: int = 1, say: Any = print, **shop_options: Any) -> Outcome:
    """Start a shop, let it suffer, wait until it has answered, and report."""
    chance = random.Random(seed)
    graph = FailingGraph(free_port(), random.Random(seed))
    shop = Shop(folder, graph.url, **shop_options)
    bring_pages(folder)
    await graph.start()
    try:
        say("starting the shop …")
        await shop.start()
        return await _suffer(plan, shop, graph, webhooks.Meta(shop.url, timeout_s=5), chance, say)
    finally:
        shop.stop()
        await graph.stop()


async def _suffer(
    plan: Plan, shop: Shop, graph: FailingGraph, meta: webhooks.Meta, chance: random.Random, say: Any
) -> Outcome:
    graph.report_status = lambda body: _deliver(meta, body, chance)
    asked = {
        f"9198{n:08d}": [f"wamid.in.{n}.{m}" for m in range(plan.messages)] for n in range(plan.customers)
    }
    unordered = {customer for n, customer in enumerate(asked) if n % 5 == 0}
    kills: list[tuple[float, str]] = []
    began = time.time()
    writers = [
        _write(plan, customer, wamids, customer in unordered, meta, random.Random(customer))
        for customer, wamids in asked.items()
    ]
    await asyncio.gather(_kill(plan, shop, kills, chance, say), *writers)
    say(f"all written and killed after {time.time() - began:.0f} s; waiting for the answers …")
    client = connect(shop.redis.url)
    left = await _settled(client, plan.settle_s)
    letters = [one for p in range(keys.PARTITIONS) for one in await client.xrange(keys.dead_stream(p))]
    dead = [str(fields.get("j"))[-120:] for _, fields in letters]
    return Outcome(
        asked, unordered, list(graph.accepted), kills, time.time() - began, meta.refused, dead, left,
        graph.hidden,
    )


async def _write(
    plan: Plan, customer: str, wamids: list[str], at_once: bool, meta: webhooks.Meta, chance: random.Random
) -> None:
    """One customer: messages in order, each stored before the next, or all at once; some delivered twice."""

    async def send(number: int, wamid: str) -> None:
        text = QUESTIONS[(number + hash(customer)) % len(QUESTIONS)]
        body = webhooks.notification([webhooks.text_message(customer, wamid, text)])
        await _deliver(meta, body, chance)
        if chance.random() < 0.15:
            await asyncio.gather(_deliver(meta, body, chance), _deliver(meta, body, chance))

    pause = plan.seconds / plan.messages
    await asyncio.sleep(chance.uniform(0, pause))
    if at_once:
        await asyncio.gather(*(send(n, wamid) for n, wamid in enumerate(wamids)))
        return
    for number, wamid in enumerate(wamids):
        await send(number, wamid)
        await asyncio.sleep(chance.uniform(0, 1.6 * pause))


async def _deliver(meta: webhooks.Meta, body: bytes, chance: random.Random) -> None:
    """Like Meta: again and again until it is answered with 200."""
    while await meta.post(body) != 200:
        meta.refused += 1
        await asyncio.sleep(chance.uniform(0.2, 1.5))


async def _kill(plan: Plan, shop: Shop, kills: list[tuple[float, str]], chance: random.Random, say: Any) -> None:
    for number in range(plan.kills):
        await asyncio.sleep(plan.seconds / (plan.kills + 1) * chance.uniform(0.7, 1.3))
        victim = plan.victims[number % len(plan.victims)]
        name, _, hangs = victim.partition(" ")
        say(victim if hangs else f"kill -9 {victim}")
        kills.append((time.time(), victim))
        if name == "redis":
            await asyncio.to_thread(shop.redis.hang if hangs else shop.redis.restart)
        elif hangs:
            process = chance.choice(shop.named(name))
            process.signal(signal.SIGSTOP)
            await asyncio.sleep(HANG_S)
            process.signal(signal.SIGCONT)
        else:
            process = chance.choice(shop.named(name))
            await asyncio.to_thread(process.kill)
            await asyncio.sleep(chance.uniform(0, 1))
            process.start()
        kills.append((time.time(), f"{name} is back"))


async def _settled(client: redis.asyncio.Redis, timeout_s: float) -> int:
    """Wait until inbox and outbox are empty. Returns how many entries were left."""
    deadline = time.monotonic() + timeout_s
    streams = [name(p) for name in (keys.inbox_stream, keys.outbox_stream) for p in range(keys.PARTITIONS)]
    left = -1
    while left != 0 and time.monotonic() < deadline:
        left = sum(await client.batch([("XLEN", stream) for stream in streams]))
        await asyncio.sleep(0.5)
    return left
