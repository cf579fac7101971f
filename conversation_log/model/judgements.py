"""The log's judgements, each stated once: which feature answered, how far a message got, how a conversation ended."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

IDLE = timedelta(minutes=60)
# How long after a message its records may still come: a stream that waited for the database, a reply that waited for
# Meta, a batch that was stored by a process that died before it said so.
LATE = timedelta(days=14)

FEATURES = ("order_status", "return_policy", "escalation", "clarification", "smalltalk")
REASONS = ("refund_request", "complaint", "frustration", "repeated_failure", "human_requested")

# `failed` comes before `delivered`: what reached the phone did not fail, whatever a late notification says.
_DELIVERY_ORDER = ("accepted", "sent", "failed", "delivered", "read")
_DELIVERY_WORDS = {word: word for word in _DELIVERY_ORDER} | {"played": "read"}

_TOPICS = (
    ("order_status", "order_status"),
    ("order", "order_status"),
    ("return_policy", "return_policy"),
    ("handoff", "escalation"),
    ("fallback", "clarification"),
    ("clarification", "clarification"),
)
# Replies that leave the customer's wish unmet, and replies that wait for the customer, by the outcome in their name.
_UNMET = re.compile(r"_(not_found|unavailable|unknown|unclear|not_covered|no_answer|apology|away|received)(_|$)")
_ASKING = re.compile(
    r"^utter_(ask_|greet$|affirm_open$)|_(ask|choose|which|share_contact|offer|resume|more)(_|$)"
    r"|^utter_order_change_\w*(possible|on_the_way|finished)$|_no_(open_orders|other_order|refund)$"
)


def feature_of(response: str | None, has_policy_pages: bool = False) -> str:
    """The `feature_used` of a reply: the topic in its response's name (`utter_order_status_shipped`)."""
    topic = (response or "").removeprefix("utter_").removeprefix("ask_")
    for prefix, feature in _TOPICS:
        if topic == prefix or topic.startswith(prefix + "_"):
            return feature
    return "return_policy" if has_policy_pages else "smalltalk"


def delivery_status(word: object) -> str | None:
    """Meta's word for a message's state in the log's vocabulary, None for one that the log does not know."""
    return _DELIVERY_WORDS.get(word) if isinstance(word, str) else None


def furthest(known: str | None, news: str | None) -> str | None:
    """The state that got further: notifications arrive in any order and more than once."""
    if known is None or news is None:
        return known or news
    return max(known, news, key=_DELIVERY_ORDER.index)


def spoken(message: Mapping[str, Any]) -> tuple[int, bool, datetime, int]:
    """What messages of a conversation are sorted by: turn by turn, the customer's first, the others as they went out.

    The stream's order is not it: an agent's words may wait in the outbox while the assistant's next are logged.
    """
    at = message["accepted_at"] or message["sent_at"]
    return message["turn"], message["role"] != "user", at, message["position"]


def resolution(conversation: Mapping[str, Any], messages: Sequence[Mapping[str, Any]], now: datetime) -> str:
    """How a conversation stands at `now`.

    escalated: a person was asked in, whatever came of it. open: the last message is younger than 60 minutes.
    abandoned: it ended on a question to the customer, on an answer that did not help, or on none at all.
    resolved: it ended on an answer.
    """
    status = str(conversation["resolution_status"])
    if status != "open":
        return status
    if conversation["ended_at"] + IDLE > now:
        return "open"
    return ending(messages)


def ending(messages: Sequence[Mapping[str, Any]]) -> str:
    """`resolved` or `abandoned`, for a conversation that is over and was never escalated."""
    said = [message for message in messages if not message["suppressed"]]
    last_turn: list[Mapping[str, Any]] = []
    for message in reversed(said):
        if message["role"] == "user":
            break
        last_turn.append(message)
    arrived = [message for message in last_turn if message["delivery_status"] != "failed"]
    if not arrived or not any(message["role"] == "user" for message in said):
        return "abandoned"
    return "resolved" if any(_helps(message) for message in arrived) else "abandoned"


def is_unresolved_reply(message: Mapping[str, Any]) -> bool:
    """Whether an assistant's reply shows that it did not understand or could not help."""
    return message["feature"] == "clarification" or bool(_UNMET.search(message["response"] or ""))


def _helps(message: Mapping[str, Any]) -> bool:
    return not is_unresolved_reply(message) and not _ASKING.search(message["response"] or "")
