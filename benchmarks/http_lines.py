"""HTTP/1.1 by its bytes, for load: what a full client takes for a call, the product would not get.

Only between processes of the benchmark: bodies with a length, connections that stay open.
"""

import asyncio
import json
from typing import Any, cast

END = b"\r\n\r\n"


def request(method: str, host: str, path: str, body: bytes, headers: dict[str, str]) -> bytes:
    """The bytes of a request with a JSON body."""
    lines = {"Host": host, "Content-Type": "application/json", "Content-Length": str(len(body)), **headers}
    return "\r\n".join([f"{method} {path} HTTP/1.1", *(f"{k}: {v}" for k, v in lines.items()), "", ""]).encode() + body


def response(status: int, answer: Any) -> bytes:
    """The bytes of a JSON response."""
    body = json.dumps(answer).encode()
    head = f"HTTP/1.1 {status} OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


class Messages(asyncio.Protocol):
    """Takes apart what comes over a connection: `came` gets each message's first line and body."""

    transport: asyncio.Transport

    def __init__(self) -> None:
        self._read = b""

    def came(self, line: str, body: bytes) -> None:
        raise NotImplementedError

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)  # uvloop's is none by its class

    def data_received(self, data: bytes) -> None:
        self._read += data
        while (end := self._read.find(END)) >= 0:
            head = self._read[:end].decode("latin-1")
            named = head.lower().partition("content-length:")[2]
            until = end + len(END) + int(named.partition("\r\n")[0] or 0)
            if len(self._read) < until:
                return
            body, self._read = self._read[end + len(END) : until], self._read[until:]
            self.came(head.partition("\r\n")[0], body)


class Client:
    """Calls one server over connections that stay open, as many as are called side by side."""

    def __init__(self, url: str, timeout_s: float = 120) -> None:
        """`url`: http://host:port."""
        self._timeout_s = timeout_s
        self._host = url.partition("://")[2].partition("/")[0]
        self._idle: list[_Call] = []

    async def post(self, path: str, body: bytes, headers: dict[str, str] | None = None) -> tuple[int, bytes]:
        """Status and body of the answer. Raises OSError when there is none."""
        asked = request("POST", self._host, path, body, headers or {})
        while self._idle:
            kept = self._idle.pop()
            if not kept.transport.is_closing():
                try:
                    return await self._ask(kept, asked)
                except ConnectionResetError:  # closed by the server as we took it
                    break
        host, _, port = self._host.rpartition(":")
        _, fresh = await asyncio.get_running_loop().create_connection(_Call, host, int(port))
        return await self._ask(fresh, asked)

    async def _ask(self, call: "_Call", asked: bytes) -> tuple[int, bytes]:
        timer = asyncio.get_running_loop().call_later(self._timeout_s, call.transport.abort)
        try:
            answer = await call.answered(asked)
        finally:
            timer.cancel()
        self._idle.append(call)
        return answer

    def close(self) -> None:
        """End the connections."""
        while self._idle:
            self._idle.pop().transport.abort()


class _Call(Messages):
    """One call at a time."""

    _answer: asyncio.Future[tuple[int, bytes]] | None = None

    def answered(self, asked: bytes) -> asyncio.Future[tuple[int, bytes]]:
        self._answer = asyncio.get_running_loop().create_future()
        if self.transport.is_closing():
            self._answer.set_exception(ConnectionResetError("no answer"))
        self.transport.write(asked)
        return self._answer

    def came(self, line: str, body: bytes) -> None:
        if self._answer is not None and not self._answer.done():
            self._answer.set_result((int(line.split(" ")[1]), body))

    def connection_lost(self, error: Exception | None) -> None:
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(ConnectionResetError("no answer"))
