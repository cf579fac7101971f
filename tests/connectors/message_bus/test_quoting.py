"""A message that quotes an earlier one tells the dialogue what that one was about."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import pytest
import redis

from connectors.message_bus import keys, quoting
from connectors.message_bus.inbox import Entry
from connectors.message_bus.turn import Reply, Turn
from conversation_log.erasure import erase_redis
from conversation_log.model.identities import Identities
from tests.connectors.message_bus.transport_fakes import FakeSpeaker, Process, message


def quoting_message(customer: str, wamid: str, quoted: str) -> Entry:
    entry = message(customer, wamid, "when will this arrive?")
    entry.payload["metadata"]["reply_to"] = quoted
    return entry


class Shop(FakeSpeaker):
    """Tells of the order that the message names, and notes what the message quotes."""

    def __init__(self) -> None:
        super().__init__()
        self.quoted: list[Any] = []

    async def answer(self, turn: Turn) -> None:
        self.quoted.append(turn.metadata.get("quoted"))
        number = turn.entry.payload["text"]
        facts = {"utter_action": "utter_order_status_shipped", "order_number": number, "details": "…", "llm": {"a": 1}}
        body = {"messaging_product": "whatsapp", "type": "text", "text": {"body": f"#{number} is on its way"}}
        turn.replies.append(Reply(body, f"#{number} is on its way", facts))


async def said(redis_url: str, *entries: Entry) -> list[Any]:
    """What each message quotes, as the dialogue is told."""
    process = Process(redis_url, Shop()).start()
    for entry in entries:
        await process.inbox.put([entry])
        await process.drained()
    await process.stop()
    return process.speaker.quoted  # type: ignore[attr-defined]


async def test_a_quoted_reply_says_which_order_it_was_about(redis_url: str) -> None:
    asked = [message("91", "a", "64001"), message("91", "b", "64002"), quoting_message("91", "c", "wamid.out.1")]
    assert (await said(redis_url, *asked))[-1] == {
        "wamid": "wamid.out.1", "author": "assistant", "utter_action": "utter_order_status_shipped",
        "order_number": "64001", "text": "#64001 is on its way",
    }  # fmt: skip


async def test_a_quoted_message_of_the_customer_gives_its_words_and_the_order_it_was_answered_with(
    redis_url: str,
) -> None:
    asked = [message("91", "a", "64001"), message("91", "b", "64002"), quoting_message("91", "c", "a")]
    assert (await said(redis_url, *asked))[-1] == {
        "wamid": "a", "author": "customer", "text": "64001",
        "utter_action": "utter_order_status_shipped", "order_number": "64001",
    }  # fmt: skip


@pytest.mark.parametrize("numbers", [(), ("64001", "64002")])
def test_a_message_that_was_answered_with_several_orders_or_none_is_about_no_single_one(numbers: Sequence[str]) -> None:
    replies = [Reply({}, number, {"utter_action": "utter_x", "order_number": number}) for number in numbers]
    line, *_ = quoting.of_customer([message("91", "a", "where are they")], [Reply({}, "hi", {}), *replies])
    assert "order_number" not in json.loads(str(line))


async def test_a_quoted_agent_is_told_from_the_assistant(redis_url: str) -> None:
    comment = Entry("agent_comment", "91", "zendesk:comment:1", {"text": "I asked the courier."})
    asked = [message("91", "a", "64001"), comment, quoting_message("91", "b", "wamid.out.2")]
    quoted = (await said(redis_url, *asked))[-1]
    assert quoted == {"wamid": "wamid.out.2", "author": "agent", "text": "I asked the courier."}


async def test_what_was_said_to_another_customer_cannot_be_quoted(redis_url: str) -> None:
    assert (await said(redis_url, message("92", "a", "64001"), quoting_message("91", "b", "wamid.out.1")))[-1] is None


@pytest.mark.parametrize("kept", ["no json", "[]", '{"wamid": 1}'])
async def test_what_cannot_be_read_is_not_quoted(redis_url: str, kept: str) -> None:
    redis.Redis.from_url(redis_url).lpush(keys.quotable("91"), kept)
    assert await said(redis_url, quoting_message("91", "b", "1")) == [None]


@pytest.mark.slow
async def test_the_latest_are_kept_for_days_and_in_bounds(redis_url: str) -> None:
    client = redis.Redis.from_url(redis_url, decode_responses=True)
    await said(redis_url, *[message("91", f"w{n}", f"{n:05d}" * 400) for n in range(quoting.MAX_KEPT)])
    assert client.llen(keys.quotable("91")) == quoting.MAX_KEPT
    assert 0 < client.ttl(keys.quotable("91")) <= quoting.KEEP_S
    assert max(map(len, client.lrange(keys.quotable("91"), 0, -1))) < 1500


async def test_erasing_a_customer_erases_what_can_be_quoted(redis_url: str) -> None:
    await said(redis_url, message("919812345678", "a", "64001"))
    client = redis.Redis.from_url(redis_url)
    erase_redis.erase(client, Identities(frozenset({"919812345678"}), frozenset({"919812345678"})), set())
    assert not client.exists(keys.quotable("919812345678"))
