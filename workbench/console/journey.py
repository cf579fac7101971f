"""What became of a customer's messages, step by step: from the log's rows and the events in the tracker.

The log says what was said, when, and how far it got; the tracker (24 hours) what was understood and who decided. A
message that a person got has no tracker events, and an old one has none any more: then the log alone speaks.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import redis
from sqlalchemy import select
from sqlalchemy.engine import Engine

from connectors.message_bus import keys
from conversation_log.model.judgements import spoken
from conversation_log.storage.tables import conversations, messages

TOP = 3
HIDDEN_ACTIONS = ("action_listen", "action_session_start")
OF_ESCALATION = ("escalation_reason", "escalation_priority", "escalation_sheet")
NOT_FACTS = ("utter_action", "template", "model_id", "assistant_id", "llm")
ROW = ("message_key", "turn", "role", "kind", "intent", "confidence", "feature", "escalated", "response",
       "delivery_status", "error", "suppressed", "model")  # fmt: skip

Sources = Callable[[str, str, str, str], list[str]]
"""The rules or stories, with their places, that lead a policy from an intent to an action in a form (or "")."""
LOOP = "active loop"  # kept beside the slots, under a name that no slot has
Event = Mapping[str, Any]


def turns(
    engine: Engine, client: redis.Redis[Any] | None, customer: str, sources: Sources, limit: int = 30
) -> list[dict[str, Any]]:
    """The customer's latest turns, oldest first. Raises SQLAlchemyError; without Redis the log alone speaks."""
    told = _by_message(_events(client, customer)) if client is not None else {}
    found = []
    for rows in _turns(engine, customer, limit):
        asked = next((row for row in rows if row["role"] == "user"), None)
        events, slots = told.get(asked["message_key"], ([], {})) if asked else ([], {})
        found.append(_turn(rows, asked, events, slots, sources))
    return found


def _turns(engine: Engine, customer: str, limit: int) -> list[list[dict[str, Any]]]:
    newest = (
        select(messages)
        .join(conversations, conversations.c.log_id == messages.c.log_id)
        .where(conversations.c.customer_id == customer)
        .order_by(conversations.c.started_at.desc(), messages.c.position.desc())
        .limit(6 * limit)
    )
    with engine.connect() as connection:
        rows = [dict(row) for row in connection.execute(newest).mappings()]
    by_turn: dict[tuple[str, int], list[dict[str, Any]]] = {}
    for row in reversed(rows):
        by_turn.setdefault((row["log_id"], row["turn"]), []).append(row)
    return [sorted(said, key=spoken) for said in by_turn.values()][-limit:]


def _events(client: redis.Redis[Any], customer: str) -> list[Event]:
    chunks = client.lrange(keys.tracker(customer)[0], 0, -1)
    return [event for chunk in chunks for event in json.loads(chunk)]


def _by_message(events: Iterable[Event]) -> dict[str, tuple[list[Event], dict[str, Any]]]:
    """wamid → the events of its turn, and the slots as they were before it."""
    found: dict[str, tuple[list[Event], dict[str, Any]]] = {}
    slots: dict[str, Any] = {}
    current: list[Event] = []
    for event in events:
        if event["event"] == "user":
            wamid = str((event.get("metadata") or {}).get("wamid"))
            # What a meaning read by the LLM repeats belongs to the same turn.
            current = found.setdefault(wamid, ([], dict(slots)))[0]
        elif event["event"] == "slot":
            slots[event["name"]] = event.get("value")
        elif event["event"] == "active_loop":
            slots[LOOP] = event.get("name")
        current.append(event)
    return found


def _turn(
    rows: Sequence[Mapping[str, Any]],
    asked: Mapping[str, Any] | None,
    events: Sequence[Event],
    before: Mapping[str, Any],
    sources: Sources,
) -> dict[str, Any]:
    user = next((event for event in reversed(events) if event["event"] == "user"), None)
    parsed = dict(user.get("parse_data") or {}) if user else {}
    intent = str((parsed.get("intent") or {}).get("name") or (asked or {}).get("intent") or "")
    replies = [row for row in rows if row["role"] != "user"]
    loop = str(before.get(LOOP) or "")
    said = [event for event in events if event["event"] == "bot"]
    return {
        "id": asked["message_key"] if asked else rows[0]["message_key"],
        "text": asked["content"] if asked else "",
        "timings": _timings(asked, user, events, replies),
        "understood": {
            "intents": [[one["name"], one["confidence"]] for one in (parsed.get("intent_ranking") or [])[:TOP]]
            or ([[intent, asked["confidence"]]] if asked and intent else []),
            "entities": [[one.get("entity"), str(one.get("value"))] for one in parsed.get("entities") or []],
            "after": parsed.get("after"),
        },
        "person": _person(events),
        "decided": [
            {"policy": event.get("policy") or "form", "confidence": event.get("confidence"), "action": event["name"],
             "sources": sources(intent, event["name"], str(event["policy"]), loop) if event.get("policy") else []}
            for event in events if event["event"] == "action" and event["name"] not in HIDDEN_ACTIONS
        ],
        "slots": _changed(events, before),
        "replies": [_reply(row, said) for row in replies],
        "rows": [{name: row[name] for name in ROW if row[name] not in (None, "")} for row in rows],
    }  # fmt: skip


def _timings(
    asked: Mapping[str, Any] | None, user: Event | None, events: Sequence[Event], replies: Sequence[Mapping[str, Any]]
) -> list[list[Any]]:
    """[step, epoch seconds] in order; the customer's own clock counts whole seconds and is left out."""
    acted = max((event["timestamp"] for event in events if event["event"] == "bot"), default=None)
    moments = [
        ("webhook in the inbox", _epoch(asked["received_at"]) if asked else None),
        ("read", user["timestamp"] if user else None),
        ("action done", acted),
        ("accepted by Graph", min(filter(None, (_epoch(row["accepted_at"]) for row in replies)), default=None)),
    ]
    return [[name, at] for name, at in moments if at is not None]


def _person(events: Sequence[Event]) -> dict[str, Any] | None:
    """Why a person was called, with the examples that the message is most like; None when nobody was."""
    told = {event["name"]: event.get("value") for event in events if event["event"] == "slot"}
    if not any(event["event"] == "action" and event["name"] == "action_escalate" for event in events):
        return None
    return {"reason": told.get("escalation_reason"), "priority": told.get("escalation_priority"),
            "why": told.get("escalation_sheet") or []}  # fmt: skip


def _changed(events: Sequence[Event], before: Mapping[str, Any]) -> list[list[str]]:
    """[slot, value before, value after] of those that differ."""
    after = {event["name"]: event.get("value") for event in events if event["event"] == "slot"}
    return [
        [name, _short(before.get(name)), _short(value)]
        for name, value in after.items()
        if value != before.get(name) and name not in OF_ESCALATION
    ]


def _reply(row: Mapping[str, Any], said: Sequence[Event]) -> dict[str, Any]:
    """One message of the shop, with what the action told about it."""
    event = next((one for one in said if (one.get("metadata") or {}).get("utter_action") == row["response"]), None)
    metadata = (event.get("metadata") or {}) if event else {}
    facts = {name: _short(value) for name, value in metadata.items() if name not in NOT_FACTS}
    return {
        "key": row["message_key"], "wamid": row["message_id"], "author": row["role"], "text": row["content"],
        "response": row["response"], "topic": row["feature"], "pages": row["policy_pages"] or [],
        "sections": metadata.get("policy_sections") or [], "llm": row["llm"], "facts": facts,
        "status": row["delivery_status"], "error": row["error"], "held_back": row["suppressed"],
    }  # fmt: skip


def _short(value: Any) -> str:
    text = "–" if value is None else value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 200 else text[:199] + "…"


def _epoch(moment: datetime | None) -> float | None:
    return moment.timestamp() if moment else None
