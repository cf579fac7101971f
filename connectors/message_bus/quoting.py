"""What a message that quotes an earlier one is about: the transport's memory of what was said to and by a customer.

A quote carries nothing but the wamid of what it quotes. A reply of ours has one only when Graph has accepted it; what
it was about is then kept in the step that records its outcome, a customer's own message in the step that commits its
turn. Kept are the latest few, for days: customers quote what they see on their screen.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import redis.asyncio

from connectors.message_bus import keys
from connectors.message_bus.inbox import Entry
from connectors.message_bus.turn import Reply
from hot_store import record_versions
from lenient_json import as_mapping, text

MAX_KEPT = 40
KEEP_S = 7 * 24 * 3600
TEXT_CHARS = 300
MAX_NAMED = 20
# What actions pass with a response and a later message may be about.
_KEPT = ("utter_action", "order_number", "order_numbers", "policy_section", "policy_pages", "plan", "reference")


def about(reply: Reply) -> dict[str, Any]:
    """What of a reply is kept: response and facts as the action passed them, and the words, all clipped."""
    kept = {name: _clipped(reply.metadata.get(name)) for name in _KEPT}
    kept["text"] = reply.text[:TEXT_CHARS]
    return {name: value for name, value in kept.items() if value}


def of_reply(wamid: str | None, author: str, said: dict[str, Any]) -> list[str | int]:
    """The scripts' arguments for a reply that Graph accepted: entry ("" for none), how many are kept, seconds."""
    entry = record_versions.stamped({"wamid": wamid, "author": author, **said})
    return [_compact(entry) if wamid and said else "", MAX_KEPT, KEEP_S]


def of_customer(entries: Sequence[Entry], replies: Sequence[Reply] = ()) -> list[str | int]:
    """The same for messages of the customer, one a line; they are about what they were answered with."""
    lines, answered = [], _answered(replies)
    for entry in entries:
        metadata = as_mapping(entry.payload.get("metadata"))
        words = (text(metadata.get("typed")) or text(entry.payload.get("text")))[:TEXT_CHARS]
        if entry.kind == "message" and words:
            said = {"wamid": entry.id, "author": "customer", "text": words, **answered}
            lines.append(_compact(record_versions.stamped(said)))
    return ["\n".join(lines), MAX_KEPT, KEEP_S]


def _answered(replies: Sequence[Reply]) -> dict[str, Any]:
    """The order that the answer to a message told of, and by which response; nothing where it told of several."""
    told = [kept for reply in replies if (kept := about(reply)).get("order_number")]
    if len({kept["order_number"] for kept in told}) != 1:
        return {}
    return {name: told[0][name] for name in ("utter_action", "order_number") if name in told[0]}


async def latest(client: redis.asyncio.Redis, customer: str, kept: str | None = None) -> Mapping[str, Any]:
    """What was said last in this conversation, by whomever; empty when that is not known. Raises redis.RedisError.

    `kept`: what Redis holds of it, where that was read before.
    """
    return record_versions.read_kept(await client.lindex(keys.quotable(customer), 0) if kept is None else kept)


async def quoted(client: redis.asyncio.Redis, customer: str, wamid: str) -> dict[str, Any] | None:
    """What the message or reply `wamid` of this conversation was about. Raises redis.RedisError."""
    for kept in await client.lrange(keys.quotable(customer), 0, -1):
        said = record_versions.read_kept(kept)
        if said.get("wamid") == wamid:
            return dict(said)
    return None


def _clipped(value: Any) -> Any:
    if isinstance(value, list):
        return [text(item, TEXT_CHARS) for item in value[:MAX_NAMED]]
    return text(str(value), TEXT_CHARS) if isinstance(value, (str, int, float)) else None


def _compact(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"))
