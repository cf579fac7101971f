"""One answer to a burst: what is complete is answered at once, what is not waits a moment for the rest."""

from __future__ import annotations

import asyncio
import json
import time
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from connectors.message_bus import bursts, keys
from connectors.message_bus.bursts import asks, can_join, is_complete, join
from connectors.message_bus.inbox import Entry
from connectors.message_bus.turn import Turn
from conversation_log.ingest import hot_tier
from conversation_log.ingest.stream import EventStream
from conversation_log.ingest.writer import Writer
from conversation_log.storage import database
from conversation_log.storage.tables import messages
from handoff.takeover.thread_control import ControlState, Relayed
from tests.connectors.message_bus import log_records
from tests.connectors.message_bus.log_records import dead
from tests.connectors.message_bus.transport_fakes import BotAlwaysInControl, FakeSpeaker, Process, message

WAIT_S = 0.6
PLAIN_S = 3.0  # longer than others take to be answered
LONG_S = 50.0  # where nothing is to wait: far more than a busy machine needs


def wrote(wamid: str, text: str, customer: str = "91", media: int = 0, at: float | None = None, **more: Any) -> Entry:
    """A message as the webhook stores it; with `media` pictures that have no words."""
    entry = message(customer, wamid, text)
    pictures = [{"id": f"{wamid}.{n}", "kind": "image"} for n in range(media)]
    typed = "" if text.startswith("/") else text
    entry.payload["metadata"] |= {"received_at": at or time.time(), "typed": typed, "media": pictures, **more}
    return entry


def process(url: str, speaker: FakeSpeaker | None = None, **options: Any) -> Process:
    return Process(url, speaker, **{"burst_wait_s": WAIT_S, **options}).start()


async def write(shop: Process, *texts: str, pause_s: float = 0.05) -> None:
    for number, text in enumerate(texts):
        await shop.inbox.put([wrote(f"m{number}", text)])
        await asyncio.sleep(pause_s)


@pytest.mark.parametrize(("text", "complete"), [
    ("hi", False), ("my order", False), ("ok thanks", False), ("/send_media", False), ("/greet", False),
    ("नमस्ते", False),
    ("kaha hai?", True), ("¿dónde?", True), ("أين؟", True), ("10234", True), ("WC-1001", True), ("#12", False),
    ("where is my order", True), ("我上周买的裙子到现在还没有收到请问什么时候能到谢谢您", True), ("/affirm", True),
])  # fmt: skip
def test_whether_a_message_is_complete_is_told_by_its_shape(text: str, complete: bool) -> None:
    assert is_complete(wrote("w", text)) is complete


def test_a_picture_waits_for_the_rest_of_its_album_whatever_its_caption_says() -> None:
    assert not is_complete(wrote("w", "where is my order 10234?", media=1))


@pytest.mark.parametrize(("said", "question"), [
    ("Which one?", True), ("Which one?\n[Track my order]\n[A person]", True), ("Here it is.", False), ("", False),
    (None, False), ("Is it? No.", False),
])  # fmt: skip
def test_a_question_of_ours_is_known_above_its_buttons(said: object, question: bool) -> None:
    assert asks(said) is question


def test_a_burst_is_the_last_message_with_the_words_and_pictures_of_all() -> None:
    parts = [
        wrote("a", "hi", reply_to="wamid.q"), wrote("b", "/send_media", media=2), wrote("c", "it broke"),
        wrote("d", "/send_media", media=1),
    ]  # fmt: skip
    joined = join(parts)
    assert (joined.id, joined.payload["text"]) == ("d", "hi\nit broke")
    metadata = joined.payload["metadata"]
    assert (metadata["wamid"], metadata["typed"], metadata["reply_to"]) == ("d", "hi\nit broke", "wamid.q")
    assert [part["id"] for part in metadata["media"]] == ["b.0", "b.1", "d.0"]
    assert join(parts[1:2]) == parts[1]
    assert join([parts[1], parts[3]]).payload["text"] == "/send_media"
    assert len(join([wrote("a", "x " * 2000)] * 3).payload["text"]) <= bursts.MAX_CHARS


@pytest.mark.parametrize("entry", [
    wrote("w", "/affirm"), Entry("agent_comment", "91", "x", {"text": "hi"}),
    Entry("message", "91", "w", {"text": "hi"}, replays=1),
    Entry("unreadable", "91", "x", {}),
])  # fmt: skip
def test_buttons_agents_words_and_what_comes_back_from_the_dead_letters_stand_alone(entry: Entry) -> None:
    assert not can_join(entry)
    assert is_complete(entry)


async def test_a_complete_question_is_answered_at_once(redis_url: str) -> None:
    shop = process(redis_url, burst_wait_s=LONG_S)
    began = time.monotonic()
    await write(shop, "where is my order 10234?")
    await shop.drained()
    assert time.monotonic() - began < LONG_S
    await shop.stop()


async def test_a_greeting_alone_is_answered_when_nothing_follows_and_delays_nobody_else(redis_url: str) -> None:
    shop = process(redis_url, burst_wait_s=PLAIN_S)
    began = time.monotonic()
    await write(shop, "hi")
    await shop.inbox.put([wrote("other", "where is my order?", "92")])
    while not shop.graph.texts("92"):
        await asyncio.sleep(0.01)
    assert not shop.graph.texts("91")
    await shop.drained()
    assert time.monotonic() - began >= PLAIN_S
    assert shop.graph.texts("91") == ["echo hi"]
    await shop.stop()


async def test_a_greeting_and_the_question_that_follows_have_one_answer_at_once(redis_url: str) -> None:
    shop = process(redis_url, burst_wait_s=LONG_S)
    began = time.monotonic()
    await write(shop, "hi", "i ordered", "where is it?")
    await shop.drained()
    assert time.monotonic() - began < LONG_S
    assert shop.graph.texts("91") == ["echo hi\ni ordered\nwhere is it?"]
    assert list(shop.graph.keys()) == ["m2:1"], "the answer is the last message's"
    await shop.stop()


@pytest.mark.parametrize("texts", [
    ["hi", "my order", "10234", "please", "where is it?"], ["where is 10234?", "hello?", "anyone?", "so?", "well?"],
    ["hi", "hello", "hey", "yo", "ok"],
])  # fmt: skip
async def test_five_bubbles_have_at_most_two_answers_and_each_is_read_once(redis_url: str, texts: list[str]) -> None:
    shop = process(redis_url, burst_wait_s=PLAIN_S)
    await write(shop, *texts, pause_s=0.08)
    await shop.drained()
    answers = shop.graph.texts("91")
    assert len(answers) <= 2
    assert "\n".join(answer.removeprefix("echo ") for answer in answers) == "\n".join(texts)
    await shop.stop()


async def test_a_quick_reply_to_an_answer_waits_only_to_see_whether_more_comes(redis_url: str) -> None:
    shop = process(redis_url, burst_wait_s=12.0)
    await write(shop, "where is my order 10234?")
    await shop.drained()
    began = time.monotonic()
    await shop.inbox.put([wrote("reply", "and when did you send it?")])
    await shop.drained()
    assert time.monotonic() - began < 12.0 * 2 / 3 + 3
    assert len(shop.graph.texts("91")) == 2
    await shop.stop()


async def test_what_one_webhook_brings_is_read_as_one_message(redis_url: str) -> None:
    shop = process(redis_url)
    await shop.inbox.put([wrote("a", "hi"), wrote("b", "where is it?"), wrote("c", "thanks")])
    await shop.drained()
    assert shop.graph.texts("91") == ["echo hi\nwhere is it?\nthanks"]
    await shop.stop()


async def test_an_album_has_one_answer_that_knows_of_every_picture(redis_url: str) -> None:
    pictures: list[str] = []

    async def look(turn: Turn) -> None:
        pictures.extend(part["id"] for part in turn.metadata["media"])

    shop = process(redis_url, FakeSpeaker(look), burst_wait_s=PLAIN_S)
    for number in range(4):
        await shop.inbox.put([wrote(f"m{number}", "is this it?" if number == 0 else "/send_media", media=1)])
        await asyncio.sleep(0.05)
    await shop.drained()
    assert shop.graph.texts("91") == ["echo is this it?"]
    assert pictures == ["m0.0", "m1.0", "m2.0", "m3.0"]
    await shop.stop()


async def test_a_tap_on_a_button_is_answered_at_once_and_by_itself(redis_url: str) -> None:
    shop = process(redis_url, burst_wait_s=6.0)
    await shop.inbox.put([wrote("a", "hi"), wrote("b", "/affirm"), wrote("c", "bye")])
    while len(shop.graph.texts("91")) < 2:
        await asyncio.sleep(0.01)
    assert shop.graph.texts("91") == ["echo hi", "echo /affirm"]
    await shop.drained()
    assert shop.graph.texts("91")[-1] == "echo bye"
    await shop.stop()


async def test_a_short_answer_to_our_question_waits_for_nothing(redis_url: str) -> None:
    shop = process(redis_url, burst_wait_s=LONG_S)
    asked = {"wamid": "wamid.out", "author": "assistant", "text": "Shall I cancel it?\n[Yes]"}
    await shop.client.lpush(keys.quotable("91"), json.dumps(asked))
    began = time.monotonic()
    await write(shop, "yes")
    await shop.drained()
    assert time.monotonic() - began < LONG_S
    await shop.stop()


async def test_with_no_wait_every_message_has_its_answer(redis_url: str) -> None:
    shop = process(redis_url, burst_wait_s=0.0)
    await shop.inbox.put([wrote("a", "hi"), wrote("b", "hello")])
    await shop.drained()
    assert shop.graph.texts("91") == ["echo hi", "echo hello"]
    await shop.stop()


async def test_messages_that_came_far_apart_are_not_one_burst_when_they_are_found_together(redis_url: str) -> None:
    shop = process(redis_url)
    await shop.inbox.put([wrote("a", "hi", at=time.time() - 60), wrote("b", "hello?", at=time.time() - 30)])
    await shop.drained()
    assert shop.graph.texts("91") == ["echo hi", "echo hello?"]
    await shop.stop()


async def test_a_message_that_waited_when_its_process_died_is_answered_by_the_next(redis_url: str) -> None:
    victim = process(redis_url)
    await write(victim, "hi")
    await victim.die()
    shop = process(redis_url)
    await shop.drained()
    assert shop.graph.texts("91") == ["echo hi"]
    await shop.stop()


async def test_a_burst_whose_turn_was_killed_runs_again_as_the_same_burst(redis_url: str) -> None:
    began = asyncio.Event()

    async def hang(turn: Turn) -> None:
        began.set()
        await asyncio.sleep(60)

    victim = process(redis_url, FakeSpeaker(hang))
    await victim.inbox.put([wrote("a", "hi"), wrote("b", "where is it?")])
    await asyncio.wait_for(began.wait(), 5)
    await victim.inbox.put([wrote("c", "please?")])
    await victim.die()
    shop = process(redis_url)
    await shop.drained()
    assert shop.graph.texts("91") == ["echo hi\nwhere is it?", "echo please?"]
    assert await shop.client.hlen(keys.runs(keys.partition_of("91"))) == 0
    await shop.stop()


async def test_the_messages_of_a_burst_that_cannot_be_answered_are_tried_one_by_one(redis_url: str) -> None:
    async def fail(turn: Turn) -> None:
        if "poison" in turn.entry.payload["text"]:
            raise ValueError

    shop = process(redis_url, FakeSpeaker(fail))
    await shop.inbox.put([wrote("a", "hi"), wrote("b", "poison?"), wrote("c", "bye?")])
    await shop.drained()
    assert shop.graph.texts("91") == ["echo hi", "utter_fallback_apology", "echo bye?"]
    [fields] = dead(redis_url)
    assert Entry.from_json(json.loads(fields["j"])["entry"]).id == "b"
    await shop.stop()


async def test_while_a_person_has_the_conversation_each_message_goes_to_the_ticket_by_itself(redis_url: str) -> None:
    relayed: list[tuple[str, str]] = []

    class Agent(BotAlwaysInControl):
        async def owner(self, customer: str) -> Any:
            return ControlState("agent", 1, "wamid.0")

        async def relay(self, customer: str, entry: Entry, wish: Any = None) -> Relayed:
            relayed.append((entry.id, entry.payload["text"]))
            return Relayed()

    shop = process(redis_url, control=Agent())
    await write(shop, "hi", "are you there?")
    await shop.drained()
    assert relayed == [("m0", "hi"), ("m1", "are you there?")]
    records = log_records.records(redis_url)
    assert [(one["record"], one["metadata"]["wamid"]) for one in records] == [("inbound", "m0"), ("inbound", "m1")]
    await shop.stop()


async def test_each_message_of_a_burst_stands_in_the_log_with_its_own_words(redis_url: str, tmp_path: Path) -> None:
    async def session(turn: Turn) -> None:
        turn.events.append({"event": "action", "name": "action_session_start", "timestamp": time.time()})

    shop = process(redis_url, FakeSpeaker(session))
    await shop.inbox.put([wrote("a", "hi"), wrote("b", "/send_media", media=1), wrote("c", "where is it?")])
    await shop.drained()
    await shop.stop()
    engine = database.connect(f"sqlite:///{tmp_path / 'log.db'}")
    for _ in range(2):
        Writer(engine, EventStream(hot_tier.client(redis_url)), "test").step(100)
    with engine.connect() as connection:
        found = select(messages.c.role, messages.c.message_key, messages.c.content, messages.c.log_id)
        rows = connection.execute(found.order_by(messages.c.position)).all()
    assert [tuple(row[:3]) for row in rows] == [
        ("user", "a", "hi"), ("user", "b", "[image]"), ("user", "c", "where is it?"),
        ("assistant", "c:1", "echo hi\nwhere is it?"),
    ]  # fmt: skip
    assert len({row.log_id for row in rows}) == 1
