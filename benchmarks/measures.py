"""What is measured, on either side."""

import asyncio
import contextlib
import os
import signal
import statistics
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import psutil

from benchmarks import buyers, webhooks
from benchmarks.buyers import Question
from benchmarks.graph_stand_in import Accepted, GraphStandIn
from benchmarks.shop import Shop
from benchmarks.stock import StockRasa
from connectors.message_bus import keys
from connectors.message_bus.connections import connect

Ask = Callable[[str, str], Awaitable[str]]

CONCURRENCY = 16
_numbers = count(1)


def quantile(values: list[float], share: float) -> float:
    """The value below which this share of the values lies."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


@dataclass
class Ours:
    """Our assistant, seen from outside: signed webhooks in, messages accepted by the Graph stand-in out."""

    shop: Shop
    graph: GraphStandIn
    meta: webhooks.Meta
    answered: dict[str, asyncio.Future[str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.graph.on_accepted = self._accepted

    def _accepted(self, accepted: Accepted) -> None:
        answer = self.answered.get(accepted.key.rpartition(":")[0])
        if answer is not None and not answer.done():
            answer.set_result(accepted.text)

    async def ask(self, customer: str, text: str) -> str:
        """One turn: the first message of the answer. Raises RuntimeError when the webhook is refused."""
        wamid = f"wamid.bench.{next(_numbers)}"
        answer = self.answered[wamid] = asyncio.get_running_loop().create_future()
        status = await self.meta.post(webhooks.notification([webhooks.text_message(customer, wamid, text)]))
        if status != 200:
            raise RuntimeError(f"the webhook was answered with {status}")
        text = await asyncio.wait_for(answer, 120)
        del self.answered[wamid]
        return text


async def turns_per_second(ask: Ask, question: Question, turns: int, concurrency: int) -> float:
    """Turns of different customers, `concurrency` at a time."""
    waiting = iter([buyers.new_customer() for _ in range(turns)])

    async def talk() -> None:
        for customer in waiting:
            await ask(customer, question(customer))

    begin = time.perf_counter()
    await asyncio.gather(*(talk() for _ in range(concurrency)))
    return turns / (time.perf_counter() - begin)


async def turn_ms(ask: Callable[[], Any], times: int = 5) -> float:
    """Median milliseconds of one turn with nothing else going on."""
    took = []
    for _ in range(times):
        begin = time.perf_counter()
        await ask()
        took.append((time.perf_counter() - begin) * 1000)
    return statistics.median(took)


async def our_conversation(ours: Ours, text: str, lengths: tuple[int, ...]) -> dict[int, float]:
    """Milliseconds of a turn when the conversation has that many."""
    customer = buyers.new_customer()
    done, found = 0, {}
    for length in lengths:
        while done < length - 1:
            await ours.ask(customer, text)
            done += 1
        times = 1 if length == 1 else 5
        found[length] = await turn_ms(lambda: ours.ask(customer, text), times)
        done += times
    return found


async def stock_conversation(stock: StockRasa, text: str, lengths: tuple[int, ...]) -> dict[int, float]:
    """The same for stock Rasa, whose long conversations are made by repeating ten turns.

    Without metadata, in stock Rasa's favour: with it, turn 1000 takes minutes (see StockRasa.ask).
    """
    customer = buyers.new_customer()
    found = {}
    for length in lengths:
        if length > 10:
            await asyncio.to_thread(stock.lengthen, customer, length - 1)
        elif length > 1:
            for _ in range(length - 2):
                await stock.ask(customer, text, False)
        times = 1 if length == 1 else 5
        found[length] = await turn_ms(lambda: stock.ask(customer, text, False), times)
    return found


async def with_and_without_log(ours: Ours, question: Question, rounds: int = 5, turns: int = 20) -> dict[str, float]:
    """Median milliseconds of a turn while the log's writer works, and while it stands still; rounds alternate."""
    worker = ours.shop.named("worker")[0].running
    assert worker is not None
    took: dict[str, list[float]] = {"on": [], "off": []}
    try:
        for side in [*took] * rounds:
            os.kill(worker.pid, signal.SIGCONT if side == "on" else signal.SIGSTOP)
            for _ in range(turns):
                customer = buyers.new_customer()
                begin = time.perf_counter()
                await ours.ask(customer, question(customer))
                took[side].append((time.perf_counter() - begin) * 1000)
    finally:
        os.kill(worker.pid, signal.SIGCONT)
    return {side: statistics.median(values) for side, values in took.items()}


async def acknowledgement_ms(ours: Ours, question: Question, rate: float, seconds: float) -> list[float]:
    """Milliseconds of each acknowledgement, `rate` messages a second whether they are answered yet or not."""
    took: list[float] = []

    async def one(number: int) -> None:
        wamid, customer = f"wamid.ack.{next(_numbers)}", buyers.new_customer()
        body = webhooks.notification([webhooks.text_message(customer, wamid, question(customer))])
        begin = time.perf_counter()
        if await ours.meta.post(body) == 200:
            took.append((time.perf_counter() - begin) * 1000)

    tasks = []
    began = time.perf_counter()
    for number in range(int(rate * seconds)):
        await asyncio.sleep(max(0.0, began + number / rate - time.perf_counter()))
        tasks.append(asyncio.create_task(one(number)))
    await asyncio.gather(*tasks)
    return took


async def drained(ours: Ours, timeout_s: float = 300) -> None:
    """Wait until inbox and outbox are empty."""
    client = connect(ours.shop.redis.url)
    streams = [name(p) for name in (keys.inbox_stream, keys.outbox_stream) for p in range(keys.PARTITIONS)]
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline:
        if not any(await client.batch([("XLEN", stream) for stream in streams])):
            await client.close()
            return
        await asyncio.sleep(0.1)
    raise TimeoutError("not everything was answered")


async def batch_seconds(ours: Ours, question: Question, messages: int) -> float:
    """One webhook with that many messages, two of each customer, until every one is answered."""
    customers = [buyers.new_customer() for _ in range(messages // 2)] * 2
    batch = [webhooks.text_message(c, f"wamid.batch.{next(_numbers)}", question(c)) for c in customers]
    begin = time.perf_counter()
    if await ours.meta.post(webhooks.notification(batch)) != 200:
        raise RuntimeError("the batch was refused")
    await drained(ours)
    return time.perf_counter() - begin


async def burst(ours: Ours, question: Question, messages: int) -> dict[str, float]:
    """That many webhooks at once: milliseconds to each acknowledgement, and the rate at which all are answered.

    Beside the rate of a tenth of them, and with the processor time that the servers and this generator take for one.
    """
    few = await turns_per_second(ours.ask, question, messages // 10, messages // 10)
    customers = [buyers.new_customer() for _ in range(messages)]
    texts = [webhooks.text_message(c, f"wamid.burst.{next(_numbers)}", question(c)) for c in customers]
    spent: dict[str, float] = {}
    began, own = time.perf_counter(), time.process_time()
    with processor_ms(ours.shop, messages, spent):
        took = await webhooks.at_once(ours.shop.rasa_port, [webhooks.notification([text]) for text in texts])
    own = time.process_time() - own
    await drained(ours)
    return {
        "p50": quantile(took, 0.5) * 1000, "p99": quantile(took, 0.99) * 1000, "server ms": spent["rasa"],
        "generator ms": own * 1000 / messages,
        "turns/s": messages / (time.perf_counter() - began), "turns/s of few": few,
    }  # fmt: skip


@contextlib.contextmanager
def processor_ms(shop: Shop, turns: int, found: dict[str, float]) -> Iterator[None]:
    """Processor milliseconds a turn of each kind of process, while the block runs that many turns."""
    before = _processor_s(shop)
    yield
    for name, seconds in _processor_s(shop).items():
        kind = name.partition("-")[0]
        found[kind] = found.get(kind, 0.0) + (seconds - before[name]) * 1000 / turns


def _processor_s(shop: Shop) -> dict[str, float]:
    times = {name: process.cpu_times() for name, process in _running(shop).items() if name != "stock"}
    return {name: spent.user + spent.system for name, spent in times.items()}


def memory_mb(shop: Shop) -> dict[str, float]:
    """Resident megabytes of each process."""
    return {name: process.memory_info().rss / 1e6 for name, process in _running(shop).items()}


def _running(shop: Shop) -> dict[str, psutil.Process]:
    found = {p.name: psutil.Process(p.running.pid) for p in shop.processes if p.running is not None}
    server = getattr(shop.redis, "process", None)
    if server is not None:
        found["redis"] = psutil.Process(server.pid)
    return found
