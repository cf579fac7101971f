"""Traces lead through Redis, say nothing that is private, and cost nothing where nobody collects them."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import settings
import tracing
from connectors.message_bus.inbox import Entry
from connectors.message_bus.sending.outgoing import Outgoing
from connectors.message_bus.turn import Turn
from privacy import log_lines
from settings import SettingsError
from tests.children import ROOT
from tests.connectors.message_bus.log_records import records
from tests.connectors.message_bus.transport_fakes import FakeSpeaker, Process, message
from tests.otlp_collector import Collector, collector

PHONE, WORDS = "919876543210", "my address is 12 MG Road"
JUNK = [None, 5, "", "00-1-2-3", "00-" + "0" * 32 + "-" + "0" * 16 + "-01", "ff-" + "a" * 32, {"a": 1}, "x" * 10_000]


def configured(url: str, tmp_path: Path, **more: str) -> settings.Settings:
    return settings.load({"OTEL_EXPORTER_OTLP_ENDPOINT": url, **more}, tmp_path / "none")


@pytest.fixture
def collected(tmp_path: Path) -> Iterator[Callable[[], Collector]]:
    """Traces are on; called, it is the collector that has all of them, and they are off."""
    with collector() as found:
        tracing.start("server", configured(f"{found.url}/", tmp_path, OTEL_EXPORTER_OTLP_HEADERS="x-team=shop%20one"))

        def all_of_it() -> Collector:
            tracing.stop()
            return found

        try:
            yield all_of_it
        finally:
            tracing.stop()


async def test_a_message_is_one_trace_from_the_webhook_over_redis_to_the_graph_api(
    redis_url: str, collected: Callable[[], Collector]
) -> None:
    process = Process(redis_url).start()
    with tracing.span("webhook", messages=1):
        await process.inbox.put([message(PHONE, f"wamid.{PHONE}", WORDS)])
    await process.drained()
    await process.stop()
    found = collected()
    webhook, stored, turn, sent = (found.named(name)[0] for name in ("webhook", "inbox.put", "turn", "graph.send"))
    assert [span.parent for span in (stored, turn, sent)] == [webhook.id, stored.id, turn.id]
    assert {span.trace for span in (webhook, stored, turn, sent)} == {webhook.trace}
    assert turn.attributes == {
        "assistant.kind": "message", "assistant.messages": "1",
        "assistant.outcome": "answered", "assistant.replies": "1",
    }  # fmt: skip
    carried = [record["trace"].split("-")[1:3] for record in records(redis_url)]
    assert carried == [[webhook.trace, turn.id]] * 2, "the worker goes on from here"
    everything = "".join(found.bodies)
    assert PHONE not in everything
    assert "MG Road" not in everything
    assert {span.service for span in found.spans} == {"assistant-server"}
    assert found.headers[0]["x-team"] == "shop one"


async def test_messages_that_are_answered_as_one_are_linked(redis_url: str, collected: Callable[[], Collector]) -> None:
    process = Process(redis_url, burst_wait_s=0.2)
    for wamid in ("a", "b"):
        await process.inbox.put([message(PHONE, wamid, "hi")])
    await process.start().drained()
    await process.stop()
    first, second = collected().named("inbox.put")
    [turn] = collected().named("turn")
    assert (turn.parent, turn.links) == (first.id, (second.id,))


async def test_a_turn_that_fails_says_of_what_class_and_nothing_else(
    redis_url: str, collected: Callable[[], Collector], caplog: pytest.LogCaptureFixture
) -> None:
    async def fail(turn: Turn) -> None:
        with tracing.span("action.call", action="action_tell", text=WORDS, wamid=f"wamid.{PHONE}", phone=PHONE):
            raise ValueError(f"{PHONE} {WORDS}")

    process = Process(redis_url, FakeSpeaker(fail)).start()
    await process.inbox.put([message(PHONE, "a", WORDS)])
    await process.drained()
    await process.stop()
    found = collected()
    called = found.named("action.call")[0]
    assert (called.failed, called.attributes) == ("ValueError", {"assistant.action": "action_tell"})
    assert PHONE not in "".join(found.bodies)
    assert "MG Road" not in "".join(found.bodies)


@pytest.mark.parametrize("junk", JUNK)
async def test_what_a_record_carries_can_be_anything(
    redis_url: str, collected: Callable[[], Collector], junk: object
) -> None:
    entry = json.loads(message(PHONE, "a").as_json()) | {"trace": junk}
    with tracing.span("turn", Entry.from_json(json.dumps(entry)).trace):
        assert tracing.carry()
    reply = {"customer": PHONE, "key": "a:1", "wamid": "a", "body": {}, "text": "", "epoch": 0, "author": "assistant",
             "address": {}, "expires_at": 0, "trace": junk}  # fmt: skip
    with tracing.span("graph.send", Outgoing.from_json(json.dumps(reply)).trace):
        assert tracing.carry()
    assert [span.parent for span in collected().spans] == ["", ""]


def test_log_lines_name_their_trace(collected: Callable[[], Collector]) -> None:
    line = log_lines.JsonLines()
    record = logging.LogRecord("x", logging.INFO, "", 0, "a.b", (), None)
    with tracing.span("turn"):
        inside = json.loads(line.format(record))
    assert inside["trace"] == collected().spans[0].trace
    assert "trace" not in json.loads(line.format(record))


def test_other_libraries_get_no_traces_of_ours_to_put_their_words_into(collected: Callable[[], Collector]) -> None:
    from opentelemetry import trace

    with trace.get_tracer("an llm's sdk").start_as_current_span("chat") as theirs:
        assert not theirs.is_recording()
    assert collected().spans == []


@pytest.mark.slow
@pytest.mark.parametrize("trouble", ["hangs", "away"])
def test_a_collector_that_hangs_or_is_away_holds_nobody_up(trouble: str, tmp_path: Path) -> None:
    with collector() as found:
        if trouble == "hangs":
            found.hold.set()
        tracing.start("server", configured(found.url if trouble == "hangs" else "http://127.0.0.1:9", tmp_path))
        for _ in range(3000):
            with tracing.span("turn"):
                pass
        began = time.monotonic()
        tracing.stop()
        assert time.monotonic() - began < tracing.FLUSH_S + 5
        assert tracing.carry() is None


def test_without_the_packages_the_start_is_refused_with_the_remedy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "opentelemetry.sdk.trace", None)
    with pytest.raises(SettingsError, match="TRACING=1"):
        tracing.start("server", configured("http://127.0.0.1:4318", tmp_path))


@pytest.mark.slow
def test_where_nobody_collects_nothing_of_it_is_imported_and_nothing_is_carried(tmp_path: Path) -> None:
    """In the worker and the action server; of a Rasa server tests/connectors/rasa_patches/test_loading.py says so."""
    code = """
import asyncio, sys
import settings, tracing
from connectors.message_bus import consumer, inbox
from connectors.message_bus.sending import outbox
from worker import __main__ as worker
worker.load()
from rasa_sdk.executor import ActionExecutor
ActionExecutor().register_package("actions")
tracing.start("worker", settings.load())
with tracing.span("turn", "00-" + "a" * 32 + "-" + "b" * 16 + "-01", outcome="answered") as span:
    span.set(replies=1)
    assert tracing.carry() is None
tracing.stop()
assert "trace" not in inbox.Entry("message", "91", "a", {}).as_json()
loaded = [name for name in sys.modules if name.startswith("opentelemetry")]
assert not loaded, loaded
"""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("OTEL_")}
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=110,
        env=environment | {"STATE_DIR": str(tmp_path), "SETTINGS_COMPLETE": "1"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
