"""Entries that the owner of a partition tells of are handed on once and in order, whoever else wrote there."""

from __future__ import annotations

import asyncio
from typing import Any

from connectors.message_bus import keys
from connectors.message_bus.connections import FollowingRedis, connect
from connectors.message_bus.keyed_executor import Item
from connectors.message_bus.partitions import Owned
from connectors.message_bus.streams import StreamFollower
from connectors.message_bus.turn import Turn
from tests.connectors.message_bus.transport_fakes import FakeSpeaker, Process, eventually, message, text_reply

OURS = Owned(3, "token")
OUT = keys.outbox_stream(3)


class Taken:
    """Takes items and keeps them."""

    waiting = 0

    def __init__(self) -> None:
        self.items: list[Item] = []

    def add(self, item: Item) -> None:
        self.items.append(item)

    @property
    def texts(self) -> list[str]:
        return [item.text for item in self.items]


async def free() -> None:
    return None


def follower(client: FollowingRedis) -> tuple[StreamFollower, Taken]:
    taken: Any = Taken()
    others: Any = Taken()
    return StreamFollower(client, {keys.inbox_stream: others}, {keys.outbox_stream: taken}, free), taken


async def add(client: FollowingRedis, *texts: str) -> list[tuple[str, dict[str, str]]]:
    return [(await client.xadd(OUT, {"c": "91", "e": text}), {"c": "91", "e": text}) for text in texts]


async def test_what_follows_the_last_is_handed_on_at_once_and_not_read_again(redis_url: str) -> None:
    client = connect(redis_url)
    streams, taken = follower(client)
    streams.follow(OURS)
    first = await add(client, "1")
    streams.wrote(OURS, OUT, "0", first)
    assert taken.texts == ["1"]
    second = await add(client, "2", "3")
    streams.wrote(OURS, OUT, first[-1][0], second)
    streams.wrote(OURS, OUT, "lost", [])  # has it read
    await add(client, "4")
    await eventually(lambda: _said(taken, 4), 10)
    assert taken.texts == ["1", "2", "3", "4"]
    await streams.cut()


async def test_what_another_wrote_before_comes_first(redis_url: str) -> None:
    client = connect(redis_url)
    streams, taken = follower(client)
    await add(client, "left by the owner before")
    streams.follow(OURS)
    [own] = await add(client, "own")
    streams.wrote(OURS, OUT, "1-1", [own])
    assert taken.texts == []
    await eventually(lambda: _said(taken, 2), 10)
    assert taken.texts == ["left by the owner before", "own"]
    await streams.cut()


async def test_nothing_is_handed_on_of_a_partition_that_is_anothers_by_now(redis_url: str) -> None:
    client = connect(redis_url)
    streams, taken = follower(client)
    streams.follow(OURS)
    await asyncio.sleep(0)
    streams.leave(OURS, keys.outbox_stream)
    entries = await add(client, "1")
    streams.wrote(OURS, OUT, "0", entries)
    streams.follow(Owned(3, "later"))
    streams.wrote(OURS, OUT, "0", entries)
    await eventually(lambda: _said(taken, 1), 10)
    assert [item.owned.token for item in taken.items] == ["later"]
    await streams.cut()


async def test_a_reply_whose_commit_had_no_answer_is_sent_all_the_same(redis_url: str) -> None:
    process = Process(redis_url, FakeSpeaker())
    ran = process.transport.consumer.commits._commit

    async def unheard(*arguments: Any, **options: Any) -> Any:
        process.transport.consumer.commits._commit = ran
        await ran(*arguments, **options)
        raise ConnectionError

    process.transport.consumer.commits._commit = unheard  # type: ignore[assignment]
    process.start()
    await process.inbox.put([message("919876543210", "w", "hi")])
    await process.drained()
    assert process.graph.texts("919876543210") == ["echo hi"]
    await process.stop()


async def test_several_replies_of_turns_side_by_side_in_one_partition_keep_their_order(redis_url: str) -> None:
    async def answer(turn: Turn) -> None:
        turn.replies.append(text_reply(f"first {turn.entry.payload['text']}"))

    process = Process(redis_url, FakeSpeaker(answer)).start()
    customers = [str(n) for n in range(20_000) if keys.partition_of(str(n)) == 3][:20]
    for n in range(3):
        await process.inbox.put([message(customer, f"w{customer}.{n}", str(n)) for customer in customers])
    await process.drained()
    for customer in customers:
        said = [f"{word} {n}" for n in range(3) for word in ("first", "echo")]
        assert process.graph.texts(customer) == said
    await process.stop()


async def _said(taken: Taken, count: int) -> bool:
    return len(taken.items) >= count
