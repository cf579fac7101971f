"""Records of the event stream, read into what the log keeps of them.

Rasa's event dicts, Meta's statuses and our own outcome records come in; anything that does not have the shape of
docs/architecture.md raises BadRecord, so that one such record can be set aside without stopping the others.
"""

import json
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from conversation_log.model.judgements import REASONS, delivery_status, feature_of
from conversation_log.model.records import (
    BadRecord,
    Charge,
    Escalation,
    Message,
    Outcome,
    Record,
    Status,
    Turn,
    clean,
    moment,
    phone_of,
    without_titles,
)
from conversation_log.storage.tables import KEY_CHARS
from hot_store import record_versions

FIRST_REPLY = 1
_SYSTEM_KINDS = ("conversation_returned", "agent_comment", "order_update")
# What action_escalate says when the takeover could not be stored, and what it assumes when nobody gave a reason.
NOBODY_CALLED = "utter_handoff_unavailable"
DEFAULT_REASON = "human_requested"
# The send gate found that a person owns the conversation by now: the reply was never sent.
NEVER_SENT = "floor_lost"


def parse(text: str | bytes) -> Record | None:
    """One record of the stream, None for one that says nothing to the log. Raises BadRecord."""
    try:
        raw = json.loads(text)
        record_versions.check(raw)
        reader = _READERS.get(raw["record"])
        return reader(raw) if reader else None
    except record_versions.UnknownVersion as error:
        raise BadRecord(str(error)) from error
    except (KeyError, TypeError, AttributeError, ValueError, RecursionError, OverflowError) as error:
        raise BadRecord(f"{type(error).__name__} at {error}"[:200]) from error


def _key(value: Any) -> str:
    if not isinstance(value, str) or not value or len(value) > KEY_CHARS:
        raise ValueError("no usable message id")
    return clean(value)


def _customer(raw: Mapping[str, Any]) -> str:
    return _key(raw["customer"])[:160]


def _optional_moment(value: Any) -> datetime | None:
    return None if value is None else moment(value)


def _turn(raw: Mapping[str, Any]) -> Turn | None:
    metadata: Mapping[str, Any] = raw["metadata"] or {}
    events: list[Mapping[str, Any]] = raw["events"]
    model = clean(raw["model"])[:160] if raw.get("model") else None
    escalation = _escalation(events)
    customers = _customers_part(raw, metadata, events)
    replies = _replies_part(raw, metadata, events, escalation is not None, model)
    found = (*customers, *replies)
    if not found and escalation is None:
        return None
    return Turn(
        customer=_customer(raw),
        phone=phone_of(metadata.get("phone")),
        messages=found,
        at=found[0].sent_at if found else moment(_last_time(events)),
        answered=True,
        begins_session=any(event.get("name") == "action_session_start" for event in events),
        escalation=escalation,
        model=model,
        trace=_trace(raw),
    )


def _customers_part(
    raw: Mapping[str, Any], metadata: Mapping[str, Any], events: list[Mapping[str, Any]]
) -> tuple[Message, ...]:
    """The customer's messages of a turn (several when a burst was read as one); none when something else led to it."""
    if metadata.get("kind") in _SYSTEM_KINDS:
        return ()
    # The last one: a message whose meaning was settled later in the turn is taken back and said again with it.
    event = next((event for event in reversed(events) if event.get("event") == "user"), None)
    if event is None:
        return ()
    earlier = raw.get("before") or []
    if earlier:
        event = {**event, "text": ""}  # what was read of all of them together
    before = [_customer_message(_key(one["metadata"]["wamid"]), one["metadata"], one) for one in earlier]
    return (*before, _customer_message(_key(metadata.get("wamid") or event.get("message_id")), metadata, event))


def _replies_part(
    raw: Mapping[str, Any],
    metadata: Mapping[str, Any],
    events: list[Mapping[str, Any]],
    escalated: bool,
    model: str | None,
) -> tuple[Message, ...]:
    """The replies of a turn: as they go out when the record lists them, else as the dialogue said them."""
    said = [event for event in events if event.get("event") == "bot"]
    listed = raw.get("replies")
    if listed is not None:
        # One thing said may go out as several messages; only one for one do buttons and times pair up.
        events_of = said if len(said) == len(listed) else [{}] * len(listed)
        pairs = zip(events_of, listed, strict=True)
        said = [{**event, "text": reply.get("text"), "metadata": reply.get("metadata")} for event, reply in pairs]
    if not said:
        return ()
    # Outside of a message (a reminder) nothing numbers the replies: their own time does.
    key = metadata.get("wamid") or f"{_customer(raw)}@{said[0].get('timestamp')}"
    at = _last_time(events)
    # A message that was set aside and came back has had other replies before.
    first = raw.get("first_reply") or FIRST_REPLY
    return tuple(
        _reply(_key(f"{key}:{number}"), reply, escalated, model, at) for number, reply in enumerate(said, first)
    )


def _inbound(raw: Mapping[str, Any]) -> Turn:
    metadata: Mapping[str, Any] = raw["metadata"]
    message = _customer_message(_key(metadata["wamid"]), metadata, {"text": raw.get("text")})
    return Turn(
        customer=_customer(raw),
        phone=phone_of(metadata.get("phone")),
        messages=(message,),
        at=message.sent_at,
        answered=False,
    )


def _sent(raw: Mapping[str, Any]) -> Outcome:
    author = raw.get("author") or "assistant"
    if author not in ("assistant", "agent"):
        raise ValueError("unknown author")
    return Outcome(
        customer=_customer(raw),
        key=_key(raw["key"]),
        message_id=_key(raw["wamid"]) if raw.get("wamid") else None,
        at=moment(raw["at"]),
        outcome="suppressed" if raw.get("error") == NEVER_SENT else str(raw["outcome"]),
        error=_error(raw.get("error")),
        text=clean(raw.get("text")),
        author=author,
        phone=phone_of(raw.get("phone")),
        trace=_trace(raw),
    )


def _trace(raw: Mapping[str, Any]) -> str | None:
    """What the record carries of its trace; whoever reads it knows whether it is one."""
    return raw["trace"] if isinstance(raw.get("trace"), str) else None


def _status(raw: Mapping[str, Any]) -> Status | None:
    status = delivery_status(raw["status"])
    if status is None:
        return None
    return Status(
        message_id=_key(raw["wamid"]),
        key=_key(raw["key"]) if raw.get("key") else None,
        status=status,
        at=moment(raw["at"]),
        error=_error(raw.get("errors")),
        charge=_charge(raw.get("pricing")),
    )


def _charge(raw: Any) -> Charge | None:
    category = _word(raw.get("category"), 30) if isinstance(raw, Mapping) else None
    if category is None:
        return None
    return Charge(category, raw.get("billable") is True, _word(raw.get("type"), 40), _word(raw.get("country"), 2))


_READERS: dict[str, Callable[[Mapping[str, Any]], Record | None]] = {
    "turn": _turn,
    "inbound": _inbound,
    "sent": _sent,
    "status": _status,
}


def _customer_message(key: str, metadata: Mapping[str, Any], event: Mapping[str, Any]) -> Message:
    intent = (event.get("parse_data") or {}).get("intent") or {}
    confidence = intent.get("confidence")
    kind = clean(metadata.get("kind"))[:40] or None
    received = _optional_moment(metadata.get("received_at"))
    return Message(
        key=key,
        role="user",
        content=_words(metadata, event.get("text"), kind),
        # Meta counts whole seconds; the order within a conversation comes from the stream, not from this.
        sent_at=_optional_moment(metadata.get("timestamp")) or received or moment(event["timestamp"]),
        kind=kind,
        received_at=received,
        message_id=key,
        intent=_word(intent.get("name"), 120),
        confidence=None if confidence is None else min(1.0, max(0.0, float(confidence))),
        llm=(event.get("metadata") or {}).get("llm") or None,
    )


def _words(metadata: Mapping[str, Any], text: object, kind: str | None) -> str:
    """What the customer saw themselves send: the typed words or the button's title, else the kind in brackets."""
    typed = clean(metadata.get("typed"))
    if typed:
        return typed
    plain = clean(text)
    if plain and (not plain.startswith("/") or clean(text) != str(text)):
        return plain
    media = metadata.get("media") or ()
    named = [clean(item.get("kind") or kind) for item in media if isinstance(item, dict)]
    return " ".join(f"[{name}]" for name in named) or f"[{kind or 'message'}]"


def _reply(key: str, event: Mapping[str, Any], escalated: bool, model: str | None, at: Any = None) -> Message:
    metadata = event.get("metadata") or {}
    data = event.get("data") or {}
    response = _word(metadata.get("utter_action"), 160)
    pages = metadata.get("policy_pages") or None
    buttons = [clean(button.get("title")) for button in data.get("buttons") or ()] or None
    return Message(
        key=key,
        role="assistant",
        content=without_titles(clean(event.get("text")), buttons) or _attachment(data),
        sent_at=moment(event.get("timestamp") or at),
        feature=feature_of(response, bool(pages)),
        escalated=escalated,
        response=response,
        model=model,
        llm=metadata.get("llm") or None,
        policy_pages=pages,
        buttons=buttons,
    )


def _attachment(data: Mapping[str, Any]) -> str:
    """What a reply without words was: `[document]`, `[image]`."""
    custom = data.get("custom") or {}
    kind = custom.get("type") if isinstance(custom, dict) else None
    return f"[{clean(kind)}]" if kind else next((f"[{name}]" for name in ("image", "attachment") if data.get(name)), "")


def _escalation(events: list[Mapping[str, Any]]) -> Escalation | None:
    """The escalation that happened in a turn: a person was called, and could be."""
    called = any(event.get("event") == "action" and event.get("name") == "action_escalate" for event in events)
    reason = _last_slot(events, "escalation_reason")
    said = [(event.get("metadata") or {}).get("utter_action") for event in events if event.get("event") == "bot"]
    if not (called or reason) or NOBODY_CALLED in said:
        return None
    return Escalation(_reason(reason) or DEFAULT_REASON, _word(_last_slot(events, "escalation_priority")) or "HIGH")


def _last_slot(events: list[Mapping[str, Any]], name: str) -> Any:
    """The last value that a slot was given in these events, emptying it aside."""
    values = [event.get("value") for event in events if event.get("event") == "slot" and event.get("name") == name]
    return next((value for value in reversed(values) if value), None)


def _last_time(events: list[Mapping[str, Any]]) -> Any:
    return next((event["timestamp"] for event in reversed(events) if event.get("timestamp")), None)


def _reason(value: Any) -> str | None:
    return value if value in REASONS else None


def _word(value: Any, limit: int = 16) -> str | None:
    return clean(value)[:limit] if isinstance(value, str) and value else None


def _error(value: Any) -> str | None:
    """An error, or Meta's list of them, as short text."""
    if not value:
        return None
    if isinstance(value, list):
        named = [(e.get("code"), e.get("title") or e.get("message")) for e in value if isinstance(e, dict)]
        return clean("; ".join(f"{code} {title or ''}".strip() for code, title in named))[:400] or None
    return clean(value)[:400]
