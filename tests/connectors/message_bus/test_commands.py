"""Answers of Redis are read as redis-py reads them, in whatever pieces they come."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from redis.asyncio.connection import Encoder, PythonParser
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import InvalidResponse, ResponseError

from connectors.message_bus.connections import connect
from connectors.message_bus.servers.commands import Answers
from tests.examples import examples

LINES = st.text(st.characters(blacklist_characters="\r\n", blacklist_categories=("Cs",)), max_size=8)
ANSWERS = st.recursive(
    st.one_of(
        st.integers().map(lambda number: b":%d\r\n" % number),
        st.text(max_size=20).map(lambda text: b"$%d\r\n%s\r\n" % (len(text.encode()), text.encode())),
        LINES.map(lambda line: b"+%s\r\n" % line.encode()),
        LINES.map(lambda line: b"-ERR %s\r\n" % line.encode()),
        st.sampled_from([b"$-1\r\n", b"*-1\r\n", b"*0\r\n", b"-NOSCRIPT no\r\n", b"-READONLY x\r\n"]),
    ),
    lambda inner: st.lists(inner, max_size=4).map(lambda many: b"*%d\r\n%s" % (len(many), b"".join(many))),
    max_leaves=8,
)


class Connected:
    """What a parser sees of a connection."""

    def __init__(self, decode: bool = True) -> None:
        self._reader, self.encoder = asyncio.StreamReader(), Encoder("utf-8", "strict", decode)


async def read(parser: Any, pieces: list[bytes], count: int, decode: bool = True) -> list[Any]:
    """The answers, of which errors are told by class and words."""
    connected = Connected(decode)
    parser.on_connect(connected)

    async def feed() -> None:
        for piece in pieces:
            connected._reader.feed_data(piece)
            await asyncio.sleep(0)
        connected._reader.feed_eof()

    feeding = asyncio.create_task(feed())
    found = [_plain(await parser.read_response()) for _ in range(count)]
    await feeding
    return found


def _plain(answer: Any) -> Any:
    if isinstance(answer, list):
        return [_plain(one) for one in answer]
    return (type(answer), str(answer)) if isinstance(answer, ResponseError) else answer


@hypothesis_settings(max_examples=examples(60), deadline=None)
@given(st.lists(ANSWERS, min_size=1, max_size=4), st.lists(st.integers(1, 40), max_size=6), st.booleans())
def test_answers_are_those_that_redis_py_reads(answers: list[bytes], cuts: list[int], decode: bool) -> None:
    whole, pieces = b"".join(answers), []
    rest = whole
    for cut in cuts:
        pieces.append(rest[:cut])
        rest = rest[cut:]
    pieces.append(rest)
    ours = asyncio.run(read(Answers(65536), [piece for piece in pieces if piece], len(answers), decode))
    assert ours == asyncio.run(read(PythonParser(65536), [whole], len(answers), decode))


@pytest.mark.parametrize(("said", "error"), [
    (b"", RedisConnectionError), (b"$5\r\nab", RedisConnectionError), (b"*2\r\n:1\r\n", RedisConnectionError),
    (b"-LOADING it is\r\n", RedisConnectionError), (b"HTTP/1.1 200\r\n", InvalidResponse),
])  # fmt: skip
async def test_what_is_no_answer_is_an_error(said: bytes, error: type[Exception]) -> None:
    with pytest.raises(error):
        await read(Answers(65536), [said] if said else [], 1)


async def test_a_connection_that_the_server_ended_meanwhile_is_replaced_before_it_is_used(redis_url: str) -> None:
    client, other = connect(redis_url), connect(redis_url)
    await client.set("a", "ü" * 300_000)
    first = await client.client_id()
    await other.execute_command("CLIENT", "KILL", "ID", first)
    await asyncio.sleep(0.05)
    assert await client.get("a") == "ü" * 300_000
    assert await client.client_id() != first
    await client.close()
    await other.close()
