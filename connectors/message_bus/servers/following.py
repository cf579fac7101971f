"""Connections to Redis that fail fast, and that follow the master when it moves to another server.

After a failover the address (or the sentinels) lead to the new master, but connections made before may stay with the
old one, which answers and takes nothing (READONLY and its relatives), or does not answer any more. Such an answer means
that nothing was carried out. So the connection that got it is dropped, those of its pool made as early are replaced
before their next use, and the command is sent once more.
"""

from __future__ import annotations

import asyncio
import logging
import weakref
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import redis.asyncio
from redis.asyncio.connection import Connection, SSLConnection, UnixDomainSocketConnection
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import NoPermissionError, ReadOnlyError, RedisError, ResponseError

from connectors.message_bus.servers.commands import Plainly
from connectors.message_bus.servers.durability import Durability, confirm

log = logging.getLogger(__name__)

# LOADING is not among them: redis-py takes it for a broken connection, and asking again at once would not help.
_ELSEWHERE = ("READONLY", "MASTERDOWN", "CLUSTERDOWN", "NOREPLICAS", "UNBLOCKED", "NOAUTH")
WATCH_S = 0.7
Locate = Callable[[], Awaitable[tuple[str, int]]]


class MasterChanged(RedisConnectionError):
    """Nothing was carried out: another server is the master since the caller found out what it may do."""


def is_elsewhere(error: ResponseError) -> bool:
    """Whether the answer says that this server is not, or no longer, the one to ask."""
    if isinstance(error, ReadOnlyError):
        return True
    # Redis 6 puts a script's error into the middle of its own.
    return any(str(error).startswith(word) or f"-{word} " in str(error) for word in _ELSEWHERE)


def unfailed(answers: list[Any]) -> list[Any]:
    """The answers of a batch. Raises the first that is an error."""
    for answer in answers:
        if isinstance(answer, Exception):
            raise answer
    return answers


@dataclass(eq=False)
class Endpoint:
    """What the connections of a pool share: where the master is, how often it moved, whether it is silent."""

    locate: Locate | None = None
    slow_s: float = float("inf")
    moves: int = 0
    failovers: int = 0
    """How often another server has become the master."""
    silent: bool = False
    """A command waits for longer than `slow_s`, and none has been answered since."""
    on_silence: Callable[[], None] = lambda: None
    connections: weakref.WeakSet[Following] = field(default_factory=weakref.WeakSet)
    watcher: asyncio.Task[None] | None = None
    master: tuple[str, int] | None = None

    async def place(self) -> tuple[str, int] | None:
        """Where to connect to, None: to the address that the connection has. Watches whether that changes."""
        if self.locate is None:
            return None
        found = await self.locate()
        self._noted(found)
        if self.watcher is None or self.watcher.done():
            self.watcher = asyncio.create_task(self._watch(self.locate))
        return found

    def _noted(self, master: tuple[str, int]) -> None:
        if self.master not in (None, master):
            self.failovers += 1
        self.master = master

    async def _watch(self, locate: Locate) -> None:
        """Cut connections to what is no longer the master: one that hangs would be waited for in vain."""
        while any(connection.is_connected for connection in self.connections):
            await asyncio.sleep(WATCH_S)
            try:
                master = await locate()
            except (RedisError, OSError, asyncio.TimeoutError):
                continue
            self._noted(master)
            old = [one for one in self.connections if one.is_open and (one.host, one.port) != master]
            if old:
                log.warning("redis.master.moved connections=%d", len(old))
                self.moved()
            for connection in old:
                connection.cut()

    def moved(self) -> None:
        """Connections made until now are replaced; what was silent is another server."""
        self.moves += 1
        self.silent = False

    def fell_silent(self) -> None:
        """Nobody else shall wait for it, until it answers."""
        self.silent = True
        self.on_silence()


class Following:
    """Mixed into redis-py's connections."""

    host: str
    port: int
    is_connected: bool
    _writer: Any

    def __init__(self, *, endpoint: Endpoint, **options: Any) -> None:
        super().__init__(**options)
        self._endpoint = endpoint
        self._moves = endpoint.moves

    async def _connect(self) -> None:
        place = await self._endpoint.place()
        if place is not None:
            self.host, self.port = place
        try:
            await super()._connect()  # type: ignore[misc]
        except asyncio.TimeoutError:
            self._endpoint.fell_silent()
            raise

    async def on_connect(self) -> None:
        self._moves = self._endpoint.moves
        await super().on_connect()  # type: ignore[misc]
        self._endpoint.connections.add(self)
        if self._endpoint.locate is not None:
            await self._check_role()
        self._check_place()

    def _check_place(self) -> None:
        """It takes a while to connect, and a master that was replaced while it lives says still that it is one."""
        endpoint = self._endpoint
        if self._moves != endpoint.moves or (endpoint.locate and endpoint.master != (self.host, self.port)):
            raise RedisConnectionError("made before the endpoint moved")

    async def _check_role(self) -> None:
        """Sentinels name the old master until they have agreed on a new one."""
        await self.send_command("ROLE", check_health=False)  # type: ignore[attr-defined]
        try:
            role = await self.read_response()
        except NoPermissionError:
            return
        if role[0] not in ("master", b"master"):
            raise RedisConnectionError("the server that the sentinels name is no master")

    @property
    def is_open(self) -> bool:
        """Whether it may be used: one that was cut counts as connected until its pool looks at it again."""
        return self._writer is not None and not self._writer.transport.is_closing()

    def cut(self) -> None:
        """End it from outside: whoever waits for an answer gets an error now."""
        if self._writer is not None:
            self._writer.transport.abort()

    async def can_read_destructive(self) -> bool:
        """The pool asks before it gives a connection away, and replaces it when that raises."""
        self._check_place()
        return bool(await super().can_read_destructive())  # type: ignore[misc]

    async def send_packed_command(self, *arguments: Any, **options: Any) -> None:
        try:
            await super().send_packed_command(*arguments, **options)  # type: ignore[misc]
        except RuntimeError as error:  # uvloop's word for a connection that was cut meanwhile
            raise RedisConnectionError("the connection was cut") from error

    async def read_response(self, *arguments: Any, **options: Any) -> Any:
        endpoint = self._endpoint
        slow = asyncio.get_running_loop().call_later(endpoint.slow_s, endpoint.fell_silent)
        try:
            answer = await super().read_response(*arguments, **options)  # type: ignore[misc]
        except ResponseError as error:
            endpoint.silent = False
            if is_elsewhere(error):
                if self._moves == endpoint.moves:
                    endpoint.moves += 1
                    endpoint.failovers += "READONLY" in str(error)
                await self.disconnect(nowait=True)  # type: ignore[attr-defined]
            raise
        finally:
            slow.cancel()
        endpoint.silent = False
        return answer


class _Tcp(Following, Plainly, Connection):
    pass


class _Tls(Following, Plainly, SSLConnection):
    pass


class _Unix(Following, Plainly, UnixDomainSocketConnection):
    pass


CLASSES: dict[Any, Any] = {Connection: _Tcp, SSLConnection: _Tls, UnixDomainSocketConnection: _Unix}


class FollowingRedis(redis.asyncio.Redis):
    """A client that asks once more, over a new connection, when it asked the wrong server."""

    durability: Durability
    readers, block_ms = 8, 400
    """How many blocking reads share the partitions, and for how long one waits: what is gained meanwhile comes next."""

    async def execute_command(self, *arguments: Any, **options: Any) -> Any:
        try:
            return await super().execute_command(*arguments, **options)
        except ResponseError as error:
            if not is_elsewhere(error):
                raise
        return await super().execute_command(*arguments, **options)

    @property
    def failovers(self) -> int:
        """How often another server has become the master, as far as this process has seen."""
        return int(self.connection_pool.connection_kwargs["endpoint"].failovers)

    async def reach(self) -> None:
        """Be connected to the master of now, so that `failovers` counts it. Raises redis.RedisError."""
        if self.connection_pool.connection_kwargs["endpoint"].locate is not None:
            await self.connection_pool.release(await self.connection_pool.get_connection("_"))

    def cut(self) -> None:
        """End all connections now, whoever waits for an answer."""
        endpoint = self.connection_pool.connection_kwargs["endpoint"]
        endpoint.moved()
        for connection in list(endpoint.connections):
            connection.cut()

    async def batch(
        self, commands: Sequence[Sequence[Any]], durably: bool = False, since: int | None = None
    ) -> list[Any]:
        """Raw answers of commands that are sent without waiting in between; an error is an answer, too.

        `durably`: until a replica holds what they wrote, where there are replicas. `since`: only while there were so
        many failovers. Asks once more like `execute_command`.
        Raises redis.RedisError when not all were answered, NotReplicated, MasterChanged.
        """
        if not commands:
            return []
        wait = await self.durability.command(self) if durably else None
        asked = [*commands, wait] if wait else commands
        answers = await self._over_one_connection(asked, since)
        if isinstance(answers[0], ResponseError) and is_elsewhere(answers[0]):
            answers = await self._over_one_connection(asked, since)
        if wait:
            confirm(answers.pop())
        return answers

    async def ask(self, commands: Sequence[Sequence[Any]]) -> list[Any]:
        """As `batch`; an error among the answers is raised."""
        return unfailed(await self.batch(commands))

    async def replicas(self) -> int | None:
        """How many are connected to the master; None where this user may not ask. Raises redis.RedisError."""
        try:
            found = await self.info("replication")
        except ResponseError:
            return None
        return int(found.get("connected_slaves") or 0)

    async def _over_one_connection(self, commands: Sequence[Sequence[Any]], since: int | None) -> list[Any]:
        connection = await self.connection_pool.get_connection("_")
        answers: list[Any] = []
        try:
            if since not in (None, self.failovers):
                raise MasterChanged("another server is the master now")
            await connection.send_packed_command(connection.pack_commands(commands))
            for _ in commands:
                try:
                    answers.append(await connection.read_response())
                except ResponseError as error:
                    answers.append(error)
                    if is_elsewhere(error):  # the connection is gone, and the others went the same way
                        return [error] * len(commands)
        finally:
            await self.connection_pool.release(connection)
        return answers
