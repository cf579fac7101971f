"""Plain values for tests that cannot take fixtures (hypothesis runs its body many times)."""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

from handoff.configuration import HandoffConfiguration, normalised
from handoff.takeover.opening_hours import BusinessHours, Span
from handoff.takeover.state_machine import Request

NOW = 1_800_000_000.0


def always_open() -> HandoffConfiguration:
    """Open day and night."""
    always = {day: (Span(0, 24 * 60),) for day in range(7)}
    phrases = frozenset(map(normalised, ["back to the bot", "never mind", "end"]))
    return HandoffConfiguration(BusinessHours(ZoneInfo("Asia/Kolkata"), always), back_to_assistant=phrases)


def request(customer: str = "919876543210", wamid: str = "wamid.1", **values: Any) -> Request:
    """An angry customer's request."""
    given = {
        "reason": "complaint",
        "priority": "CRITICAL",
        "at": NOW,
        "phone": "+919876543210",
        "profile_name": "Asha Rao",
        "order_number": "10234",
        "score_breakdown": (("complaint_words", "2.0"), ("threshold", "1.5")),
        "transcript": ((NOW - 60, "assistant", "How can I help?"), (NOW, "customer", "This is fraud")),
    }
    return Request(customer=customer, wamid=wamid, **(given | values))
