"""Prometheus metrics, correct with several processes: each writes its counters into a shared folder, any can serve all.

What Redis knows (depths, ages) is read when `/metrics` is asked for, so that no process needs to be alive for it. Any
process started with PROMETHEUS_MULTIPROC_DIR may add metrics of its own; they appear here too.
"""

import asyncio
import json
import logging
import random
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from prometheus_client import Counter, Histogram
from redis.exceptions import RedisError

import exposition
from connectors.message_bus import keys, partitions
from connectors.message_bus.connections import FollowingRedis
from connectors.message_bus.inbox import Entry, Inbox
from handoff.jobs.metrics import Metric
from handoff.takeover.inbox_entries import is_agents

log = logging.getLogger(__name__)

_QUICK = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5)
_SLOW = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 40)

RECEIVED = Counter("assistant_messages_received", "Messages stored in the inbox, by kind", ["kind"])
OTHER_CHANGES = Counter("assistant_other_changes", "What webhooks told and nothing follows from, by its name", ["name"])
SENT = Counter("assistant_replies", "Replies whose fate is known", ["outcome", "author"])
TURNS = Counter("assistant_turns", "Inbox entries that were finished or tried", ["outcome"])
MEDIA = Counter("assistant_media", "Voice notes and pictures that were to be read", ["kind", "outcome"])
GRAPH_ERRORS = Counter("assistant_graph_errors", "Refused or failed calls of the Graph API", ["error_class"])
PARKED = Counter("assistant_sending_parked", "How often sending was stopped, of all or of one reply", ["error_class"])
FAILED = Counter("assistant_failed_statuses", "Messages that WhatsApp accepted and did not deliver", ["code", "author"])
WEBHOOK_SECONDS = Histogram("assistant_webhook_seconds", "Acknowledgement of a webhook", ["status"], buckets=_QUICK)
TURN_SECONDS = Histogram("assistant_turn_seconds", "One turn, from its start to its commit", buckets=_SLOW)
ANSWER_SECONDS = Histogram("assistant_answer_seconds", "From the webhook to Graph's acceptance", buckets=_SLOW)


class CountingInbox(Inbox):
    """An inbox that counts what comes in."""

    async def put(self, entries: Sequence[Entry], records: Sequence[dict[str, Any]] = ()) -> int:
        stored = await super().put(entries, records)
        for entry in entries:
            metadata = entry.payload.get("metadata") or {}
            RECEIVED.labels(str(metadata.get("kind") or entry.kind)).inc()
        for record in records:
            RECEIVED.labels(str(record.get("kind") or record.get("record"))).inc()
            if record.get("status") == "failed":
                FAILED.labels(*_failure(record)).inc()
        return stored


def _failure(record: dict[str, Any]) -> tuple[str, str]:
    """Meta's code of a `failed` status, and whose words they were."""
    code = next((error["code"] for error in record.get("errors") or [] if error.get("code") is not None), "none")
    return str(code), "agent" if is_agents(str(record.get("key") or "")) else "assistant"


async def render(
    client: FollowingRedis, takeovers: Callable[[], Iterable[Metric]] | None = None, running: str = ""
) -> bytes:
    """All metrics as Prometheus text. `takeovers` reads its metrics in the database; `running`: labels of what runs."""
    text = await asyncio.to_thread(exposition.of_processes)
    lines = _gauge("assistant_info", "Which shop and which model answer", 1, running) if running else []
    try:
        for name, stream in (("inbox", keys.inbox_stream), ("outbox", keys.outbox_stream)):
            depth, oldest = await _waiting(client, stream)
            lines += _gauge(f"assistant_{name}_depth", f"Entries that wait in the {name}", depth)
            lines += _gauge(f"assistant_{name}_oldest_seconds", f"Age of the oldest entry in the {name}", oldest)
        dead = await _lengths(client, keys.dead_stream)
        lines += _gauge("assistant_dead_letters", "Entries set aside", dead)
        lines += _gauge("assistant_log_depth", "Records in the event stream", await _lengths(client, keys.log_stream))
        unserved = await partitions.unserved(client)
        lines += _gauge("assistant_partitions_unserved", "Partitions of customers that no process serves", unserved)
        replicas = await client.replicas()
        if replicas is not None:
            lines += _gauge("assistant_redis_replicas", "Replicas that are connected to the Redis master", replicas)
        await client.set(keys.probe(random.randrange(keys.PARTITIONS)), 1, ex=60)  # noqa: S311
        lines += _gauge("assistant_redis_up", "Whether this process can write into Redis", 1)
    except (RedisError, OSError, asyncio.TimeoutError):
        lines += _gauge("assistant_redis_up", "Whether this process can write into Redis", 0)
    if takeovers is not None:
        lines += await _takeovers(takeovers)
    return text + "\n".join([*lines, ""]).encode()


def labels(**named: str) -> str:
    """Prometheus labels: shop="Oak & Spoke",model="…"."""
    return ",".join(f"{name}={json.dumps(value, ensure_ascii=False)}" for name, value in named.items())


async def _waiting(client: FollowingRedis, stream: Callable[[int], str]) -> tuple[int, float]:
    """How many entries wait in all partitions, and for how many seconds the oldest has."""
    depth = await _lengths(client, stream)
    if not depth:
        return 0, 0.0
    commands = [("XRANGE", stream(partition), "-", "+", "COUNT", 1) for partition in range(keys.PARTITIONS)]
    firsts = [int(found[0][0].split("-")[0]) / 1000 for found in await client.ask(commands) if found]
    return depth, max(0.0, time.time() - min(firsts)) if firsts else 0.0


async def _lengths(client: FollowingRedis, stream: Callable[[int], str]) -> int:
    """How many entries the streams of all partitions have together."""
    return sum(await client.ask([("XLEN", stream(partition)) for partition in range(keys.PARTITIONS)]))


async def _takeovers(takeovers: Callable[[], Iterable[Metric]]) -> list[str]:
    try:
        metrics = await asyncio.to_thread(takeovers)
    except Exception as error:
        log.warning("metrics.takeovers.unknown error=%s", type(error).__name__)
        return []
    lines: list[str] = []
    named = ""
    for metric in metrics:
        described = _gauge(metric.name, metric.meaning, metric.value, metric.labels)
        lines += described[-1:] if metric.name == named else described
        named = metric.name
    return lines


def _gauge(name: str, meaning: str, value: float, labels: str = "") -> list[str]:
    where = f"{{{labels}}}" if labels else ""
    return [f"# HELP {name} {meaning}", f"# TYPE {name} gauge", f"{name}{where} {value}"]
