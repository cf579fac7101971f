"""What redis-py does for each command beside sending it and reading the answer, done once or not at all.

Eight commands a turn, and for each of them redis-py 4.6 makes a task to write and one to find out that there is nothing
to read (ended by a time-out): 0.06 ms of processor time, most of it not needed.
"""

from __future__ import annotations

from typing import Any

from redis.asyncio.connection import HiredisParser
from redis.exceptions import ConnectionError as RedisConnectionError

_CLOSED = "the server closed the connection"


class Answers(HiredisParser):
    """Finds out without waiting whether something has come, and leaves bytes as they are where they are asked for."""

    _connected: bool
    _reader: Any  # hiredis.Reader
    _stream: Any  # asyncio.StreamReader

    async def can_read_destructive(self) -> bool:
        """Whether there is something that nobody asked for. Raises redis.ConnectionError at the end."""
        if not self._connected or self._stream.at_eof() or self._stream.exception() is not None:
            raise RedisConnectionError(_CLOSED)
        return bool(self._stream._buffer) or self._reader.has_data()

    async def read_response(self, disable_decoding: bool = False) -> Any:
        """One answer; an error of a command is an answer. Raises redis.ConnectionError, InvalidResponse."""
        if not self._connected:
            raise RedisConnectionError(_CLOSED)
        while (answer := self._reader.gets(not disable_decoding)) is False:
            await self.read_from_socket()
        if isinstance(answer, RedisConnectionError):
            raise answer
        return answer


class Plainly:
    """Mixed into redis-py's connections: writes without a task of its own, as long as the server takes it in."""

    is_connected: bool
    health_check_interval: float
    encoder: Any
    _writer: Any

    def pack_command(self, *words: Any) -> list[bytes]:
        """The bytes of a command; redis-py copies what it has so far with each word."""
        told = (*str(words[0]).encode().split(), *words[1:])
        parts = [b"*%d\r\n" % len(told)]
        for word in told:
            said = word.encode() if type(word) is str else self.encoder.encode(word)
            parts.append(b"$%d\r\n%b\r\n" % (len(said), said))
        return [b"".join(parts)]

    async def send_packed_command(self, command: Any, check_health: bool = True) -> None:
        if self.is_connected and not self.health_check_interval and not self._writer.transport.is_closing():
            self._writer.writelines([command] if isinstance(command, bytes) else command)
            if not self._writer.transport.get_write_buffer_size():
                return
            command = ()  # redis-py waits, for a while, until it is taken in
        await super().send_packed_command(command, check_health)  # type: ignore[misc]
