"""The names of everything that the transport keeps in Redis, and its Lua scripts.

All of one customer stands under the hash tag of their partition (`redis_layout`); a script works within one tag.
"""

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import redis.asyncio
from redis.exceptions import NoScriptError, ResponseError

from connectors.message_bus.servers.following import unfailed
from hot_store.redis_layout import PARTITIONS, log_stream, partition_of, tag

__all__ = ["PARTITIONS", "Script", "log_stream", "partition_of", "tag"]

LUA = Path(__file__).parent / "lua"

MEMBERS, LEAVING = "{wa}:members", "{wa}:leaving"
LEARN_AT_ONCE = 8  # calls that carry the script to servers that do not know it


def inbox_stream(partition: int) -> str:
    """Messages not yet answered, oldest first."""
    return f"{tag(partition)}:in"


def outbox_stream(partition: int) -> str:
    """Replies not yet accepted by Graph, oldest first."""
    return f"{tag(partition)}:out"


def dead_stream(partition: int) -> str:
    """What was set aside, oldest first; one field `j`, JSON."""
    return f"{tag(partition)}:dead"


def owner(partition: int) -> str:
    """Holds the token of whoever owns the partition; scripts that change something compare it with theirs."""
    return f"{tag(partition)}:owner"


def runs(partition: int) -> str:
    """Hash: stream id of an inbox entry → tokens of the ownerships in which its turn began and did not end."""
    return f"{tag(partition)}:runs"


def failures(partition: int) -> str:
    """Hash: `{stream id}:f` → how often the turn of an inbox entry failed."""
    return f"{tag(partition)}:tries"


def sending(partition: int) -> str:
    """Hash: stream id of a reply → the attempt to send it whose outcome is not known yet."""
    return f"{tag(partition)}:sending"


def probe(partition: int) -> str:
    """Written to find out whether the partition can be written to."""
    return f"{tag(partition)}:probe"


def seen(entry_id: str, partition: int) -> str:
    """Exists once an inbox entry of this id was taken."""
    return f"{tag(partition)}:seen:{entry_id}"


def settled(key: str) -> str:
    """Holds the wamid once a status proved that Graph accepted the reply `key`. Whose it is the status does not say."""
    return f"wa:settled:{key}"


def heard(entry_id: str) -> str:
    """What was found out to be said in a voice note or shown in a picture; empty for nothing."""
    return f"wa:heard:{entry_id}"


def heard_lately(customer: str) -> str:
    """How many of the customer's voice notes and pictures were read in this hour."""
    return f"wa:heard_lately:{customer}"


def of_customer(what: str, customer: str) -> str:
    """A key of a customer's beside those of their partition."""
    return f"{tag(partition_of(customer))}:{what}:{customer}"


def tracker(sender_id: str) -> tuple[str, str]:
    """The list of a tracker's events, and its base: from where on it is read."""
    name = of_customer("tracker", sender_id)
    return name, f"{name}:base"


def address(customer: str) -> str:
    """Where the customer was last heard: JSON with wa_id, user_id and the time of the last message."""
    return of_customer("address", customer)


def quotable(customer: str) -> str:
    """List, newest first: what was said lately and can be quoted, JSON with wamid and what it was about."""
    return of_customer("quotable", customer)


def voices(customer: str) -> str:
    """Hash: until when somebody else speaks to the customer (phone_until, app_until), and since when (…_at)."""
    return of_customer("voices", customer)


def thread_control(customer: str) -> str:
    """Who owned the conversation when SQL was last heard: holder, epoch (their older names), opened_by."""
    return f"wa:floor:{customer}"


class Script:
    """A Lua script, callable with its arguments; a server that does not know it gets it with the call.

    With `even_when_full` it also runs in a Redis that is at its memory limit: what is in there must be worked off
    although nothing new is taken in. Redis 6 does not know that mark and gets the script without it.
    """

    def __init__(
        self, client: redis.asyncio.Redis, name: str, even_when_full: bool = True, folder: Path = LUA
    ) -> None:
        self._client: Any = client  # a FollowingRedis
        self._plain = (folder / f"{name}.lua").read_text()
        self._know(("#!lua flags=allow-oom\n" if even_when_full else "") + self._plain)

    def _know(self, source: str) -> None:
        self._source = source
        self._sha = hashlib.sha1(source.encode()).hexdigest()  # noqa: S324 (Redis' own name for it)

    async def __call__(
        self, keys: Sequence[str], args: Sequence[str | int], durably: bool = False, since: int | None = None
    ) -> Any:
        """Run it on these keys, of one tag.

        `durably`: until a replica holds what it wrote, where there are replicas; `since`: only while there were so many
        failovers. Raises redis.RedisError, NotReplicated when no replica confirmed (run it again then), MasterChanged.
        """
        (answer,) = await self.many([(keys, args)], (), durably, since)
        return answer

    async def many(
        self,
        calls: Sequence[tuple[Sequence[str], Sequence[str | int]]],
        beside: Sequence[Sequence[Any]] = (),
        durably: bool = False,
        since: int | None = None,
    ) -> list[Any]:
        """Run it on each of these keys, without waiting in between, with other commands `beside`; what each returned.

        What one returned says nothing about the others. Raises as a call does, when any fails.
        """
        commands = [("EVALSHA", self._sha, len(keys), *keys, *args) for keys, args in calls]
        answers = await self._client.batch([*commands, *beside], durably=durably, since=since)
        unknown = [n for n, answer in enumerate(answers) if isinstance(answer, NoScriptError)]
        if unknown:
            first, rest = unknown[:LEARN_AT_ONCE], unknown[LEARN_AT_ONCE:]
            learnt = await self._with_source([calls[n] for n in first], durably, since)
            learnt += await self.many([calls[n] for n in rest], (), durably, since) if rest else []
            for n, answer in zip(unknown, learnt, strict=True):
                answers[n] = answer
        return unfailed(answers)[: len(calls)]

    async def _with_source(
        self,
        calls: Sequence[tuple[Sequence[str], Sequence[str | int]]],
        durably: bool = False,
        since: int | None = None,
    ) -> list[Any]:
        """What each call returned; an error is an answer."""
        commands = [("EVAL", self._source, len(keys), *keys, *args) for keys, args in calls]
        answers: list[Any] = await self._client.batch(commands, durably=durably, since=since)
        refused = [n for n, answer in enumerate(answers) if _does_not_compile(answer)]
        if refused and self._source != self._plain:
            self._know(self._plain)
            again = await self._with_source([calls[n] for n in refused], durably, since)
            for n, answer in zip(refused, again, strict=True):
                answers[n] = answer
        return answers


def _does_not_compile(answer: Any) -> bool:
    return isinstance(answer, ResponseError) and "compiling" in str(answer)
