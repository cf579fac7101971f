"""One process of some release: `python beside.py REDIS_URL DATABASE_URL`, from the root of that release's tree.

Takes messages as JSON lines on standard input, as the webhook would, and prints each id once it is stored; answers them
with an echo, and writes the log into the database. What its Graph accepts goes into the Redis list `accepted`. It uses
the fakes of its own tree, so it runs at any commit that has them.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
import threading
import time
from typing import Any

import redis

sys.path.insert(0, os.getcwd())

from conversation_log.ingest import hot_tier
from conversation_log.ingest.stream import EventStream
from conversation_log.ingest.writer import Writer
from conversation_log.storage import database
from tests.connectors.message_bus.transport_fakes import FakeGraph, FakeSpeaker, Process, message


class Speaker(FakeSpeaker):
    async def answer(self, turn: Any) -> None:
        await super().answer(turn)
        turn.events[-1]["timestamp"] = time.time()  # the log wants to know


def wait_for_layout(url: str) -> None:
    """A release with another layout of Redis than the one before waits until that one's processes have ended."""
    try:
        from connectors.message_bus.servers.migration import ensure
    except ImportError:
        return
    ensure(url)


async def serve(url: str, database_url: str) -> None:
    stop, accepted = asyncio.Event(), redis.Redis.from_url(url)
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)

    async def note(body: dict[str, Any]) -> None:
        line = [body["to"], body["biz_opaque_callback_data"], body["text"]["body"]]
        accepted.rpush("accepted", json.dumps(line))

    process = Process(url, Speaker(), FakeGraph(note)).start()
    writer = threading.Thread(target=write, args=(url, database_url), daemon=True)
    writer.start()
    lines = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)

    async def take() -> None:
        while line := await lines.readline():
            told = json.loads(line)
            await process.inbox.put([message(told["customer"], told["wamid"], told["text"])])
            print(told["wamid"], flush=True)

    taking = asyncio.create_task(take())
    print("ready", flush=True)
    await stop.wait()
    taking.cancel()
    await process.stop()


def write(url: str, database_url: str) -> None:
    writer = Writer(database.connect(database_url), EventStream(hot_tier.client(url)), "beside")
    while True:
        try:
            pause_s = writer.step(100)
        except redis.RedisError:
            pause_s = 1.0
        time.sleep(min(pause_s, 0.2) or 0.05)


wait_for_layout(sys.argv[1])
asyncio.run(serve(*sys.argv[1:]))
