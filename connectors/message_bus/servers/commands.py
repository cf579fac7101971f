"""What redis-py does for each command beside sending it and reading the answer, done once or not at all.

Eight commands a turn, and for each of them redis-py 4.6 makes a task to write, one to find out that there is nothing to
read (ended by a time-out), and awaits each line of the answer: 0.06 ms of processor time, most of it not needed.
"""

from __future__ import annotations

from typing import Any

from redis.asyncio.connection import BaseParser
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import InvalidResponse

CHUNK = 256 * 1024
_END = b"\r\n"
_BULK, _ARRAY, _INTEGER, _SIMPLE, _ERROR = b"$*:+-"
_CLOSED = "the server closed the connection"


class _Incomplete(Exception):
    pass


class Answers(BaseParser):
    """Reads whatever has come, and waits only where an answer is not whole."""

    def __init__(self, socket_read_size: int) -> None:
        super().__init__(socket_read_size)
        self._read, self._at = b"", 0

    def on_connect(self, connection: Any) -> None:
        self._stream, self._encoder = connection._reader, connection.encoder
        self._read, self._at = b"", 0
        self._connected = True

    def on_disconnect(self) -> None:
        self._connected = False

    async def can_read_destructive(self) -> bool:
        """Whether there is something that nobody asked for. Raises redis.ConnectionError at the end."""
        if not self._connected or self._stream.at_eof() or self._stream.exception() is not None:
            raise RedisConnectionError(_CLOSED)
        return bool(self._read or self._stream._buffer)

    async def read_response(self, disable_decoding: bool = False) -> Any:
        """One answer; an error of a command is an answer. Raises redis.ConnectionError, InvalidResponse."""
        if not self._connected:
            raise RedisConnectionError(_CLOSED)
        decoding = None if disable_decoding or not self._encoder.decode_responses else self._encoder.encoding
        while True:
            try:
                answer, self._at = self._parsed(self._at, decoding)
                break
            except _Incomplete:
                more = await self._stream.read(CHUNK)
                if not more:
                    raise RedisConnectionError(_CLOSED) from None
                self._read, self._at = self._read[self._at :] + more, 0
        if self._at == len(self._read):
            self._read, self._at = b"", 0
        if isinstance(answer, RedisConnectionError):
            raise answer
        return answer

    def _parsed(self, at: int, decoding: str | None) -> tuple[Any, int]:
        """The answer that begins there, and where it ends. Raises _Incomplete."""
        read = self._read
        end = read.find(_END, at)
        if end < 0:
            raise _Incomplete
        kind, head, after = read[at], read[at + 1 : end], end + 2
        if kind == _BULK:
            stop = after + int(head)
            if stop < after:
                return None, after
            if len(read) < stop + 2:
                raise _Incomplete
            value = read[after:stop]
            return value if decoding is None else value.decode(decoding, self._encoder.encoding_errors), stop + 2
        if kind == _INTEGER:
            return int(head), after
        if kind == _SIMPLE:
            return head if decoding is None else head.decode(decoding), after
        if kind == _ERROR:
            return self.parse_error(head.decode("utf-8", "replace")), after
        if kind != _ARRAY:
            raise InvalidResponse(f"no answer of Redis begins with {read[at : at + 1]!r}")
        if int(head) < 0:
            return None, after
        values = []
        for _ in range(int(head)):
            value, after = self._parsed(after, decoding)
            values.append(value)
        return values, after


class Plainly:
    """Mixed into redis-py's connections: writes without a task of its own, as long as the server takes it in."""

    is_connected: bool
    health_check_interval: float
    _writer: Any

    async def send_packed_command(self, command: Any, check_health: bool = True) -> None:
        if self.is_connected and not self.health_check_interval and not self._writer.transport.is_closing():
            self._writer.writelines([command] if isinstance(command, bytes) else command)
            if not self._writer.transport.get_write_buffer_size():
                return
            command = ()  # redis-py waits, for a while, until it is taken in
        await super().send_packed_command(command, check_health)  # type: ignore[misc]
