"""`/metrics` tells the truth about all processes together."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import exposition
from connectors import metrics
from connectors.message_bus import keys
from connectors.message_bus.inbox import connect
from handoff.jobs.metrics import Metric
from handoff.storage.database import HandoffUnavailable
from settings import PROJECT_ROOT
from tests.conftest import free_port
from tests.connectors.message_bus.transport_fakes import Process, message

COUNT = "from connectors import metrics; metrics.TURNS.labels('answered').inc(3)"
METRICS = [
    Metric("assistant_takeovers_open", "Customers", 4),
    Metric("assistant_ticket_orders", "Jobs", 0, 'trouble="none"'),
    Metric("assistant_ticket_orders", "Jobs", 2, 'trouble="unreachable"'),
]
SHOW = "import exposition; print(exposition.of_processes().decode())"


def python(code: str, folder: Path) -> str:
    environment = {**os.environ, "PROMETHEUS_MULTIPROC_DIR": str(folder)}
    return subprocess.run(
        [sys.executable, "-c", code], env=environment, cwd=PROJECT_ROOT, check=True, capture_output=True, text=True,
        timeout=60,
    ).stdout


@pytest.mark.slow
def test_counters_of_several_processes_are_added_up_even_after_their_end(tmp_path: Path) -> None:
    python(COUNT, tmp_path)
    python(COUNT, tmp_path)
    assert 'assistant_turns_total{outcome="answered"} 6.0' in python(SHOW, tmp_path)


async def test_depth_and_age_come_from_redis(redis_url: str) -> None:
    process = Process(redis_url)
    await process.inbox.put([message("91", "a"), message("92", "b")])
    text = (await metrics.render(connect(redis_url), lambda: METRICS)).decode()
    assert "assistant_inbox_depth 2" in text
    assert "assistant_outbox_depth 0" in text
    assert "assistant_redis_up 1" in text
    assert "assistant_redis_replicas 0" in text
    assert f"assistant_partitions_unserved {keys.PARTITIONS}" in text
    assert "assistant_takeovers_open 4" in text
    assert text.count("# TYPE assistant_ticket_orders gauge") == 1
    assert 'assistant_ticket_orders{trouble="unreachable"} 2' in text


async def test_they_say_which_shop_and_which_model_answer(redis_url: str) -> None:
    running = metrics.labels(shop='Oak "&" Söhne', model="assistant-1.tar.gz")
    text = (await metrics.render(connect(redis_url), running=running)).decode()
    assert 'assistant_info{shop="Oak \\"&\\" Söhne",model="assistant-1.tar.gz"} 1\n' in text


async def test_a_partition_whose_owner_is_dead_is_unserved(redis_url: str) -> None:
    client = connect(redis_url)
    now = (await client.time())[0] * 1000
    await client.zadd(keys.MEMBERS, {"1-alive": now, "2-dead": now - 60_000})
    for partition in range(keys.PARTITIONS - 2):
        await client.set(keys.owner(partition), "2-dead:7" if partition == 0 else "1-alive:7")
    assert "assistant_partitions_unserved 3" in (await metrics.render(client)).decode()


async def test_it_answers_although_redis_and_the_database_are_away() -> None:
    def away() -> list[Metric]:
        raise HandoffUnavailable

    text = (await metrics.render(connect(f"redis://127.0.0.1:{free_port()}/0"), away)).decode()
    assert "assistant_redis_up 0" in text
    assert "assistant_takeovers_open" not in text


@pytest.mark.parametrize(("peer", "headers", "may"), [
    ("127.0.0.1", {}, True), ("::1", {}, True), ("::ffff:127.0.0.1", {}, True), ("10.1.2.3", {}, True),
    ("192.0.2.7", {}, False), ("fe80::1%eth0", {}, False), ("", {}, False), ("localhost", {}, False),
    ("127.0.0.1", {"x-forwarded-for": "192.0.2.7"}, False), ("127.0.0.1", {"via": "1.1 nginx"}, False),
    ("192.0.2.7", {"authorization": "Bearer t0k"}, True), ("127.0.0.1", {"via": "x", "authorization": "t0k"}, False),
    ("192.0.2.7", {"authorization": "Bearer t0"}, False), ("192.0.2.7", {"authorization": "Bearer tök"}, False),
])  # fmt: skip
def test_metrics_are_for_the_token_and_for_the_networks_that_are_named(
    peer: str, headers: dict[str, str], may: bool
) -> None:
    networks = "127.0.0.0/8,::1/128, 10.0.0.0/8"
    assert exposition.may_read(peer, headers, "t0k", networks) is may
    assert exposition.may_read(peer, headers, None, networks) is (may and "authorization" not in headers)
