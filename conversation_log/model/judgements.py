"""The log's judgements, each stated once: which feature answered, how far a message got, how a conversation ended."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import skills

IDLE = timedelta(minutes=60)
# How long after a message its records may still come: a stream that waited for the database, a reply that waited for
# Meta, a batch that was stored by a process that died before it said so.
LATE = timedelta(days=14)

REASONS = ("refund_request", "complaint", "frustration", "repeated_failure", "human_requested")

# How it was with a person: the question, the answers by their intent, and what is said to the first one of a ticket.
ASKED_FOR_RATING, RATED = "utter_handoff_ended_how_was_it", "utter_handoff_rated"
RATINGS = {"rate_good": 3, "rate_fair": 2, "rate_poor": 1}

# `failed` comes before `delivered`: what reached the phone did not fail, whatever a late notification says.
_DELIVERY_ORDER = ("accepted", "sent", "failed", "delivered", "read")
_DELIVERY_WORDS = {word: word for word in _DELIVERY_ORDER} | {"played": "read"}


def feature_of(response: str | None, has_policy_pages: bool = False) -> str:
    """The `feature_used` of a reply: what its response counts as in `domain.yml`."""
    feature = skills.load().counting(response).feature
    return "return_policy" if has_policy_pages and feature == skills.SMALL_TALK else feature


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
    return message["feature"] == "clarification" or _counts_as(message) in skills.NO_HELP


def _helps(message: Mapping[str, Any]) -> bool:
    return not is_unresolved_reply(message) and _counts_as(message) != skills.ASKS


def _counts_as(message: Mapping[str, Any]) -> str:
    return skills.load().counting(message["response"]).counts_as
