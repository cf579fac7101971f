"""The names of everything that the transport keeps in Redis, and its Lua scripts."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import redis.asyncio
from redis.exceptions import NoScriptError, ResponseError

from connectors.message_bus.servers.durability import confirm

LUA = Path(__file__).parent / "lua"

PARTITIONS = 32
LOG_STREAM = "log"
DEAD_STREAM = "wa:dead"
MEMBERS = "wa:members"
FENCE = "wa:fence"
PROBE = "wa:probe"


def partition_of(customer: str) -> int:
    """The partition that holds everything of this customer. Must never change: it is where their messages wait."""
    return zlib.crc32(customer.encode()) % PARTITIONS


def inbox_stream(partition: int) -> str:
    """Messages not yet answered, oldest first."""
    return f"wa:in:{partition}"


def outbox_stream(partition: int) -> str:
    """Replies not yet accepted by Graph, oldest first."""
    return f"wa:out:{partition}"


def owner(partition: int) -> str:
    """Holds the token of whoever owns the partition; scripts that change something compare it with theirs."""
    return f"wa:owner:{partition}"


def lease(partition: int) -> str:
    """Exists while the owner renews it."""
    return f"wa:lease:{partition}"


def runs(partition: int) -> str:
    """Hash: stream id of an inbox entry → tokens of the ownerships in which its turn began and did not end."""
    return f"wa:runs:{partition}"


def failures(partition: int) -> str:
    """Hash: `{stream id}:f` → how often the turn of an inbox entry failed."""
    return f"wa:tries:{partition}"


def sending(partition: int) -> str:
    """Hash: stream id of a reply → the attempt to send it whose outcome is not known yet."""
    return f"wa:sending:{partition}"


def seen(entry_id: str) -> str:
    """Exists once an inbox entry of this id was taken."""
    return f"wa:seen:{entry_id}"


def settled(key: str) -> str:
    """Holds the wamid once a status proved that Graph accepted the reply `key`."""
    return f"wa:settled:{key}"


def tracker(sender_id: str) -> tuple[str, str]:
    """The list of a tracker's events, and its base: from where on it is read."""
    return f"tracker:{sender_id}", f"tracker:{sender_id}:base"


def address(customer: str) -> str:
    """Where the customer was last heard: JSON with wa_id, user_id and the time of the last message."""
    return f"wa:address:{customer}"


def quotable(customer: str) -> str:
    """List, newest first: what was said lately and can be quoted, JSON with wamid and what it was about."""
    return f"wa:quotable:{customer}"


def heard(entry_id: str) -> str:
    """What was found out to be said in a voice note or shown in a picture; empty for nothing."""
    return f"wa:heard:{entry_id}"


def heard_lately(customer: str) -> str:
    """How many of the customer's voice notes and pictures were read in this hour."""
    return f"wa:heard_lately:{customer}"


def voices(customer: str) -> str:
    """Hash: until when somebody else speaks to the customer (phone_until, app_until), and since when (…_at)."""
    return f"wa:voices:{customer}"


def thread_control(customer: str) -> str:
    """Who owned the conversation when SQL was last heard: holder, epoch (their older names), opened_by."""
    return f"wa:floor:{customer}"


class Script:
    """A Lua script, callable with its arguments; a restarted Redis gets it again by itself.

    With `even_when_full` it also runs in a Redis that is at its memory limit: what is in there must be worked off
    although nothing new is taken in. Redis 6 does not know that mark and gets the script without it.
    """

    def __init__(self, client: redis.asyncio.Redis, name: str, even_when_full: bool = True) -> None:
        self._client: Any = client  # a FollowingRedis where scripts are run durably
        self._source = (LUA / f"{name}.lua").read_text()
        self._mark = "#!lua flags=allow-oom\n" if even_when_full else ""
        self._sha: str | None = None

    async def __call__(self, keys: Sequence[str], args: Sequence[str | int], durably: bool = False) -> Any:
        """Run it on these keys; `durably`: until a replica holds what it wrote, where there are replicas.

        Raises redis.RedisError, NotReplicated when no replica confirmed; run it again then.
        """
        wait = await self._client.durability.command(self._client) if durably else None
        if self._sha is not None:
            try:
                return await self._run(self._sha, keys, args, wait)
            except NoScriptError:
                pass
        self._sha = await self._load()
        return await self._run(self._sha, keys, args, wait)

    async def _run(
        self, sha: str, keys: Sequence[str], args: Sequence[str | int], wait: tuple[Any, ...] | None
    ) -> Any:
        if wait is None:
            return await self._client.evalsha(sha, len(keys), *keys, *args)
        answer, waited = await self._client.over_one_connection(("EVALSHA", sha, len(keys), *keys, *args), wait)
        if isinstance(answer, ResponseError):
            raise answer
        confirm(waited)
        return answer

    async def _load(self) -> str:
        try:
            return str(await self._client.script_load(self._mark + self._source))
        except ResponseError as error:
            if "compiling" not in str(error):
                raise
            return str(await self._client.script_load(self._source))
