"""HTTP/1.1 by its bytes, for load: what a full server or client takes for a call, the product would not get.

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
