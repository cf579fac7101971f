"""Bodies that are unsigned, too large, broken or slow: refused with the right status, and the server lives on."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator

import aiohttp
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connectors.whatsapp.webhook.protocol_guard import MAX_BODY_BYTES
from connectors.whatsapp.webhook.signature import sign
from tests.connectors.whatsapp.channel_server import SECRET, Server, post
from tests.connectors.whatsapp.whatsapp_bodies import (
    as_bytes,
    message,
    notification,
    value,
)
from tests.examples import examples


@pytest.mark.parametrize("header", [None, "sha256=" + "0" * 64, "nonsense", "sha1=abc", "sha256=" + "A" * 64])
async def test_an_unsigned_body_is_refused_unread(
    http: aiohttp.ClientSession, server: Server, header: str | None
) -> None:
    for body in (as_bytes(notification(value(message()))), b"{not json"):
        headers = {"X-Hub-Signature-256": header} if header else {}
        async with http.post(server.url + "/webhook", data=body, headers=headers) as response:
            assert response.status == 401
    assert server.inbox.entries == []


async def test_two_signatures_are_refused(http: aiohttp.ClientSession, server: Server) -> None:
    body = as_bytes(notification(value(message())))
    headers = [("X-Hub-Signature-256", sign(body, SECRET)), ("X-Hub-Signature-256", "sha256=" + "0" * 64)]
    async with http.post(server.url + "/webhook", data=body, headers=headers) as response:
        assert response.status == 401


async def test_a_signature_over_the_reformatted_body_is_refused(http: aiohttp.ClientSession, server: Server) -> None:
    body = as_bytes(notification(value(message())))
    reformatted = json.dumps(json.loads(body), indent=1).encode()
    assert (await post(http, server, body, **{"X-Hub-Signature-256": sign(reformatted, SECRET)}))[0] == 401


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"\xff", b"[" * 200_000, b'{"a": Infinity}', b"\xef\xbb\xbf{}"],
    ids=["empty", "cut off", "not UTF-8", "nested without end", "infinity", "byte order mark"],
)
async def test_a_signed_body_that_is_no_json_is_a_bad_request(
    http: aiohttp.ClientSession, server: Server, body: bytes
) -> None:
    assert (await post(http, server, body))[0] == 400


async def test_three_mebibytes_are_taken_and_one_byte_more_is_not(http: aiohttp.ClientSession, server: Server) -> None:
    body = as_bytes(notification(value(message())))
    full = body + b" " * (MAX_BODY_BYTES - len(body))
    assert (await post(http, server, full))[0] == 200
    assert (await post(http, server, full + b" "))[0] == 413
    assert len(server.inbox.entries) == 1


async def test_a_sender_who_reads_only_after_sending_all_gets_the_answer_too(server: Server) -> None:
    body = b"x" * 8_000_000
    for head in (f"Content-Length: {len(body)}", "Transfer-Encoding: chunked"):
        chunked = head.startswith("Transfer")
        sent = b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body) if chunked else body
        assert b" 413 " in await raw_request(server, head, sent)


async def raw_request(server: Server, head: str, *chunks: bytes) -> bytes:
    """Send bytes as they are; the start of the answer."""
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    try:
        writer.write(f"POST /webhooks/whatsapp/webhook HTTP/1.1\r\nHost: x\r\n{head}\r\n\r\n".encode())
        for chunk in chunks:
            writer.write(chunk)
            await writer.drain()
        return await asyncio.wait_for(reader.readline(), 10)
    finally:
        writer.close()


async def test_too_large_a_body_is_refused_before_it_is_sent(server: Server) -> None:
    assert b" 413 " in await raw_request(server, "Content-Length: 99000000")


async def test_a_body_of_unannounced_length_is_read_no_further_than_the_limit(server: Server) -> None:
    chunk = b"%x\r\n" % 1_000_000 + b"x" * 1_000_000 + b"\r\n"
    assert b" 413 " in await raw_request(server, "Transfer-Encoding: chunked", chunk, chunk, chunk, chunk)


@pytest.mark.parametrize("length", ["-5", "abc", "", "5\r\nContent-Length: 6", "\u0665"])
async def test_a_senseless_length_is_refused_and_the_server_lives_on(
    http: aiohttp.ClientSession, server: Server, length: str
) -> None:
    assert b" 400 " in await raw_request(server, f"Content-Length: {length}", b"0123456789")
    async with http.get(server.url + "/", timeout=aiohttp.ClientTimeout(total=5)) as response:
        assert response.status == 200


async def test_an_undecodable_signature_is_refused(server: Server) -> None:
    assert b" 401 " in await raw_request(server, "Content-Length: 2\r\nX-Hub-Signature-256: sha256=\xe9", b"{}")


async def test_a_chunked_body_is_welcome(http: aiohttp.ClientSession, server: Server) -> None:
    body = as_bytes(notification(value(message())))

    async def pieces() -> AsyncIterator[bytes]:
        for start in range(0, len(body), 50):
            yield body[start : start + 50]

    headers = {"X-Hub-Signature-256": sign(body, SECRET)}
    async with http.post(server.url + "/webhook", data=pieces(), headers=headers) as response:
        assert response.status == 200
    assert len(server.inbox.entries) == 1


@settings(max_examples=examples(60), deadline=None, suppress_health_check=list(HealthCheck))
@given(st.binary(max_size=200) | st.text(max_size=80).map(str.encode).map(lambda text: b'{"entry":' + text + b"}"))
def test_signed_garbage_is_never_a_server_error(running: Server, body: bytes) -> None:
    async def send() -> int:
        async with aiohttp.ClientSession() as session:
            return (await post(session, running, body))[0]

    assert asyncio.run(send()) in (200, 400)
