"""Calls over kept connections, to a server that says what a test tells it to, byte by byte."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence

import pytest

from connectors.http_calls import Answer, HttpCalls, NoAnswer, NotSent
from tests.conftest import free_port

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Type: application/json\r\n\r\n{}"


class Server:
    """Says one answer after the other to each call, in pieces; keeps what it was asked, by connection."""

    def __init__(self) -> None:
        self.answers: list[Sequence[bytes]] = []
        self.asked: list[list[bytes]] = []
        self.url = ""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        mine: list[bytes] = []
        self.asked.append(mine)
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                length = int(head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0])
                mine.append(head + await reader.readexactly(length))
                for piece in self.answers.pop(0):
                    if piece == b"close":
                        writer.close()
                        return
                    writer.write(piece)
                    await asyncio.sleep(0.002)
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    server = Server()
    listening = await asyncio.start_server(server.serve, "127.0.0.1", 0)
    server.url = f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}/a b/x"
    yield server
    listening.close()


def calls(server: Server, timeout_s: float = 5.0, keep_alive_s: float = 60.0) -> HttpCalls:
    return HttpCalls(server.url, {"Authorization": "Bearer t"}, timeout_s, keep_alive_s=keep_alive_s)


async def ask(ours: HttpCalls, body: bytes = b"{}") -> Answer:
    return await ours.post(ours.path, body, {"X-More": "1"})


async def test_what_is_asked_is_what_http_asks_for(server: Server) -> None:
    server.answers = [[OK]]
    ours = calls(server)
    assert await ask(ours, b'{"a": 1}') == (
        200, "OK", {"content-length": "2", "content-type": "application/json"}, b"{}",
    )  # fmt: skip
    head, _, body = server.asked[0][0].partition(b"\r\n\r\n")
    lines = head.decode().split("\r\n")
    assert lines[0] == "POST /a%20b/x HTTP/1.1"
    host = server.url.split("/")[2]
    assert {"Authorization: Bearer t", "X-More: 1", "Content-Length: 8", f"Host: {host}"} <= {*lines}
    assert body == b'{"a": 1}'
    ours.close()


@pytest.mark.parametrize(("pieces", "body"), [
    ([OK[:9], OK[9:50], OK[50:]], b"{}"),
    ([b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n", OK], b"{}"),
    ([b"HTTP/1.1 204 No Content\r\n\r\n"], b""),
    ([b"HTTP/1.1 200\r\nTransfer-Encoding: chunked\r\n\r\n3;x=1\r\nabc\r", b"\na\r\n0123456789\r\n0\r\n", b"\r\n"],
     b"abc0123456789"),
    ([b"HTTP/1.1 200 OK\r\ntransfer-encoding: Chunked\r\n\r\n1\r\na\r\n0\r\nTrailer: x\r\n\r\n"], b"a"),
])  # fmt: skip
async def test_an_answer_is_understood_in_whatever_pieces_it_comes_and_the_connection_kept(
    server: Server, pieces: list[bytes], body: bytes
) -> None:
    server.answers = [pieces, [OK]]
    ours = calls(server)
    assert (await ask(ours)).body == body
    assert (await ask(ours)).status == 200
    assert [len(asked) for asked in server.asked] == [2]
    ours.close()


@pytest.mark.parametrize("pieces", [
    [b"HTTP/1.1 200 OK\r\n\r\nup to the end", b"close"],
    [b"HTTP/1.0 200 OK\r\nContent-Length: 13\r\n\r\nup to the end"],
    [b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 13\r\n\r\nup to the end"],
    [b"HTTP/1.1 200 OK\r\nContent-Length: 13\r\n\r\nup to the endHTTP/1.1 200 OK"],
])  # fmt: skip
async def test_a_connection_that_may_not_stay_is_not_used_again(server: Server, pieces: list[bytes]) -> None:
    server.answers = [pieces, [OK]]
    ours = calls(server)
    assert (await ask(ours)).body == b"up to the end"
    assert (await ask(ours)).body == b"{}"
    assert len(server.asked) == 2
    ours.close()


@pytest.mark.parametrize("pieces", [
    [b"close"], [OK[:20], b"close"], [b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n{}", b"close"],
    [b"SSH-2.0-OpenSSH\r\n\r\n"], [b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n"], [b"HTTP/1.1 x\r\n\r\n"],
    [b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n"], [b"a" * 70_000],
    [b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-5\r\n"],
    [b"HTTP/1.1 200 OK\r\nX-Long: ", *[b"a" * 30_000] * 3],
])  # fmt: skip
async def test_what_is_no_whole_answer_is_told_as_such_and_the_next_call_is_unharmed(
    server: Server, pieces: list[bytes]
) -> None:
    server.answers = [pieces, [OK]]
    ours = calls(server)
    with pytest.raises(NoAnswer):
        await ask(ours)
    assert (await ask(ours)).status == 200
    ours.close()


async def test_a_late_answer_is_a_timeout_and_never_the_answer_to_the_next_call(server: Server) -> None:
    server.answers = [[b""], [OK]]
    ours = calls(server, timeout_s=0.2)
    with pytest.raises(asyncio.TimeoutError):
        await ask(ours)
    task = asyncio.create_task(ask(ours))
    assert (await task).body == b"{}"
    assert len(server.asked) == 2
    ours.close()


async def test_who_is_cancelled_leaves_no_connection_behind_for_others(server: Server) -> None:
    server.answers = [[b""], [OK]]
    ours = calls(server)
    task = asyncio.create_task(ask(ours))
    while not server.asked or not server.asked[0]:
        await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert (await ask(ours)).body == b"{}"
    assert len(server.asked) == 2
    ours.close()


async def test_an_idle_connection_is_not_used_for_longer_than_said(server: Server) -> None:
    server.answers = [[OK], [OK]]
    ours = calls(server, keep_alive_s=0.0)
    assert [(await ask(ours)).status, (await ask(ours)).status] == [200, 200]
    assert len(server.asked) == 2
    ours.close()


async def test_no_more_connections_than_allowed(server: Server) -> None:
    server.answers = [[b""], [OK], [OK]]
    ours = HttpCalls(server.url, {}, 5.0, connections=1)
    hanging, *waiting = (asyncio.create_task(ask(ours)) for _ in range(3))
    while not server.asked or not server.asked[0]:
        await asyncio.sleep(0.01)
    assert len(server.asked) == 1
    hanging.cancel()
    assert [(await one).status for one in waiting] == [200, 200]
    assert len(server.asked) == 2
    ours.close()


async def test_without_a_connection_nothing_was_sent() -> None:
    for url in (f"http://127.0.0.1:{free_port()}", f"http://localhost:{free_port()}", "http://nobody.invalid"):
        ours = HttpCalls(url, {}, 1.0)
        with pytest.raises(NotSent):
            await ask(ours)


@pytest.mark.parametrize("url", ["ftp://example.com/x", "example.com", "http:///x"])
def test_what_is_no_address_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="address"):
        HttpCalls(url, {}, 1.0)


@pytest.mark.parametrize("value", ["a\r\nX-Evil: 1", "a\nb", "a\rb"])
async def test_no_header_can_bring_another(value: str) -> None:
    with pytest.raises(ValueError, match="line break"):
        await HttpCalls("http://127.0.0.1:1", {"Authorization": value}, 1.0).post("/", b"", {})
