"""Stock Rasa with stock parts, for comparison: Redis tracker and lock store, SQL event broker, REST channel."""

import json
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import redis

from benchmarks.shop import Process, Shop
from benchmarks.webhooks import calls_of
from launch.processes import answers, free_port

ENDPOINTS = """
action_endpoint: {{url: "http://127.0.0.1:{action_port}/webhook"}}
tracker_store: {{type: redis, url: 127.0.0.1, port: {redis_port}, db: 1, record_exp: 86400}}
lock_store: {{type: redis, url: 127.0.0.1, port: {redis_port}, db: 2}}
event_broker: {{type: SQL, dialect: sqlite, db: {events}}}
"""


class StockRasa:
    """One `rasa run` beside the shop, with the same model, action server and Redis."""

    def __init__(self, shop: Shop, model: Path) -> None:
        self.port = free_port()
        self._calls = calls_of(f"http://127.0.0.1:{self.port}")
        self._redis_port = urlsplit(shop.redis.url).port or 0
        endpoints, credentials = shop.folder / "stock_endpoints.yml", shop.folder / "stock_credentials.yml"
        endpoints.write_text(
            ENDPOINTS.format(
                action_port=shop.action_port, redis_port=self._redis_port, events=shop.folder / "stock_events.db"
            )
        )
        credentials.write_text("rest:\n")
        command = ["-m", "rasa", "run", "--model", str(model), "--endpoints", str(endpoints)]
        command += ["--credentials", str(credentials), "-i", "127.0.0.1", "-p", str(self.port)]
        url = f"http://127.0.0.1:{self.port}/webhooks/rest/"
        self.process: Process = shop.python("stock", command, lambda: answers(url))

    async def ask(self, sender: str, text: str, with_metadata: bool = True) -> list[dict[str, Any]]:
        """One turn. With metadata, stock Rasa keeps an event before the session's start and from then on compares
        all stored events with all others on every save, which is quadratic."""
        metadata = {"wa_id": sender, "phone": f"+{sender}", "wamid": f"w{time.monotonic_ns()}", "customer": sender,
                    "kind": "text", "timestamp": int(time.time())}  # fmt: skip
        body = {"sender": sender, "message": text, "metadata": metadata if with_metadata else None}
        answer = (await self._calls.post("/webhooks/rest/webhook", json.dumps(body).encode(), {})).body
        return list(json.loads(answer))

    def lengthen(self, sender: str, turns: int) -> None:
        """Make the stored conversation as long as if it had that many turns, by repeating the turns it has."""
        client = redis.Redis(port=self._redis_port, db=1)
        name = f"tracker:{sender}"
        stored = json.loads(client.get(name) or "{}")
        events = stored["events"]
        starts = [index for index, event in enumerate(events) if event["event"] == "user"]
        head, body, have = events[: starts[0]], events[starts[0] :], len(starts)
        repeated = (body * (turns // have + 1))[: len(body) * turns // have]
        now = time.time()
        for position, event in enumerate(repeated):
            event = repeated[position] = dict(event)
            event["timestamp"] = now - (len(repeated) - position) * 0.01
        stored["events"] = head + repeated
        client.set(name, json.dumps(stored))
