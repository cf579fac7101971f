"""A conversation as the record that `conversation_log.schema.json` describes.

What the schema leaves open is added beside it: buttons, the response's name, the LLM's verdict, the cited pages, and
when a message was received and accepted. Absent facts are left out there.
"""

import json
from pathlib import Path
from typing import Any

from conversation_log.model.records import iso, phone_of
from conversation_log.storage.reader import Conversation, Row
from privacy.pseudonyms import pseudonym
from privacy.redaction import redact

SCHEMA = Path(__file__).parent / "conversation_log.schema.json"


def as_record(conversation: Conversation) -> dict[str, Any]:
    """The record of one conversation. What the assistant computed but never sent is left out."""
    row = conversation.row
    said = [message for message in conversation.messages if not message["suppressed"]]
    record = {
        "log_id": row["log_id"],
        "session_id": row["session_id"],
        "customer_phone": phone_of(row["customer_phone"]),
        "customer_id": row["customer_id"],
        "timestamp_start": iso(row["started_at"]),
        "timestamp_end": iso(row["ended_at"]),
        "messages": [message_of(message) for message in said],
        "resolution_status": row["resolution_status"],
        "escalation_reason": row["escalation_reason"],
        "session_metadata": {
            "bot_version": row["bot_version"],
            "model": row["model"],
            "total_turns": row["total_turns"],
            "duration_seconds": round((row["ended_at"] - row["started_at"]).total_seconds(), 3),
        },
    }
    if row["escalation_priority"]:
        record["escalation_priority"] = row["escalation_priority"]
    return record


def without_personal_data(record: dict[str, Any]) -> dict[str, Any]:
    """The record with placeholders for personal data in its texts: what the archive keeps."""
    messages = [
        {name: _redacted(value) if name in _TEXTS else value for name, value in message.items()}
        for message in record["messages"]
    ]
    return {**record, "messages": messages}


def for_strangers(record: dict[str, Any], key: str | None) -> dict[str, Any]:
    """The record without personal data and without who it is about: one made-up name a customer, by `key`.

    WhatsApp's message ids spell the phone number in base64, so they are replaced too.
    """
    shown = without_personal_data(record)
    shown |= {"customer_phone": None, "customer_id": pseudonym(record["customer_id"], key)}
    for message in shown["messages"]:
        if message.get("message_id"):
            message["message_id"] = pseudonym(message["message_id"], key).replace("c_", "m_", 1)
    return shown


_TEXTS = ("content", "buttons", "llm", "error")


def _redacted(value: Any) -> Any:
    if isinstance(value, str):
        return redact(value)
    if isinstance(value, list):
        return [_redacted(item) for item in value]
    if isinstance(value, dict):
        return {name: _redacted(item) for name, item in value.items()}
    return value


def as_line(record: dict[str, Any]) -> str:
    return json.dumps(record, ensure_ascii=False, separators=(",", ":"))


def message_of(row: Row) -> dict[str, Any]:
    """One message as it stands in a record."""
    message: dict[str, Any] = {
        "turn": row["turn"],
        "role": row["role"],
        "content": row["content"],
        "timestamp": iso(row["sent_at"] if row["role"] == "user" else row["accepted_at"] or row["sent_at"]),
        "message_id": row["message_id"],
    }
    if row["role"] == "user":
        message |= {"intent_detected": row["intent"], "confidence": row["confidence"]}
    else:
        message["delivery_status"] = row["delivery_status"]
    if row["role"] == "assistant":
        message |= {"feature_used": row["feature"], "escalated": bool(row["escalated"])}
    return message | _extras(row)


def _extras(row: Row) -> dict[str, Any]:
    extras = {name: row[name] for name in ("kind", "response", "buttons", "llm", "policy_pages", "error") if row[name]}
    times = {"received_at": row["received_at"], "accepted_at": row["accepted_at"]}
    return extras | {name: iso(moment) for name, moment in times.items() if moment is not None}
