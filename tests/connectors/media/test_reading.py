"""Voice notes and pictures are read before their turn: nobody waits for them but their own customer."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any

import pytest

from connectors.media.abilities import NotReadable
from connectors.media.reading import MAX_AN_HOUR, MediaReader
from connectors.message_bus import keys
from connectors.message_bus.bursts import join
from connectors.message_bus.inbox import Entry
from connectors.message_bus.sending.errors import MediaFailed
from connectors.message_bus.turn import Reply, Turn
from connectors.whatsapp.graph.client import Media
from connectors.whatsapp.rendering import bodies
from tests.connectors.message_bus.transport_fakes import FakeSpeaker, Process, eventually, message, text_reply

HEARD, READ = "utter_voice_note_heard: ", "utter_media_read: "


class Files:
    """Every file's bytes are its id."""

    async def media(self, media_id: str, max_bytes: int) -> Media:
        if media_id == "gone":
            raise MediaFailed("larger than allowed")
        return Media("audio/ogg", media_id.encode())


class Ears:
    """Hears the file's bytes once `ready`; fails as told."""

    max_bytes, at_once = 1000, 8

    async def close(self) -> None:
        self.closed = True

    def __init__(self, *failures: BaseException) -> None:
        self.failures, self.asked, self.ready = list(failures), 0, asyncio.Event()
        self.ready.set()

    async def words(self, data: bytes) -> str:
        self.asked += 1
        await self.ready.wait()
        if self.failures:
            raise self.failures.pop()
        return data.decode()


def sent(wamid: str, said: str, customer: str = "91", kind: str = "voice", caption: str = "", **more: Any) -> Entry:
    """A voice note or picture whose file says `said`."""
    wordless = "/send_voice_note" if kind == "voice" else "/send_media"
    entry = message(customer, wamid, caption or wordless)
    entry.payload["metadata"] |= {"kind": kind, "typed": caption, "received_at": time.time(), **more}
    entry.payload["metadata"]["media"] = [{"id": said, "kind": kind}]
    return entry


def process(url: str, ears: Ears, speaker: FakeSpeaker | None = None, **options: Any) -> Process:
    shop = Process(url, speaker, **options)
    abilities = {"voice": ears, "image": ears}
    shop.transport.consumer.reader = MediaReader(shop.client, Files(), abilities, options.get("within_s", 5.0))
    return shop.start()


def neighbour_of(customer: str) -> str:
    """Another customer of the same partition."""
    names = (str(number) for number in range(10**6))
    return next(name for name in names if name != customer and keys.partition_of(name) == keys.partition_of(customer))


async def test_a_voice_note_is_answered_as_if_it_had_been_typed_below_what_was_heard(redis_url: str) -> None:
    turns: list[Turn] = []

    async def look(turn: Turn) -> None:
        turns.append(turn)

    shop = process(redis_url, Ears(), FakeSpeaker(look))
    await shop.inbox.put([sent("a", "where is 10234?")])
    await shop.drained()
    assert shop.graph.texts("91") == [f"{HEARD}where is 10234?\n\necho where is 10234?"], "one bubble"
    (turn,) = turns
    assert (turn.metadata["typed"], turn.metadata["kind"]) == ("where is 10234?", "voice")
    await shop.stop()


async def test_what_is_read_in_a_picture_stands_below_its_caption(redis_url: str) -> None:
    shop = process(redis_url, Ears())
    await shop.inbox.put([sent("a", "10234", kind="image", caption="is this mine?")])
    await shop.drained()
    assert shop.graph.texts("91") == [f"{READ}10234\n\necho is this mine?\n10234"]
    await shop.stop()


async def test_an_album_that_shows_one_number_says_it_once(redis_url: str) -> None:
    shop = process(redis_url, Ears(), burst_wait_s=0.6)
    await shop.inbox.put([sent(f"m{number}", "10234\nDL1", kind="image") for number in range(3)])
    await shop.drained()
    shown, _, _ = shop.graph.texts("91")[0].partition("\n\n")
    assert shown == f"{READ}10234 DL1"
    await shop.stop()


async def test_a_card_number_that_was_spoken_is_not_said_again(redis_url: str) -> None:
    shop = process(redis_url, Ears())
    await shop.inbox.put([sent("a", "my card is 4111 1111 1111 1111, call 98765 43210")])
    await shop.drained()
    shown, _, _ = shop.graph.texts("91")[0].partition("\n\n")
    assert shown == f"{HEARD}my card is [card], call 98765 43210"
    await shop.stop()


async def test_without_words_to_say_it_back_the_answer_still_comes(redis_url: str) -> None:
    class Wordless(FakeSpeaker):
        async def words(self, turn: Turn, response: str, **facts: Any) -> str:
            raise LookupError(response)

    shop = process(redis_url, Ears(), Wordless())
    await shop.inbox.put([sent("a", "hello")])
    await shop.drained()
    assert shop.graph.texts("91") == ["echo hello"]
    await shop.stop()


async def test_a_screenshot_that_was_sent_as_a_file_is_read_too(redis_url: str) -> None:
    shop, entry = process(redis_url, Ears()), sent("a", "10234", kind="document")
    entry.payload["metadata"]["media"][0]["mime_type"] = "image/png"
    await shop.inbox.put([entry, sent("b", "a bill", customer="92", kind="document")])
    await shop.drained()
    assert shop.graph.texts("91") == [f"{READ}10234\n\necho 10234"]
    assert shop.graph.texts("92") == ["echo /send_media"]
    await shop.stop()


async def test_a_slash_that_was_spoken_is_no_command(redis_url: str) -> None:
    shop = process(redis_url, Ears())
    await shop.inbox.put([sent("a", "/restart")])
    await shop.drained()
    assert shop.graph.texts("91")[0].endswith("echo \u2060/restart")
    await shop.stop()


async def test_nobody_but_its_own_customer_waits_for_a_voice_note_and_they_in_order(redis_url: str) -> None:
    ears, other = Ears(), neighbour_of("91")
    ears.ready.clear()
    shop = process(redis_url, ears)
    crowd = [sent(f"v{number}", "slow", customer=f"92{number}") for number in range(40)]
    await shop.inbox.put([sent("a", "first"), message("91", "b", "second"), message(other, "c", "hello"), *crowd])
    await eventually(lambda: _got(shop, other))
    assert shop.graph.texts("91") == []
    ears.ready.set()
    await shop.drained()
    assert shop.graph.texts("91") == [f"{HEARD}first\n\necho first", "echo second"]
    assert shop.graph.texts("9239") == [f"{HEARD}slow\n\necho slow"]
    await shop.stop()


async def test_a_process_that_dies_while_it_hears_leaves_the_note_to_another(redis_url: str) -> None:
    deaf, ears = Ears(), Ears()
    deaf.ready.clear()
    dying = process(redis_url, deaf)
    await dying.inbox.put([sent("a", "hello")])
    await eventually(lambda: _true(deaf.asked == 1))
    await dying.die()
    shop = process(redis_url, ears)
    await shop.drained()
    assert shop.graph.keys() == {"a:1": 1}
    runs = await shop.client.hgetall(keys.runs(keys.partition_of("91")))
    assert not runs, "what only waited never began"
    await shop.stop()


async def test_a_partition_is_given_away_at_once_while_its_customers_note_is_heard(redis_url: str) -> None:
    ears = Ears()
    ears.ready.clear()
    shop = process(redis_url, ears)
    await shop.inbox.put([sent("a", "hello")])
    await eventually(lambda: _true(ears.asked == 1))
    began = time.monotonic()
    await shop.stop()
    assert time.monotonic() - began < 2
    await shop.transport.consumer.reader.close()  # type: ignore[union-attr]
    assert ears.closed


async def test_a_turn_that_runs_again_reads_what_was_found_before(redis_url: str) -> None:
    ears, tries = Ears(), []

    async def die_once(turn: Turn) -> None:
        tries.append(turn.entry.payload["text"])
        if len(tries) == 1:
            raise ValueError

    shop = process(redis_url, ears, FakeSpeaker(die_once))
    await shop.inbox.put([sent("a", "hello")])
    await shop.drained()
    shop.transport.consumer.reader = MediaReader(shop.client, Files(), {"voice": ears})  # as after a restart
    read = shop.transport.consumer.reader.read(sent("a", "hello"))
    assert isinstance(read, asyncio.Future)
    assert (await read).payload["text"] == "hello"
    assert (ears.asked, tries) == (1, ["hello", "hello"])
    await shop.stop()


@pytest.mark.parametrize("failure", [NotReadable("no_speech"), OSError("broken"), None], ids=["silence", "bug", "gone"])
async def test_what_cannot_be_read_is_a_message_without_words_as_before(
    redis_url: str, failure: Exception | None
) -> None:
    shop = process(redis_url, Ears(failure) if failure else Ears())
    await shop.inbox.put([sent("a", "hello" if failure else "gone")])
    await shop.drained()
    assert shop.graph.texts("91") == ["echo /send_voice_note"]
    await shop.stop()


async def test_a_service_that_is_too_slow_is_waited_for_so_long_and_no_longer(redis_url: str) -> None:
    ears = Ears()
    ears.ready.clear()
    shop = process(redis_url, ears, within_s=0.2)
    await shop.inbox.put([sent("a", "hello"), message("91", "b", "well?")])
    await shop.drained()
    assert shop.graph.texts("91") == ["echo /send_voice_note", "echo well?"]
    await shop.stop()


async def test_a_customer_has_so_many_read_in_an_hour_and_no_more(redis_url: str) -> None:
    ears = Ears()
    shop = process(redis_url, ears)
    await shop.inbox.put([sent(f"m{number}", "hello") for number in range(MAX_AN_HOUR + 2)])
    await shop.drained()
    assert ears.asked == MAX_AN_HOUR
    assert shop.graph.texts("91").count("echo /send_voice_note") == 2
    await shop.stop()


@pytest.mark.parametrize("change", [
    lambda entry: entry.payload["metadata"].update(timestamp=1_700_000_000),
    lambda entry: entry.payload["metadata"].update(media=[{"id": "x", "kind": "video"}]),
    lambda entry: entry.payload["metadata"].update(media=[{"kind": "voice"}]),
    lambda entry: entry.payload["metadata"].update(heard=[{"kind": "voice", "text": "hello"}]),
    lambda entry: entry.payload["metadata"].update(media=[{"id": ["x"], "kind": 7}], timestamp="soon"),
    lambda entry: entry.payload["metadata"].update(media="?"), lambda entry: entry.payload.update(metadata=None),
], ids=["days old", "a video", "no file", "read before", "odd", "wild", "wilder"])  # fmt: skip
async def test_what_is_not_to_be_read_is_given_back_as_it_came(
    redis_url: str, change: Callable[[Entry], None]
) -> None:
    shop = Process(redis_url)
    entry = sent("a", "hello")
    change(entry)
    assert MediaReader(shop.client, Files(), {"voice": Ears()}).read(entry) is entry


async def test_a_burst_of_voice_and_words_is_read_as_one_message(redis_url: str) -> None:
    shop = process(redis_url, Ears(), burst_wait_s=0.6)
    await shop.inbox.put([sent("a", "hi there"), sent("b", "my order"), message("91", "c", "10234")])
    await shop.drained()
    assert shop.graph.texts("91")[0].startswith(f"{HEARD}hi there my order\n\necho hi there\nmy order")
    await shop.stop()


def test_the_parts_of_a_burst_keep_what_was_heard_in_each() -> None:
    heard = [sent("a", "x", heard=[{"kind": "voice", "text": "one"}]), sent("b", "x")]
    assert join(heard).payload["metadata"]["heard"] == [{"kind": "voice", "text": "one"}]


async def test_where_an_answer_has_no_room_what_was_heard_is_a_bubble_before_it(redis_url: str) -> None:
    choices = [bodies.Choice("Yes", "1")]
    full = bodies.buttons("x" * bodies.BODY_CHARS, choices)[0]

    async def answer_at_length(turn: Turn) -> None:
        turn.replies.append(Reply(full.body, full.text))

    shop = process(redis_url, Ears(), FakeSpeaker(answer_at_length, mute=True))
    await shop.inbox.put([sent("a", "hello")])
    await shop.drained()
    assert [body["type"] for body in shop.graph.accepted] == ["text", "interactive"]
    assert list(shop.graph.keys()) == ["a:1", "a:2"]
    await shop.stop()


def test_words_go_above_the_text_of_a_message_within_its_limits() -> None:
    (asked,) = bodies.buttons("Sure?", [bodies.Choice("Yes", "1")])
    assert bodies.headed(asked.body, "I heard: x")["interactive"]["body"]["text"] == "I heard: x\n\nSure?"  # type: ignore[index]
    assert bodies.headed(text_reply("x" * 4090).body, "I heard: x") is None
    assert bodies.headed(bodies.location(1.0, 2.0)[0].body, "I heard: x") is None


async def _got(shop: Process, customer: str) -> bool:
    return bool(shop.graph.texts(customer))


async def _true(value: bool) -> bool:
    return value
