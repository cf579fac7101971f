"""While somebody else speaks to a customer, from the phone app or through another app, the assistant does not."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Any

import pytest
from sqlalchemy import select

from connectors.conversations.identity import Identities
from connectors.conversations.other_voices import OtherVoices, VoicesUnavailable
from connectors.message_bus import keys
from connectors.message_bus.inbox import Entry, connect
from connectors.message_bus.sending.errors import Transient
from connectors.message_bus.turn import Turn
from connectors.whatsapp.webhook.intake import Intake
from connectors.whatsapp.webhook.payload_ids import PayloadSigner
from connectors.whatsapp.webhook.payloads import parse_notification
from conversation_log.ingest import hot_tier
from conversation_log.ingest.stream import EventStream
from conversation_log.ingest.writer import Writer
from conversation_log.storage import database
from conversation_log.storage.tables import conversations, messages
from handoff.takeover.thread_control import ControlState, Relayed
from tests.connectors.message_bus import log_records
from tests.connectors.message_bus.transport_fakes import BotAlwaysInControl, FakeGraph, FakeSpeaker, Process
from tests.connectors.whatsapp.whatsapp_bodies import OUR_NUMBER, USER_ID, WA_ID, as_bytes, message, notification, value

SILENCE_S = 3600.0


class Shop:
    """A process and the webhook before it. Times are seconds ago."""

    def __init__(self, process: Process, silence_s: float = SILENCE_S) -> None:
        self.process, self.count = process, 0
        voices = OtherVoices(process.client, silence_s)
        self.intake = Intake(process.inbox, Identities(process.client), voices, PayloadSigner("s"))

    async def webhook(self, *values: dict[str, Any], field: str = "messages") -> None:
        await self.intake.take(parse_notification(as_bytes(notification(*values, field=field)), OUR_NUMBER))

    async def echo(self, ago: float = 0, wamid: str = "wamid.echo", to: str | None = WA_ID, **parts: Any) -> None:
        sent = message(wamid=wamid, sender="918000000000", **parts) | {"to": to, "timestamp": stamp(ago)}
        sent = {name: part for name, part in sent.items() if part is not None}
        await self.webhook({**value(contacts=[]), "message_echoes": [sent]}, field="smb_message_echoes")

    async def customer_writes(self, text: str, ago: float = 0, field: str = "messages", **ids: Any) -> str:
        self.count += 1
        wamid = f"wamid.in.{self.count}"
        written = {**message(wamid=wamid, text={"body": text}), "timestamp": stamp(ago), **ids}
        said = value({name: part for name, part in written.items() if part is not None}, contacts=[])
        await self.webhook({"metadata": said["metadata"], "standby": said} if field == "standby" else said, field=field)
        return wamid

    async def handover(self, name: str, ago: float = 0, **part: Any) -> None:
        recipient = {"phone_number_id": OUR_NUMBER, "display_phone_number": "918000000000"}
        told = {"recipient": recipient, "sender": {"phone_number": WA_ID}, "timestamp": stamp(ago), "type": name}
        await self.webhook({**told, name: part}, field="messaging_handovers")

    async def answers(self, text: str, **ids: Any) -> bool:
        """Whether a message of the customer gets an answer."""
        before = len(self.process.graph.accepted)
        await self.customer_writes(text, **ids)
        await self.process.drained()
        return len(self.process.graph.accepted) > before

    async def records(self) -> list[dict[str, Any]]:
        return log_records.records(self.process.url)


def stamp(ago: float) -> str:
    return str(int(time.time() - ago))


@pytest.fixture
async def shop(redis_url: str) -> AsyncIterator[Shop]:
    process = Process(redis_url).start()
    yield Shop(process)
    await process.stop()


async def test_who_was_written_to_from_the_phone_app_is_not_answered_until_the_silence_is_over(redis_url: str) -> None:
    shop = Shop(Process(redis_url).start(), silence_s=2.5)
    assert await shop.answers("hello")
    await shop.echo()
    assert not await shop.answers("thanks")
    await asyncio.sleep(2.6)
    assert await shop.answers("and my order?")
    await shop.process.stop()


async def test_an_echo_also_silences_for_a_customer_who_never_wrote_before(shop: Shop) -> None:
    await shop.echo()
    assert not await shop.answers("hello", **{"from_user_id": USER_ID})
    assert not await shop.answers("hello", **{"from": None, "from_user_id": USER_ID}), "whatever id they come with"
    assert await shop.answers("hello", **{"from": "919800000009"}), "nobody else is silenced"


async def test_an_echo_names_the_customer_by_either_id(shop: Shop) -> None:
    assert await shop.answers("hello", **{"from": None, "from_user_id": USER_ID})
    await shop.echo(to=None, to_user_id=USER_ID)
    assert not await shop.answers("hello", **{"from": None, "from_user_id": USER_ID})


@pytest.mark.parametrize(("ago", "silent"), [(SILENCE_S + 60, False), (SILENCE_S - 60, True), (-7 * 24 * 3600, True)])
async def test_an_echo_counts_from_when_it_was_written(shop: Shop, ago: float, silent: bool) -> None:
    await shop.echo(ago)
    assert await shop.answers("hello") is not silent
    assert await shop.process.client.ttl(keys.voices(WA_ID)) <= SILENCE_S


async def test_an_older_echo_that_comes_later_shortens_no_silence(shop: Shop) -> None:
    await shop.echo(0, "wamid.e2")
    until = await shop.process.client.hget(keys.voices(WA_ID), "phone_until")
    for _ in range(2):
        await shop.echo(1800, "wamid.e1")
    assert await shop.process.client.hget(keys.voices(WA_ID), "phone_until") == until


async def test_an_answer_that_was_on_its_way_when_the_person_wrote_is_not_sent(redis_url: str) -> None:
    shop: Shop

    async def meanwhile(turn: Turn) -> None:
        await shop.echo()

    shop = Shop(Process(redis_url, FakeSpeaker(meanwhile)).start())
    assert not await shop.answers("where is my order")
    [sent] = [record for record in await shop.records() if record["record"] == "sent" and record["author"] != "agent"]
    assert (sent["outcome"], sent["error"]) == ("failed", "floor_lost")
    await shop.process.stop()


async def test_an_answer_that_graph_refused_for_now_is_not_sent_after_the_person_wrote(redis_url: str) -> None:
    shop: Shop

    async def refuse(body: dict[str, Any]) -> None:
        await shop.echo()
        raise Transient("down", code=131000, http_status=500)

    shop = Shop(Process(redis_url, graph=FakeGraph(refuse)).start())
    assert not await shop.answers("where is my order")
    assert shop.process.graph.attempts == 1
    await shop.process.stop()


async def test_silence_outlives_the_process(redis_url: str) -> None:
    victim = Shop(Process(redis_url).start())
    await victim.echo()
    await victim.process.die()
    shop = Shop(Process(redis_url).start())
    assert not await shop.answers("hello")
    await shop.process.stop()


async def test_a_waiting_customers_words_go_to_the_ticket_and_agents_words_to_the_customer(redis_url: str) -> None:
    relayed: list[str] = []

    class Waiting(BotAlwaysInControl):
        async def owner(self, customer: str) -> Any:
            return ControlState("waiting", 1, "wamid.0")

        async def relay(self, customer: str, entry: Entry, wish: Any = None) -> Relayed:
            relayed.append(entry.id)
            return Relayed()

    shop = Shop(Process(redis_url, control=Waiting()).start())
    await shop.echo()
    assert not await shop.answers("still there?")
    assert relayed == ["wamid.in.1"]
    await shop.process.inbox.put([Entry("agent_comment", WA_ID, "log:comment:1", {"text": "I am here"})])
    await shop.process.drained()
    assert shop.process.graph.texts(WA_ID) == ["I am here"]
    await shop.process.inbox.put([Entry("conversation_returned", WA_ID, "returned:x", {"reason": "solved"})])
    await shop.process.drained()
    assert shop.process.graph.texts(WA_ID) == ["I am here"]
    await shop.process.stop()


async def test_what_the_person_wrote_edited_and_deleted_stands_in_the_log_once(shop: Shop, tmp_path: Any) -> None:
    for _ in range(2):
        await shop.echo(30, "wamid.e1", text={"body": "It leaves today"})
    edit = {"original_message_id": "wamid.e1", "message": {"type": "text", "text": {"body": "It leaves tomorrow"}}}
    await shop.echo(10, "wamid.e2", kind="edit", edit=edit)
    await shop.echo(30, "wamid.e1", text={"body": "It leaves today"})
    await shop.echo(20, "wamid.e3", kind="image", image={"id": "5"})
    await shop.echo(9, "wamid.e4", kind="revoke", revoke={"original_message_id": "wamid.e3"})
    await shop.customer_writes("ok")
    await shop.process.drained()
    engine = database.connect(f"sqlite:///{tmp_path / 'log.db'}")
    Writer(engine, EventStream(hot_tier.client(redis_of(shop))), "test").step(100)
    with engine.connect() as connection:
        rows = connection.execute(select(messages.c.role, messages.c.content).order_by(messages.c.position)).all()
        phones = connection.execute(select(conversations.c.customer_phone)).scalars().all()
    assert rows == [("agent", "It leaves tomorrow"), ("agent", "[deleted]"), ("user", "ok")]
    assert phones == ["+" + WA_ID]


def redis_of(shop: Shop) -> str:
    where = shop.process.client.connection_pool.connection_kwargs
    return f"redis://{where['host']}:{where['port']}/0"


async def test_an_edit_alone_silences_nobody(shop: Shop) -> None:
    await shop.echo(kind="edit", edit={"original_message_id": "wamid.e1", "message": {"type": "text"}})
    assert await shop.answers("hello")


async def test_messages_on_standby_are_logged_and_never_answered(shop: Shop) -> None:
    wamid = await shop.customer_writes("hello bot", field="standby")
    await shop.process.drained()
    assert shop.process.graph.accepted == []
    [record] = await shop.records()
    assert (record["record"], record["metadata"]["wamid"], record["text"]) == ("inbound", wamid, "hello bot")
    assert await shop.answers("and now?"), "a message that is ours again says that the other app let go"


HANDOVERS = {
    "as WhatsApp tells it": (("control_taken", {"new_owner_role": "escalation"}), ("control_passed", {})),
    "by the apps' ids": (
        ("pass_thread_control", {"previous_owner_app_id": "1", "new_owner_app_id": "2"}),
        ("take_thread_control", {"previous_owner_app_id": "2", "new_owner_app_id": "1"}),
    ),
    "passed back by id": (
        ("pass_thread_control", {"previous_owner_app_id": "1", "new_owner_app_id": "2"}),
        ("pass_thread_control", {"previous_owner_app_id": 2, "new_owner_app_id": 1}),
    ),
}


@pytest.mark.parametrize(("away", "back"), HANDOVERS.values(), ids=HANDOVERS)
async def test_the_assistant_is_silent_while_another_app_has_control(
    shop: Shop, away: tuple[str, dict[str, Any]], back: tuple[str, dict[str, Any]]
) -> None:
    await shop.handover(away[0], 3, **away[1])
    assert not await shop.answers("hello")
    await shop.handover("request_thread_control", 2, requested_owner_app_id="2")
    assert not await shop.answers("hello")
    await shop.handover(back[0], 1, **back[1])
    await shop.handover(away[0], 3, **away[1])
    assert await shop.answers("hello"), "older news that came again changes nothing"


async def test_control_that_was_taken_long_ago_silences_nobody(shop: Shop) -> None:
    await shop.handover("control_taken", 25 * 3600)
    assert await shop.answers("hello")


@pytest.mark.parametrize("field", ["history", "smb_app_state_sync", "hologram"])
async def test_what_a_number_brings_along_and_what_nobody_knows_is_never_answered(shop: Shop, field: str) -> None:
    old = {"history": [{"threads": [{"id": WA_ID, "messages": [message()]}]}], "state_sync": [{"type": "contact"}]}
    await shop.webhook({**value(message()), **old}, field=field)
    assert await shop.process.empty()
    assert await shop.records() == []


JUNK: list[Any] = [None, 5, "x", [], {}, {"to": []}, {"id": "w", "to": 5, "type": []}, {"id": "w", "to": "x" * 600}]


@pytest.mark.slow
@pytest.mark.parametrize("field", ["smb_message_echoes", "standby", "messaging_handovers"])
@pytest.mark.parametrize("junk", JUNK, ids=str)
async def test_nothing_in_such_a_change_makes_us_fail(shop: Shop, field: str, junk: Any) -> None:
    where = {"sender": junk, "control_taken": junk, "standby": junk, "message_echoes": junk, "messages": junk}
    await shop.webhook({"metadata": {"phone_number_id": OUR_NUMBER}, **where}, field=field)
    assert await shop.answers("hello", **{"from": "919800000009"})


async def test_another_numbers_echo_is_not_ours(shop: Shop) -> None:
    echo = message(sender="917000000000") | {"to": WA_ID, "timestamp": stamp(0)}
    await shop.webhook({**value(number="7"), "message_echoes": [echo]}, field="smb_message_echoes")
    assert await shop.answers("hello")


async def test_without_redis_an_echo_is_delivered_again() -> None:
    from connectors.conversations.other_voices import News

    voices = OtherVoices(connect("redis://127.0.0.1:1/0"), 60)
    with pytest.raises(VoicesUnavailable):
        await voices.heard([News(WA_ID, "phone", time.time())])
