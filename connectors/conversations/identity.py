"""Whose conversation a message belongs to.

A customer may be known by a phone number, by a `user_id`, or by both, and the ids change: numbers move with their
owner, numbers are recycled to strangers, `user_id`s are regenerated. Redis keeps one alias per id and one profile
per customer; a Lua script reads and changes them for a whole webhook at once, so that concurrent webhooks agree.

The rules: a `user_id` decides before a phone number; a number that appears with another `user_id` than before belongs
to a new person, who starts a conversation of their own; a number given up reaches nobody; a phone that was shared on
our request counts until the customer's ids change or somebody else writes from it.
"""

import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import redis.asyncio
from redis.exceptions import RedisError

from connectors.conversations.senders import Sender, e164
from connectors.message_bus import keys
from connectors.whatsapp.webhook.payloads import Message
from hot_store import redis_layout

CHANGE_PREFIX = f"{redis_layout.IDENTITY}:change:"
MAX_ROUNDS = 20  # in which keys are declared that the ones before led to; three are many
# Longer than any conversation matters, and far longer than operators keep a number before they give it away.
REMEMBER_S = 400 * 24 * 3600
# Orders are on their way for weeks, and operators give numbers away again after months.
FORMER_S = 60 * 24 * 3600


_IDS = ("wa_id", "user_id", "old_wa_id", "old_user_id", "new_wa_id", "new_user_id")


class IdentitiesUnavailable(ConnectionError):
    """The identities cannot be read or written now; nothing was resolved."""


@dataclass(frozen=True)
class Identity:
    """The conversation of a message, and the phone (E.164) that this sender verifiably has, if any.

    `former_phone` is the one that they had before WhatsApp said that they changed it, for FORMER_S.
    """

    customer: str
    phone: str | None
    former_phone: str | None = None


@dataclass(frozen=True)
class Address:
    """How to reach a customer now: `to` the phone when there is one, else `recipient` the user_id."""

    wa_id: str | None
    user_id: str | None


class Identities:
    """Aliases and profiles of customers in Redis. Every method raises IdentitiesUnavailable."""

    def __init__(self, client: redis.asyncio.Redis) -> None:
        self._redis = client
        self._script = keys.Script(client, "identity", even_when_full=False, folder=Path(__file__).parent)

    async def resolve(self, messages: Sequence[Message]) -> list[Identity]:
        """One Identity per message, in order, learning ids and carrying out identity changes on the way."""
        return await self._run([_operation(message) for message in messages])

    async def recipients(self, customers: Sequence[Sender]) -> list[Identity]:
        """One Identity for each customer whom somebody else wrote to, in order; whom nobody knows yet gets one."""
        return await self._run(
            [_present(op="recipient", wa_id=customer.wa_id, user_id=customer.user_id) for customer in customers]
        )

    async def of_phone(self, forms: Sequence[str]) -> Identity:
        """The customer with this phone, known or new; `forms`: the digits that its number may be written with."""
        try:
            known = await self._redis.mget([redis_layout.alias(form) for form in forms])
        except (RedisError, OSError, asyncio.TimeoutError) as error:
            raise IdentitiesUnavailable(type(error).__name__) from error
        named = next((form for form, customer in zip(forms, known, strict=True) if customer), forms[0])
        return (await self.recipients([Sender(named, None)]))[0]

    async def _run(self, operations: list[dict[str, Any]]) -> list[Identity]:
        if not operations:
            return []
        arguments: list[str | int] = [
            redis_layout.alias(""), redis_layout.profile(""), CHANGE_PREFIX,
            REMEMBER_S, json.dumps(operations), FORMER_S,
        ]  # fmt: skip
        declared = dict.fromkeys(name for operation in operations for name in _likely_keys(operation))
        try:
            for _ in range(MAX_ROUNDS):
                state, *found = await self._script(list(declared), arguments)
                if state == "done":
                    answers = json.loads(found[0])
                    return [Identity(customer, e164(digits), e164(former)) for customer, digits, former in answers]
                declared.update(dict.fromkeys(found))
        except (RedisError, OSError, asyncio.TimeoutError) as error:
            raise IdentitiesUnavailable(type(error).__name__) from error
        raise IdentitiesUnavailable("its keys changed again and again")

    async def address(self, customer: str) -> Address:
        """Where the customer can be written to now (both None when we have forgotten them)."""
        try:
            wa_id, user_id = await self._redis.hmget(redis_layout.profile(customer), "wa_id", "user_id")
        except (RedisError, OSError, asyncio.TimeoutError) as error:
            raise IdentitiesUnavailable(type(error).__name__) from error
        return Address(_string(wa_id) or None, _string(user_id) or None)

    async def forget(self, customer: str) -> int:
        """Erase everything kept about a customer; the number of Redis keys removed."""
        try:
            profile = await self._redis.hgetall(redis_layout.profile(customer))
            fields = {_string(name): _string(value) for name, value in profile.items()}
            aliases = [name.removeprefix("id:") for name in fields if name.startswith("id:")]
            if "shared_phone" in fields:
                aliases.append("+" + fields["shared_phone"])
            names = [redis_layout.alias(alias) for alias in aliases]
            owners = await self._redis.mget(names) if names else []
            theirs = [name for name, owner in zip(names, owners, strict=True) if _string(owner) == customer]
            return int(await self._redis.delete(redis_layout.profile(customer), *theirs))
        except (RedisError, OSError, asyncio.TimeoutError) as error:
            raise IdentitiesUnavailable(type(error).__name__) from error


def _operation(message: Message) -> dict[str, Any]:
    """What the script does for this message."""
    if message.change is not None:
        change = message.change
        return _present(
            op="rekey",
            id=message.id,
            is_number_change=message.content.extra.get("system") == "user_changed_number",
            old_wa_id=change.old_wa_id,
            old_user_id=change.old_user_id,
            new_wa_id=change.new_wa_id,
            new_user_id=change.new_user_id,
        )
    phone = message.shared_phone.lstrip("+") if message.shared_phone else None
    return _present(op="resolve", wa_id=message.sender.wa_id, user_id=message.sender.user_id, shared_phone=phone)


def _likely_keys(operation: Mapping[str, Any]) -> list[str]:
    """Those that the operation takes unless identities moved: a customer's key is mostly one of their ids."""
    ids = [operation[name] for name in _IDS if name in operation]
    claims = [f"+{operation[name]}" for name in ("wa_id", "new_wa_id", "shared_phone") if name in operation]
    changes = [CHANGE_PREFIX + operation["id"]] if "id" in operation else []
    return [*map(redis_layout.alias, [*ids, *claims]), *map(redis_layout.profile, ids), *changes]


def _present(**fields: Any) -> dict[str, Any]:
    """The fields that have a value: JSON null is a value in Lua."""
    return {name: value for name, value in fields.items() if value is not None}


def _string(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else str(value or "")
