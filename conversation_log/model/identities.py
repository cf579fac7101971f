"""All the names that one customer has: phone, digits, user ids, the keys of their conversations.

Redis knows the current ones (`identity:*` aliases and `customer:*` profiles), the log and the archive those of older
conversations.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import redis
from sqlalchemy import or_, select
from sqlalchemy.engine import Engine

from conversation_log.model.records import phone_of
from conversation_log.storage.tables import conversations
from hot_store import redis_layout

if TYPE_CHECKING:
    import pyarrow as pa

    from conversation_log.archive.parquet_archive import ParquetArchive

Pairs = set[tuple[str, str | None]]
"""(key of a conversation, phone) as they stand together in the log."""

MIN_NAME_CHARS = 6  # shorter ones would be found by chance
_WAMID = re.compile(r"wamid\.([A-Za-z0-9+/=_-]{8,512})")


@dataclass(frozen=True)
class Identities:
    """`names` is everything the customer is known by; `customers` those that are keys of conversations."""

    names: frozenset[str]
    customers: frozenset[str]


def find(
    customer: str, engine: Engine | None, client: redis.Redis[Any] | None, archive: ParquetArchive | None = None
) -> Identities:
    """Everything that `customer` (a phone number or any id) is known by, followed from name to name.

    A number that several conversations' keys share was given to a stranger at some time; it leads no further.
    """
    tiers: list[Callable[[set[str]], Pairs]] = []
    if engine is not None:
        tiers.append(lambda names: _logged(engine, names))
    if archive is not None:
        archived = archive.owners()
        tiers.append(lambda names: carrying(archived, names))
    names: set[str] = set()
    customers: set[str] = set()
    fresh = _spellings(customer)
    while fresh:
        names |= fresh
        keys = set(fresh)
        if client is not None:
            keys |= _owners(client, fresh)
        found = set(keys)
        if client is not None:
            found |= {name for key in keys for name in _profile(client, key)}
        found |= _linked(tiers, keys)
        customers |= keys
        fresh = _spellings(*found) - names
    return Identities(frozenset(names), frozenset(customers))


def mentions(wamid: str, names: frozenset[str]) -> bool:
    """Whether a wamid carries one of these names: Meta encodes the customer's phone or user id in it."""
    found = _WAMID.search(wamid)
    if not found:
        return False
    body = found.group(1).rstrip("=")
    try:
        decoded = base64.b64decode(body + "=" * (-len(body) % 4), altchars=b"-_" if set(body) & set("-_") else None)
    except (binascii.Error, ValueError):
        return False
    return any(name.encode() in decoded for name in names if len(name) >= MIN_NAME_CHARS)


def _spellings(*names: str) -> set[str]:
    """Each name, and a phone number with and without its plus."""
    found = set(names)
    for name in names:
        if phone_of(name):
            found.add(name[1:])
        elif phone_of("+" + name) and 10 <= len(name) <= 15:
            found.add("+" + name)
    return {name for name in found if name}


def _owners(client: redis.Redis[Any], names: set[str]) -> set[str]:
    found = client.mget([redis_layout.alias(name) for name in sorted(names)])
    return {value.decode() for value in found if value}


def _profile(client: redis.Redis[Any], customer: str) -> set[str]:
    """The ids in a customer's profile."""
    if client.type(redis_layout.profile(customer)) != b"hash":
        return set()
    names: set[str] = set()
    for field, value in client.hgetall(redis_layout.profile(customer)).items():
        name = field.decode()
        if name.startswith("id:"):
            names.add(name.removeprefix("id:"))
        elif name in ("wa_id", "user_id", "shared_phone") and value:
            names.add(value.decode())
    return names


def _linked(tiers: list[Callable[[set[str]], Pairs]], names: set[str]) -> set[str]:
    """The keys and phones of the conversations that carry one of these names, where the link is unambiguous."""
    pairs = {pair for pairs_of in tiers for pair in pairs_of(names)}
    phones = {phone for _, phone in pairs if phone}
    owners = {pair for pairs_of in tiers for pair in pairs_of(phones)} if phones else set()
    shared = {phone for phone in phones if len({key for key, number in owners if number == phone}) > 1}
    return {name for key, phone in pairs if phone not in shared for name in (key, phone) if name}


def _logged(engine: Engine, names: set[str]) -> Pairs:
    """The pairs in the database that one of these names is part of."""
    columns = conversations.c
    by_name = or_(columns.customer_id.in_(sorted(names)), columns.customer_phone.in_(sorted(names)))
    with engine.connect() as connection:
        found = connection.execute(select(columns.customer_id, columns.customer_phone).where(by_name).distinct())
        return {(key, phone) for key, phone in found}


def carrying(owners: pa.Table, names: Collection[str]) -> Pairs:
    """The pairs among the archive's owners (`ParquetArchive.owners`) that one of these names is part of."""
    import pyarrow as pa
    import pyarrow.compute as pc

    wanted = pa.array(sorted(names), pa.string())
    mask = pc.or_(*(pc.is_in(owners[column], value_set=wanted) for column in ("customer_id", "customer_phone")))
    return {(row["customer_id"], row["customer_phone"]) for row in owners.filter(mask).to_pylist()}
