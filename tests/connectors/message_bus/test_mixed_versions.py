"""Releases side by side: the one before, this one, and one that is not written yet.

The release before is the tree as it was ahead of the newest change to what is stored, taken from the history. A clone
without history skips that test; what it wrote stands here as well, in a format that is frozen.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import subprocess
import time
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest
import redis
from sqlalchemy import select

from connectors.message_bus import dead_letters, keys
from connectors.message_bus.inbox import Entry
from connectors.message_bus.sending.outgoing import Outgoing
from conversation_log.ingest import stream
from conversation_log.ingest.parsing import parse
from conversation_log.model.records import BadRecord
from conversation_log.storage import database
from conversation_log.storage.tables import messages
from handoff.jobs.ticket import request_from
from handoff.takeover.state_machine import Request
from hot_store import redis_layout
from tests import children
from tests.connectors.message_bus.log_records import dead, records
from tests.connectors.message_bus.transport_fakes import Process, eventually, message

ROOT = children.ROOT
ROOMS = ("message_bus", "stores", "conversations")
STORED = ("hot_store", "conversation_log", "handoff", *(f"connectors/{room}" for room in ROOMS))
# As releases wrote them before records carried a version.
ENTRY = {
    "kind": "message", "customer": "91", "id": "w1", "replays": 0,
    "payload": {"text": "hi", "metadata": {"wamid": "w1", "customer": "91", "wa_id": "91", "timestamp": 0}},
}  # fmt: skip
REPLY = {
    "customer": "91", "key": "w0:1", "wamid": "w0", "text": "hello", "epoch": 0, "author": "assistant",
    "body": {"messaging_product": "whatsapp", "type": "text", "text": {"body": "hello"}},
    "address": {"to": "91"}, "expires_at": 0.0, "asked_at": 0.0, "about": {},
}  # fmt: skip
RECORD = {"record": "status", "wamid": "w", "status": "read", "at": 1.0, "key": "w:1", "errors": []}


def fill(url: str, entry: dict[str, Any], reply: dict[str, Any]) -> None:
    """What a release left in inbox and outbox."""
    client, now = redis.Redis.from_url(url), time.time()
    metadata = {**ENTRY["payload"]["metadata"], "timestamp": int(now)}
    entry = {**entry, "payload": {**ENTRY["payload"], "metadata": metadata}}
    partition = keys.partition_of("91")
    client.xadd(keys.inbox_stream(partition), {"c": "91", "e": json.dumps(entry)})
    client.xadd(keys.outbox_stream(partition), {"c": "91", "e": json.dumps({**reply, "expires_at": now + 60})})


@pytest.mark.parametrize("added", [{}, {"v": 1, "new": {"field": 1}}], ids=["before versions", "newer minor"])
async def test_what_another_release_stored_is_answered_and_sent(redis_url: str, added: dict[str, Any]) -> None:
    fill(redis_url, {**ENTRY, **added}, {**REPLY, **added})
    process = Process(redis_url).start()
    await process.drained()
    await process.stop()
    assert sorted(process.graph.texts("91")) == ["echo hi", "hello"]
    assert parse(json.dumps({**RECORD, **added})) == parse(json.dumps(RECORD))
    assert request_from({**json.loads(json.dumps(Request("91", "w", "x", "HIGH", 1.0).stored())), **added}).wamid == "w"


async def test_what_only_a_newer_release_reads_is_set_aside_whole_and_replayed_by_it(
    redis_url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("REDIS_URL", redis_url)
    fill(redis_url, {**ENTRY, "v": 2}, {**REPLY, "v": 2})
    process = Process(redis_url).start()
    await process.inbox.put([message("91", "w2", "next")])
    await process.drained(3)
    assert process.graph.texts("91") == ["echo next"], "whoever writes next is answered at once"
    assert dead_letters.main(["replay"]) == 0
    assert capsys.readouterr().out.count("version 2 of a newer release") == 2, "kept, as nobody here can read them"
    monkeypatch.setattr("hot_store.record_versions.CURRENT", 2)  # the newer release
    assert dead_letters.main(["replay"]) == 0
    await process.drained()
    await process.stop()
    assert sorted(process.graph.texts("91")) == ["echo hi", "echo next", "hello"]


def test_a_newer_release_s_log_record_is_set_aside_and_its_customer_s_memory_is_as_if_forgotten() -> None:
    with pytest.raises(BadRecord, match="version 2 of a newer release"):
        parse(json.dumps({**RECORD, "v": 2}))
    for text in (json.dumps({**ENTRY, "v": "2.0"}), json.dumps({**ENTRY, "v": True}), json.dumps({**ENTRY, "v": None})):
        with pytest.raises(ValueError, match="version"):
            Entry.from_json(text)
    assert "v" in json.loads(message("91", "w").as_json())
    assert "v" in json.loads(Outgoing("91", "w:1", "w", {}, "", 0, "agent", {}, 0.0).as_json())


def test_a_database_of_a_newer_release_is_served(sql_url: str) -> None:
    engine = database.connect(sql_url)
    database.migrate(engine)
    with database.writing(engine) as connection:
        connection.exec_driver_sql(f"UPDATE {database.VERSION_TABLE} SET version_num = '9999'")
    database.migrate(engine)
    database.require_current(engine)
    engine.dispose()


def release_before(folder: Path) -> Path:
    """The tree ahead of the newest change to what is stored, uncommitted ones included."""

    def git(*arguments: str) -> str:
        found = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, timeout=30)
        if found.returncode:
            pytest.skip("this clone has no history to take the release before from")
        return found.stdout.strip()

    changed = git("status", "--porcelain", "--", *STORED)
    commit = "HEAD" if changed else f"{git('log', '-1', '--format=%h', '--', *STORED)}~1"
    packed = folder / "before.tar"
    git("archive", "-o", str(packed), commit)
    tree = folder / "before"
    tree.mkdir()
    subprocess.run(["tar", "xf", packed, "-C", tree], check=True, timeout=30)
    return tree


class Beside:
    """A process of the release whose tree this is."""

    def __init__(self, stack: contextlib.ExitStack, tree: Path, redis_url: str, database_url: str) -> None:
        script = str(ROOT / "tests/connectors/message_bus/beside.py")
        command = children.python(script, redis_url, database_url)
        pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True, "cwd": tree}
        self.process = stack.enter_context(children.child(command, {"PYTHONPATH": str(tree)}, **pipes))

    async def line(self) -> str:
        assert self.process.stdout is not None
        return (await asyncio.wait_for(asyncio.to_thread(self.process.stdout.readline), 20)).strip()

    async def put(self, customer: str, number: int) -> None:
        """A message, stored when this returns."""
        assert self.process.stdin is not None
        wamid = f"{customer}.{number}"
        print(json.dumps({"customer": customer, "wamid": wamid, "text": str(number)}), file=self.process.stdin)
        self.process.stdin.flush()
        assert await self.line() == wamid

    async def stop(self) -> None:
        self.process.terminate()
        await asyncio.to_thread(self.process.wait, 15)


@pytest.mark.slow
@pytest.mark.parametrize("upgrade", [True, False], ids=["upgrade", "taken back"])
async def test_the_release_before_and_this_one_share_redis_and_database_under_load(
    redis_url: str, tmp_path: Path, upgrade: bool
) -> None:
    before, sql = release_before(tmp_path), f"sqlite:///{tmp_path}/log.db"
    side_by_side = has_this_layout(before)
    if not (side_by_side or upgrade):
        pytest.skip("the release before has another layout of Redis, to which there is no way back")
    first, second = (before, ROOT) if upgrade else (ROOT, before)
    customers, sent = [f"9198{n:04d}" for n in range(20)], 0
    client = redis.Redis.from_url(redis_url, decode_responses=True)

    async def load(*processes: Beside) -> None:
        nonlocal sent
        for _ in range(4):
            for n, customer in enumerate(customers):
                await processes[n % len(processes)].put(customer, sent)
            sent += 1

    with contextlib.ExitStack() as stack:
        old = [Beside(stack, first, redis_url, sql) for _ in range(2)]
        assert [await one.line() for one in old] == ["ready"] * 2
        await load(*old)
        new = [Beside(stack, second, redis_url, sql) for _ in range(2)]
        ready = asyncio.gather(*(one.line() for one in new))
        if side_by_side:
            await ready
        await load(*old, *(new if ready.done() else ()))
        old[0].process.kill()
        on_its_way = sum(client.hlen(keys.sending(partition)) for partition in range(keys.PARTITIONS))
        client.delete("log:writer", stream.LEASE)  # the dead writer's runs out
        await load(old[1], *(new if ready.done() else ()))
        # A process of another layout waits for the end of this one, and takes over what waits then.
        assert ready.done() == side_by_side
        await old[1].stop()
        assert await ready == ["ready"] * 2
        await load(*new)
        expected = len(customers) * sent
        await eventually(lambda: asyncio.to_thread(lambda: client.llen("accepted") >= expected), 20)  # type: ignore[arg-type]
        await eventually(lambda: asyncio.to_thread(lambda: not records(redis_url)), 20)  # type: ignore[arg-type]
        for one in new:
            await one.stop()
    heard: dict[str, list[str]] = defaultdict(list)
    for line in client.lrange("accepted", 0, -1):
        customer, _, text = json.loads(line)
        if heard[customer][-1:] == [text] and on_its_way:
            on_its_way -= 1  # Graph had taken it when the process was killed, which nobody can know
            continue
        heard[customer].append(text)
    assert heard == {customer: [f"echo {n}" for n in range(sent)] for customer in customers}
    assert len(dead(redis_url)) == client.xlen(stream.POISON) == 0
    engine = database.connect(sql)
    with engine.connect() as connection:
        found = connection.execute(select(messages.c.message_key).where(messages.c.role == "user")).scalars().all()
    engine.dispose()
    assert sorted(found) == sorted(f"{customer}.{n}" for customer in customers for n in range(sent))


def has_this_layout(tree: Path) -> bool:
    layout = tree / "hot_store/redis_layout.py"
    return layout.exists() and f"LAYOUT = {redis_layout.LAYOUT}\n" in layout.read_text()
