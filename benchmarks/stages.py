"""Where a turn's processor time goes: `python -m benchmarks.stages [TEXT]`, one process, no webhook.

Runs the newest model in this process, in conversations of ten turns, against a real Redis and a real action server,
and prints the profile by stage. `--profile FILE` keeps the whole profile (for snakeviz, flameprof and the like).
"""

from __future__ import annotations

import argparse
import asyncio
import cProfile
import os
import pstats
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import settings as settings_module
import signals
from benchmarks import buyers
from benchmarks.shop import Shop
from settings import PROJECT_ROOT

TURNS_PER_CONVERSATION = 10
STAGES = (
    ("understand the message", "processor.py", "parse_message"),
    ("load the tracker", "tracker_store.py", "_load"),
    ("predict", "processor.py", "_predict_next_with_tracker"),
    ("call the action", "action.py", "run"),
    ("shape the reply", "output.py", "send_response"),
    ("serialise new events", "tracker_store.py", "_appendix"),
    ("commit", "commit.py", "commit"),
    ("all", "stages.py", "_turn"),
)


async def measure(shop: Shop, text: str, turns: int, profile: cProfile.Profile) -> None:
    """Profile that many turns of one conversation."""
    from rasa.core.channels.channel import UserMessage

    from connectors.conversations.identity import Identities
    from connectors.dialogue.output import WhatsAppOutput
    from connectors.message_bus.commit import Commits
    from connectors.message_bus.inbox import Entry, connect
    from connectors.message_bus.keyed_executor import Item
    from connectors.message_bus.partitions import Owned
    from connectors.message_bus.turn import Turn, current_turn
    from connectors.rasa_patches import graph_thread, speedups
    from connectors.server.__main__ import configure_logging
    from connectors.server.application import load_agent
    from connectors.whatsapp.rendering.messages import MessageShaper
    from connectors.whatsapp.webhook.payload_ids import PayloadSigner

    configure_logging(settings_module.load(shop.environment))
    speedups.install()
    graph_thread.uninstall()  # the profiler sees one thread
    agent = await asyncio.to_thread(load_agent, shop.models, PROJECT_ROOT / "endpoints.yml")
    client = connect(shop.redis.url)
    customers: list[str] = []
    commits, shaper = Commits(client, Identities(client)), MessageShaper(PayloadSigner("bench"))
    await client.set("wa:owner:0", "bench")

    async def _turn(number: int) -> None:
        if number % TURNS_PER_CONVERSATION == 0:
            customers.append(buyers.new_customer())
        customer = customers[-1]
        metadata: dict[str, Any] = {
            "wamid": f"w{number}", "customer": customer, "wa_id": customer, "phone": f"+{customer}",
            "kind": "text", "timestamp": int(time.time()), "received_at": time.time(), "media": [],
        }  # fmt: skip
        said = text.replace("{order}", buyers.order_of(customer))
        entry = Entry("message", customer, f"w{number}", {"text": said, "metadata": metadata})
        stream_id = await client.xadd("wa:in:0", {"c": entry.customer, "e": entry.as_json()})
        turn = Turn(entry, metadata)
        current_turn.set(turn)
        output = WhatsAppOutput(turn, shaper)
        await agent.handle_message(
            UserMessage(said, output, entry.customer, input_channel="whatsapp", message_id=entry.id, metadata=metadata)
        )
        current_turn.set(None)
        await commits.commit(Item(Owned(0, "bench"), stream_id, entry.customer, entry.as_json()), turn)

    for number in range(30):
        await _turn(number)
    profile.enable()
    for number in range(30, 30 + turns):
        await _turn(number)
    profile.disable()


def report(profile: cProfile.Profile, turns: int) -> str:
    """Milliseconds a turn by stage. The profiler itself about doubles them; the shares are what counts."""
    found = pstats.Stats(profile).stats  # type: ignore[attr-defined]
    lines = []
    for title, file, function in STAGES:
        seconds = sum(entry[3] for (path, _, name), entry in found.items() if path.endswith(file) and name == function)
        lines.append(f"{title:<26}{seconds / turns * 1000:8.2f} ms")
    return "\n".join(lines)


def main() -> int:
    signals.restore()
    parser = argparse.ArgumentParser(prog="python -m benchmarks.stages", description=__doc__)
    parser.add_argument("text", nargs="?", default="where is my order {order}")
    parser.add_argument("--turns", type=int, default=100)
    parser.add_argument("--models", type=Path, default=PROJECT_ROOT / "models")
    parser.add_argument("--profile", type=Path)
    options = parser.parse_args()
    profile = cProfile.Profile(time.process_time)
    with tempfile.TemporaryDirectory() as folder:
        shop = Shop(Path(folder), "http://127.0.0.1:9", rasa_workers=0, with_worker=False, models=options.models)
        os.environ.update(shop.environment)
        try:
            asyncio.run(_run(shop, options, profile))
        finally:
            shop.stop()
    if options.profile:
        profile.dump_stats(options.profile)
    print(report(profile, options.turns))
    return 0


async def _run(shop: Shop, options: argparse.Namespace, profile: cProfile.Profile) -> None:
    await shop.start()
    await measure(shop, options.text, options.turns, profile)


if __name__ == "__main__":
    sys.exit(main())
