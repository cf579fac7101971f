"""The archive's columns. Stable: columns may be added at the end, never changed or removed."""

import json
from typing import Any

import pyarrow as pa

from conversation_log.model.records import iso, moment

_MOMENT = pa.timestamp("us", tz="UTC")
_MESSAGE = pa.struct(
    [
        ("turn", pa.int32()),
        ("role", pa.string()),
        ("content", pa.string()),
        ("timestamp", _MOMENT),
        ("message_id", pa.string()),
        ("intent_detected", pa.string()),
        ("confidence", pa.float64()),
        ("feature_used", pa.string()),
        ("escalated", pa.bool_()),
        ("delivery_status", pa.string()),
        ("kind", pa.string()),
        ("response", pa.string()),
        ("buttons", pa.list_(pa.string())),
        ("llm", pa.string()),
        ("policy_pages", pa.string()),
        ("error", pa.string()),
        ("received_at", _MOMENT),
        ("accepted_at", _MOMENT),
    ]
)
SCHEMA = pa.schema(
    [
        ("log_id", pa.string()),
        ("session_id", pa.string()),
        ("customer_phone", pa.string()),
        ("customer_id", pa.string()),
        ("timestamp_start", _MOMENT),
        ("timestamp_end", _MOMENT),
        ("messages", pa.list_(_MESSAGE)),
        ("resolution_status", pa.string()),
        ("escalation_reason", pa.string()),
        ("escalation_priority", pa.string()),
        (
            "session_metadata",
            pa.struct(
                [
                    ("bot_version", pa.string()),
                    ("model", pa.string()),
                    ("total_turns", pa.int32()),
                    ("duration_seconds", pa.float64()),
                ]
            ),
        ),
    ]
)

_MOMENTS = ("timestamp", "received_at", "accepted_at")
_JSON = ("llm", "policy_pages")
_OPTIONAL = ("kind", "response", "buttons", "llm", "policy_pages", "error", "received_at", "accepted_at")
_ROLES = {"user": ("intent_detected", "confidence"), "assistant": ("feature_used", "escalated")}


def as_row(record: dict[str, Any]) -> dict[str, Any]:
    """An exported record as a row of SCHEMA."""
    return {
        **record,
        "timestamp_start": moment(record["timestamp_start"]),
        "timestamp_end": moment(record["timestamp_end"]),
        "messages": [_message(message) for message in record["messages"]],
    }


def from_row(row: dict[str, Any]) -> dict[str, Any]:
    """The record that `as_row` made the row of, exactly."""
    record = {
        **row,
        "timestamp_start": iso(row["timestamp_start"]),
        "timestamp_end": iso(row["timestamp_end"]),
        "messages": [_message_back(message) for message in row["messages"]],
    }
    if record["escalation_priority"] is None:
        del record["escalation_priority"]
    return record


def _message(message: dict[str, Any]) -> dict[str, Any]:
    changed: dict[str, Any] = {name: moment(message[name]) for name in _MOMENTS if name in message}
    changed |= {name: json.dumps(message[name], ensure_ascii=False) for name in _JSON if name in message}
    return {**message, **changed}


def _message_back(row: dict[str, Any]) -> dict[str, Any]:
    """The message without the columns that its role does not have."""
    message = {name: value for name, value in row.items() if name not in _OPTIONAL or value is not None}
    for role, names in _ROLES.items():
        if row["role"] != role:
            for name in names:
                message.pop(name, None)
    if row["role"] == "user":
        message.pop("delivery_status", None)
    message |= {name: iso(message[name]) for name in _MOMENTS if name in message}
    message |= {name: json.loads(message[name]) for name in _JSON if name in message}
    return message
