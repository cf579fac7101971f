"""A customer's conversations in the terminal, from all tiers, as they were spoken."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from typing import Any

import redis
from rich.console import Console
from rich.markup import escape
from rich.rule import Rule
from rich.text import Text
from sqlalchemy.engine import Engine

from conversation_log.model.records import moment
from conversation_log.query import tiers
from privacy.pseudonyms import mask_phone
from settings import Settings

_COLOURS = {"user": "green", "assistant": "cyan", "agent": "magenta", "system": "yellow"}
_TICKS = {"accepted": "·", "sent": "✓", "delivered": "✓✓", "read": "✓✓ read", "failed": "✗ failed"}
_NAMES = {"user": "customer"}


def conversation(record: Mapping[str, Any]) -> list[Rule | Text]:
    """One record as lines for the console."""
    who = mask_phone(record["customer_phone"] or record["customer_id"])
    title = (
        f"{who}   {moment(record['timestamp_start']):%Y-%m-%d %H:%M} UTC   [bold]{record['resolution_status']}[/]"
    )
    if record["escalation_reason"]:
        title += f" ({escape(record['escalation_reason'])})"
    return [Rule(title, align="left"), *(message(said) for said in record["messages"])]


def message(said: Mapping[str, Any]) -> Text:
    """One message as a line: when, who, what, how far it got, what was understood."""
    role = said["role"]
    line = Text(f"{moment(said['timestamp']):%H:%M:%S} ", style="dim")
    line.append(f"{_NAMES.get(role, role):9} ", style=_COLOURS.get(role, ""))
    line.append(said["content"])
    if said.get("buttons"):
        line.append("  " + " ".join(f"[{title}]" for title in said["buttons"]), style="blue")
    about = _about(said)
    if about:
        line.append(f"   {about}", style="dim")
    return line


def _about(said: Mapping[str, Any]) -> str:
    parts = []
    if said.get("intent_detected"):
        parts.append(f"{said['intent_detected']} {said['confidence'] or 0:.2f}")
    if said.get("feature_used"):
        parts.append(said["feature_used"])
    if said.get("escalated"):
        parts.append("escalated")
    if said.get("delivery_status"):
        parts.append(_TICKS[said["delivery_status"]])
    if said.get("error"):
        parts.append(said["error"])
    return "  ".join(parts)


def run_command(settings: Settings, engine: Engine, client: redis.Redis[Any] | None, customer: str, last: int) -> int:
    """`show` on the command line: 1 when there is nothing to show."""
    records = tiers.records(settings, engine, client, tiers.Period(), customer)
    found = deque(records, maxlen=max(last, 1))
    console = Console(highlight=False)
    for record in found:
        for line in conversation(record):
            console.print(line)
    if not found:
        console.print(f"There is no conversation of {mask_phone(customer)} in the log.")
    return 0 if found else 1
