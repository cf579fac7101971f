"""An empty takeover database of each kind, and what most tests open."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from handoff.configuration import HandoffConfiguration, normalised
from handoff.database import Database
from handoff.hours import BusinessHours, Span
from handoff.takeover import Request

NOW = 1_800_000_000.0


@pytest.fixture
def db(sql_url: str) -> Iterator[Database]:
    """SQLite, then PostgreSQL."""
    database = Database(sql_url)
    yield database
    database.close()


@pytest.fixture
def configuration() -> HandoffConfiguration:
    """Open day and night."""
    always = {day: (Span(0, 24 * 60),) for day in range(7)}
    phrases = frozenset(map(normalised, ["back to the bot", "never mind", "end"]))
    return HandoffConfiguration(BusinessHours(ZoneInfo("Asia/Kolkata"), always), back_to_assistant=phrases)


@pytest.fixture
def request_for() -> Any:
    """Build a Request: request_for("919876543210", wamid="wamid.1", reason=...)."""

    def build(customer: str = "919876543210", wamid: str = "wamid.1", **values: Any) -> Request:
        given = {
            "reason": "complaint",
            "priority": "CRITICAL",
            "at": NOW,
            "phone": "+919876543210",
            "profile_name": "Asha Rao",
            "order_number": "10234",
            "sheet": (("complaint_words", "2.0"), ("threshold", "1.5")),
            "transcript": ((NOW - 60, "assistant", "How can I help?"), (NOW, "customer", "This is fraud")),
        }
        return Request(customer=customer, wamid=wamid, **(given | values))

    return build
