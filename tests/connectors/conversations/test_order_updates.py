"""Told unasked: in the window in the shop's words, after it by the template, never over a person or against a wish."""

from __future__ import annotations

import asyncio
import json
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from connectors.conversations.order_updates import OrderUpdates
from connectors.message_bus import keys
from connectors.message_bus.inbox import Entry
from connectors.message_bus.sending.errors import BadPayload, WindowClosed
from connectors.message_bus.turn import Turn
from conversation_log.ingest import hot_tier
from conversation_log.ingest.stream import EventStream
from conversation_log.ingest.writer import Writer
from conversation_log.storage import database
from conversation_log.storage.tables import messages
from handoff.configuration import load_configuration
from handoff.storage.database import Database
from handoff.takeover.thread_control import ControlState
from handoff.updates.opt_outs import OptOuts
from tests.connectors.message_bus import log_records
from tests.connectors.message_bus.log_records import dead
from tests.connectors.message_bus.transport_fakes import BotAlwaysInControl, FakeSpeaker, Process, message, text_reply

CUSTOMER, PHONE = "919876543210", "+919876543210"
TEMPLATE = {"name": "order_delayed", "language": "en", "parameters": ["#10234", "Tue 24 Nov", ""]}


def update(event_id: str = "e1", template: Any = TEMPLATE) -> Entry:
    payload = {"text": "Order #10234 is late.", "template": template, "order_number": "10234", "phone": PHONE}
    return Entry("order_update", CUSTOMER, f"update:{event_id}", payload)


def shop(
    url: str, folder: Path, speaker: FakeSpeaker | None = None, control: Any = None, **options: Any
) -> Process:
    process = Process(url, speaker, control=control, **options)
    opt_outs = OptOuts(Database(f"sqlite:///{folder / 'handoff.db'}"), load_configuration())
    handler = process.transport.consumer._handler
    handler._updates = OrderUpdates(process.client, process.speaker, opt_outs)  # type: ignore[attr-defined]
    return process.start()


async def says(process: Process, wamid: str, text: str = "hi", at: float | None = None) -> None:
    await process.inbox.put([message(CUSTOMER, wamid, text, at)])
    await process.drained()


async def tell(process: Process, event_id: str = "e1", template: Any = TEMPLATE) -> list[dict[str, Any]]:
    before = len(process.graph.accepted)
    await process.inbox.put([update(event_id, template)])
    await process.drained()
    return process.graph.accepted[before:]


async def test_in_the_window_it_is_told_in_the_shops_words(redis_url: str, tmp_path: Path) -> None:
    process = shop(redis_url, tmp_path)
    await says(process, "a")
    [sent] = await tell(process)
    assert (sent["type"], sent["text"]["body"], sent["to"]) == ("text", "Order #10234 is late.", CUSTOMER)
    await process.stop()


async def test_it_is_told_in_the_language_of_the_last_answer_in_the_window_and_by_template(
    redis_url: str, tmp_path: Path
) -> None:
    class Portuguese(FakeSpeaker):
        async def answer(self, turn: Turn) -> None:
            await super().answer(turn)
            turn.language = {"oi": "pt", "hola": "es"}.get(str(turn.entry.payload["text"]))

    process = shop(redis_url, tmp_path, Portuguese())
    spoken = {"pt": {"text": "Saiu.", "template": {**TEMPLATE, "language": "pt_BR"}}}

    async def told(event_id: str) -> dict[str, Any]:
        entry = update(event_id)
        await process.inbox.put([replace(entry, payload={**entry.payload, "in_languages": spoken})])
        await process.drained()
        return process.graph.accepted[-1]

    assert (await told("e0"))["template"]["language"]["code"] == "en", "nobody was answered yet"
    await says(process, "a", "oi")
    await says(process, "b", "10234")
    assert (await told("e1"))["text"]["body"] == "Saiu."
    kept = json.loads(await process.client.get(keys.address(CUSTOMER)))
    await process.client.set(keys.address(CUSTOMER), json.dumps({**kept, "at": time.time() - 25 * 3600}))
    assert (await told("e2"))["template"]["language"]["code"] == "pt_BR"
    await says(process, "d", "hola")
    assert (await told("e3"))["text"]["body"] == "Order #10234 is late.", "the shop has no Spanish words for it"
    await process.stop()


async def test_outside_it_goes_by_the_template_or_not_at_all(redis_url: str, tmp_path: Path) -> None:
    process = shop(redis_url, tmp_path)
    [sent] = await tell(process)
    assert sent["template"]["name"] == "order_delayed"
    parameters = sent["template"]["components"][0]["parameters"]
    assert [part["text"] for part in parameters] == ["#10234", "Tue 24 Nov", "–"]
    assert await tell(process, "e2", template=None) == []
    await process.stop()


async def test_a_window_that_meta_closed_earlier_than_we_know_gets_the_template(redis_url: str, tmp_path: Path) -> None:
    async def closed(body: dict[str, Any]) -> None:
        if body["type"] == "text" and body["biz_opaque_callback_data"].startswith("update:"):
            raise WindowClosed("closed", code=131047, http_status=400)

    process = shop(redis_url, tmp_path)
    await says(process, "a")
    process.graph.on_send = closed
    [sent] = await tell(process)
    assert sent["template"]["name"] == "order_delayed"
    assert await tell(process, "e2", template=None) == []
    await process.stop()


async def test_a_template_that_meta_does_not_know_is_set_aside_and_not_tried_as_text(
    redis_url: str, tmp_path: Path
) -> None:
    async def unknown(body: dict[str, Any]) -> None:
        raise BadPayload("no such template", code=132001, http_status=404)

    process = shop(redis_url, tmp_path)
    process.graph.on_send = unknown
    assert await tell(process) == []
    assert process.graph.attempts == 1
    assert len(dead(redis_url)) == 1
    await process.stop()


async def test_who_wrote_stop_is_told_no_more_until_start_and_each_is_confirmed_once(
    redis_url: str, tmp_path: Path
) -> None:
    process = shop(redis_url, tmp_path)
    await says(process, "a", "STOP")
    assert process.graph.texts(CUSTOMER) == ["utter_order_status_updates_stopped"]
    assert process.speaker.answered == [], "it is no turn of the dialogue"
    assert await tell(process) == []
    await says(process, "b", "where is my order?")
    assert await tell(process, "e2") == [], "a question is no wish to be told again"
    await says(process, "c", "start")
    assert len(await tell(process, "e3")) == 1
    await process.stop()


async def test_a_stop_does_not_wait_for_more_words(redis_url: str, tmp_path: Path) -> None:
    process = shop(redis_url, tmp_path, burst_wait_s=30.0)
    began = time.monotonic()
    entry = message(CUSTOMER, "a", "stop")
    entry.payload["metadata"]["received_at"] = time.time()
    await process.inbox.put([entry])
    await process.drained()
    assert time.monotonic() - began < 20
    await process.stop()


async def test_a_stop_that_stands_before_the_update_in_the_inbox_holds(redis_url: str, tmp_path: Path) -> None:
    process = shop(redis_url, tmp_path)
    await process.inbox.put([message(CUSTOMER, "a", "band karo"), update()])
    await process.drained()
    assert process.graph.texts(CUSTOMER) == ["utter_order_status_updates_stopped"]
    await process.stop()


async def test_the_wish_outlives_the_erasure_of_everything_in_redis(redis_url: str, tmp_path: Path) -> None:
    process = shop(redis_url, tmp_path)
    await says(process, "a", "stop")
    await process.stop()
    await process.client.flushall()
    again = shop(redis_url, tmp_path)
    await says(again, "b")
    assert await tell(again) == []
    await again.stop()


@pytest.mark.parametrize("owner", ["waiting", "agent"])
async def test_it_is_not_told_while_a_person_has_the_conversation(redis_url: str, tmp_path: Path, owner: str) -> None:
    class Person(BotAlwaysInControl):
        async def owner(self, customer: str) -> Any:
            return ControlState(owner, 1, "wamid.0")

    process = shop(redis_url, tmp_path, control=Person())
    assert await tell(process) == []
    await process.client.hset(keys.voices(CUSTOMER), "phone_until", time.time() + 60)
    await process.stop()


async def test_it_is_not_told_while_somebody_writes_from_the_phone_app(redis_url: str, tmp_path: Path) -> None:
    process = shop(redis_url, tmp_path)
    await process.client.hset(keys.voices(CUSTOMER), "phone_until", time.time() + 60)
    assert await tell(process) == []
    await process.stop()


async def test_a_message_knows_the_plan_that_reached_the_customer_last_and_none_that_waits(redis_url: str) -> None:
    shown: list[Any] = []

    async def look(turn: Turn) -> None:
        shown.append(turn.metadata["shown_plan"])
        turn.replies.append(replace(text_reply("Shall I?"), metadata={"plan": f"plan of {turn.entry.id}"}))

    process = Process(redis_url, FakeSpeaker(look, mute=True)).start()
    for wamid in ("a", "b"):
        await says(process, wamid)
    await process.client.delete(keys.quotable(CUSTOMER))  # as while Graph does not take it
    await says(process, "c")
    assert shown == [None, "plan of a", None]
    await process.stop()


async def test_the_next_message_is_about_what_was_told_and_the_one_after_it_is_not(
    redis_url: str, tmp_path: Path
) -> None:
    quoted: list[Any] = []

    async def look(turn: Turn) -> None:
        quoted.append((turn.metadata.get("quoted") or {}).get("order_number"))

    process = shop(redis_url, tmp_path, FakeSpeaker(look))
    await says(process, "a")
    await tell(process)
    await says(process, "b", "when?")
    await says(process, "c", "and the return policy?")
    assert quoted == [None, "10234", None]
    await process.stop()


async def test_it_is_told_once_however_often_it_is_handed_over_and_processes_die(
    redis_url: str, tmp_path: Path
) -> None:
    for _ in range(3):
        victim = shop(redis_url, tmp_path)
        await victim.inbox.put([update(), message(CUSTOMER, "a")])
        await asyncio.sleep(0.05)
        await victim.die()
    process = shop(redis_url, tmp_path)
    await process.inbox.put([update()])
    await process.drained(20)
    records = log_records.records(redis_url)
    told = [one for one in records if one["record"] == "sent" and one["key"] == "update:e1:1"]
    assert len(told) == 1
    await process.stop()


async def test_it_stands_in_the_log_as_the_assistants_and_about_orders(redis_url: str, tmp_path: Path) -> None:
    process = shop(redis_url, tmp_path)
    await tell(process)
    await process.stop()
    engine = database.connect(f"sqlite:///{tmp_path / 'log.db'}")
    Writer(engine, EventStream(hot_tier.client(redis_url)), "test").step(100)
    with engine.connect() as connection:
        [row] = connection.execute(select(messages)).mappings().all()
    assert (row["role"], row["content"], row["feature"]) == ("assistant", "Order #10234 is late.", "order_status")
    assert row["message_key"] == "update:e1:1"
