"""`python -m benchmarks` (`make bench`): our assistant against stock Rasa with the same model, in one run.

Rounds alternate, so that a busy machine is unfair to both alike. Writes results/bench.json and results/bench.png.
"""

import argparse
import asyncio
import json
import os
import statistics
import sys
import tempfile
from pathlib import Path
from typing import Any

import signals
from benchmarks import buyers, measures, scale, webhooks
from benchmarks.graph_stand_in import GraphStandIn
from benchmarks.plot import draw
from benchmarks.shop import Shop
from benchmarks.stock import StockRasa
from launch.processes import free_port, newest_model
from settings import PROJECT_ROOT

LENGTHS = (1, 10, 100, 1000)
QUESTIONS = {"domain answer": buyers.hello, "order look-up": buyers.where_is_my_order}


async def run(options: argparse.Namespace, folder: Path) -> dict[str, Any]:
    """All measurements."""
    model = newest_model()
    if model is None:
        raise SystemExit("There is no model in models/. Remedy: `make train`.")
    graph = GraphStandIn(free_port())
    shop = Shop(folder, graph.url, rasa_workers=options.workers)
    stock = StockRasa(shop, model)
    await graph.start()
    try:
        print("starting both …", file=sys.stderr)
        await shop.start()
        return await _measure(options, measures.Ours(shop, graph, webhooks.Meta(shop.url)), stock)
    finally:
        shop.stop()
        await graph.stop()


async def _measure(options: argparse.Namespace, ours: measures.Ours, stock: StockRasa) -> dict[str, Any]:
    results: dict[str, Any] = {"cores": os.cpu_count(), "workers": options.workers, "load": os.getloadavg()[0]}

    async def ask_stock(customer: str, text: str) -> str:
        return str((await stock.ask(customer, text))[0]["text"])

    await _agree(ask_stock, ours.ask)
    for question in QUESTIONS.values():  # warm both up
        await measures.turns_per_second(ask_stock, question, 10, 2)
        await measures.turns_per_second(ours.ask, question, 20, 4)
    for name, question in QUESTIONS.items():
        rates: dict[str, list[float]] = {"stock": [], "ours": []}
        for _ in range(options.rounds):
            rates["stock"].append(await measures.turns_per_second(ask_stock, question, options.turns // 3, 8))
            spent: dict[str, float] = {}
            with measures.processor_ms(ours.shop, options.turns, spent):
                rate = await measures.turns_per_second(ours.ask, question, options.turns, options.concurrency)
            rates["ours"].append(rate)
            results[f"processor ms/turn, {name}"] = spent
        results[f"turns/s, {name}"] = {side: statistics.median(found) for side, found in rates.items()}
        print(name, rates, file=sys.stderr)
    # A customer who asks for an order again and again is handed to a person; one who says hello is not.
    results["ms per turn"] = {
        "stock": await measures.stock_conversation(stock, "hello", LENGTHS),
        "ours": await measures.our_conversation(ours, "hello", LENGTHS),
    }
    print(results["ms per turn"], file=sys.stderr)
    question = buyers.where_is_my_order
    results["ms per turn, log"] = await measures.with_and_without_log(ours, question)
    took = await measures.acknowledgement_ms(ours, question, options.rate, options.seconds)
    await measures.drained(ours)
    results["acknowledgement ms"] = {
        "p50": measures.quantile(took, 0.5), "p99": measures.quantile(took, 0.99),
        "messages/s": options.rate, "stored": len(took),
    }  # fmt: skip
    results["burst"] = {"messages": options.burst, **await measures.burst(ours, question, options.burst)}
    results["batch of 1000, s"] = await measures.batch_seconds(ours, question, 1000)
    results["memory MB"] = measures.memory_mb(ours.shop)
    return results


async def _agree(*sides: measures.Ask) -> None:
    """Both must find the order. Raises RuntimeError: rates of something else would say nothing."""
    for ask in sides:
        customer = buyers.new_customer()
        answer = await ask(customer, buyers.where_is_my_order(customer))
        if buyers.order_of(customer) not in answer or "Delhivery" not in answer:
            raise RuntimeError(f"this does not answer the question: {answer}")


def table(results: dict[str, Any]) -> str:
    """The results for people."""
    lines = [f"{results['workers']} Rasa processes of ours, 1 of stock, on {results['cores']} cores", ""]
    for name in QUESTIONS:
        found = results[f"turns/s, {name}"]
        lines.append(
            f"{name:<16} stock {found['stock']:6.1f} turns/s   ours {found['ours']:6.1f}   "
            f"× {found['ours'] / found['stock']:.1f}"
        )
    stock, ours = results["ms per turn"]["stock"], results["ms per turn"]["ours"]
    for name in QUESTIONS:
        spent = results[f"processor ms/turn, {name}"]
        lines.append(f"{name}, processor ms a turn: " + ", ".join(f"{kind} {ms:.1f}" for kind, ms in spent.items()))
    for length in LENGTHS:
        lines.append(f"turn {length:<11} stock {stock[length]:6.0f} ms        ours {ours[length]:6.0f}")
    lines.append(f"turn 1000 / turn 10: stock {stock[1000] / stock[10]:.1f}, ours {ours[1000] / ours[10]:.2f}")
    log = results["ms per turn, log"]
    lines.append(f"order look-up with the log {log['on']:.1f} ms, with its writer stopped {log['off']:.1f}")
    ack = results["acknowledgement ms"]
    lines.append(
        f"acknowledgement at {ack['messages/s']:.0f}/s: p50 {ack['p50']:.0f} ms, p99 {ack['p99']:.0f} ms "
        f"({ack['stored']} stored)"
    )
    burst = results["burst"]
    lines.append(
        f"{burst['messages']} webhooks at once acknowledged: p50 {burst['p50']:.0f} ms, p99 {burst['p99']:.0f} ms "
        f"(processor ms each: servers {burst['server ms']:.2f}, generator {burst['generator ms']:.2f})"
    )
    lines.append(f"their answers {burst['turns/s']:.1f} turns/s, those of a tenth {burst['turns/s of few']:.1f}")
    lines.append(f"batch of 1000 answered in {results['batch of 1000, s']:.1f} s")
    lines.append("memory MB: " + ", ".join(f"{name} {mb:.0f}" for name, mb in results["memory MB"].items()))
    return "\n".join([*lines, *(scale.lines(results["scale"]) if "scale" in results else ())])


def main() -> int:
    signals.restore()
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--turns", type=int, default=400, help="of ours in a round; a third of it for stock")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--concurrency", type=int, default=measures.CONCURRENCY)
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--rate", type=float, default=80, help="messages/s while acknowledgements are timed")
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--burst", type=int, default=3000, help="webhooks that are posted at once")
    parser.add_argument("--customers", type=int, default=1_000_000, help="known when the last ones write; 0: no scale")
    parser.add_argument("--keep", type=Path, help="folder for the processes' logs (default: a temporary one)")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        kept = options.keep or Path(temporary)
        results = asyncio.run(run(options, kept))
        if options.customers:
            results["scale"] = asyncio.run(scale.run(kept / "scale", options.turns, options.customers))
    folder = PROJECT_ROOT / "results"
    folder.mkdir(exist_ok=True)
    (folder / "bench.json").write_text(json.dumps(results, indent=2))
    draw(results, folder / "bench.png")
    print(table(results))
    return 0


if __name__ == "__main__":
    sys.exit(main())
